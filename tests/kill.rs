//! Whenever a run is killed, it can be resumed, and ends in the bits of one that was not.
//!
//! `NARROWS_KILLS=200 cargo test --test kill -- --nocapture` is the long version; without the variable there are
//! few kills, so that the check of every commit stays short.

mod support;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use narrows::rng::{Purpose, stream};
use rand::RngExt as _;
use support::{Place, without_seconds};

/// A checkpoint of half a megabyte after each of 60 steps, so that most kills fall into the writing of one.
const CONFIG: &str = r#"name = "toys"
seed = 3
[data]
set = "toys"
merge = true
[model]
encoder = [{ noise = 0.1 }, { dense = 1000, activation = "relu" }, { dropout = 0.2 }, { dense = 3, activation = "relu" }]
decoder = [{ dense = "input", activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 4
max_epochs = 15
early_stopping = { patience = 20, restore_best = true }
checkpoint = { every_steps = 1 }
[optimizer]
name = "nadam"
learning_rate = 1e-3
schedule = { plateau = "val_loss", factor = 0.5, patience = 1 }
"#;

const FEW: usize = 12;

fn start(place: &Place, arguments: &[&str]) -> Child {
    let mut command = Command::new(support::program());
    command.args(arguments).args(["--threads", "1"]).current_dir(place.root());
    for variable in support::VARIABLES {
        command.env_remove(variable);
    }
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn every_kill_is_survived_to_the_same_bits() {
    let kills: usize = std::env::var("NARROWS_KILLS").map_or(FEW, |kills| kills.parse().unwrap());
    let place = Place::with_toys();
    place.write("kill.toml", CONFIG.as_bytes());
    let began = Instant::now();
    place.narrows(&["train", "kill.toml", "--threads", "1", "--out", "whole"]).done();
    let whole = began.elapsed();
    let expected = place.sha256("whole/model.safetensors");
    let history = without_seconds(&place.text("whole/history.csv"));
    let names = |run: &str| {
        let entries = std::fs::read_dir(place.path(run)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let expected_names = names("whole");

    let mut random = stream(2026, Purpose::Draw, 0);
    let (mut killed, mut runs, mut in_writing, mut before_first) = (0, 0, 0, 0);
    let (mut resumed, mut chains) = (0, 0);
    while killed < kills {
        let run = format!("run-{runs}");
        runs += 1;
        let mut of_this = 0;
        loop {
            // A run that was killed before it had a folder is begun, not resumed.
            let begun = place.path(&run).join("config.toml").exists();
            let arguments = if begun { ["train", "--resume", &run] } else { ["train", "kill.toml", "--out"] };
            let mut arguments = arguments.to_vec();
            if !begun {
                arguments.push(&run);
            }
            // At most three kills of one run: then it is let end.
            if killed == kills || of_this == 3 {
                let answer = place.narrows(&[&arguments[..], &["--threads", "1"]].concat()).done();
                resumed += usize::from(answer.stderr.contains("resumed in epoch"));
                break;
            }
            let mut child = start(&place, &arguments);
            std::thread::sleep(Duration::from_secs_f64(0.9 * random.random::<f64>() * whole.as_secs_f64()));
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{run} ended with {status}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            killed += 1;
            of_this += 1;
            let checkpoint = |name: &str| place.path(&run).join("checkpoint").join(name).exists();
            in_writing += usize::from(
                checkpoint("last.safetensors.partial")
                    || (!checkpoint("last.safetensors") && checkpoint("previous.safetensors")),
            );
            before_first += usize::from(!checkpoint("last.safetensors") && !checkpoint("previous.safetensors"));
        }
        chains += usize::from(of_this > 1);
        assert_eq!(place.sha256(&format!("{run}/model.safetensors")), expected, "{run}");
        assert_eq!(without_seconds(&place.text(&format!("{run}/history.csv"))), history, "{run}");
        assert_eq!(names(&run), expected_names, "{run}");
        std::fs::remove_dir_all(place.path(&run)).unwrap();
    }
    println!(
        "{killed} kills of {runs} runs ({chains} of them killed more than once) in {:.0} s: {in_writing} while a checkpoint \
         was being written, {before_first} before the first or after the last; {resumed} last resumptions began at a \
         checkpoint; every run ended in {expected}",
        began.elapsed().as_secs_f64()
    );
}

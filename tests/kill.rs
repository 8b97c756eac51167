//! Whenever a run is killed, it can be resumed, and ends in the bits of one that was not, on whatever instruction set and number
//! of threads it goes on.
//!
//! `NARROWS_KILLS=200 cargo test --test kill -- --nocapture` is the long version; without the variable there are
//! few kills, so that the check of every commit stays short.

mod support;

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use narrows::rng::{Purpose, stream};
use narrows_kernels::Isa;
use rand::RngExt as _;
use support::{Place, without_seconds};

/// A checkpoint of 0.3 MB after each of 60 steps, so that most kills fall into the writing of one.
const DENSE: &str = r#"name = "toys"
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

/// The data and the optimizer of the kinds below.
const FOOTWEAR: &str = r#"[data]
set = "footwear"
merge = true
per_class = 35
split = { train = 5, validation = 1, test = 1 }
[optimizer]
name = "adam"
"#;

/// A checkpoint after each of 120 steps of layers on images; their running statistics are part of it.
const CONVOLUTIONAL: &str = r#"name = "convolutional"
seed = 3
[model]
encoder = [{ conv = 6, activation = "relu" }, { batch-norm = "keras" }, { max-pool = 2 }, { dropout = 0.2, by_channel = true }, { conv = 17, stride = 2, activation = "tanh" }, { batch-norm = "pytorch" }, { dense = 8 }]
decoder = [{ dense = 147, activation = "relu" }, { reshape = [7, 7, 3] }, { conv-transpose = 5, stride = 2, activation = "relu" }, { upsample = 2 }, { conv = 1, activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 5
max_epochs = 8
checkpoint = { every_steps = 1 }
"#;

/// Two phases in each of 90 steps, of two optimizers, and a file for each epoch.
const GENERATOR: &str = r#"name = "generator"
seed = 3
task = "gan"
[model]
latent = 6
generator = [{ dense = 98 }, { reshape = [7, 7, 2] }, { batch-norm = "pytorch", activation = "relu" }, { conv-transpose = 4, kernel = 4, stride = 2, activation = "relu" }, { conv-transpose = 1, kernel = 4, stride = 2, activation = "sigmoid" }]
discriminator = [{ conv = 5, kernel = 4, stride = 2, activation = "leaky-relu", slope = 0.2 }, { batch-norm = "pytorch" }, { dense = 1 }]
discriminator_rate = 0.5
[train]
batch_size = 5
max_epochs = 6
checkpoint = { every_steps = 1 }
"#;

/// Codes drawn from a normal distribution in each of 60 steps.
const VARIATIONAL: &str = r#"name = "variational"
seed = 3
[model]
encoder = [{ conv = 6, kernel = 4, stride = 2, activation = "relu" }, { dense = 40, activation = "relu" }, { dense = 5 }]
decoder = [{ dense = 98, activation = "relu" }, { reshape = [7, 7, 2] }, { conv-transpose = 6, kernel = 4, stride = 2, activation = "relu" }, { conv-transpose = 1, kernel = 4, stride = 2, activation = "sigmoid" }]
variational = { beta = 0.5 }
[train]
loss = "bce"
batch_size = 5
max_epochs = 4
checkpoint = { every_steps = 1 }
"#;

/// Two random views of each image in each of 60 steps.
const CONTRASTIVE: &str = r#"name = "contrastive"
seed = 3
task = "simclr"
[model]
encoder = [{ conv = 6, kernel = 4, stride = 2 }, { batch-norm = "pytorch", activation = "relu" }, { conv = 9, stride = 2, activation = "relu" }, "global-average"]
head = [{ dense = 8, activation = "relu" }, { dense = 6 }]
augmentation = { crop = 0.5, flip = true, brightness = 0.4, cutout = 8, blur = 1.0 }
[train]
batch_size = 5
max_epochs = 4
checkpoint = { every_steps = 1 }
"#;

/// Labels beside images, and the figures of an epoch by class, in each of 60 steps.
const CLASSIFIER: &str = r#"name = "classifier"
seed = 3
task = "classifier"
[model]
encoder = [{ conv = 6, activation = "relu" }, { max-pool = 2 }, { batch-norm = "keras" }, { dropout = 0.2 }, { dense = 20, activation = "relu" }]
label_smoothing = 0.1
[train]
batch_size = 5
max_epochs = 4
early_stopping = { patience = 20, restore_best = true }
checkpoint = { every_steps = 1 }
"#;

/// Kills of each kind of run without NARROWS_KILLS.
const FEW: usize = 12;

/// Every instruction set that the machine has, with 1, 2, 3 and 7 threads; the processes of a test take them in turn.
struct Machines {
    all: Vec<(Isa, usize)>,
    next: usize,
}

impl Machines {
    fn new() -> Self {
        // Neighbours differ in both.
        let isas = Isa::available();
        let all = (0..4 * isas.len()).map(|at| (isas[at % isas.len()], [1, 2, 3, 7][at / isas.len()]));
        Machines { all: all.collect(), next: 0 }
    }

    /// The command on the next machine.
    fn command(&mut self, place: &Place, arguments: &[&str]) -> Command {
        let (isa, threads) = self.all[self.next % self.all.len()];
        self.next += 1;
        let mut command = Command::new(support::program());
        command.args(arguments).args(["--threads", &threads.to_string()]).current_dir(place.root());
        for variable in support::VARIABLES {
            command.env_remove(variable);
        }
        command.env("NARROWS_ISA", isa.name());
        command
    }
}

#[test]
fn every_kill_of_a_dense_run_is_survived_to_the_same_bits() {
    survives("a dense run", DENSE);
}

#[test]
fn every_kill_of_a_convolutional_run_is_survived_to_the_same_bits() {
    let plain =
        CONVOLUTIONAL.replace(r#"{ batch-norm = "keras" }, "#, "").replace(r#"{ batch-norm = "pytorch" }, "#, "");
    assert!(!plain.contains("norm"));
    survives("a convolutional run", &(plain + FOOTWEAR));
}

#[test]
fn every_kill_of_a_run_with_batch_normalisation_is_survived_to_the_same_bits() {
    survives("a run with batch normalisation", &(CONVOLUTIONAL.to_owned() + FOOTWEAR));
}

#[test]
fn every_kill_of_a_generator_is_survived_to_the_same_bits() {
    survives("a run of a generator and its discriminator", &(GENERATOR.to_owned() + FOOTWEAR));
}

#[test]
fn every_kill_of_a_variational_run_is_survived_to_the_same_bits() {
    survives("a variational run", &(VARIATIONAL.to_owned() + FOOTWEAR));
}

#[test]
fn every_kill_of_a_contrastive_run_is_survived_to_the_same_bits() {
    survives("a contrastive run", &(CONTRASTIVE.to_owned() + FOOTWEAR));
}

#[test]
fn every_kill_of_a_classifier_is_survived_to_the_same_bits() {
    survives("a classifier", &(CLASSIFIER.to_owned() + FOOTWEAR));
}

fn survives(what: &str, config: &str) {
    let kills: usize = std::env::var("NARROWS_KILLS").map_or(FEW, |kills| kills.parse().unwrap());
    let (place, mut machines) = (Place::with_toys(), Machines::new());
    place.write("kill.toml", config.as_bytes());
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
                let answer = machines.command(&place, &arguments).output().unwrap();
                let said = String::from_utf8(answer.stderr).unwrap();
                assert!(answer.status.success(), "{run} ended with {}: {said}", answer.status);
                resumed += usize::from(said.contains("resumed in epoch"));
                break;
            }
            let mut command = machines.command(&place, &arguments);
            let said = File::create(place.path("said")).unwrap();
            let mut child = command.stdout(Stdio::null()).stderr(said).spawn().unwrap();
            std::thread::sleep(Duration::from_secs_f64(0.9 * random.random::<f64>() * whole.as_secs_f64()));
            if let Some(status) = child.try_wait().unwrap() {
                assert!(status.success(), "{run} ended with {status}");
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            resumed += usize::from(place.text("said").contains("resumed in epoch"));
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
    assert!(resumed > 0, "{what}: no start after {killed} kills went on from a checkpoint");
    println!(
        "{what}: {killed} kills of {runs} runs ({chains} of them killed more than once) on {} of {} combinations of instruction \
         set and threads in {:.0} s: {in_writing} while a checkpoint was being written, {before_first} before the first or after \
         the last; {resumed} starts went on from a checkpoint; every run ended in {expected}",
        machines.next.min(machines.all.len()),
        machines.all.len(),
        began.elapsed().as_secs_f64()
    );
}

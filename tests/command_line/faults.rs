//! What a run does when a signal, another process or the disk comes in between.
#![cfg(unix)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::support::running::Running;
use crate::support::{Place, png_size, skipped_in_ci_too, without_seconds};
use narrows::search::{Journal, Outcome};

/// Steps of four images, a checkpoint of 1.3 MB after each.
const CONFIG: &str = r#"name = "toys"
seed = 3
[data]
set = "toys"
merge = true
[model]
encoder = [{ dense = 3000, activation = "relu" }]
decoder = [{ dropout = 0.1 }, { dense = "input", activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 4
max_epochs = 12
checkpoint = { every_steps = 1 }
[optimizer]
name = "adam"
learning_rate = 1e-3
"#;

/// A task that keeps images of every epoch.
const GAN: &str = r#"name = "gan"
task = "gan"
data = { set = "toys", merge = true }
optimizer = { name = "adam", schedule = { cosine = 50, floor = 5e-4 } }
train = { batch_size = 4, max_epochs = 1000000 }
[model]
latent = 2
generator = [{ dense = "input", activation = "sigmoid" }]
discriminator = [{ dense = 1 }]
discriminator_rate = 0.25
"#;

fn place() -> Place {
    let place = Place::with_toys();
    place.write("run.toml", CONFIG.as_bytes());
    place.write("long.toml", CONFIG.replace("max_epochs = 12", "max_epochs = 1000000").as_bytes());
    place.write("gan.toml", GAN.as_bytes());
    place
}

/// The weights and the timeless history of `run.toml`, never interrupted.
fn whole(place: &Place) -> (String, Vec<Vec<String>>) {
    place.narrows(&["train", "run.toml", "--out", "whole"]).done();
    result(place, "whole")
}

fn result(place: &Place, run: &str) -> (String, Vec<Vec<String>>) {
    let history = without_seconds(&place.text(&format!("{run}/history.csv")));
    (place.sha256(&format!("{run}/model.safetensors")), history)
}

#[test]
fn signals_save_the_run_and_are_told_by_the_exit_code() {
    let place = place();
    let expected = whole(&place);
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        // Without periodic checkpoints: the one of the signal is the only one.
        let run = format!("run{signal}");
        let text = CONFIG.replace("{ every_steps = 1 }", "false").replace("max_epochs = 12", "max_epochs = 1000000");
        place.write("never.toml", text.as_bytes());
        let mut running = Running::start(&place, &["train", "never.toml", "--out", &run]);
        running.wait_for("epoch   2/");
        running.signal(signal);
        let (found, said) = running.end();
        assert_eq!(found, Some(code), "{said}");
        assert!(said.contains("interrupted: finishing the step"), "{said}");
        assert!(place.path(&run).join("checkpoint/last.safetensors").exists());
        assert!(!place.path(&run).join("checkpoint/lock").exists(), "the lock is left");
        let metrics = place.json(&format!("{run}/metrics.json"));
        assert!(metrics["stop"]["interrupted"]["epoch"].as_u64().is_some_and(|epoch| epoch >= 2), "{metrics:#}");
        assert_eq!(metrics["epochs"], place.text(&format!("{run}/history.csv")).lines().count() - 1);
        assert_eq!(metrics["model_sha256"], place.sha256(&format!("{run}/model.safetensors")));
        for picture in ["loss.png", "reconstructions.png"] {
            assert!(png_size(&place.read(&format!("{run}/{picture}"))).0 > 0);
        }
        place.narrows(&["eval", &run]).done().says(&["train", "validation", "test"]);
    }
    // The same bits after a signal somewhere.
    let mut running = Running::start(&place, &["train", "run.toml", "--out", "run"]);
    running.wait_for("epoch   3/");
    running.signal("-TERM");
    assert_eq!(running.end().0, Some(143));
    let answer = place.narrows(&["train", "--resume", "run", "--threads", "2"]).done();
    assert!(answer.stderr.contains("resumed in epoch"), "{}", answer.stderr);
    assert_eq!(result(&place, "run"), expected);
    // A finished run says so.
    place.narrows(&["train", "--resume", "run"]).done().says(&["is finished: 12 epochs", "nothing is left to do"]);
    assert_eq!(result(&place, "run"), expected);
}

#[test]
fn a_second_interrupt_ends_at_once() {
    let place = place();
    // A step of a second or so, so that both come within one.
    let settings = ["data.set=footwear", "data.per_class=700", "train.batch_size=2100", "train.max_epochs=1000000"];
    let settings = settings.into_iter().chain(["train.checkpoint=false", "model.encoder=[{ dense = 4096 }]"]);
    let mut call = vec!["train", "run.toml", "--out", "run"];
    call.extend(settings.flat_map(|setting| ["--set", setting]));
    let mut running = Running::start(&place, &call);
    running.wait_for("epoch   1/");
    running.signal("-INT");
    // Two signals that are pending at once are one: on a busy machine the program needs a moment to take the first.
    std::thread::sleep(std::time::Duration::from_millis(200));
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(!place.path("run/metrics.json").exists(), "it finished the step: {said}");
}

#[test]
fn a_study_that_a_signal_interrupts_goes_on_with_what_is_missing() {
    let place = place();
    let variants = "[variants]\na = {}\nb = { \"model.encoder.0.dense\" = 2500 }\n";
    place.write("study.toml", format!("{CONFIG}{variants}").as_bytes());
    place.narrows(&["study", "study.toml", "--out", "whole", "--jobs", "1"]).done();
    let call = ["study", "study.toml", "--out", "study", "--jobs", "1"];
    let mut running = Running::start(&place, &call);
    running.wait_for("a: epoch   3/");
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    assert!(said.contains("\na: interrupted in epoch ") && !said.contains("a: done after"), "{said}");
    assert!(!place.path("study/runs/b").exists(), "no further run is begun");
    let answer = place.narrows(&call).done();
    assert!(answer.stderr.contains("resumed in epoch"), "it begins again from the start: {}", answer.stderr);
    for run in ["a", "b"] {
        assert!(!place.path(&format!("study/runs/{run}/checkpoint/last.safetensors")).exists(), "{run}");
    }
    for run in ["a", "b"] {
        assert_eq!(result(&place, &format!("study/runs/{run}")), result(&place, &format!("whole/runs/{run}")), "{run}");
    }
    let answer = place.narrows(&call).done();
    assert_eq!(answer.stderr.matches("finished before, kept").count(), 2, "{}", answer.stderr);
    place.write("study.toml", format!("{CONFIG}{variants}c = {{}}\n").as_bytes());
    place.refuses(&call, 2, &["study/study.toml is of another study", "nothing was changed"]);
}

#[test]
fn a_signal_that_was_ignored_from_the_start_stays_ignored() {
    if !Path::new("/proc/self/status").exists() {
        return skipped_in_ci_too("this system does not tell which signals are ignored");
    }
    let place = place();
    let program = crate::support::program();
    let script = format!("trap '' HUP; exec {} train run.toml --out run --threads 1", program.display());
    let mut command = Command::new("sh");
    command.args(["-c", &script]).current_dir(place.root());
    let mut running = Running::spawn(command);
    running.wait_for("epoch   1/");
    running.signal("-HUP");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn a_configuration_given_with_resume_must_be_that_of_the_run() {
    let place = place();
    let mut running = Running::start(&place, &["train", "run.toml", "--out", "run"]);
    running.wait_for("epoch   2/");
    running.signal("-INT");
    running.end();
    let resume = ["train", "--resume", "run"];
    let refuses = |more: &[&str], words: &[&str]| place.refuses(&[&resume[..], more].concat(), 2, words);
    refuses(&["--set", "train.batch_size=5"], &["train.batch_size was 4 when it was begun, and is 5 now"]);
    refuses(&["--seed", "9"], &["seed was 3 when it was begun, and is 9 now"]);
    refuses(&["long.toml"], &["train.max_epochs was 12 when it was begun, and is 1000000 now"]);
    place.refuses(&["train", "--resume", "nowhere"], 2, &["nowhere is no run folder: there is none of that name"]);
    place.narrows(&["train", "run.toml", "--set", "seed=3", "--resume", "run"]).done();
    assert_eq!(result(&place, "run"), whole(&place));
}

#[test]
fn a_run_that_was_begun_without_a_checkpoint_begins_again_in_place() {
    let place = place();
    let expected = whole(&place);
    std::fs::create_dir(place.path("run")).unwrap();
    std::fs::copy(place.path("whole/config.toml"), place.path("run/config.toml")).unwrap();
    let answer = place.narrows(&["train", "--resume", "run"]).done();
    assert!(answer.stderr.contains("it begins again from the start"), "{}", answer.stderr);
    assert_eq!(result(&place, "run"), expected);
}

#[test]
fn a_second_process_on_a_run_is_refused_and_the_lock_ends_with_the_first() {
    let place = place();
    let mut running = Running::start(&place, &["train", "long.toml", "--out", "run"]);
    running.wait_for("epoch   2/");
    let answer = place.narrows(&["train", "--resume", "run"]);
    answer.refused(2, &["another process (", ") is writing to run"]);
    place.narrows(&["train", "long.toml", "--out", "run"]).refused(2, &["run already holds results"]);
    running.signal("-KILL");
    running.end();
    assert!(place.path("run/checkpoint/lock").exists(), "the file is left, the lock is not");
    let mut again = Running::start(&place, &["train", "--resume", "run"]);
    again.wait_for("resumed in epoch");
    again.signal("-INT");
    assert_eq!(again.end().0, Some(130));
}

#[test]
fn a_folder_that_is_deleted_ends_the_run_with_a_sentence() {
    let place = place();
    for config in ["long.toml", "gan.toml"] {
        let mut running = Running::start(&place, &["train", config, "--out", "run"]);
        running.wait_for("epoch   2/");
        // The run may be putting a file into it at that moment.
        while place.path("run").exists() {
            let _ = std::fs::remove_dir_all(place.path("run"));
        }
        let (code, said) = running.end();
        assert_eq!(code, Some(1), "{config}: {said}");
        assert!(said.contains("narrows: cannot ") && said.contains("No such file"), "{config}: {said}");
        assert!(!place.path("run").exists(), "{config}: it came back");
    }
}

#[test]
fn each_kind_of_file_that_cannot_be_written_is_told_once() {
    let place = place();
    let mut running = Running::start(&place, &["train", "long.toml", "--out", "run"]);
    running.wait_for("epoch   2/");
    let [history, partial] =
        ["run/history.csv", "run/checkpoint/last.safetensors.partial"].map(|name| place.path(name));
    // A folder that holds something takes the place of a file, as soon as the run has none there.
    let block = |path: &Path| {
        while std::fs::create_dir(path).is_err() {
            let _ = std::fs::remove_file(path);
        }
        std::fs::write(path.join("x"), "").unwrap();
    };
    block(&history);
    running.wait_for("cannot ");
    block(&partial);
    running.wait_for("cannot ");
    std::fs::remove_dir_all(&partial).unwrap();
    running.wait_for("a checkpoint could be written again");
    block(&partial);
    running.wait_for("cannot ");
    std::fs::remove_dir_all(&history).unwrap();
    running.signal("-INT");
    let (code, said) = running.end();
    assert_eq!(code, Some(130), "{said}");
    let told = |words: &str| said.matches(words).count();
    assert_eq!(told("the history is written later"), 1, "{said}");
    let [failed, again] = ["until a checkpoint can be written", "a checkpoint could be written again"].map(told);
    // More than once each only where the file was taken away between its writing and its renaming.
    assert!(again >= 1 && failed > again, "{said}");
    assert_eq!(told("a run that goes on from here begins at the last checkpoint before"), 1, "{said}");
}

/// A file system of so many KiB in memory, mounted for as long as this lives.
struct SmallDisk {
    at: PathBuf,
}

impl SmallDisk {
    /// Only the superuser may mount.
    fn mount(at: PathBuf, kib: usize) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={kib}k");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&at).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(SmallDisk { at });
        }
        skipped_in_ci_too("a file system in memory cannot be mounted here");
        None
    }

    fn remount(&self, how: &str) {
        let options = format!("remount,{how}");
        assert!(Command::new("mount").args(["-o", &options]).arg(&self.at).status().unwrap().success());
    }

    /// Does `work` while every byte that becomes free is taken.
    fn full<R>(&self, work: impl FnOnce() -> R) -> R {
        let done = AtomicBool::new(false);
        let mut file = std::fs::File::options().create(true).append(true).open(self.at.join("filler")).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    while file.write_all(&[0; 4096]).is_ok() {}
                    std::thread::sleep(Duration::from_micros(200));
                }
            });
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
            done.store(true, Ordering::Relaxed);
            result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.at).status();
    }
}

#[test]
fn a_full_disk_costs_checkpoints_but_no_work() {
    let place = place();
    let Some(disk) = SmallDisk::mount(place.path("disk"), 8000) else { return };
    let slow = ["--set", "train.max_epochs=100"];
    place
        .narrows(&[&["train", "run.toml", "--set", "train.checkpoint=false", "--out", "whole"], &slow[..]].concat())
        .done();
    let expected = result(&place, "whole");
    let train = [&["train", "run.toml", "--out", "disk/run"], &slow[..]].concat();
    // Full for a while: training goes on, says so, and ends as ever.
    let mut running = Running::start(&place, &train);
    running.wait_for("epoch   2/");
    disk.full(|| running.wait_for("cannot "));
    std::fs::remove_file(place.path("disk/filler")).unwrap();
    running.wait_for("a checkpoint could be written again");
    let (code, said) = running.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(result(&place, "disk/run"), expected);
    std::fs::remove_dir_all(place.path("disk/run")).unwrap();
    // Full at the end: the sentence says how to go on, and that works once there is room.
    let mut running = Running::start(&place, &train);
    running.wait_for("epoch   4/");
    let (code, said) = disk.full(|| running.end());
    assert_eq!(code, Some(1), "{said}");
    for words in ["No space left", "training goes on", "`narrows train --resume disk/run` goes on"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    disk.full(|| place.narrows(&["train", "--resume", "disk/run"])).refused(1, &["No space left"]);
    std::fs::remove_file(place.path("disk/filler")).unwrap();
    let answer = place.narrows(&["train", "--resume", "disk/run"]).done();
    assert!(answer.stderr.contains("resumed in epoch"), "{}", answer.stderr);
    assert_eq!(result(&place, "disk/run"), expected);
}

#[test]
fn what_a_full_disk_cut_off_does_not_stay_in_a_journal() {
    let place = Place::new();
    let Some(_disk) = SmallDisk::mount(place.path("disk"), 64) else { return };
    let path = place.path("disk/trials.journal");
    let journal = Journal::open(&path, "this search").unwrap().journal;
    assert!(std::fs::write(place.path("disk/filler"), vec![0u8; 1 << 17]).is_err());
    // Longer than what is left of the page that the file has.
    let outcome = Outcome { reports: vec![0.1; 5000], ..Outcome::complete(2.0) };
    let length = std::fs::metadata(&path).unwrap().len();
    assert!(journal.add(0, &vec![Some(0.5)], &outcome).is_err());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), length);
    std::fs::remove_file(place.path("disk/filler")).unwrap();
    journal.add(0, &vec![Some(0.5)], &outcome).unwrap();
    let opened = Journal::open(&path, "this search").unwrap();
    assert_eq!((opened.made.len(), opened.note), (1, None));
}

#[test]
fn a_read_only_folder_is_refused_and_stays_as_it_is() {
    let place = place();
    let Some(disk) = SmallDisk::mount(place.path("disk"), 64_000) else { return };
    let expected = whole(&place);
    let mut running = Running::start(&place, &["train", "run.toml", "--out", "disk/run"]);
    running.wait_for("epoch   3/");
    running.signal("-KILL");
    running.end();
    disk.remount("ro");
    place.refuses(&["train", "--resume", "disk/run"], 1, &["cannot open", "Read-only file system"]);
    place.refuses(&["train", "run.toml", "--out", "disk/other"], 2, &["cannot create", "Read-only file system"]);
    disk.remount("rw");
    place.narrows(&["train", "--resume", "disk/run"]).done();
    assert_eq!(result(&place, "disk/run"), expected);
}

#[test]
fn a_step_that_fails_says_where_and_fails_again_in_the_same_way() {
    let place = place();
    let fast = CONFIG.replace("learning_rate = 1e-3", "learning_rate = 1e37").replace("\"bce\"", "\"mse\"");
    place.write("fast.toml", fast.as_bytes());
    let failed = place.narrows(&["train", "fast.toml", "--out", "run"]);
    failed.refused(1, &["training stopped in epoch ", "at step ", "came from the operation "]);
    let sentence = failed.stderr.lines().find_map(|line| line.strip_prefix("narrows: ")).unwrap();
    place.narrows(&["train", "--resume", "run"]).refused(1, &[sentence]);
    let broken = CONFIG.replace("\"adam\"", "\"sgd\"").replace("learning_rate = 1e-3", "learning_rate = 1e300");
    place.write("broken.toml", broken.as_bytes());
    let failed = place.narrows(&["train", "broken.toml", "--out", "broken"]);
    failed.refused(1, &["the parameter encoder.0.weight is not finite since the update before"]);
}

//! Runs that begin with another run: with its weights, or at its end with more epochs.

use crate::support::{Place, without_seconds};

/// Four steps an epoch, with everything that a state has: moments, a schedule, early stopping, noise.
const CONFIG: &str = r#"
name = "toys"
seed = 3
[data]
set = "toys"
merge = true
[model]
encoder = [{ noise = 0.1 }, { dense = 6, activation = "tanh" }, { batch-norm = "keras" }, { dense = 3 }]
decoder = [{ dense = "input", activation = "sigmoid" }]
[train]
loss = "bce"
batch_size = 4
max_epochs = 8
early_stopping = { patience = 100, restore_best = true }
[optimizer]
name = "adam"
learning_rate = 3e-2
schedule = { plateau = "val_loss", factor = 0.5, patience = 1 }
"#;

const MODEL: &str = "model.safetensors";

fn with_run(epochs: usize) -> Place {
    let place = Place::with_toys();
    place.write("toys.toml", CONFIG.as_bytes());
    let epochs = format!("train.max_epochs={epochs}");
    place.narrows(&["train", "toys.toml", "--set", &epochs, "--out", "run"]).done();
    place
}

#[test]
fn a_finished_run_with_more_epochs_has_the_bits_of_one_that_had_them_from_the_start() {
    let place = with_run(3);
    let first = place.sha256(&format!("run/{MODEL}"));
    place.narrows(&["train", "--resume", "run"]).done().says(&["3 epochs, nothing is left to do", "train.max_epochs"]);
    for epochs in [5, 8] {
        let raised =
            place.narrows(&["train", "--resume", "run", "--set", &format!("train.max_epochs={epochs}")]).done();
        for words in ["this is another run than that of", "begun_from.json", "resumed in epoch"] {
            assert!(raised.stderr.contains(words), "{}", raised.stderr);
        }
    }
    place.narrows(&["train", "toys.toml", "--out", "whole"]).done();
    for file in [MODEL, "config.toml", "reconstructions.png", "loss.png"] {
        assert_eq!(place.read(&format!("run/{file}")), place.read(&format!("whole/{file}")), "{file}");
    }
    let history = |run: &str| without_seconds(&place.text(&format!("{run}/history.csv")));
    assert_eq!(history("run"), history("whole"));
    let parents = &place.json("run/begun_from.json")["parents"];
    assert_eq!([&parents[0]["epochs"], &parents[1]["epochs"]], [3, 5]);
    assert_eq!(parents[0]["model_sha256"], first);
    assert!(!place.path("run/checkpoint/previous.safetensors").exists());
}

/// The configuration with more epochs is there, and what says that the run is done has not gone yet.
#[test]
fn a_kill_while_epochs_are_raised_does_not_keep_them_from_being_raised() {
    let place = with_run(3);
    let raise = ["train", "--resume", "run", "--set", "train.max_epochs=5"];
    place.narrows(&["train", "toys.toml", "--set", "train.max_epochs=5", "--out", "whole"]).done();
    place.write("run/config.toml", &place.read("whole/config.toml"));
    place.narrows(&raise).done();
    assert_eq!(place.sha256(&format!("run/{MODEL}")), place.sha256(&format!("whole/{MODEL}")));
    place.narrows(&raise).done().says(&["5 epochs, nothing is left to do"]);
}

#[test]
fn a_run_that_was_broken_off_with_more_epochs_to_do_is_not_taken_for_its_earlier_end() {
    let place = with_run(3);
    place.narrows(&["eval", "run"]).done();
    std::fs::remove_file(place.path("run/metrics.json")).unwrap();
    for command in [&["eval", "run"][..], &["export", "--onnx", "run"], &["invert", "run"]] {
        place.refuses(command, 2, &["the run in run is not finished; `narrows train --resume run` finishes it"]);
    }
    std::fs::rename(place.path("run"), place.path("my run")).unwrap();
    place.refuses(&["eval", "my run"], 2, &["`narrows train --resume 'my run'` finishes it"]);
}

#[test]
fn damaged_figures_are_not_taken_for_absent_ones() {
    let place = with_run(1);
    place.write("run/metrics.json", b"{");
    let begins = ["train", "toys.toml", "--set", "init_from=run", "--out", "new"];
    let raised = ["train", "--resume", "run", "--set", "train.max_epochs=5"];
    for command in [&["eval", "run"][..], &begins, &raised] {
        place.narrows(command).refused(1, &["cannot read run/metrics.json", "no JSON"]);
    }
}

#[test]
fn epochs_that_cannot_be_raised_are_refused_and_nothing_is_changed() {
    let place = with_run(3);
    let before = place.snapshot();
    let refused = |more: &[&str], code: i32, words: &[&str]| {
        place.narrows(&[&["train", "--resume", "run"], more].concat()).refused(code, words);
    };
    refused(&["--set", "train.max_epochs=2"], 2, &["max_epochs was 3", "is 2 now"]);
    let both = ["--set", "train.max_epochs=5", "--set", "train.batch_size=5"];
    refused(&both, 2, &["batch_size was 4", "is 5 now"]);
    // More epochs alone would be accepted.
    let both = ["--set", "optimizer.learning_rate=0.1", "--set", "train.max_epochs=5"];
    refused(&both, 2, &["optimizer.learning_rate was 0.03", "is 0.1 now"]);
    assert_eq!(place.snapshot(), before);
    std::fs::remove_file(place.path("run/checkpoint/last.safetensors")).unwrap();
    refused(&["--set", "train.max_epochs=5"], 2, &["the state at its end was not kept", "--set init_from=run"]);
    let early = ["--set", "train.early_stopping={ patience = 1, min_delta = 10.0 }", "--out", "early"];
    place.narrows(&[&["train", "toys.toml"], &early[..]].concat()).done().says(&["no epoch since"]);
    let answer = place.narrows(&["train", "--resume", "early", "--set", "train.max_epochs=50"]);
    answer.refused(2, &["early stopping ended it after", "--set init_from=early"]);
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = with_run(3);
    // Trained by nothing, it has what it began with.
    let still = ["--set", "optimizer.learning_rate=1e-30", "--set", "train.max_epochs=1", "--out", "still"];
    let answer = place.narrows(&[&["train", "toys.toml", "--set", "init_from=run"], &still[..]].concat()).done();
    assert!(answer.stderr.contains("taken from run: encoder."), "{}", answer.stderr);
    for name in ["encoder.1.weight", "encoder.3.weight", "decoder.0.weight", "decoder.0.bias"] {
        assert_eq!(place.tensor("run", name), place.tensor("still", name), "{name}");
    }
    let from = place.json("still/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256(&format!("run/{MODEL}")));
    let refused = |more: &[&str], code: i32, words: &[&str]| {
        place.narrows(&[&["train", "toys.toml", "--out", "new"], more].concat()).refused(code, words);
        assert!(!place.path(&format!("new/{MODEL}")).exists());
        let _ = std::fs::remove_dir_all(place.path("new"));
    };
    refused(&["--set", "init_from=absent"], 2, &["cannot take the weights of the run", "there is none of that name"]);
    let narrow = ["--set", "init_from=run", "--set", "model.encoder.1.dense=5"];
    refused(&narrow, 2, &["encoder.1.weight is F32", "the model needs F32", "5]"]);
    // A bare name is that of a folder beside the run's, before it is made too.
    place.narrows(&["train", "toys.toml", "--out", "runs/old"]).done();
    place.narrows(&["train", "toys.toml", "--set", "init_from=old", "--out", "runs/new", "--dry-run"]).done();
    // In a study the name is that of another of its runs.
    let study = format!(
        "{CONFIG}\n[variants]\nlong = {{}}\nshort = {{ init_from = \"long\", \"train.max_epochs\" = 2 }}\n\
         [report]\nsaturation = [\"short\"]\n"
    );
    place.write("study.toml", study.as_bytes());
    place.narrows(&["study", "study.toml", "--out", "study", "--jobs", "2"]).done();
    let from = place.json("study/runs/short/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256(&format!("study/runs/long/{MODEL}")));
    assert!(!place.path("study/runs/long/checkpoint/last.safetensors").exists(), "a study keeps no states");
}

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

#[test]
fn epochs_that_cannot_be_raised_are_refused_and_nothing_is_changed() {
    let place = with_run(3);
    let before = place.snapshot();
    let refused = |more: &[&str], words: &[&str]| {
        let all = [&["train", "--resume", "run"], more].concat();
        let answer = place.narrows(&all);
        answer.refused(answer.code.unwrap(), words);
    };
    refused(&["--set", "train.max_epochs=2"], &["max_epochs was 3", "is 2 now"]);
    let both = ["--set", "train.max_epochs=5", "--set", "train.batch_size=5"];
    refused(&both, &["batch_size was 4", "is 5 now"]);
    assert_eq!(place.snapshot(), before);
    std::fs::remove_file(place.path("run/checkpoint/last.safetensors")).unwrap();
    refused(&["--set", "train.max_epochs=5"], &["the state at its end was not kept", "--set init_from=run"]);
    let early = ["--set", "train.early_stopping={ patience = 1, min_delta = 10.0 }", "--out", "early"];
    place.narrows(&[&["train", "toys.toml"], &early[..]].concat()).done().says(&["no epoch since"]);
    let answer = place.narrows(&["train", "--resume", "early", "--set", "train.max_epochs=50"]);
    answer.refused(answer.code.unwrap(), &["early stopping ended it after", "--set init_from=early"]);
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let place = with_run(3);
    // Trained by nothing, it has what it began with.
    let still = ["--set", "optimizer.learning_rate=1e-30", "--set", "train.max_epochs=1", "--out", "still"];
    let answer = place.narrows(&[&["train", "toys.toml", "--set", "init_from=run"], &still[..]].concat()).done();
    assert!(answer.stderr.contains("taken from run: encoder."), "{}", answer.stderr);
    let tensor = |run: &str, name: &str| {
        let bytes = place.read(&format!("{run}/{MODEL}"));
        safetensors::SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap().data().to_vec()
    };
    for name in ["encoder.1.weight", "encoder.3.weight", "decoder.0.weight", "decoder.0.bias"] {
        assert_eq!(tensor("run", name), tensor("still", name), "{name}");
    }
    let from = place.json("still/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256(&format!("run/{MODEL}")));
    let refused = |more: &[&str], words: &[&str]| {
        let all = [&["train", "toys.toml", "--out", "new"], more].concat();
        let answer = place.narrows(&all);
        answer.refused(answer.code.unwrap(), words);
        assert!(!place.path(&format!("new/{MODEL}")).exists());
        let _ = std::fs::remove_dir_all(place.path("new"));
    };
    refused(&["--set", "init_from=absent"], &["cannot take the weights of the run", "there is none of that name"]);
    let narrow = ["--set", "init_from=run", "--set", "model.encoder.1.dense=5"];
    refused(&narrow, &["encoder.1.weight is F32", "the model needs F32", "5]"]);
    // In a study the name is that of another of its runs.
    let study =
        format!("{CONFIG}\n[variants]\nlong = {{}}\nshort = {{ init_from = \"long\", \"train.max_epochs\" = 2 }}\n");
    place.write("study.toml", study.as_bytes());
    place.narrows(&["study", "study.toml", "--out", "study", "--jobs", "2"]).done();
    let from = place.json("study/runs/short/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256(&format!("study/runs/long/{MODEL}")));
    assert!(!place.path("study/runs/long/checkpoint/last.safetensors").exists(), "a study keeps no states");
}

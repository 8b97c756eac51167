//! Runs that train a classifier go through the same doors as those of an autoencoder.

use crate::support::{Answer, Place};

/// What `toys.toml` becomes with another task.
const CLASSIFIER: &str = r#"name = "kinds"
seed = 3
task = "classifier"

[data]
set = "toys"
merge = true

[model]
encoder = [{ dense = 8, activation = "relu" }]

[train]
batch_size = 4
max_epochs = 100

[optimizer]
name = "adam"
learning_rate = 1e-2
"#;

fn with_classifier() -> Place {
    let place = Place::with_toys();
    place.write("kinds.toml", CLASSIFIER.as_bytes());
    place
}

fn train(place: &Place, more: &[&str]) -> Answer {
    place.narrows(&[&["train", "kinds.toml"], more].concat())
}

#[test]
fn a_classifier_trains_is_measured_and_resumed_like_an_autoencoder() {
    let place = with_classifier();
    train(&place, &["--out", "run"]).done().says(&[
        "Model \"classifier\"",
        "head.0 dense (linear)",
        "Training: cross-entropy with adam",
        "accuracy",
    ]);
    let metrics = place.json("run/metrics.json");
    let figures = &metrics["evaluation"]["train"];
    // Who knows nothing of three classes pays ln 3 = 1.0986 nats and is right one time in three.
    assert!(figures["loss"].as_f64().unwrap() < 0.55, "{metrics}");
    assert!(figures["accuracy"].as_f64().unwrap() > 0.66, "{metrics}");
    assert!(place.text("run/history.csv").starts_with("epoch,loss,val_loss,seconds,checkpoint_seconds,penalty,"));
    assert!(place.text("run/history.csv").lines().next().unwrap().ends_with(",accuracy,val_accuracy"));
    assert!(place.text("run/config.toml").contains("task = \"classifier\""));
    place.narrows(&["eval", "run", "--json"]).done().says(&["\"accuracy\""]);
    place.narrows(&["encode", "run", "--out", "codes.npy"]).done().says(&["8 values"]);
    place.narrows(&["train", "run/config.toml", "--out", "again"]).done();
    assert_eq!(place.sha256("run/model.safetensors"), place.sha256("again/model.safetensors"));
    train(&place, &["--resume", "run"]).done().says(&["nothing is left to do"]);
}

#[test]
fn commands_that_need_a_decoder_refuse_a_classifier_in_a_sentence() {
    let place = with_classifier();
    train(&place, &["--out", "run"]).done();
    place.write("codes.npy", b"");
    for arguments in [
        &["reconstruct", "run"][..],
        &["invert", "run"],
        &["decode", "run", "codes.npy", "--out", "images.npy"],
        &["sample", "run"],
        &["traverse", "run"],
        &["interpolate", "run"],
    ] {
        let words = ["run holds a run of the task \"classifier\", which has no decoder", "autoencoder is expected"];
        place.refuses(arguments, 2, &words);
    }
}

#[test]
fn what_does_not_fit_a_task_is_refused_where_it_stands() {
    let place = with_classifier();
    for (setting, sentence) in [
        ("task=classifer", "did you mean \"classifier\"?"),
        ("train.loss=mse", "accepted: no loss: a classifier minimises the cross-entropy of its labels"),
        ("model.decoder=[]", "unknown key \"model.decoder\""),
        ("model.encoder=[\"flatten\"]", "at least one layer { dense = … }"),
        ("data.set=drawn-faces", "which has no labels"),
    ] {
        place.refuses(&["train", "kinds.toml", "--set", setting, "--out", "run"], 2, &[sentence]);
    }
}

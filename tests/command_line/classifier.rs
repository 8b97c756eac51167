//! Runs that train a classifier go through the same doors as those of an autoencoder.

use crate::support::{Answer, Place, facts};

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
    // Its page: what each class is taken for, and the images that it finds hardest.
    let page = place.text("run/report.html");
    let classes = &facts(&page)["classes"];
    assert_eq!(classes["confusion"][0]["counts"], metrics["evaluation"]["test"]["confusion"]);
    let recall = |class: &serde_json::Value| class[0].as_f64().unwrap() * class[1].as_f64().unwrap_or(0.0);
    let right: f64 = classes["confusion"][0]["shares"].as_array().unwrap().iter().map(recall).sum();
    let test = &metrics["evaluation"]["test"];
    assert!((right / test["images"].as_f64().unwrap() - test["accuracy"].as_f64().unwrap()).abs() < 1e-12, "{classes}");
    assert!(page.contains("val accuracy") || page.contains(">accuracy<"), "no chart of the accuracy");
    for heading in ["Classifiers", "Images"] {
        assert!(page.contains(&format!(">{heading}</h2>")), "no heading {heading}");
    }
    assert!(
        !page.contains(">Reconstructions</h2>") && !page.contains("mean training image"),
        "it has no reconstructions"
    );
    assert!(place.read("run/hardest.png").starts_with(b"\x89PNG"));
    place.narrows(&["eval", "run", "--json"]).done().says(&["\"accuracy\""]);
    place.narrows(&["encode", "run", "--out", "codes.npy"]).done().says(&["8 values"]);
    place.narrows(&["train", "run/config.toml", "--out", "again"]).done();
    assert_eq!(place.sha256("run/model.safetensors"), place.sha256("again/model.safetensors"));
    train(&place, &["--resume", "run"]).done().says(&["nothing is left to do"]);
    let split = ["--set", "data.split={ train = 1, validation = 0, test = 1 }", "--out", "unvalidated"];
    let said = train(&place, &split).done().stderr;
    assert!(said.contains("accuracy") && !said.contains("val_") && !said.contains("not a number"), "{said}");
}

#[test]
fn a_search_without_validation_images_has_no_objective_of_theirs() {
    let place = with_classifier();
    let space = CLASSIFIER.replace("1e-2", "{ low = 1e-3, high = 1e-1 }");
    place.write("space.toml", space.as_bytes());
    let split = "data.split={ train = 1, validation = 0, test = 1 }";
    let settings =
        [split, "search.objective=val_accuracy", "search.direction=maximize"].map(|setting| ["--set", setting]);
    let search = [&["search", "space.toml", "--out", "s"], settings.as_flattened()].concat();
    place.refuses(&search, 2, &["\"val_accuracy\", which no trial has", "loss, accuracy"]);
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

/// An autoencoder of the toys whose encoder is that of the classifier, trained in `runs/source`.
fn with_source() -> Place {
    let place = with_classifier();
    let encoder = "model.encoder=[{ dense = 8, activation = \"relu\" }]";
    place.narrows(&["train", "toys.toml", "--set", encoder, "--out", "runs/source"]).done();
    place
}

#[test]
fn an_encoder_is_taken_from_another_run_frozen_or_not() {
    let place = with_source();
    let begun = |out: &str, more: &[&str]| {
        let from = ["--set", "model.encoder_from=source", "--out", out];
        train(&place, &[&from[..], more].concat()).done()
    };
    let answer = begun("runs/frozen", &["--set", "model.frozen=[\"encoder\"]"]);
    let taken = "taken from runs/source: encoder.0.weight, encoder.0.bias";
    assert!(answer.stderr.contains(taken), "{}", answer.stderr);
    for name in ["encoder.0.weight", "encoder.0.bias"] {
        assert_eq!(place.tensor("runs/frozen", name), place.tensor("runs/source", name));
    }
    let from = place.json("runs/frozen/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256("runs/source/model.safetensors"));
    assert_eq!(from["tensors"][1], "encoder.0.bias");
    begun("runs/tuned", &[]);
    assert_ne!(place.tensor("runs/tuned", "encoder.0.weight"), place.tensor("runs/source", "encoder.0.weight"));
    // With a rate of nearly nothing an encoder hardly moves, with its full rate it does.
    begun("runs/slow", &["--set", "model.rates={ encoder = 1e-6 }"]);
    let moved = |run: &str| {
        let values = |bytes: Vec<u8>| -> Vec<f32> {
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
        };
        let [now, then] = [run, "runs/source"].map(|run| values(place.tensor(run, "encoder.0.weight")));
        now.iter().zip(then).map(|(now, then)| f64::from(now - then).powi(2)).sum::<f64>().sqrt()
    };
    assert!(moved("runs/slow") < 1e-4 * moved("runs/tuned"), "{} {}", moved("runs/slow"), moved("runs/tuned"));
    // A path is taken as it is, and the weights are a function of what it holds.
    train(&place, &["--set", "model.encoder_from=runs/source", "--out", "again"]).done();
    assert_eq!(place.sha256("again/model.safetensors"), place.sha256("runs/tuned/model.safetensors"));
}

#[test]
fn a_frozen_head_stays_as_it_begins_with_its_running_statistics() {
    let place = with_source();
    let head = "model.head=[{ dense = 6 }, { batch-norm = \"keras\" }]";
    let run = |out: &str, frozen: &str| train(&place, &["--set", head, "--set", frozen, "--out", out]).done();
    run("runs/frozen", "model.frozen=[\"head\"]");
    run("runs/moved", "model.frozen=[]");
    for name in ["head.1.running_mean", "head.1.running_var"] {
        let fresh = if name.ends_with("var") { 1.0f32 } else { 0.0 };
        assert_eq!(place.tensor("runs/frozen", name), fresh.to_le_bytes().repeat(6), "{name}");
        assert_ne!(place.tensor("runs/moved", name), place.tensor("runs/frozen", name), "{name}");
    }
}

#[test]
fn of_a_variational_encoder_the_means_are_taken() {
    let place = with_source();
    let encoder = ["--set", "model.encoder=[{ dense = 8 }]"];
    let variational = ["train", "toys.toml", "--set", "model.variational={ beta = 1.0 }", "--out", "runs/variational"];
    place.narrows(&[&variational[..], &encoder].concat()).done();
    let from =
        ["--set", "model.encoder_from=variational", "--set", "model.frozen=[\"encoder\"]", "--out", "runs/kinds"];
    let answer = train(&place, &[&from[..], &encoder].concat()).done();
    let taken = "taken from runs/variational: encoder.0.mean.weight, encoder.0.mean.bias";
    assert!(answer.stderr.contains(taken), "{}", answer.stderr);
    for role in ["weight", "bias"] {
        let taken = place.tensor("runs/kinds", &format!("encoder.0.{role}"));
        assert_eq!(taken, place.tensor("runs/variational", &format!("encoder.0.mean.{role}")));
    }
}

#[test]
fn an_encoder_that_cannot_be_taken_is_refused() {
    let place = with_source();
    let refused = |more: &[&str], code: i32, words: &[&str]| {
        let answer = place.narrows(&[&["train", "kinds.toml", "--out", "runs/new"], more].concat());
        answer.refused(code, words);
        assert!(!place.path("runs/new/model.safetensors").exists(), "{answer:?}");
        let _ = std::fs::remove_dir_all(place.path("runs/new"));
    };
    refused(
        &["--set", "model.encoder_from=absent"],
        2,
        &["cannot take the encoder of the run runs/absent", "there is none of that name"],
    );
    let narrow = "model.encoder=[{ dense = 7, activation = \"relu\" }]";
    refused(
        &["--set", "model.encoder_from=source", "--set", narrow],
        2,
        &["encoder.0.weight is F32 [16, 8]", "the model needs F32 [16, 7]"],
    );
    let mut metrics = place.json("runs/source/metrics.json");
    metrics["stop"] = serde_json::json!({ "interrupted": { "epoch": 1, "step": 1 } });
    place.write("runs/source/metrics.json", metrics.to_string().as_bytes());
    refused(&["--set", "model.encoder_from=source"], 2, &["it is not finished", "narrows train --resume runs/source"]);
    for (setting, words) in [
        ("model.frozen=[\"decoder\"]", "accepted: \"encoder\" or \"head\""),
        ("model.frozen=[\"encoder\", \"head\"]", "at most 1 item"),
        ("model.rates={ body = 0.1 }", "\"body\", which is no group that is trained"),
        ("model.rates={ head = 0.0 }", "a finite number above 0"),
    ] {
        place.refuses(&["train", "kinds.toml", "--set", setting, "--out", "runs/new"], 2, &[words]);
    }
}

/// A study whose runs train two kinds of task, one from the other, and two models on the same three folds.
const STUDY: &str = r#"name = "both"
seed = 3
task = "classifier"

[data]
set = "toys"
merge = true

[model]
encoder = [{ dense = 8, activation = "relu" }]

[train]
batch_size = 4
max_epochs = 3

[optimizer]
name = "adam"
learning_rate = 1e-2

[variants]
source = { task = "autoencoder", "model.decoder" = [{ dense = "input", activation = "sigmoid" }], "train.loss" = "bce" }
scratch = {}
few = { "data.train_images" = 6 }
tuned = { "model.encoder_from" = "source" }
small-0 = { "data.folds" = 3, "data.fold" = 0 }
small-1 = { "data.folds" = 3, "data.fold" = 1 }
small-2 = { "data.folds" = 3, "data.fold" = 2 }
large-0 = { like = "small-0", "model.encoder.0.dense" = 16 }
large-1 = { like = "small-1", "model.encoder.0.dense" = 16 }
large-2 = { like = "small-2", "model.encoder.0.dense" = 16 }

[report.classes]
reach = 0.5
confusion = ["tuned"]

[report.classes.labels]
scratch = ["few", "scratch"]

[report.classes.folds]
small = ["small-0", "small-1", "small-2"]
large = ["large-0", "large-1", "large-2"]
"#;

#[test]
fn a_study_trains_both_kinds_and_compares_models_fold_by_fold() {
    let place = Place::with_toys();
    place.write("both.toml", STUDY.as_bytes());
    place.narrows(&["study", "both.toml", "--out", "one", "--jobs", "1"]).done().says(&["test accuracy"]);
    place.narrows(&["study", "both.toml", "--out", "two", "--jobs", "2", "--threads", "3"]).done();
    for run in ["source", "scratch", "few", "tuned", "small-1", "large-2"] {
        let of = |study: &str| place.sha256(&format!("{study}/runs/{run}/model.safetensors"));
        assert_eq!(of("one"), of("two"), "{run}");
    }
    let from = place.json("two/runs/tuned/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256("two/runs/source/model.safetensors"));
    let facts = facts(&place.text("one/report.html"));
    let classes = &facts["classes"];
    assert_eq!(classes["runs"].as_array().unwrap().len(), 9, "{classes}");
    assert_eq!(classes["labels"][0][1][0]["images"], 6);
    // The figures of the page are those of the runs: three folds of six or so images each, all of them different.
    let accuracy = |model: &str, fold: usize| {
        let metrics = place.json(&format!("one/runs/{model}-{fold}/metrics.json"));
        metrics["evaluation"]["validation"]["accuracy"].as_f64().unwrap()
    };
    let mean = |model: &str| (0..3).map(|fold| accuracy(model, fold)).sum::<f64>() / 3.0;
    let close = |found: &serde_json::Value, expected: f64| {
        let found = found["mean"].as_f64().unwrap();
        assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
    };
    close(&classes["folds"][0]["accuracy"], mean("small"));
    close(&classes["pairs"][0]["difference"], mean("small") - mean("large"));
    assert_eq!(classes["pairs"][0]["folds"], 3);
    let counts = classes["confusion"][0]["counts"].as_array().unwrap();
    let all: u64 = counts.iter().flat_map(|row| row.as_array().unwrap()).map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(all, place.json("one/runs/tuned/metrics.json")["evaluation"]["test"]["images"].as_u64().unwrap());
    // What is written down makes the same study again.
    place.narrows(&["study", "one/study.toml", "--out", "one"]).done();
    let early = STUDY.replace("scratch = {}", "scratch = { \"model.encoder_from\" = \"tuned\" }");
    place.write("early.toml", early.as_bytes());
    let words = "the run scratch takes weights from tuned, which does not stand before it in the study";
    place.refuses(&["study", "early.toml", "--out", "three"], 2, &[words]);
}

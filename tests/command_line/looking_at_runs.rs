//! What a person asks between two runs: which there are, what one of them is, how they differ, what a word or a key means.

use crate::support::{Place, program, running::Running};

/// A place with two runs of the toys that differ in their learning rate.
fn with_runs() -> Place {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "runs/slow"]).done();
    let fast = ["train", "toys.toml", "--out", "runs/fast", "--set", "optimizer.learning_rate=0.1", "--seed", "4"];
    place.narrows(&fast).done();
    place
}

#[test]
fn runs_are_listed_shown_and_compared() {
    let place = with_runs();
    let listed = place.narrows(&["runs"]).done();
    listed.says(&["runs/fast", "runs/slow", "finished", "2/2", "bce", "toys", "3 input"]);
    assert!(listed.stdout.find("runs/fast") < listed.stdout.find("runs/slow"));
    let metrics = place.json("runs/slow/metrics.json");
    let sha256 = metrics["model_sha256"].as_str().unwrap();
    let shown = place.narrows(&["show", "runs/slow"]).done();
    shown.says(&["toys: finished after 2 epochs", sha256, "test", "learning_rate = 1e-3", "model.safetensors"]);
    let compared = place.narrows(&["compare", "runs/slow", "runs/fast"]).done();
    compared.says(&["optimizer.learning_rate", "1e-3", "0.1", "seed", "test loss", "after an epoch"]);
    assert!(!compared.stdout.contains("batch_size"), "{}", compared.stdout);
    // The same images, divided in another way.
    assert!(!compared.stdout.contains("different images"), "{}", compared.stdout);
    let twin = ["train", "toys.toml", "--out", "elsewhere/slow", "--set", "data.limit=5"];
    place.narrows(&twin).done();
    // A run beside its copy is no second seed.
    place.narrows(&["train", "toys.toml", "--out", "elsewhere/again"]).done();
    let copied = place.narrows(&["compare", "runs/slow", "elsewhere/again"]).done();
    assert!(!copied.stdout.contains("over the seeds"), "{}", copied.stdout);
    let same_name = place.narrows(&["compare", "runs/slow", "elsewhere/slow"]).done();
    same_name.says(&["runs/slow", "elsewhere/slow", "data.limit"]);
}

#[test]
fn wrong_paths_and_empty_folders_get_a_sentence() {
    let place = with_runs();
    std::fs::create_dir(place.path("empty")).unwrap();
    place.narrows(&["runs", "empty"]).done().says(&["There are no runs in empty", "narrows train"]);
    // As deep as runs of a workflow lie.
    let deep = "deep/overview/parts/noise/seeds/2/run";
    place.write(&format!("{deep}/config.toml"), &place.read("runs/slow/config.toml"));
    place.narrows(&["runs", "deep"]).done().says(&[deep, "not finished"]);
    place.refuses(&["runs", "nowhere"], 2, &["nowhere is no folder", "none of that name"]);
    place.refuses(&["runs", "toys.toml"], 2, &["toys.toml is no folder: it is a file"]);
    for command in ["show", "compare"] {
        let second = if command == "compare" { &["runs/slow"][..] } else { &[] };
        for folder in ["nowhere", "empty", "runs", "toys.toml"] {
            place.refuses(&[&[command, folder], second].concat(), 2, &[folder, "is no run folder"]);
        }
    }
    place.refuses(&["compare", "runs/slow", "runs/slow"], 2, &["runs/slow is named twice"]);
    place.refuses(&["compare", "runs/slow"], 2, &["2 values required"]);
    place.write("runs/fast/metrics.json", b"{");
    place.narrows(&["runs"]).done().says(&["runs/slow", "cannot read runs/fast/metrics.json"]);
    place.refuses(&["show", "runs/fast"], 1, &["cannot read runs/fast/metrics.json", "no JSON"]);
    let nothing = Place::new();
    nothing.narrows(&["runs"]).done().says(&["There are no runs in runs"]);
    assert!(!nothing.path("runs").exists());
}

#[test]
fn a_run_under_way_is_looked_at_without_being_disturbed() {
    let place = Place::with_toys();
    let endless = ["train", "toys.toml", "--out", "runs/long", "--set", "train.max_epochs=1000000"];
    let mut running = Running::start(&place, &endless);
    running.wait_for("epoch   3/");
    place.narrows(&["runs"]).done().says(&["runs/long", "under way"]);
    place.narrows(&["show", "runs/long"]).done().says(&["toys: under way", "A process is at it"]);
    running.signal("-INT");
    let (code, _) = running.end();
    assert_eq!(code, Some(130));
    let listed = place.narrows(&["runs", "--json"]).done();
    let runs: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert_eq!(runs[0]["state"], "interrupted");
    place.narrows(&["show", "runs/long"]).done().says(&["interrupted in epoch", "--resume runs/long"]);
    std::fs::remove_file(place.path("runs/long/metrics.json")).unwrap();
    place.narrows(&["runs"]).done().says(&["not finished"]);
}

#[test]
fn a_quiet_command_says_nothing_but_refuses_aloud() {
    let place = Place::with_toys();
    let trained = place.narrows(&["train", "toys.toml", "--quiet", "--out", "run"]).done();
    assert_eq!([trained.stdout, trained.stderr].concat(), "");
    place.narrows(&["train", "toys.toml", "--quiet", "--out", "other", "--seed", "4"]).done();
    place.write("data/fashion-mnist/train-images-idx3-ubyte.gz", b"");
    let verified = place.narrows(&["data", "verify", "fashion-mnist", "-q"]);
    assert_eq!(verified.code, Some(1));
    verified.says(&["train-images-idx3-ubyte.gz", "missing"]);
    let answer = place.narrows(&["eval", "run", "-q", "--json"]).done();
    let figures: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!(figures["test"]["images"], 3);
    place.refuses(&["eval", "nowhere", "--quiet"], 2, &["nowhere is no run folder"]);
    // A list or a text is all that these are asked for.
    for (arguments, said) in [
        (&["config", "list", "-q"][..], "footwear"),
        (&["config", "keys", "search.samplers", "-q"], "search.samplers (default [\"tpe\"])"),
        (&["explain", "nrmse", "-q"], "NRMSE"),
        (&["data", "list", "-q"], "built in"),
        (&["-q", "runs", "."], "finished"),
        (&["show", "run", "-q"], "Configuration"),
        (&["compare", "run", "other", "-q"], "Where the configurations differ"),
    ] {
        place.narrows(arguments).done().says(&[said]);
    }
}

#[test]
fn words_and_keys_are_explained() {
    let place = Place::new();
    place.narrows(&["explain", "nrmse"]).done().says(&["NRMSE, normalised", "√MSE / (largest"]);
    place.narrows(&["explain", "early", "stopping"]).done().says(&["early stopping", "restore_best"]);
    place.narrows(&["explain"]).done().says(&["ELBO", "patience"]);
    place.narrows(&["explain", "frechet"]).done().says(&["Fréchet distance"]);
    place.narrows(&["explain", "Amortisation", "gap"]).done().says(&["narrows invert"]);
    place.narrows(&["config", "keys", "optimizer.learning_rate"]).done().says(&[
        "optimizer.learning_rate (default 0.01, with sgd (keras)",
        "(default 2e-3, with nadam (pytorch)): a finite number above 0",
    ]);
    place.refuses(&["explain", "perplexty"], 2, &["has no \"perplexty\"", "did you mean \"perplexity\"?"]);
    place.narrows(&["config", "keys", "batch_size"]).done().says(&["train.batch_size (required): an integer"]);
    place.refuses(&["config", "keys", "batchsize"], 2, &["did you mean \"train.batch_size\"?"]);
}

#[test]
fn the_page_of_keys_is_what_the_program_prints() {
    let page = Place::new().narrows(&["config", "keys", "--markdown"]).done().stdout;
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let program = program();
    let remedy = format!("{} config keys --markdown > docs/keys.md writes it", program.display());
    assert!(page == found, "docs/keys.md is not what the program prints; {remedy}");
}

//! What a newcomer does first, and what the files of a run and of a study hold.

use crate::support::{Answer, Place, png_size, real_data, without_seconds};
use narrows::config::{RunConfig, StudyConfig, schema};
use narrows::data::idx;
use narrows::run::OpenRun;
use serde_json::Value;

const SHORT: [&str; 4] = ["--set", "data.per_class=70", "--set", "train.max_epochs=2"];

fn train(place: &Place, more: &[&str]) -> Answer {
    place.narrows(&[&["train"], more].concat()).done()
}

/// The row of a table that begins with this word, without it.
#[track_caller]
fn row<'a>(text: &'a str, first: &str) -> Vec<&'a str> {
    let mut rows = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut row = rows.find(|row| row.first() == Some(&first)).unwrap_or_else(|| panic!("no row {first:?} in: {text}"));
    row.remove(0);
    row
}

#[test]
fn a_newcomer_trains_on_drawn_footwear_and_is_told_everything() {
    let place = Place::new();
    let answer = train(&place, &SHORT);
    answer.says(&[
        "drawn by the program",
        "narrows data fetch fashion-mnist",
        "428,354",
        "Compression ratio: 784 / 50 = 15.68",
        "Trained 2 epochs",
        "Run folder: runs/footwear",
        "loss.png",
        "reconstructions.png",
        "model.safetensors",
    ]);
    let (data, model) = answer.stdout.split_once("Model \"encoder\"").unwrap();
    assert_eq!(row(data, "train"), ["150", "50", "50", "50"]);
    assert_eq!(row(data, "validation"), ["30", "10", "10", "10"]);
    assert_eq!(row(data, "test"), ["30", "10", "10", "10"]);
    for part in ["train", "validation", "test"] {
        let figures = row(model, part);
        assert_eq!(figures.len(), 6, "{model}");
        assert!(figures.iter().all(|figure| figure.parse::<f64>().is_ok_and(f64::is_finite)), "{figures:?}");
    }
    for line in ["epoch   1/2  loss ", "epoch   2/2  loss "] {
        assert!(answer.stderr.contains(line), "{}", answer.stderr);
    }
    for text in [&answer.stdout, &answer.stderr] {
        assert!(!text.contains('\u{1b}'), "escape bytes in a pipe: {text:?}");
    }
    train(&place, &SHORT).says(&["Run folder: runs/footwear-2"]);
    assert_eq!(place.sha256("runs/footwear/model.safetensors"), place.sha256("runs/footwear-2/model.safetensors"));
}

#[test]
fn a_run_folder_holds_what_its_readers_need() {
    let place = Place::new();
    train(&place, &SHORT);
    let mut files: Vec<String> = place
        .snapshot()
        .into_iter()
        .filter(|(_, content)| content.is_some())
        .map(|(path, _)| path.strip_prefix(place.path("runs/footwear")).unwrap().to_str().unwrap().to_owned())
        .collect();
    files.sort();
    let expected = [
        "checkpoint/last.safetensors",
        "config.toml",
        "environment.json",
        "history.csv",
        "loss.png",
        "metrics.json",
        "model.safetensors",
        "reconstructions.png",
        "report.html",
    ];
    assert_eq!(files, expected);

    let environment = place.json("runs/footwear/environment.json");
    for key in ["narrows", "git_revision", "isa", "gemm", "cpu", "os", "arch"] {
        assert!(environment[key].as_str().is_some_and(|text| !text.is_empty()), "{key} in {environment:#}");
    }
    // The digits of a commit, and whether something was changed since; where there is no git, another word.
    let revision = environment["git_revision"].as_str().unwrap();
    let digits = revision.strip_suffix("+changes").unwrap_or(revision);
    let is_commit = digits.len() == 40 && digits.chars().all(|digit| digit.is_ascii_hexdigit());
    assert!(is_commit || revision == "unknown", "{revision}");
    assert!(environment["threads"].as_u64().is_some_and(|threads| threads > 0), "{environment:#}");
    assert_eq!(environment["bit_contract"], true);

    let history = place.text("runs/footwear/history.csv");
    assert!(history.starts_with("epoch,loss,val_loss,seconds"), "{history}");
    let columns = history.lines().next().unwrap().split(',').count();
    for (number, line) in history.lines().skip(1).enumerate() {
        let values: Vec<f64> = line.split(',').map(|value| value.parse().unwrap()).collect();
        assert_eq!((values.len(), values[0]), (columns, (number + 1) as f64));
        // Cross-entropy of a fresh model is near ln 2, and the time of an epoch is above zero.
        assert!((0.3..0.8).contains(&values[1]) && (0.3..0.8).contains(&values[2]) && values[3] > 0.0, "{line}");
    }
    assert_eq!(history.lines().count(), 3);

    let metrics = place.json("runs/footwear/metrics.json");
    assert_eq!(metrics["epochs"], 2);
    assert_eq!(metrics["stop"], "last epoch");
    assert_eq!(metrics["parameters"], 428_354);
    assert_eq!(metrics["compression_ratio"], 15.68);
    assert_eq!(metrics["model_sha256"], place.sha256("runs/footwear/model.safetensors"));
    let images = |part: &str| metrics["evaluation"][part]["images"].clone();
    assert_eq!(["train", "validation", "test"].map(images), [150, 30, 30]);
    // The validation loss of the last epoch is measured with the weights that are kept.
    let last: Vec<&str> = history.lines().last().unwrap().split(',').collect();
    let evaluated = metrics["evaluation"]["validation"]["loss"].as_f64().unwrap();
    assert_eq!(last[2].parse::<f64>().unwrap().to_bits(), evaluated.to_bits());

    // Two rows of fifteen images.
    let (width, height) = png_size(&place.read("runs/footwear/reconstructions.png"));
    assert!(width >= 15 * 28 && height >= 2 * 28, "{width}×{height}");
    assert_eq!(png_size(&place.read("runs/footwear/loss.png")), (1200, 750));
}

#[test]
fn the_configuration_in_a_run_folder_repeats_the_run() {
    let place = Place::new();
    train(&place, &[&SHORT[..], &["--seed", "7"]].concat());
    let text = place.text("runs/footwear/config.toml");
    let config = RunConfig::from_toml(&text, "config.toml").unwrap();
    assert_eq!((config.seed, config.data.per_class, config.train.max_epochs), (7, 70, 2));
    assert_eq!(RunConfig::from_toml(&config.to_toml(), "again").unwrap(), config);
    train(&place, &["runs/footwear/config.toml", "--out", "again", "--threads", "1"]);
    assert_eq!(place.sha256("again/model.safetensors"), place.sha256("runs/footwear/model.safetensors"));
    assert_eq!(place.text("again/config.toml"), text);
    let histories = ["again", "runs/footwear"].map(|run| without_seconds(&place.text(&format!("{run}/history.csv"))));
    assert_eq!(histories[0], histories[1]);
}

#[test]
fn eval_export_and_reconstruct_take_the_images_of_the_run() {
    let place = Place::new();
    train(&place, &SHORT);
    let run = "runs/footwear";
    let found: Value = serde_json::from_str(&place.narrows(&["eval", run, "--json"]).done().stdout).unwrap();
    assert_eq!(found, place.json("runs/footwear/metrics.json")["evaluation"]);
    let table = place.narrows(&["eval", run]).done();
    assert_eq!(row(&table.stdout, "test")[0], "30");

    let export = ["data", "export", run, "--out", "exported"];
    place.narrows(&export).done().says(&["train: 150 images", "test: 30 images in exported/t10k-images-idx3-ubyte"]);
    let opened = OpenRun::open(&place.path(run), &[]).unwrap();
    for ((_, part), prefix) in opened.prepared.loaded.parts().into_iter().zip(["train", "validation", "t10k"]) {
        let file = |kind: &str| place.path(&format!("exported/{prefix}-{kind}-ubyte"));
        let (images, labels) = (idx::read_images(&file("images-idx3")), idx::read_labels(&file("labels-idx1")));
        let expected = part.data.subset(part.indices);
        assert_eq!(Some(&images.unwrap().pixels[..]), expected.bytes(), "{prefix}");
        assert_eq!(Some(labels.unwrap()), expected.labels, "{prefix}");
    }
    place.refuses(&export, 2, &["exported already holds"]);

    place.narrows(&["reconstruct", run]).done().says(&["15 images of footwear", "reconstructions-test.png"]);
    assert_eq!(place.read("runs/footwear/reconstructions-test.png"), place.read("runs/footwear/reconstructions.png"));
    place.narrows(&["reconstruct", run, "--part", "train", "--count", "4", "--out", "four.png"]).done();
    let (narrow, wide) =
        (png_size(&place.read("four.png")), png_size(&place.read("runs/footwear/reconstructions.png")));
    assert!(narrow.0 < wide.0, "{narrow:?} {wide:?}");
    place.narrows(&["data", "make", "--per-class", "2", "--out", "drawn"]).done();
    place.narrows(&["reconstruct", run, "--images", "drawn", "--out", "drawn.png"]).done().says(&["6 images of drawn"]);
    png_size(&place.read("drawn.png"));
}

#[test]
fn footwear_that_was_saved_trains_like_footwear_that_is_drawn() {
    let place = Place::new();
    let made = place.narrows(&["data", "make", "--per-class", "70", "--out", "drawn"]).done();
    made.says(&["210 pictures of Sandal, Sneaker, Ankle boot of 28×28 pixels", "--set data.set=drawn"]);
    train(&place, &[&SHORT[..], &["--set", "data.set=drawn", "--out", "saved"]].concat());
    train(&place, &[&SHORT[..], &["--out", "built-in"]].concat());
    assert_eq!(place.sha256("saved/model.safetensors"), place.sha256("built-in/model.safetensors"));
}

#[test]
fn presets_are_listed_and_shown_and_a_copy_of_one_is_accepted() {
    let place = Place::new();
    place.narrows(&["config", "list"]).done().says(&["footwear", "mnist"]);
    for name in ["footwear", "mnist"] {
        let shown = place.narrows(&["config", "show", name]).done().stdout;
        assert!(StudyConfig::from_toml(&shown, name).is_ok(), "{shown}");
    }
    let shown = place.narrows(&["config", "show", "mnist"]).done().stdout;
    place.write("mine.toml", shown.as_bytes());
    // Accepted as far as the data, which are not there.
    place.refuses(&["train", "mine.toml"], 1, &["narrows data fetch mnist", "--set data.set=footwear"]);
    place.narrows(&["data", "list"]).done().says(&["fashion-mnist", "mnist", "absent", "footwear", "built in"]);
    let keys = place.narrows(&["config", "keys", "--json"]).done().stdout;
    assert_eq!(serde_json::from_str::<Value>(&keys).unwrap(), schema());
}

#[test]
fn completions_and_the_man_page_are_printed() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        place.narrows(&["completions", shell]).done().says(&["narrows", "reconstruct"]);
    }
    let page = place.narrows(&["man"]).done();
    page.says(&[".TH narrows 1", "SUBCOMMANDS", "NARROWS_DATA_DIR", "narrows data export", "\\-\\-resume"]);
    assert!(!page.stdout.contains("(1)"), "a page is named that does not exist");
    // A reader that goes away early is no error.
    for arguments in [&["man"][..], &["completions", "bash"]] {
        let mut command = std::process::Command::new(crate::support::program());
        let command = command.args(arguments).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    }
    place.narrows(&["--version"]).done().says(&["narrows ", env!("CARGO_PKG_VERSION")]);
    place.narrows(&["train", "--help"]).done().says(&["--set <KEY=VALUE>", "--out <DIR>", "--threads <N>"]);
}

#[test]
fn one_is_singular_the_loss_stands_once_and_a_stop_says_what_was_asked_for() {
    let place = Place::with_toys();
    let train =
        |more: &[&str]| place.narrows(&[&["train", "toys.toml", "--threads", "1", "--out"], more].concat()).done();
    let answer = train(&["run", "--set", "train.loss=mse", "--set", "train.max_epochs=1"]);
    answer.says(&["4 batches of 4 in an epoch, at most 1 epoch,", "on 1 thread", "Trained 1 epoch in"]);
    for text in [&answer.stdout, &place.narrows(&["eval", "run"]).done().stdout] {
        let header = text.lines().find(|line| line.contains("nrmse")).unwrap();
        assert_eq!(header.split_whitespace().filter(|name| *name == "mse").count(), 1, "{header}");
    }
    let stopping = "train.early_stopping={ patience = 1, min_delta = 9.0 }";
    let sentence = "no epoch since 1 improved on its validation loss by more than min_delta = 9";
    train(&["stopped", "--set", stopping, "--set", "train.max_epochs=5"]).says(&["Trained 2 epochs in", sentence]);
    // Epochs that early stopping does not watch, and the first that it does, take nothing of its patience.
    let later = "train.early_stopping={ patience = 5, min_delta = 9.0, start_from_epoch = 2 }";
    let said = train(&["later", "--set", later, "--set", "train.max_epochs=4"]).stderr;
    let epochs = said.lines().filter(|line| line.starts_with("epoch "));
    let waits: Vec<bool> = epochs.map(|line| line.contains("patience")).collect();
    assert!(waits == [false, false, false, true] && said.contains("  patience 1/5"), "{said}");
    // No line is longer than the terminal.
    let narrow = crate::support::answer(place.command(&["eval", "run"]).env("COLUMNS", "40")).done();
    assert!(narrow.stdout.lines().all(|line| line.chars().count() <= 40), "{}", narrow.stdout);
    narrow.says(&["  validation\n    images: 3\n    mse: 0."]);
}

#[test]
fn a_study_makes_every_run_of_its_grid_and_compares_them() {
    let place = Place::with_toys();
    let grid = "\n[grid]\n\"model.code_penalty.l1\" = { plain = 0.0, sparse = 1e-2 }\n\"train.batch_size\" = [3, 15]\n";
    place.write("grid.toml", format!("{}{grid}", crate::support::TOYS).as_bytes());
    let answer = place.narrows(&["study", "grid.toml", "--jobs", "2"]).done();
    answer.says(&["4 runs, 2 at a time", "Study folder: runs/toys-study", "report.html", "summary.csv"]);
    let names = ["plain-3", "sparse-3", "plain-15", "sparse-15"];
    let summary = place.text("runs/toys-study/summary.csv");
    assert!(summary.starts_with("run,epochs,train_loss,val_loss,test_loss,test_mse,seconds"), "{summary}");
    let rows: Vec<Vec<&str>> = summary.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), names);
    for (row, name) in rows.iter().zip(names) {
        assert_eq!(row[1], "2");
        assert!(row[2..7].iter().all(|value| value.parse::<f64>().is_ok_and(f64::is_finite)), "{row:?}");
        let metrics = place.json(&format!("runs/toys-study/runs/{name}/metrics.json"));
        assert_eq!(row[4].parse::<f64>().unwrap(), metrics["evaluation"]["test"]["loss"].as_f64().unwrap());
        assert_eq!(row[5].parse::<f64>().unwrap(), metrics["evaluation"]["test"]["mse"].as_f64().unwrap());
        let history = place.text(&format!("runs/toys-study/runs/{name}/history.csv"));
        let last: Vec<&str> = history.lines().last().unwrap().split(',').collect();
        assert_eq!((last[1], last[2]), (row[2], row[3]));
    }
    StudyConfig::from_toml(&place.text("runs/toys-study/study.toml"), "study.toml").unwrap();
    let page = place.text("runs/toys-study/report.html");
    assert!(page.starts_with("<!DOCTYPE html>") || page.starts_with("<!doctype html>"), "{page}");
    // The names of XML's vocabularies are no addresses that are loaded.
    let page = page.replace("http://www.w3.org/", "");
    for loaded in ["http://", "https://", "<script src", "src=\"/"] {
        assert!(!page.contains(loaded), "the report refers to {loaded}");
    }

    // A run of a study is a run, and neither jobs nor threads change it.
    let place_two = place.narrows(&["study", "grid.toml", "--jobs", "1", "--threads", "1"]).done();
    place_two.says(&["Study folder: runs/toys-study-2"]);
    let again = place.text("runs/toys-study-2/summary.csv");
    let timeless = |text: &str| without_seconds(text);
    assert_eq!(timeless(&summary), timeless(&again));
    place.narrows(&["eval", "runs/toys-study/runs/sparse-3"]).done();
    let repeat = ["train", "runs/toys-study/runs/sparse-3/config.toml", "--out", "repeat"];
    place.narrows(&repeat).done();
    assert_eq!(
        place.sha256("repeat/model.safetensors"),
        place.sha256("runs/toys-study/runs/sparse-3/model.safetensors")
    );
}

#[test]
fn the_footwear_of_fashion_mnist_is_taken_where_it_is() {
    let Some(folder) = real_data() else { return };
    let place = Place::new();
    let mut command =
        place.command(&["train", "--set", "train.max_epochs=1", "--set", "model.encoder=[{ dense = 8 }]"]);
    let answer = crate::support::answer(command.env("NARROWS_DATA_DIR", folder)).done();
    answer.says(&["Fashion-MNIST, which is in the data directory", "fashion-mnist: 21000 images of 28×28 pixels"]);
    let (data, _) = answer.stdout.split_once("Model \"encoder\"").unwrap();
    assert_eq!(row(data, "train"), ["15000", "5000", "5000", "5000"]);
    assert_eq!(row(data, "validation"), ["3000", "1000", "1000", "1000"]);
    assert_eq!(row(data, "test"), ["3000", "1000", "1000", "1000"]);
}

#[test]
fn files_of_a_public_set_that_are_not_the_published_ones_fail_their_check() {
    let (verify, file) = (["data", "verify", "frey-face"], "data/frey-face/freyface.mat");
    let place = Place::new();
    place.narrows(&["data", "verify"]).done().says(&["No catalogued set is here"]);
    let wrong = |word: &str| {
        place.refuses(&verify, 1, &["1 of the files"]);
        place.narrows(&verify).says(&["frey-face in data/frey-face", "freyface.mat", word]);
    };
    wrong("missing");
    place.write(file, b"faces");
    wrong("wrong size");
    let Some(folder) = real_data() else { return };
    let mut bytes = std::fs::read(folder.join("frey-face/freyface.mat")).unwrap();
    place.write(file, &bytes);
    for command in [&verify[..], &["data", "verify"]] {
        place.narrows(command).done().says(&["frey-face in data/frey-face", "freyface.mat", " ok\n"]);
    }
    bytes[1000] ^= 1;
    place.write(file, &bytes);
    wrong("wrong content");
}

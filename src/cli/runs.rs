//! `narrows runs` and `narrows show`: what run folders tell, without the data they were made with.

use std::path::Path;

use serde_json::{Value, json};

use super::CliError;
use super::output::{self, say, speak_json, table};
use narrows::figures::number::{counted, significant};
use narrows::files::argument;
use narrows::run::{RunRecord, RunState, find_runs};

/// Lists the runs in `folder` and below it.
pub fn list(folder: &Path, is_json: bool) -> Result<(), CliError> {
    if is_json {
        speak_json();
    }
    let is_there = folder.is_dir();
    if !is_there && (folder != Path::new("runs") || folder.exists()) {
        let what = if folder.exists() { "it is a file" } else { "there is none of that name" };
        let folder = folder.display();
        return Err(CliError::Usage(format!("{folder} is no folder: {what}; one in which there are runs is expected")));
    }
    let found = if is_there { find_runs(folder)? } else { Vec::new() };
    let read: Vec<_> = found.iter().map(|path| (path, RunRecord::read(path))).collect();
    output::json(|| {
        let each = read.iter().map(|(path, record)| match record {
            Ok(record) => record.to_json(),
            Err(error) => {
                json!({ "folder": path.display().to_string(), "state": "unreadable", "why": error.to_string() })
            }
        });
        Value::Array(each.collect())
    });
    if read.is_empty() {
        say!("There are no runs in {}. `narrows train` makes one in runs/.", folder.display());
        return Ok(());
    }
    let rows: Vec<Vec<String>> = read.iter().filter_map(|(_, record)| record.as_ref().ok()).map(row).collect();
    if !rows.is_empty() {
        let header =
            ["run", "state", "epochs", "loss", "train", "validation", "test", "data", "model", "written (UTC)"];
        table(&header, &rows);
    }
    for (_, record) in &read {
        if let Err(error) = record {
            say!("\n{error}");
        }
    }
    Ok(())
}

/// What stands for a figure that is absent.
const ABSENT: &str = "-";

/// A figure of four digits.
pub fn figure(value: Option<f64>) -> String {
    value.filter(|value| !value.is_nan()).map_or(ABSENT.to_owned(), |value| significant(value, 4))
}

fn row(record: &RunRecord) -> Vec<String> {
    let settings = record.settings();
    let last = record.history.last();
    let test = record.metrics["evaluation"]["test"]["loss"].as_f64();
    let text = |value: &Value| value.as_str().unwrap_or(ABSENT).to_owned();
    vec![
        record.path.display().to_string(),
        state(record),
        format!("{}/{}", record.history.epochs.len(), record.config.train.max_epochs),
        text(&settings["train"]["loss"]),
        figure(last.map(|epoch| epoch.loss)),
        figure(last.map(|epoch| epoch.val_loss)),
        figure(test),
        data(&settings["data"]),
        layers(&settings["model"]),
        record.date(),
    ]
}

fn state(record: &RunRecord) -> String {
    match record.state {
        RunState::Interrupted { epoch, .. } => format!("interrupted in epoch {epoch}"),
        state => state.word().to_owned(),
    }
}

/// The set and how many of its classes: "fashion-mnist (3 classes)".
fn data(data: &Value) -> String {
    let set = data["set"].as_str().unwrap_or_default();
    match data["classes"].as_array().map_or(0, Vec::len) {
        0 => set.to_owned(),
        classes => format!("{set} ({classes} classes)"),
    }
}

/// The sizes of the layers that have weights, for each list of layers: "256-50 256-input"; a convolution is "c32".
fn layers(model: &Value) -> String {
    let of = |layers: &Vec<Value>| {
        let sizes = layers.iter().filter_map(|layer| {
            let (kind, size) = layer.as_object()?.iter().next()?;
            let size = size.as_str().map_or_else(|| size.to_string(), str::to_owned);
            match kind.as_str() {
                "dense" => Some(size),
                "conv" => Some(format!("c{size}")),
                "conv-transpose" => Some(format!("t{size}")),
                _ => None,
            }
        });
        sizes.collect::<Vec<_>>().join("-")
    };
    let lists = model.as_object().into_iter().flatten().filter_map(|(_, value)| Some(of(value.as_array()?)));
    lists.filter(|sizes| !sizes.is_empty()).collect::<Vec<_>>().join(" ")
}

/// Says what is known of a run.
pub fn show(path: &Path, is_json: bool) -> Result<(), CliError> {
    if is_json {
        speak_json();
    }
    let record = RunRecord::read(path)?;
    output::json(|| {
        let mut tree = record.to_json();
        tree["history"] = record.columns();
        tree
    });
    let folder = path.display();
    let (written, epochs) = (record.date(), counted(record.history.epochs.len(), "epoch"));
    say!("{}: {} after {epochs}, last written {written} UTC, in {folder}", record.config.name, state(&record));
    let made = &record.environment;
    if let Some(version) = made["narrows"].as_str() {
        let text = |key: &str| made[key].as_str().unwrap_or("unknown").to_owned();
        // The first digits of the commit, and whether something was changed since.
        let whole = text("git_revision");
        let (commit, changes) = whole.split_at(whole.find('+').unwrap_or(whole.len()));
        let revision = format!("{commit:.12}{changes}");
        say!("Made by narrows {version} ({revision}) with {} on {}", text("isa"), text("cpu"));
    }
    if let Some(parameters) = record.metrics["parameters"].as_u64() {
        say!(
            "{parameters} parameters, SHA-256 of the weights {}",
            record.metrics["model_sha256"].as_str().unwrap_or(ABSENT)
        );
    }
    let parts = evaluated(&record);
    if !parts.is_empty() {
        let keys: Vec<&str> = parts[0].1.iter().map(|(key, _)| key.as_str()).collect();
        let header: Vec<&str> = [""].into_iter().chain(keys.iter().copied()).collect();
        let cells = |(name, figures): &(String, Vec<(String, f64)>)| {
            let of = |key: &&str| figures.iter().find(|(found, _)| found == key).map(|(_, value)| *value);
            let cell = |key: &&str| match of(key) {
                Some(value) if *key == "images" => value.to_string(),
                value => figure(value),
            };
            [name.clone()].into_iter().chain(keys.iter().map(cell)).collect()
        };
        say!("");
        table(&header, &parts.iter().map(cells).collect::<Vec<_>>());
    }
    if !record.history.epochs.is_empty() {
        say!("");
        let epochs = shown_epochs(record.history.epochs.len());
        let row = |epoch: &usize| {
            let at = &record.history.epochs[epoch - 1];
            vec![epoch.to_string(), figure(Some(at.loss)), figure(Some(at.val_loss)), figure(Some(at.seconds))]
        };
        table(&["epoch", "loss", "validation", "seconds"], &epochs.iter().map(row).collect::<Vec<_>>());
    }
    say!("\nFiles");
    for (name, bytes) in files(path) {
        say!("  {name:<24}{}", size(bytes));
    }
    say!("\nConfiguration\n{}", record.config.to_toml().trim_end());
    match record.state {
        RunState::Interrupted { .. } | RunState::Broken => {
            say!("\n`narrows train --resume {}` goes on with it.", argument(path));
        }
        RunState::UnderWay => {
            say!("\nA process is at it; the figures above are those of the last epoch that was written.")
        }
        _ => {}
    }
    Ok(())
}

/// The parts that were measured, each with the figures that are numbers, in the order of the file.
pub fn evaluated(record: &RunRecord) -> Vec<(String, Vec<(String, f64)>)> {
    let parts = record.metrics["evaluation"].as_object().into_iter().flatten();
    let numbers = |figures: &Value| {
        let all = figures.as_object().into_iter().flatten();
        all.filter_map(|(key, value)| Some((key.clone(), value.as_f64()?))).collect()
    };
    parts.map(|(name, figures)| (name.clone(), numbers(figures))).collect()
}

/// Of `count` epochs those that a table shows: 1, 2, 5, 10, 20, 50, … and the last.
pub fn shown_epochs(count: usize) -> Vec<usize> {
    let steps = (0..).flat_map(|power| [1, 2, 5].map(|step| step * 10usize.pow(power)));
    let mut epochs: Vec<usize> = steps.take_while(|epoch| *epoch < count).collect();
    epochs.push(count);
    epochs
}

/// The files in a run folder and their bytes, in the order of their names.
fn files(path: &Path) -> Vec<(String, u64)> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    let sized = entries.filter_map(|entry| {
        let found = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
        Some((entry.file_name().to_string_lossy().into_owned(), found.len()))
    });
    let mut files: Vec<(String, u64)> = sized.collect();
    files.sort();
    files
}

/// A number of bytes as a person says it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} bytes"),
        10_000..10_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

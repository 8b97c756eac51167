//! `narrows compare`: runs beside each other.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::CliError;
use super::args::MachineArguments;
use super::machine;
use super::output::{self, say, table};
use super::paths::{check_target, must_differ};
use super::runs::{evaluated, figure, shown_epochs};
use narrows::config::differences;
use narrows::data::data_dirs;
use narrows::figures::number::{counted, significant};
use narrows::files::write_whole;
use narrows::run::RunRecord;
use narrows::study::{Paired, Repeats, mean_and_deviation, open_runs, page_of, paired, repeats};

/// Compares the runs in these folders.
pub fn compare(paths: &[PathBuf], out: Option<PathBuf>, arguments: &MachineArguments) -> Result<(), CliError> {
    let machine = machine::resolve(arguments)?;
    check_target(&out, &["html"], "")?;
    must_differ(paths, "runs")?;
    let records = paths.iter().map(|path| RunRecord::read(path)).collect::<Result<Vec<_>, _>>()?;
    let names = names(paths);
    let differing = differences(records.iter().map(|record| &record.config));
    let groups = repeats(&records);
    // A group is called what its first run is.
    let label = |group: &Repeats| names[group[0]].clone();
    output::json(|| {
        let keys = differing.iter().map(|(key, values)| {
            let each = names.iter().zip(values).map(|(name, value)| (name.clone(), json!(value)));
            (key.clone(), Value::Object(each.collect()))
        });
        let runs = names.iter().zip(&records).map(|(name, record)| {
            let mut tree = record.to_json();
            tree["label"] = json!(name);
            tree["history"] = record.columns();
            tree
        });
        let of_groups = groups[1..].iter().flat_map(|group| {
            paired(&records, &groups[0], group).into_iter().map(|paired| {
                let mut tree = paired.to_json();
                tree.insert("first".to_owned(), json!(label(&groups[0])));
                tree.insert("second".to_owned(), json!(label(group)));
                Value::Object(tree)
            })
        });
        let paired: Vec<Value> = of_groups.collect();
        json!({ "differences": Value::Object(keys.collect()), "runs": Value::Array(runs.collect()), "paired": paired })
    });

    let header: Vec<&str> = [""].into_iter().chain(names.iter().map(String::as_str)).collect();
    let shown: Vec<_> = differing.iter().filter(|(key, _)| key != "name").collect();
    if shown.is_empty() {
        say!("The configurations are the same.");
    } else {
        say!("Where the configurations differ:");
        let row = |(key, values): &&(String, Vec<Option<String>>)| {
            let values = values.iter().map(|value| value.clone().unwrap_or_else(|| "-".to_owned()));
            [key.clone()].into_iter().chain(values).collect()
        };
        table(&header, &shown.iter().map(row).collect::<Vec<_>>());
    }

    say!("\nFigures:");
    let mut rows = vec![row_of("state", records.iter().map(|record| record.state.word().to_owned()))];
    rows.push(row_of("epochs", records.iter().map(|record| record.history.epochs.len().to_string())));
    let mut keys: Vec<(String, String)> = Vec::new();
    for (part, figures) in records.iter().flat_map(evaluated) {
        for (key, _) in figures {
            if !keys.contains(&(part.clone(), key.clone())) {
                keys.push((part.clone(), key));
            }
        }
    }
    keys.sort_by_key(|(part, _)| ["train", "validation", "test"].iter().position(|name| name == part));
    for (part, key) in &keys {
        let value = |record: &RunRecord| record.metrics["evaluation"][part][key].as_f64();
        let cell = |record: &RunRecord| match value(record) {
            Some(count) if key == "images" => count.to_string(),
            value => figure(value),
        };
        rows.push(row_of(&format!("{part} {}", key.replace('_', " ")), records.iter().map(cell)));
    }
    table(&header, &rows);
    if groups.iter().any(|group| group.len() > 1) {
        over_seeds(&records, &groups, &keys, &label);
    }
    let different = |of: fn(&RunRecord) -> &Value| {
        let mut values = records.iter().map(of).filter(|value| !value.is_null());
        values.next().is_some_and(|first| values.any(|other| other != first))
    };
    if different(|record| &record.metrics["data_sha256"]) {
        say!("The runs were made with different images, so their figures do not compare like with like.");
    }
    if differing.iter().any(|(key, _)| key == "train.loss") {
        say!("Losses of different kinds are not in one unit; other figures are.");
    }

    let most = records.iter().map(|record| record.history.epochs.len()).max().unwrap_or(0);
    if most > 0 {
        say!("\nLosses after an epoch, training / validation:");
        let row = |epoch: &usize| {
            let cell = |record: &RunRecord| match record.history.epochs.get(epoch - 1) {
                Some(at) if at.val_loss.is_nan() => figure(Some(at.loss)),
                Some(at) => format!("{} / {}", figure(Some(at.loss)), figure(Some(at.val_loss))),
                None => figure(None),
            };
            row_of(&epoch.to_string(), records.iter().map(cell))
        };
        let header: Vec<&str> = ["epoch"].into_iter().chain(names.iter().map(String::as_str)).collect();
        table(&header, &shown_epochs(most).iter().map(row).collect::<Vec<_>>());
    }
    if let Some(out) = out.as_deref() {
        let of_group = |group: &Repeats| {
            let (name, group) = (label(group), group.clone());
            group.into_iter().enumerate().map(move |(repeat, run)| (name.clone(), repeat, paths[run].clone()))
        };
        let named: Vec<_> = groups.iter().flat_map(of_group).collect();
        let runs = open_runs(named, &data_dirs(arguments.data_dir.as_deref()))?;
        write_whole(out, page_of(&names.join(", "), runs, machine)?.as_bytes())?;
        say!("\n{}: open it in a browser", out.display());
    }
    Ok(())
}

/// Says what groups of runs that differ in their seeds alone have on average, and by how much each differs from the first, seed by
/// seed.
fn over_seeds(
    records: &[RunRecord],
    groups: &[Repeats],
    keys: &[(String, String)],
    label: &dyn Fn(&Repeats) -> String,
) {
    let labels: Vec<String> =
        groups.iter().map(|group| format!("{} ({})", label(group), counted(group.len(), "seed"))).collect();
    let header: Vec<&str> = [""].into_iter().chain(labels.iter().map(String::as_str)).collect();
    let shown = |[mean, spread]: [f64; 2]| format!("{} ± {}", significant(mean, 4), significant(spread, 2));
    let keys = keys.iter().filter(|(_, key)| key != "images");
    let named = |part: &str, key: &str| format!("{part} {}", key.replace('_', " "));
    let row = |(part, key): &(String, String)| {
        let value = |&run: &usize| records[run].metrics["evaluation"][part][key].as_f64();
        let cell = |group: &Repeats| {
            let values: Vec<f64> = group.iter().filter_map(value).collect();
            mean_and_deviation(&values).map_or_else(|| figure(values.first().copied()), shown)
        };
        row_of(&named(part, key), groups.iter().map(cell))
    };
    say!("\nMean ± standard deviation over the seeds:");
    table(&header, &keys.map(row).collect::<Vec<_>>());
    for group in &groups[1..] {
        let pairs = paired(records, &groups[0], group);
        let Some(one) = pairs.first() else { continue };
        let seeds = one.differences.len();
        say!("\n{} minus {}, in pairs of equal seeds; mean ± standard error:", label(group), label(&groups[0]));
        let row = |pair: &Paired| {
            let lower = format!("lower in {} of {}", pair.lower(), pair.differences.len());
            vec![named(&pair.part, &pair.figure), shown(pair.mean_and_error()), lower]
        };
        table(&["", "difference", &format!("{seeds} pairs")], &pairs.iter().map(row).collect::<Vec<_>>());
    }
}

fn row_of(label: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    [label.to_owned()].into_iter().chain(cells).collect()
}

/// What runs are called beside each other: the names of their folders, or, where two have one, their paths.
fn names(paths: &[PathBuf]) -> Vec<String> {
    let last = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let lasts: Vec<_> = paths.iter().map(|path| last(path)).collect();
    let is_alone = |name: &Option<String>| name.is_some() && lasts.iter().filter(|other| *other == name).count() == 1;
    let whole = !lasts.iter().all(is_alone);
    paths
        .iter()
        .zip(&lasts)
        .map(|(path, last)| match last {
            Some(last) if !whole => last.clone(),
            _ => path.display().to_string(),
        })
        .collect()
}

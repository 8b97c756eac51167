//! What was studied: the grid, the data, the models.

use std::sync::Arc;

use super::axes::{description, listed};
use crate::config::StudyConfig;
use crate::data::Splits;
use crate::figures::bars::BarChart;
use crate::figures::page::{Align, Page};
use crate::loss;
use crate::nn::{Autoencoder, grouped};
use crate::optim::{Monitor, Schedule, Semantics};
use crate::study::{Study, StudyRun};

use super::commentary::percent;

/// Classes up to which unequal shares are drawn beside the table.
const MOST_DRAWN: usize = 20;

/// "one run" or "four runs", in digits above twelve.
pub(super) fn runs(count: usize) -> String {
    const WORDS: [&str; 13] =
        ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    let number = WORDS.get(count).map_or(count.to_string(), |word| (*word).to_owned());
    format!("{number} run{}", if count == 1 { "" } else { "s" })
}

/// Writes the first section.
pub(super) fn what_was_studied(page: &mut Page, study: &Study) {
    page.section("What was studied");
    let total = study.config.runs().len();
    let mut items = Vec::new();
    for (loaded, users) in distinct_data(study) {
        let (data, of) = (&loaded.data, of_runs(study, &users));
        let used = grouped(loaded.parts().iter().map(|(_, indices)| indices.len()).sum());
        let (height, width, classes) = (data.height(), data.width(), data.class_names.len());
        let classes = if classes > 0 { format!(" in {classes} classes") } else { String::new() };
        let (set, origin) = (&data.name, &loaded.origin);
        items.push(format!("Images{of}: {used} of {height}×{width} pixels{classes}, from the set {set} ({origin})."));
    }
    for axis in &study.config.grid {
        items.push(format!("{}.", description(axis)));
    }
    let changing = study.config.variants.iter().filter(|variant| !variant.changes.is_empty()).count();
    if changing > 0 {
        let all = study.config.variants.len();
        items.push(format!(
            "Runs: {all}, of which {changing} each change something of the configuration that the page ends with; it lists the changes \
             under [variants]. What follows is the configuration that they change."
        ));
    }
    items.extend(held_fixed(&study.config));
    if !study.config.grid.iter().any(|axis| axis.key == "seed") {
        items.push(format!(
            "Seed: {}. Initial weights, division of the images and their order follow from it.",
            study.config.base_run().seed
        ));
    }
    let machine = study.machine.describe();
    let text = |key: &str| machine[key].as_str().unwrap_or("unknown").to_owned();
    let revision: String = text("git_revision").chars().take(12).collect();
    let side_by_side = match study.jobs {
        0 | 1 => "one run after the other".to_owned(),
        jobs => format!("{} side by side", runs(jobs)),
    };
    items.push(format!(
        "Machine: {} ({}), instruction set {}, {} thread{}, {side_by_side}.",
        text("cpu"),
        text("os"),
        text("isa"),
        study.machine.threads,
        if study.machine.threads == 1 { "" } else { "s" }
    ));
    items.push(match study.machine.is_in_bit_contract() {
        true => format!(
            "Program: narrows {}, revision {}. The weights are the same bits on every machine, whatever its instruction set \
             and number of threads; only times differ.",
            text("narrows"),
            revision
        ),
        false => format!(
            "Program: narrows {}, revision {}, with the products of the {} engine, which is outside the bit contract: other \
             machines may give slightly different weights.",
            text("narrows"),
            revision,
            text("gemm")
        ),
    });
    page.list(&items);
    if study.interrupted {
        page.paragraph(&format!(
            "The study was interrupted: of {total} runs, {} were begun, and this page shows those.",
            study.runs.len()
        ));
    }
}

/// What all runs have in common, of what a reader asks about first.
fn held_fixed(config: &StudyConfig) -> Vec<String> {
    let varies = |key: &str| {
        let inside = |outer: &str, inner: &str| inner == outer || inner.starts_with(&format!("{outer}."));
        config.grid.iter().any(|axis| axis.values.len() > 1 && (inside(&axis.key, key) || inside(key, &axis.key)))
    };
    let base = config.base_run();
    let (train, optimizer) = (&base.train, &base.optimizer);
    let mut items = Vec::new();
    if !varies("optimizer.name") && !varies("optimizer.dialect") {
        let rate = match varies("optimizer.learning_rate") {
            true => String::new(),
            false => format!(", learning rate {}", optimizer.rule.learning_rate()),
        };
        let schedule = if optimizer.schedule == Schedule::Constant { "" } else { ", on a schedule" };
        let name = optimizer.rule.title();
        let dialect = match optimizer.rule.semantics() {
            Semantics::Keras => "Keras",
            Semantics::Pytorch => "PyTorch",
        };
        items.push(format!("Optimizer: {name} as {dialect} defines it{rate}{schedule}."));
    }
    if !varies("train.loss") {
        items.push(format!("Loss: {}.", loss::axis_label(base.model.loss)));
    }
    if !varies("train.batch_size") {
        items.push(format!("Batch size: {}.", grouped(train.batch_size)));
    }
    if !varies("train.max_epochs") && !varies("train.early_stopping") {
        items.push(match &train.early_stopping {
            None => format!("Epochs: {}, without early stopping.", train.max_epochs),
            Some(rule) => format!(
                "Epochs: at most {}. Training stops when the {} loss has not fallen by more than {} below its best for {} epochs; the \
                 weights of the {} epoch are kept.",
                train.max_epochs,
                if rule.monitor == Monitor::ValLoss { "validation" } else { "training" },
                rule.min_delta,
                rule.patience,
                if rule.restore_best { "best" } else { "last" }
            ),
        });
    }
    items
}

/// The data sets among the runs, each with those that use it.
fn distinct_data(study: &Study) -> Vec<(&Arc<Splits>, Vec<&StudyRun>)> {
    distinct(study, |run| &run.prepared.loaded, Arc::ptr_eq)
}

fn distinct<'a, T>(
    study: &'a Study,
    get: impl Fn(&'a StudyRun) -> &'a T,
    same: impl Fn(&T, &T) -> bool,
) -> Vec<(&'a T, Vec<&'a StudyRun>)> {
    let mut found: Vec<(&T, Vec<&StudyRun>)> = Vec::new();
    for run in &study.runs {
        let item = get(run);
        match found.iter_mut().find(|(other, _)| same(other, item)) {
            Some((_, users)) => users.push(run),
            None => found.push((item, vec![run])),
        }
    }
    found
}

/// " of a and b"; empty for all runs.
pub(super) fn of_runs(study: &Study, users: &[&StudyRun]) -> String {
    let names: Vec<&str> = users.iter().map(|run| run.name.as_str()).collect();
    match names.len() {
        count if count == study.runs.len() => String::new(),
        count if count > 8 => format!(" of {count} runs, from {} to {}", names[0], names[count - 1]),
        _ => format!(" of {}", listed(&names)),
    }
}

/// Writes the class distributions.
pub(super) fn data(page: &mut Page, study: &Study) {
    page.section("Images of each class");
    for (loaded, users) in distinct_data(study) {
        let of = of_runs(study, &users);
        let parts: Vec<_> = loaded.parts().into_iter().filter(|(_, indices)| !indices.is_empty()).collect();
        let used: usize = parts.iter().map(|(_, indices)| indices.len()).sum();
        let mut header = vec!["class"];
        header.extend(parts.iter().map(|(name, _)| if *name == "train" { "training" } else { name }));
        header.push("all");
        let mut align = vec![Align::Number; header.len()];
        align[0] = Align::Text;
        let totals = |name: &str| {
            let sizes = parts.iter().map(|(_, indices)| grouped(indices.len()));
            std::iter::once(name.to_owned()).chain(sizes).chain([grouped(used)]).collect::<Vec<String>>()
        };
        let distributions: Vec<_> =
            loaded.class_distributions().into_iter().filter(|(_, counts)| counts.iter().any(|(_, n)| *n > 0)).collect();
        let Some((_, first)) = distributions.first() else {
            let caption = format!("Images in each part{of}. The set has no labels, so no classes can be counted.");
            header[0] = "";
            page.table(&caption, &header, &[totals("images")], &align);
            continue;
        };
        let shared =
            |count: usize, size: usize| format!("{} ({})", grouped(count), percent(count as f64 / size as f64));
        let mut rows = Vec::new();
        for (class, (name, _)) in first.iter().enumerate() {
            let counts: Vec<usize> = distributions.iter().map(|(_, counts)| counts[class].1).collect();
            let mut row = vec![name.clone()];
            row.extend(counts.iter().zip(&parts).map(|(&count, (_, indices))| shared(count, indices.len())));
            row.push(shared(counts.iter().sum(), used));
            rows.push(row);
        }
        rows.push(totals("all classes"));
        let equal = distributions.iter().all(|(_, counts)| counts.iter().all(|(_, count)| *count == counts[0].1));
        let said = if equal { " Within each part all classes have the same number of images." } else { "" };
        let caption = format!("Images of each class in each part{of}, with their share of the part.{said}");
        page.table(&caption, &header, &rows, &align);
        if !equal && first.len() <= MOST_DRAWN {
            let groups = first.iter().enumerate().map(|(class, (name, _))| {
                (name.clone(), distributions.iter().map(|(_, counts)| counts[class].1 as f64).collect())
            });
            let chart = BarChart {
                title: String::new(),
                value_label: "images".into(),
                series: distributions.iter().map(|(name, _)| (*name).to_owned()).collect(),
                groups: groups.collect(),
            };
            page.svg(&format!("The same counts{of}: the classes are not of one size."), &chart.to_svg());
        }
    }
}

/// Writes the summary of the base run's model, of which others are variations.
pub(super) fn one_model(page: &mut Page, study: &Study) {
    page.section("Model");
    let base = study.runs.iter().find(|run| run.config.model == study.config.base_run().model);
    let Some(run) = base.or(study.runs.first()) else { return };
    let parameters = grouped(run.prepared.model().layout().len());
    page.paragraph(&format!(
        "The network of the run {}: {parameters} parameters. The others differ from it in what their sections compare.",
        run.name
    ));
    page.preformatted(run.prepared.model().to_string().trim_end());
}

/// Writes the model summaries.
pub(super) fn models(page: &mut Page, study: &Study) {
    page.section("Models");
    let found = distinct(study, |run| run.prepared.model(), |a: &Autoencoder, b: &Autoencoder| a == b);
    let several = found.len() > 1;
    for (model, users) in found {
        let (parameters, code) = (grouped(model.layout().len()), model.code_size());
        if several {
            let names: Vec<&str> = users.iter().map(|run| run.name.as_str()).collect();
            page.subsection(&format!("{parameters} parameters, {code} code units"));
            page.paragraph(&format!("Used by {}.", listed(&names)));
        } else if study.runs.len() > 1 {
            page.paragraph(&format!(
                "All runs train this network: {parameters} parameters, {code} code units. Where they differ in what is \
                 minimised or in how, the grid above says so."
            ));
        }
        page.preformatted(model.to_string().trim_end());
    }
}

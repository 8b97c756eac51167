//! Studies: a run of which some values vary, and the report about its runs.

use super::difference::differences;
use super::document::{Entry, Node, Table, Value};
use super::error::{ConfigError, Place, did_you_mean, refused};
use super::name::is_name;
use super::report::ReportConfig;
use super::source::{Source, read_run, refuse_search};
use super::vary::{path_of, read_grid, read_variants, set_in_grid, set_in_variants};
use super::{RunConfig, read, write};
use crate::spelling::nearest;

/// Runs of a grid. A thousand is more than anyone reads a report about.
const MOST_RUNS: usize = 1000;

/// A run, the values of it that vary, and the report about all combinations.
///
/// A grid key is a dotted key in quotes; its values are a list, each labelled by itself, or a table of label = value:
///
/// ```toml
/// [grid]
/// "model.code_penalty.l1" = { regular = 0.0, sparse = 1e-6 }
/// "train.batch_size" = [32, 256]
///
/// [report]
/// title = "Footwear"        # optional
/// reconstructions = 15      # how many images the report draws beside their reconstructions
/// ```
///
/// Instead of a grid a study may list its runs, each with the dotted keys that it changes, in which a number stands for an
/// item of a list:
///
/// ```toml
/// [variants]
/// plain = {}
/// sgd = { "optimizer.name" = "sgd", "optimizer.learning_rate" = 0.1 }
/// narrow = { "model.encoder.1.dense" = 8 }
/// narrow-sgd = { like = "narrow", "optimizer.name" = "sgd" }
/// ```
///
/// A run that is `like` one before it changes what that one does, and its own keys besides. A run of another task may have a
/// whole table `model` in the place of the one above.
///
/// A table `[quick]` of dotted keys, with tables `[quick.variants]` or `[quick.grid]`, says what `--quick` puts in the place of
/// what stands above it; `"variants.plain" = { … }` puts one run in the place of another.
///
/// Where a setting (`--set`) names a grid key, that key keeps this one value, under its old label if it had one. Where
/// it names something that contains a grid key, the grid key is gone; where it names a part of a grid key's values, it
/// is applied on top of each.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyConfig {
    /// What varies, in the order of the file.
    pub grid: Vec<Varied>,
    /// Runs that each change something, in the order of the file; none beside a grid.
    pub variants: Vec<Varied>,
    /// What the report shows.
    pub report: ReportConfig,
    base: RunConfig,
    runs: Vec<(String, RunConfig)>,
    text: String,
}

/// A key of the grid with its values, or a run with what it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Varied {
    /// The dotted key, or the run's name.
    pub name: String,
    /// Values as TOML on one line: each behind its label, which is its part of the names of runs, or behind its dotted key.
    pub values: Vec<(String, String)>,
}

impl StudyConfig {
    /// Reads and checks a study: every run of it. `origin` is what messages call the text.
    pub fn from_toml(text: &str, origin: &str) -> Result<StudyConfig, ConfigError> {
        Source::parse(text, origin)?.into_study()
    }

    /// Runs that were made apart from each other as a study, each under a name of its own: what differs from the first is what a
    /// run changes. `None` for no runs.
    pub fn of_runs(title: &str, runs: Vec<(String, RunConfig)>) -> Option<StudyConfig> {
        let base = runs.first()?.1.clone();
        let variants = runs.iter().skip(1).map(|(name, run)| {
            let changed = differences([&base, run]).into_iter().filter(|(key, _)| key != "name");
            let values = changed.map(|(key, values)| (key, values[1].clone().unwrap_or_else(|| "nothing".to_owned())));
            Varied { name: name.clone(), values: values.collect() }
        });
        let first = Varied { name: runs[0].0.clone(), values: Vec::new() };
        let variants = if runs.len() > 1 { std::iter::once(first).chain(variants).collect() } else { Vec::new() };
        let report = ReportConfig { title: Some(title.to_owned()), ..ReportConfig::default() };
        let text = base.to_toml();
        Some(StudyConfig { grid: Vec::new(), variants, report, base, runs, text })
    }

    /// The run that the file describes outside its grid. A grid key that has no value there has its first.
    pub fn base_run(&self) -> &RunConfig {
        &self.base
    }

    /// Every combination, named by its labels joined with `-`; the first grid key varies fastest. The configuration's
    /// own name is that of the study, `-`, and the name of the run. Without a grid this is the base run alone.
    pub fn runs(&self) -> Vec<(String, RunConfig)> {
        self.runs.clone()
    }

    /// The study as TOML, which reads back as equal.
    pub fn to_toml(&self) -> String {
        self.text.clone()
    }
}

impl Source {
    /// The study that this describes; without a `[grid]` and without `[variants]` it has one run.
    pub fn into_study(self) -> Result<StudyConfig, ConfigError> {
        self.read_with_quick(read_study)
    }
}

fn read_study(source: Source) -> Result<StudyConfig, ConfigError> {
    let Source { mut table, file, mut settings } = source;
    refuse_search(&table, &file)?;
    if let Some(parts) = table.get("parts") {
        let sentence = "[parts] makes this a workflow of several studies; accepted: a study or a search, of which a workflow can have many";
        return Err(ConfigError::new(&parts.key_place, sentence));
    }
    // Those of the report are in the table already, and runs know nothing of it.
    settings.retain(|(path, _)| path[0] != "report");
    let [report, grid, variants] = ["report", "grid", "variants"].map(|key| table.remove(key).map(|entry| entry.node));
    if let (Some(_), Some(variants)) = (&grid, &variants) {
        let sentence = "this has both a [grid] and [variants]; accepted: one of them";
        return Err(ConfigError::new(&variants.place, sentence));
    }
    let runs_place = grid.as_ref().or(variants.as_ref()).map_or(&file, |node| &node.place).clone();
    let report_place = report.as_ref().map_or(&file, |node| &node.place).clone();
    let report = report.as_ref().map_or(Ok(ReportConfig::default()), read_report)?;
    let mut grid = grid.as_ref().map_or(Ok(Table::default()), read_grid)?;
    let mut variants = variants.as_ref().map_or(Ok(Table::default()), read_variants)?;
    for (path, node) in &settings {
        set_in_grid(&mut grid, path, node);
        set_in_variants(&mut variants, path, node)?;
    }

    let mut given = table.clone();
    for axis in &grid.entries {
        let path = path_of(&axis.key);
        if let Some((_, first)) = pairs(axis).next().filter(|_| given.at(&path).is_none()) {
            given.put(&path, first.clone())?;
        }
    }
    // Without its grid keys the file may lack what only the grid gives; with them it is whole.
    let base = read_run(&given, &file)?;
    let planned: Vec<Planned<'_>> = match &grid.entries[..] {
        [] => variants.entries.iter().map(|variant| (variant.key.clone(), pairs(variant).collect())).collect(),
        axes => combinations(axes, &runs_place)?,
    };
    let mut runs = Vec::new();
    if planned.is_empty() {
        runs.push((base.name.clone(), base.clone()));
    }
    for (name, changes) in planned {
        let whole = format!("{}-{name}", base.name);
        if !is_name(&name) || !is_name(&whole) {
            let (key, accepted) = match grid.entries.is_empty() {
                true => ("variants", "shorter names: with that of the study before it a name has at most 120 bytes"),
                false => ("grid", "shorter labels, of which the first begins with a letter or a digit"),
            };
            return Err(refused(&runs_place, key, format!("a table with a run {name:?}"), accepted));
        }
        let mut table = table.clone();
        for (key, node) in changes {
            table.put(&path_of(key), node.clone()).map_err(|error| error.in_run(&name))?;
        }
        for (path, node) in &settings {
            table.put(path, node.clone())?;
        }
        let run = read_run(&table, &file).map_err(|error| error.in_run(&name))?;
        // Some file systems take "A" and "a" for the same folder.
        if runs.iter().any(|(other, _): &(String, _)| other.to_lowercase() == name.to_lowercase()) {
            let sentence = format!(
                "two runs of this study are named \"{name}\"; accepted: names that differ in more than their case; values of a \
                 grid take labels, as in {{ label = value }}"
            );
            return Err(ConfigError::new(&runs_place, sentence));
        }
        runs.push((name, RunConfig { name: whole, ..run }));
    }
    check_report(&report, &report_place, &runs)?;
    let [varied, changed] = [&grid, &variants].map(|table| table.entries.iter().map(Varied::of).collect());
    let text = write::text(&written(&base, &given, grid, variants, &report));
    Ok(StudyConfig { grid: varied, variants: changed, text, report, base, runs })
}

/// The name of a run, and the dotted keys that it changes with their values.
type Planned<'a> = (String, Vec<(&'a str, &'a Node)>);

/// The entries of the table of an axis or a variant.
fn pairs(entry: &Entry) -> impl Iterator<Item = (&str, &Node)> {
    let entries = match &entry.node.value {
        Value::Table(table) => &table.entries[..],
        _ => &[],
    };
    entries.iter().map(|entry| (entry.key.as_str(), &entry.node))
}

impl Varied {
    fn of(entry: &Entry) -> Varied {
        let values = pairs(entry).map(|(key, node)| (key.to_owned(), node.value.to_toml())).collect();
        Varied { name: entry.key.clone(), values }
    }
}

/// The name of every combination of the grid with its changes; the first key varies fastest.
fn combinations<'a>(axes: &'a [Entry], place: &Place) -> Result<Vec<Planned<'a>>, ConfigError> {
    let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(pairs(axis).count()));
    let Some(count) = count.filter(|&count| count <= MOST_RUNS) else {
        let sentence = format!("the grid has more than {MOST_RUNS} runs; accepted: at most {MOST_RUNS}");
        return Err(ConfigError::new(place, sentence));
    };
    let combination = |number: usize| {
        let mut digits = number;
        let chosen = axes.iter().filter_map(|axis| {
            let values = pairs(axis).count();
            let (label, node) = pairs(axis).nth(digits % values)?;
            digits /= values;
            Some((label, (axis.key.as_str(), node)))
        });
        let (labels, changes): (Vec<&str>, Vec<_>) = chosen.unzip();
        (labels.join("-"), changes)
    };
    Ok((0..count).map(combination).collect())
}

fn read_report(node: &Node) -> Result<ReportConfig, ConfigError> {
    let mut report = ReportConfig::default();
    read::read(&mut report, node.table("report", "a table [report]")?, "report", &node.place)?;
    Ok(report)
}

/// What a study is written as. Of the base run's optimizer only what is `given`: a run with another has other defaults. Where runs
/// differ in their task, so have the models.
fn written(base: &RunConfig, given: &Table, grid: Table, variants: Table, report: &ReportConfig) -> Table {
    let mut tree = write::tree(&mut base.clone());
    let is_given = |key: &str| given.at(&["optimizer".to_owned(), key.to_owned()]).is_some();
    let optimizer = tree.entries.iter_mut().find(|entry| entry.key == "optimizer");
    if let Some(Value::Table(optimizer)) = optimizer.map(|entry| &mut entry.node.value) {
        let is_kept = |key: &str| ["name", "semantics", "schedule"].contains(&key) || is_given(key);
        optimizer.entries.retain(|entry| is_kept(&entry.key));
    }
    let sets_task = |varied: &Table| {
        varied.entries.iter().any(|entry| entry.key == "task" || pairs(entry).any(|(key, _)| key == "task"))
    };
    if sets_task(&grid) || sets_task(&variants) {
        let model = tree.entries.iter_mut().find(|entry| entry.key == "model");
        if let Some(Value::Table(model)) = model.map(|entry| &mut entry.node.value) {
            model.entries.retain(|entry| given.at(&["model".to_owned(), entry.key.clone()]).is_some());
        }
    }
    for (key, varied) in [("grid", grid), ("variants", variants)] {
        if !varied.entries.is_empty() {
            write::put(&mut tree, key, Value::Table(varied));
        }
    }
    let mut report = write::tree(&mut report.clone());
    report.entries.retain(|entry| !matches!(&entry.node.value, Value::Array(names) if names.is_empty()));
    write::put(&mut tree, "report", Value::Table(report));
    tree
}

/// Refuses a report about runs that the study does not have.
fn check_report(report: &ReportConfig, place: &Place, runs: &[(String, RunConfig)]) -> Result<(), ConfigError> {
    let names = || runs.iter().map(|(name, _)| name.as_str());
    match report.named_runs().into_iter().find(|(_, run)| !names().any(|name| name == *run)) {
        None => Ok(()),
        Some((key, run)) => {
            let hint = did_you_mean(nearest(run, names()));
            let sentence = format!("\"report.{key}\" names the run {run:?}, which this study does not have{hint}");
            Err(ConfigError::new(place, sentence))
        }
    }
}

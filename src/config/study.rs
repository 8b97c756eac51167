//! Studies: a run of which some values vary, and the report about its runs.

use super::axes::{Varied, keep_after, read_axes};
use super::document::{Entry, Node, Table, Value};
use super::error::{ConfigError, Place, did_you_mean};
use super::read::{self, refused};
use super::report::ReportConfig;
use super::source::{Source, is_name, read_run};
use super::variants::{Changed, read_variants};
use super::{RunConfig, write};
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
/// ```
///
/// A table `[quick]` of dotted keys, with tables `[quick.variants]` or `[quick.grid]`, says what `--quick` puts in the place of
/// what stands above it.
///
/// Where a setting (`--set`) names a grid key, that key keeps this one value, under its old label if it had one. Where
/// it names something that contains a grid key, the grid key is gone; where it names a part of a grid key's values, it
/// is applied on top of each.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyConfig {
    /// What varies, in the order of the file.
    pub grid: Vec<Axis>,
    /// Runs that each change something, in the order of the file; none beside a grid.
    pub variants: Vec<Variant>,
    /// What the report shows.
    pub report: ReportConfig,
    base: RunConfig,
    runs: Vec<(String, RunConfig)>,
    text: String,
}

/// A key of the grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// Dotted.
    pub key: String,
    /// At least one.
    pub values: Vec<AxisValue>,
}

/// A value that a key of the grid takes.
#[derive(Clone, Debug, PartialEq)]
pub struct AxisValue {
    /// Its part of the names of runs.
    pub label: String,
    /// The value as TOML on one line.
    pub toml: String,
}

/// A run and what it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Dotted keys, each with its value as TOML on one line.
    pub changes: Vec<(String, String)>,
}

impl StudyConfig {
    /// Reads and checks a study: every run of it. `origin` is what messages call the text.
    pub fn from_toml(text: &str, origin: &str) -> Result<StudyConfig, ConfigError> {
        Source::parse(text, origin)?.into_study()
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

pub(super) fn read_study(source: Source) -> Result<StudyConfig, ConfigError> {
    let Source { mut table, file, mut settings } = source;
    // Those of the report are in the table already, and runs know nothing of it.
    settings.retain(|(path, _)| path[0] != "report");
    let report = table.remove("report").map(|entry| entry.node);
    let grid = table.remove("grid").map(|entry| entry.node);
    let variants = table.remove("variants").map(|entry| entry.node);
    if let (Some(_), Some(variants)) = (&grid, &variants) {
        let sentence = "this has both a [grid] and [variants]; accepted: one of them";
        return Err(ConfigError::rule(&variants.place, sentence));
    }
    let runs_place = grid.as_ref().or(variants.as_ref()).map_or(file.clone(), |node| node.place.clone());
    let report_place = report.as_ref().map_or(file.clone(), |node| node.place.clone());
    let report = report.as_ref().map_or(Ok(ReportConfig::default()), read_report)?;
    let mut axes = grid.as_ref().map_or(Ok(Vec::new()), read_axes)?;
    let mut variants = variants.as_ref().map_or(Ok(Vec::new()), read_variants)?;
    for (path, node) in &settings {
        axes.retain_mut(|axis| keep_after(axis, path, node));
        for variant in &mut variants {
            variant.keep_after(path, node)?;
        }
    }

    let mut base = table.clone();
    for axis in &axes {
        if let Some((_, first)) = axis.values.first().filter(|_| base.at(&axis.path).is_none()) {
            base.put(&axis.path, first.clone())?;
        }
    }
    // Without its grid keys the file may lack what only the grid gives; with them it is whole.
    let (given, base) = (&base, read_run(&base, &file)?);
    let mut runs = Runs {
        table: &table,
        settings: &settings,
        study: &base.name,
        file: &file,
        place: &runs_place,
        made: Vec::new(),
    };
    match (&axes[..], &variants[..]) {
        ([], []) => runs.made.push((base.name.clone(), base.clone())),
        ([], variants) => {
            for Changed { name, changes } in variants {
                runs.add(name.clone(), changes.iter().map(|(path, node)| (&path[..], node)))?;
            }
        }
        (axes, _) => combine(&mut runs, axes)?,
    }
    let runs = runs.made;
    check_report(&report, &report_place, &runs)?;
    let text = write::text(&written(&base, given, &axes, &variants, &report));
    let value = |(label, node): &(String, Node)| AxisValue { label: label.clone(), toml: write::value(&node.value) };
    let grid = axes.iter().map(|axis| Axis { key: axis.key.clone(), values: axis.values.iter().map(value).collect() });
    let variant = |Changed { name, changes }: &Changed| Variant {
        name: name.clone(),
        changes: changes.iter().map(|(path, node)| (path.join("."), write::value(&node.value))).collect(),
    };
    let variants = variants.iter().map(variant).collect();
    Ok(StudyConfig { grid: grid.collect(), variants, text, report, base, runs })
}

fn read_report(node: &Node) -> Result<ReportConfig, ConfigError> {
    let mut report = ReportConfig::default();
    let Value::Table(table) = &node.value else {
        return Err(refused(&node.place, "report", node.value.describe(), "a table [report]"));
    };
    read::read(&mut report, table, "report", &node.place)?;
    Ok(report)
}

/// What a study is written as. Of the base run's optimizer only what is `given`: a run with another has other defaults.
fn written(base: &RunConfig, given: &Table, axes: &[Varied], variants: &[Changed], report: &ReportConfig) -> Table {
    let mut tree = write::tree(&mut base.clone());
    let is_given = |key: &str| given.at(&["optimizer".to_owned(), key.to_owned()]).is_some();
    let optimizer = tree.entries.iter_mut().find(|entry| entry.key == "optimizer");
    if let Some(Value::Table(optimizer)) = optimizer.map(|entry| &mut entry.node.value) {
        optimizer
            .entries
            .retain(|Entry { key, .. }| ["name", "dialect", "schedule"].contains(&&**key) || is_given(key));
    }
    let table = |pairs: &mut dyn Iterator<Item = (String, Value)>| {
        let mut table = Table::default();
        pairs.for_each(|(key, value)| write::put(&mut table, &key, value));
        Value::Table(table)
    };
    if !axes.is_empty() {
        let values =
            |axis: &Varied| table(&mut axis.values.iter().map(|(label, node)| (label.clone(), node.value.clone())));
        let axes = table(&mut axes.iter().map(|axis| (axis.key.clone(), values(axis))));
        write::put(&mut tree, "grid", axes);
    }
    if !variants.is_empty() {
        let changes = |variant: &Changed| {
            table(&mut variant.changes.iter().map(|(path, node)| (path.join("."), node.value.clone())))
        };
        let variants = table(&mut variants.iter().map(|variant| (variant.name.clone(), changes(variant))));
        write::put(&mut tree, "variants", variants);
    }
    let mut report = write::tree(&mut report.clone());
    report.entries.retain(|entry| !matches!(&entry.node.value, Value::Array(names) if names.is_empty()));
    write::put(&mut tree, "report", Value::Table(report));
    tree
}

/// Refuses a report about runs that the study does not have.
fn check_report(report: &ReportConfig, place: &Place, runs: &[(String, RunConfig)]) -> Result<(), ConfigError> {
    let names = || runs.iter().map(|(name, _)| name.as_str());
    match report.named().into_iter().find(|(_, run)| !names().any(|name| name == *run)) {
        None => Ok(()),
        Some((key, run)) => {
            let hint = did_you_mean(nearest(run, names()));
            let sentence = format!("\"report.{key}\" names the run {run:?}, which this study does not have{hint}");
            Err(ConfigError::rule(place, sentence))
        }
    }
}

/// The runs of a study as they are put together.
struct Runs<'a> {
    table: &'a Table,
    settings: &'a [(Vec<String>, Node)],
    study: &'a str,
    file: &'a Place,
    /// Of the table that lists the runs.
    place: &'a Place,
    made: Vec<(String, RunConfig)>,
}

impl Runs<'_> {
    /// The run `name`: what the file says, with these changes, then the settings.
    fn add<'n>(
        &mut self,
        name: String,
        changes: impl Iterator<Item = (&'n [String], &'n Node)>,
    ) -> Result<(), ConfigError> {
        let whole = format!("{}-{name}", self.study);
        if !is_name(&name) || !is_name(&whole) {
            let accepted = "shorter labels, of which the first begins with a letter or a digit";
            return Err(refused(self.place, "grid", format!("a table with a run {name:?}"), accepted));
        }
        let mut table = self.table.clone();
        for (path, node) in changes {
            table.put(path, node.clone()).map_err(|error| error.in_run(&name))?;
        }
        for (path, node) in self.settings {
            table.put(path, node.clone())?;
        }
        let run = read_run(&table, self.file).map_err(|error| error.in_run(&name))?;
        // Some file systems take "A" and "a" for the same folder.
        if self.made.iter().any(|(other, _)| other.to_lowercase() == name.to_lowercase()) {
            let sentence = format!(
                "two runs of the grid are named \"{name}\"; accepted: values, or labels as in {{ label = value }}, that give \
                 every run a name of its own"
            );
            return Err(ConfigError::rule(self.place, sentence));
        }
        self.made.push((name, RunConfig { name: whole, ..run }));
        Ok(())
    }
}

fn combine(runs: &mut Runs<'_>, axes: &[Varied]) -> Result<(), ConfigError> {
    let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
    let Some(count) = count.filter(|&count| count <= MOST_RUNS) else {
        let sentence = format!("the grid has more than {MOST_RUNS} runs; accepted: at most {MOST_RUNS}");
        return Err(ConfigError::rule(runs.place, sentence));
    };
    for combination in 0..count {
        let mut digits = combination;
        let chosen: Vec<_> = axes
            .iter()
            .map(|axis| {
                let (label, node) = &axis.values[digits % axis.values.len()];
                digits /= axis.values.len();
                (label.as_str(), (&axis.path[..], node))
            })
            .collect();
        let labels: Vec<&str> = chosen.iter().map(|(label, _)| *label).collect();
        runs.add(labels.join("-"), chosen.iter().map(|(_, change)| *change))?;
    }
    Ok(())
}

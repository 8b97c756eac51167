//! Studies: a run of which some values vary, and the report about its runs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::axes::{Varied, keep_after, read_axes};
use super::document::{Node, Table};
use super::error::{ConfigError, Place, Problem};
use super::read::{Field, refused};
use super::source::{Source, is_name, read_run};
use super::{RunConfig, write};

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
/// Where a setting (`--set`) names a grid key, that key keeps this one value, under its old label if it had one. Where
/// it names something that contains a grid key, the grid key is gone; where it names a part of a grid key's values, it
/// is applied on top of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StudyConfig {
    /// What varies, in the order of the file.
    pub grid: Vec<Axis>,
    /// What the report shows.
    pub report: ReportConfig,
    base: RunConfig,
    runs: Vec<(String, RunConfig)>,
}

/// A key of the grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Dotted.
    pub key: String,
    /// At least one.
    pub values: Vec<AxisValue>,
}

/// A value that a key of the grid takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AxisValue {
    /// Its part of the names of runs.
    pub label: String,
    /// The value as TOML on one line.
    pub toml: String,
}

/// What the report of a study shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReportConfig {
    /// The heading; the name of the study where absent.
    pub title: Option<String>,
    /// How many images are drawn with their reconstructions, 1 to 1000; 15 where absent.
    pub reconstructions: usize,
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
        write::study(self)
    }
}

pub(super) fn read_study(source: Source) -> Result<StudyConfig, ConfigError> {
    let Source { mut table, file, mut settings } = source;
    // Those of the report are in the table already, and runs know nothing of it.
    settings.retain(|(path, _)| path[0] != "report");
    let report = table.remove("report").map(|entry| entry.node);
    let grid = table.remove("grid").map(|entry| entry.node);
    let grid_place = grid.as_ref().map_or(file.clone(), |grid| grid.place.clone());
    let report = read_report(report.as_ref())?;
    let mut axes = grid.as_ref().map_or(Ok(Vec::new()), read_axes)?;
    for (path, node) in &settings {
        axes.retain_mut(|axis| keep_after(axis, path, node));
    }

    let mut base = table.clone();
    for axis in &axes {
        if let Some((_, first)) = axis.values.first().filter(|_| !base.contains(&axis.path)) {
            base.put(&axis.path, first.clone())?;
        }
    }
    // Without its grid keys the file may lack what only the grid gives; with them it is whole.
    let base = read_run(&base, &file)?;
    let runs = match &axes[..] {
        [] => vec![(base.name.clone(), base.clone())],
        axes => combine(&table, axes, &settings, &base.name, &file, &grid_place)?,
    };
    let value = |(label, node): &(String, Node)| AxisValue { label: label.clone(), toml: write::value(&node.value) };
    let grid = axes.iter().map(|axis| Axis { key: axis.key.clone(), values: axis.values.iter().map(value).collect() });
    Ok(StudyConfig { grid: grid.collect(), report, base, runs })
}

fn read_report(node: Option<&Node>) -> Result<ReportConfig, ConfigError> {
    let Some(node) = node else { return Ok(ReportConfig { title: None, reconstructions: 15 }) };
    let field = Field { node, path: "report".to_string() };
    let table = field.table(&["title", "reconstructions"], "a table [report]")?;
    let title = table.get("title").map(|field| field.string("a heading, as a string")).transpose()?;
    let count = |field: Field<'_>| field.integer(1, 1000).map(|count| count as usize);
    let reconstructions = table.get("reconstructions").map_or(Ok(15), count)?;
    Ok(ReportConfig { title: title.map(str::to_string), reconstructions })
}

fn combine(
    table: &Table,
    axes: &[Varied],
    settings: &[(Vec<String>, Node)],
    study: &str,
    file: &Place,
    grid: &Place,
) -> Result<Vec<(String, RunConfig)>, ConfigError> {
    let count = axes.iter().try_fold(1usize, |count, axis| count.checked_mul(axis.values.len()));
    let Some(count) = count.filter(|&count| count <= MOST_RUNS) else {
        return Err(ConfigError::new(grid, Problem::TooManyRuns { limit: MOST_RUNS }));
    };
    let mut names = BTreeSet::new();
    let mut runs = Vec::with_capacity(count);
    for combination in 0..count {
        let mut table = table.clone();
        let mut labels: Vec<&str> = Vec::new();
        let mut digits = combination;
        for axis in axes {
            let (label, node) = &axis.values[digits % axis.values.len()];
            digits /= axis.values.len();
            labels.push(label);
            table.put(&axis.path, node.clone())?;
        }
        for (path, node) in settings {
            table.put(path, node.clone())?;
        }
        let name = labels.join("-");
        if !is_name(&name) || !is_name(&format!("{study}-{name}")) {
            let accepted = "shorter labels, of which the first begins with a letter or a digit";
            return Err(refused(grid, "grid", format!("a table with a run {name:?}"), accepted));
        }
        let run = read_run(&table, file).map_err(|error| error.in_run(&name))?;
        // Some file systems take "A" and "a" for the same folder.
        if !names.insert(name.to_lowercase()) {
            return Err(ConfigError::new(grid, Problem::DuplicateRun { run: name }));
        }
        runs.push((name.clone(), RunConfig { name: format!("{study}-{name}"), ..run }));
    }
    Ok(runs)
}

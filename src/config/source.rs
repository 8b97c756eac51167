//! The way from text and settings to a checked configuration.

use std::sync::Arc;

use super::document::{self, Node, Table};
use super::error::{ConfigError, Place};
use super::name::{NAME, is_name};
use super::read::{self, unknown_key};
use super::vary::apply_quick;
use super::workflow::WorkflowConfig;
use super::{RunConfig, list};
use crate::files::argument;

/// What a study has besides a run.
const STUDY_TABLES: [&str; 5] = ["grid", "variants", "report", "quick", "parts"];

/// A configuration that has been parsed but not checked yet, so that settings can still change it.
///
/// ```
/// use narrows::config::{Source, preset};
/// let source = Source::parse(preset("mnist")?.text, "mnist.toml")?;
/// let run = source.set("train.batch_size=64")?.into_run()?;
/// assert_eq!(run.train.batch_size, 64);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Source {
    pub(super) table: Table,
    pub(super) file: Place,
    /// Applied to `table` already, and kept because they win over a grid too.
    pub(super) settings: Vec<(Vec<String>, Node)>,
}

impl Source {
    /// Parses TOML of at most 1 MiB; `origin` is what messages call it, usually the file as the user named it.
    pub fn parse(text: &str, origin: &str) -> Result<Source, ConfigError> {
        let origin: Arc<str> = origin.into();
        let table = document::parse(text, &origin)?;
        Ok(Source { table, file: Place::File(origin), settings: Vec::new() })
    }

    /// Applies `--set KEY=VALUE`: the key dotted, the value TOML or else a plain string. It replaces what the file
    /// says, and a later setting an earlier one. Values are checked with the rest. In a study a setting also wins over
    /// the grid: a grid key that is set has this one value (see [`StudyConfig`](super::StudyConfig)).
    pub fn set(mut self, setting: &str) -> Result<Source, ConfigError> {
        let malformed = || {
            let text: String = setting.chars().take(100).collect();
            let place = Place::Setting(text.split('=').next().unwrap_or_default().into());
            ConfigError::new(
                &place,
                format!("\"{text}\" is not a setting; accepted: KEY=VALUE, such as train.batch_size=64"),
            )
        };
        let (key, value) = setting.split_once('=').ok_or_else(malformed)?;
        let path: Vec<String> = key.split('.').map(|part| part.trim().to_string()).collect();
        // No key has more than a handful of parts; the bound keeps hostile ones from nesting without end.
        if path.iter().any(String::is_empty) || path.len() > 16 {
            return Err(malformed());
        }
        let dotted = path.join(".");
        let place = Place::Setting(dotted.as_str().into());
        if STUDY_TABLES.contains(&path[0].as_str()) && path[0] != "report" {
            return Err(unknown_key(&place, "", &dotted, &list::keys(&mut RunConfig::default()), &[]));
        }
        let node = document::parse_setting(value.trim(), &place)?;
        self.table.put(&path, node.clone())?;
        self.settings.push((path, node));
        Ok(self)
    }

    /// Whether this is a workflow.
    pub fn is_workflow(&self) -> bool {
        self.table.get("parts").is_some()
    }

    /// Whether this is a search.
    pub fn is_search(&self) -> bool {
        self.table.get("search").is_some()
    }

    /// The workflow that this describes. Its parts are not read.
    pub fn into_workflow(self) -> Result<WorkflowConfig, ConfigError> {
        let mut workflow = WorkflowConfig::default();
        if let Some((path, node)) = self.settings.first() {
            let known = list::joined(list::keys(&mut workflow), "and");
            let sentence =
                format!("\"{}\" is no setting of a part; a workflow has {known}, which are not set", path.join("."));
            return Err(ConfigError::new(&node.place, sentence));
        }
        read::read(&mut workflow, &self.table, "", &self.file)?;
        for (at, (name, _)) in workflow.parts.iter().enumerate() {
            if !is_name(name) {
                let sentence = format!("\"parts\" has a part {name:?}; accepted: {}", NAME.accepted);
                return Err(ConfigError::new(&self.file, sentence));
            }
            // Some file systems take "A" and "a" for the same folder.
            if workflow.parts[..at].iter().any(|(other, _)| other.to_lowercase() == name.to_lowercase()) {
                let sentence =
                    format!("two parts are named \"{name}\"; accepted: names that differ in more than their case");
                return Err(ConfigError::new(&self.file, sentence));
            }
        }
        Ok(workflow)
    }

    /// The study made smaller: each dotted key of its `[quick]` in the place of what the file says, and `[quick.variants]` or
    /// `[quick.grid]` in the place of the whole table. Settings come after.
    pub fn quick(mut self) -> Result<Source, ConfigError> {
        let Some(quick) = self.table.remove("quick") else {
            let sentence = "this has no table [quick], which would say what --quick changes; accepted: the study without --quick, \
                            or a table such as [quick] with \"data.limit\" = 1000";
            return Err(ConfigError::new(&self.file, sentence));
        };
        apply_quick(&mut self.table, &quick.node)?;
        Ok(self)
    }

    /// What `read` makes of it, without the table `[quick]`.
    pub(super) fn read_with_quick<T>(mut self, read: fn(Source) -> Result<T, ConfigError>) -> Result<T, ConfigError> {
        // What is wrong with [quick] is found now, not when somebody is in a hurry. A setting may name what it takes away.
        if self.settings.is_empty() && self.table.get("quick").is_some() {
            read(self.clone().quick()?)?;
        }
        self.table.remove("quick");
        read(self)
    }

    /// The one run that this describes. Refused where there is a table of a study.
    pub fn into_run(self) -> Result<RunConfig, ConfigError> {
        refuse_search(&self.table, &self.file)?;
        for table in STUDY_TABLES {
            if let Some(entry) = self.table.get(table) {
                let origin = as_argument(&self.file);
                let (what, or) = if table == "parts" { ("workflow", "") } else { ("study", ", or take the table out") };
                let sentence = format!(
                    "[{table}] makes this a {what}, not a single run; run it with \"narrows study {origin}\"{or}"
                );
                return Err(ConfigError::new(&entry.key_place, sentence));
            }
        }
        read_run(&self.table, &self.file)
    }

    /// The run that the file describes outside its tables of a study, as if they were not there: what
    /// `narrows train` makes of a preset.
    pub fn into_base_run(mut self) -> Result<RunConfig, ConfigError> {
        if let Some((_, node)) = self.settings.iter().find(|(path, _)| path[0] == "report") {
            let origin = as_argument(&self.file);
            let sentence = format!(
                "this is a single run, which has no [report]; accepted: keys of a run, or the study with \"narrows study {origin}\""
            );
            return Err(ConfigError::new(&node.place, sentence));
        }
        for table in ["grid", "variants", "quick", "report"] {
            self.table.remove(table);
        }
        self.into_run()
    }
}

pub(super) fn read_run(table: &Table, file: &Place) -> Result<RunConfig, ConfigError> {
    let mut run = RunConfig::default();
    read::read(&mut run, table, "", file)?;
    Ok(run)
}

/// What the command line takes for this configuration.
fn as_argument(file: &Place) -> String {
    let origin = file.origin().unwrap_or("FILE");
    argument(origin.strip_prefix("preset ").unwrap_or(origin))
}

/// Refuses a space where a run or a study is asked for.
pub(super) fn refuse_search(table: &Table, file: &Place) -> Result<(), ConfigError> {
    let Some(entry) = table.get("search") else { return Ok(()) };
    let origin = as_argument(file);
    let sentence = format!(
        "[search] makes this a space, of which the best values are searched; search it with \"narrows search {origin}\""
    );
    Err(ConfigError::new(&entry.key_place, sentence))
}

//! What can be wrong with a configuration, as data and as a sentence.

use std::fmt;
use std::sync::Arc;

use crate::settings::Fault;

/// Where in the user's words the fault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somewhere in this file, or in all of it.
    File(Arc<str>),
    /// On this line.
    Line {
        /// The file, as the user named it.
        origin: Arc<str>,
        /// Counted from one.
        line: usize,
    },
    /// In `--set KEY=VALUE`; the key.
    Setting(Arc<str>),
}

impl Place {
    /// The name of the file, or none on the command line.
    pub fn origin(&self) -> Option<&str> {
        match self {
            Place::File(origin) | Place::Line { origin, .. } => Some(origin),
            Place::Setting(_) => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(origin) => write!(f, "{origin}"),
            Place::Line { origin, line } => write!(f, "{origin}:{line}"),
            Place::Setting(key) => write!(f, "--set {key}"),
        }
    }
}

/// A configuration that was refused: the place, the rule it breaks and what would be accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}{}", .run.as_deref().map(|run| format!(" (in the run {run})")).unwrap_or_default())]
pub struct ConfigError {
    /// Where.
    pub place: Place,
    /// What: the sentence without the place.
    pub problem: String,
    /// The run of a grid that is at fault, where only some are.
    pub run: Option<String>,
}

impl ConfigError {
    pub(super) fn new(place: &Place, problem: impl Into<String>) -> ConfigError {
        ConfigError { place: place.clone(), problem: problem.into(), run: None }
    }

    pub(super) fn in_run(self, run: &str) -> ConfigError {
        ConfigError { run: Some(run.to_string()), ..self }
    }
}

/// A value of the wrong type, outside its range, or at odds with another one.
pub(super) fn refused(place: &Place, key: &str, found: impl Into<String>, accepted: impl Into<String>) -> ConfigError {
    ConfigError::new(place, Fault::new(key, found, accepted).to_string())
}

/// What to add to a refusal of a word.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default()
}

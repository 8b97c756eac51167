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
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{place}: {problem}{}", .run.as_deref().map(|run| format!(" (in the run {run})")).unwrap_or_default())]
pub struct ConfigError {
    /// Where.
    pub place: Place,
    /// What.
    pub problem: Box<Problem>,
    /// The run of a grid that is at fault, where only some are.
    pub run: Option<String>,
}

impl ConfigError {
    pub(super) fn new(place: &Place, problem: Problem) -> ConfigError {
        ConfigError { place: place.clone(), problem: Box::new(problem), run: None }
    }

    pub(super) fn rule(place: &Place, sentence: impl Into<String>) -> ConfigError {
        ConfigError::new(place, Problem::Rule(sentence.into()))
    }

    pub(super) fn in_run(self, run: &str) -> ConfigError {
        ConfigError { run: Some(run.to_string()), ..self }
    }
}

/// How a configuration can break the rules.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// A key that means nothing.
    UnknownKey {
        /// With its tables, dotted.
        key: String,
        /// The known key that is nearest.
        nearest: Option<String>,
        /// Every key that may stand where this one does.
        known: Vec<&'static str>,
    },
    /// A key that has to be there and is not.
    MissingKey {
        /// With its tables, dotted.
        key: String,
        /// What to write, by example.
        expected: String,
    },
    /// A value of the wrong type, outside its range, or at odds with another one.
    Refused {
        /// The key with its tables, what stands there, and what could.
        fault: Fault,
        /// The accepted word that is nearest.
        nearest: Option<String>,
    },
    /// A rule about the whole: the sentence that says which, and what would be accepted.
    Rule(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnknownKey { key, nearest: Some(nearest), .. } => {
                write!(f, "unknown key \"{key}\"; did you mean \"{nearest}\"?")
            }
            Problem::UnknownKey { key, nearest: None, known } => {
                write!(f, "unknown key \"{key}\"; the keys known here are {}", known.join(", "))
            }
            Problem::MissingKey { key, expected } => write!(f, "the key \"{key}\" is missing; expected {expected}"),
            Problem::Refused { fault, nearest } => write!(f, "{fault}{}", did_you_mean(nearest.as_deref())),
            Problem::Rule(sentence) => f.write_str(sentence),
        }
    }
}

/// What to add to a refusal of a word.
pub(super) fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean \"{nearest}\"?")).unwrap_or_default()
}

//! What can be wrong with a configuration, as data and as a sentence.

use std::fmt;
use std::sync::Arc;

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

    pub(super) fn in_run(self, run: &str) -> ConfigError {
        ConfigError { run: Some(run.to_string()), ..self }
    }
}

/// The rules that a configuration can break.
#[derive(Clone, Debug, PartialEq)]
pub enum Problem {
    /// More text than any configuration needs.
    TooLarge {
        /// Its size in bytes.
        bytes: usize,
    },
    /// The text is not TOML.
    Syntax {
        /// What the parser says.
        message: String,
    },
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
        /// With its tables, dotted.
        key: String,
        /// What stands there, as a noun.
        found: String,
        /// What could stand there, as a noun.
        accepted: String,
        /// The accepted word that is nearest.
        nearest: Option<String>,
    },
    /// A table of a study in the file of a run.
    StudyTable {
        /// `grid`, `variants`, `report` or `quick`.
        table: &'static str,
        /// The file.
        origin: String,
    },
    /// `--quick` for a study that does not say what that is.
    NoQuick,
    /// A run that a report names and the study does not have.
    UnknownRun {
        /// The key that names it.
        key: String,
        /// The name.
        run: String,
        /// The run whose name is nearest.
        nearest: Option<String>,
    },
    /// Runs from a grid and runs of their own in one study.
    GridAndVariants,
    /// A setting without `=`, or with an empty part in its key.
    Setting {
        /// The setting as written.
        text: String,
    },
    /// A dotted key that goes through something that has no keys.
    NotATable {
        /// The part of the key that is no table.
        key: String,
        /// What it is.
        found: String,
    },
    /// A dotted key that goes through a list, past its items.
    NoItem {
        /// The part of the key that is the list.
        key: String,
        /// The part that should be the number of an item.
        part: String,
        /// How many items there are.
        count: usize,
    },
    /// One grid key inside another.
    Overlap {
        /// The later of the two.
        key: String,
        /// The earlier.
        with: String,
    },
    /// Two runs of a grid that would be written to the same folder.
    DuplicateRun {
        /// Their name.
        run: String,
    },
    /// A grid that has too many combinations.
    TooManyRuns {
        /// How many are allowed.
        limit: usize,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::TooLarge { bytes } => write!(
                f,
                "the configuration has {bytes} bytes; accepted: at most {} (1 MiB)",
                super::document::LIMIT_BYTES
            ),
            Problem::Syntax { message } => write!(f, "this is not TOML: {message}"),
            Problem::UnknownKey { key, nearest: Some(nearest), .. } => {
                write!(f, "unknown key \"{key}\"; did you mean \"{nearest}\"?")
            }
            Problem::UnknownKey { key, nearest: None, known } => {
                write!(f, "unknown key \"{key}\"; the keys known here are {}", known.join(", "))
            }
            Problem::MissingKey { key, expected } => write!(f, "the key \"{key}\" is missing; expected {expected}"),
            Problem::Refused { key, found, accepted, nearest } => {
                write!(f, "\"{key}\" is {found}; accepted: {accepted}")?;
                nearest.iter().try_for_each(|nearest| write!(f, "; did you mean \"{nearest}\"?"))
            }
            Problem::StudyTable { table, origin } => write!(
                f,
                "[{table}] makes this a study, not a single run; run it with \"narrows study {origin}\", or take the \
                 table out"
            ),
            Problem::NoQuick => write!(
                f,
                "this has no table [quick], which would say what --quick changes; accepted: the study without --quick, or a \
                 table such as [quick] with \"data.limit\" = 1000"
            ),
            Problem::UnknownRun { key, run, nearest } => {
                write!(f, "\"report.{key}\" names the run {run:?}, which this study does not have")?;
                nearest.iter().try_for_each(|nearest| write!(f, "; did you mean \"{nearest}\"?"))
            }
            Problem::GridAndVariants => {
                write!(f, "this has both a [grid] and [variants]; accepted: one of them")
            }
            Problem::Setting { text } => {
                write!(f, "\"{text}\" is not a setting; accepted: KEY=VALUE, such as train.batch_size=64")
            }
            Problem::NotATable { key, found } => {
                write!(
                    f,
                    "\"{key}\" is {found}, which has no keys; accepted: a key whose every part but the last is a table"
                )
            }
            Problem::NoItem { key, part, count } => write!(
                f,
                "\"{key}\" is a list of {count} without an item {part:?}; accepted: the number of an item, counted from 0"
            ),
            Problem::Overlap { key, with } => {
                write!(
                    f,
                    "the grid keys \"{key}\" and \"{with}\" overlap; accepted: keys of which none contains another"
                )
            }
            Problem::DuplicateRun { run } => write!(
                f,
                "two runs of the grid are named \"{run}\"; accepted: values, or labels as in {{ label = value }}, that \
                 give every run a name of its own"
            ),
            Problem::TooManyRuns { limit } => {
                write!(f, "the grid has more than {limit} runs; accepted: at most {limit}")
            }
        }
    }
}

//! What can be wrong with data, as a sentence.

use std::fmt;
use std::path::Path;

use crate::files::FileError;

/// A data set that cannot be read, chosen from, divided, verified or fetched.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The operating system refused a file operation.
    #[error(transparent)]
    File(#[from] FileError),
    /// The data break a rule, or what was asked of them does.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl DataError {
    /// Whether something was asked of the data that they do not have, rather than the data themselves being wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, DataError::Fault(fault) if fault.asked)
    }
}

/// A rule that a file or a data set breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Fault {
    /// What could not be done, and with what: "read toys/images as IDX". Empty as long as that is not known.
    pub doing: String,
    /// What was found, and where: "its element type is 0x0d".
    pub found: String,
    /// What would be accepted, or what to do: "only 0x08 (unsigned bytes) is accepted". Empty where `found` says it.
    pub accepted: String,
    /// Whether something was asked of the data that they do not have.
    pub asked: bool,
}

impl Fault {
    pub(super) fn new(found: impl Into<String>, accepted: impl Into<String>) -> Fault {
        Fault { doing: String::new(), found: found.into(), accepted: accepted.into(), asked: false }
    }

    /// The same, asked of the data.
    pub(super) fn asked(self) -> Fault {
        Fault { asked: true, ..self }
    }

    /// The same, while `doing` something.
    pub(super) fn doing(self, doing: impl Into<String>) -> Fault {
        Fault { doing: doing.into(), ..self }
    }

    /// The same, while reading a file in a format.
    pub(super) fn reading(self, path: &Path, format: &str) -> Fault {
        self.doing(format!("read {} as {format}", path.display()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.doing.is_empty() {
            write!(f, "cannot {}: ", self.doing)?;
        }
        f.write_str(&self.found)?;
        if !self.accepted.is_empty() {
            write!(f, "; {}", self.accepted)?;
        }
        Ok(())
    }
}

/// Numbers with `between` them: "60000 × 28 × 28".
pub(super) fn times<N: fmt::Display>(numbers: &[N], between: &str) -> String {
    numbers.iter().map(N::to_string).collect::<Vec<_>>().join(between)
}

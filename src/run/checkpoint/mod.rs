//! A run's state in a file: `checkpoint/last.ckpt` in the run folder, and the one before it, `checkpoint/previous.ckpt`.
//!
//! ```text
//! offset  bytes
//!      0      8  magic
//!      8      4  format, u32
//!     12      4  0
//!     16      8  length of the file, u64
//!     24      …  version, configuration (TOML), digest of the data, GEMM engine: each a u32 length and UTF-8
//!      …      …  epoch, step, steps of the optimizer: u64
//!      …      …  learning rate: epoch u64, rate f64, best f64, waited u64, cooling u64
//!      …      …  running means: loss f64, penalty f64, samples u64
//!      …      …  early stopping: u8 present; wait u64; u8 best present; its epoch u64, its value f64
//!      …      …  seconds f64, checkpoint seconds f64
//!      …      …  history: u64 rows; each epoch u64 and six f64 in the order of `EpochRecord`
//!      …      …  parameters: u64 count and f32 each
//!      …      …  moments: u32 count; each a name and values as above
//!      …      …  best parameters: u8 present; values as above
//!      −32   32  SHA-256 of everything before it
//! ```
//!
//! Numbers are little-endian, and floats keep their bits. A file is written beside its name, synced, read back and compared
//! before it takes the place of the last one, which then becomes the previous one.

mod format;
mod store;

use narrows_kernels::GemmEngine;

use crate::files::FileError;
use crate::train::{State, StateError};

pub use format::{FORMAT, MAGIC, decode, encode};
pub(super) use store::read_file;
pub use store::{Store, Stored};

/// What a checkpoint belongs to: two runs with the same have the same bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The program's version.
    pub version: String,
    /// The resolved configuration as TOML.
    pub config: String,
    /// SHA-256 (hex) over the data set and its division.
    pub data: String,
    /// The engine that multiplies matrices.
    pub gemm: String,
}

/// The name of an engine, in files and on the command line.
pub(super) fn gemm_name(gemm: GemmEngine) -> &'static str {
    match gemm {
        GemmEngine::Narrows => "narrows",
        GemmEngine::Matrixmultiply => "matrixmultiply",
    }
}

/// A checkpoint, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What it belongs to.
    pub identity: Identity,
    /// The state.
    pub state: State<f32>,
}

/// Bytes that are no whole checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The first bytes are others.
    #[error("it is no checkpoint: it does not begin with the bytes that every checkpoint begins with")]
    Magic,
    /// A format that this program does not know.
    #[error("it has the format {found}, and this program reads format {FORMAT}")]
    Format {
        /// The number in the file.
        found: u64,
    },
    /// The file is longer or shorter than it says.
    #[error("it has {found} bytes, and should have {expected}")]
    Length {
        /// Bytes there are.
        found: u64,
        /// Bytes the header speaks of, or the most that this run can need.
        expected: u64,
    },
    /// A bit is not what was written.
    #[error("its checksum is not that of its content: it is damaged")]
    Checksum,
    /// The content is no state.
    #[error("its {what} is not what a checkpoint holds")]
    Content {
        /// The field.
        what: &'static str,
    },
}

/// A checkpoint file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be reached.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is damaged.
    #[error("cannot use {path}: {source}")]
    Format {
        /// The file.
        path: String,
        /// Why.
        source: FormatError,
    },
    /// What was read back is not what was written.
    #[error("cannot keep {path}: what was read back is not what was written")]
    ReadBack {
        /// The file.
        path: String,
    },
    /// It is whole, but of another model.
    #[error("cannot use {path}: {source}")]
    State {
        /// The file.
        path: String,
        /// Why.
        source: StateError,
    },
}

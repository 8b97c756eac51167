//! A run's state in a file: `checkpoint/last.safetensors` in the run folder, and the one before it, `checkpoint/previous.safetensors`.
//!
//! | tensor | type and shape | holds |
//! |---|---|---|
//! | `params` | f32 `[parameters]` | the flat parameter buffer |
//! | `phase.N.NAME` | f32 `[parameters of the phase]` | a moment of the optimizer of phase N |
//! | `best_params` | f32 `[parameters]` | the parameters of the best epoch, where they are kept |
//! | `metrics` | f64 `[figures, 2]` | sums and weights that the task gathered in the epoch under way |
//! | `history` | f64 `[epochs, columns]` | a row of `history.csv` for each finished epoch |
//!
//! The metadata entry `narrows` is a JSON header with everything else, and a SHA-256 over the rest of it and all tensors. A file
//! is written beside its name, synced, read back and compared before it takes the place of the last one, which then becomes
//! the previous one.

mod format;
mod store;

use narrows_kernels::GemmEngine;
use serde::{Deserialize, Serialize};

use crate::files::FileError;
use crate::train::{State, StateError};

pub use format::{FORMAT, decode, encode};
pub use store::{Store, Stored};

/// What a checkpoint belongs to: two runs with the same have the same bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// It is no `safetensors` file, or not a whole one.
    #[error("it is no whole safetensors file ({0})")]
    Container(String),
    /// A format that this program does not know.
    #[error("it has the format {0}, and this program reads format {FORMAT}")]
    Format(u64),
    /// The file is longer than any checkpoint of the run.
    #[error("it has {found} bytes, and a checkpoint of this run has at most {most}")]
    Length {
        /// Bytes there are.
        found: u64,
        /// The most that this run can need.
        most: u64,
    },
    /// A bit is not what was written.
    #[error("its checksum is not that of its content: it is damaged")]
    Checksum,
    /// The content is no state.
    #[error("its {0} is not what a checkpoint holds")]
    Content(&'static str),
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

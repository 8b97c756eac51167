//! A run's state in a file: `checkpoint/last.safetensors` in the run folder, and the one before it, `checkpoint/previous.safetensors`.
//!
//! | tensor | type and shape | holds |
//! |---|---|---|
//! | `params` | f32 `[parameters]` | the flat parameter buffer |
//! | `phase.N.NAME` | f32 `[parameters of the phase]` | a moment of the optimizer of phase N |
//! | `best_params` | f32 `[parameters]` | the parameters of the best epoch, where they are kept |
//! | `phases` | f64 `[phases, 6]` | updates; epoch, rate, best value, epochs waited and cooling of the schedule |
//! | `numbers` | f64 `[7, 1]` | epoch, step, samples of the epoch, their summed loss and penalty, seconds, those for checkpoints |
//! | `patience` | f64 `[0, 1 or 3, 1]` | early stopping: epochs waited, best epoch and its value |
//! | `metrics` | f64 `[figures, 2]` | sums and weights that the task gathered in the epoch under way |
//! | `history` | f64 `[epochs, columns]` | a row of `history.csv` for each finished epoch |
//!
//! The metadata entry `narrows` is a JSON header with names and what the run is, and a SHA-256 over the rest of it and all tensors. A file
//! is written beside its name, synced, read back and compared before it takes the place of the last one, which then becomes
//! the previous one.

mod format;
mod store;

use narrows_kernels::GemmEngine;
use serde::{Deserialize, Serialize};

use crate::train::State;

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
pub(crate) fn gemm_name(gemm: GemmEngine) -> &'static str {
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

/// Bytes that are no whole checkpoint: what is wrong with them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FormatError(pub String);

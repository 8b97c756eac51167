//! What can go wrong in a run, each as a sentence.

use std::path::PathBuf;

use super::checkpoint::CheckpointError;
use crate::analysis::AnalysisError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::files::FileError;
use crate::invert::InvertError;
use crate::nn::ModelError;
use crate::nn::weights::WeightsError;
use crate::settings::Fault;
use crate::tasks::WidthError;
use crate::train::{ThreadsError, TrainError};

/// A run that cannot be made, or cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data are wrong, or absent.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The output folder holds a study that is not the one asked for.
    #[error(
        "{} is of another study: it differs from what is asked for in line {line}; nothing was changed. The same configuration and \
         settings go on with it, another study needs another folder (--out)",
        file.display()
    )]
    OtherStudy {
        /// Its `study.toml`.
        file: PathBuf,
        /// The first line that differs, counted from 1.
        line: usize,
    },
    /// A trained decoder cannot be run backwards.
    #[error(transparent)]
    Invert(#[from] InvertError),
    /// Codes cannot be measured.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The layers do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The optimizer cannot be built, or the model not trained on this machine.
    #[error(transparent)]
    Optimizer(#[from] Fault),
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Images of another size than the model's.
    #[error(transparent)]
    Width(#[from] WidthError),
    /// The operating system refused a file operation.
    #[error(transparent)]
    File(#[from] FileError),
    /// Weights cannot be read or written.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A picture cannot be drawn.
    #[error(transparent)]
    Figure(#[from] FigureError),
    /// One of a study's runs failed.
    #[error("in the run {run}: {source}")]
    InStudy {
        /// Its name.
        run: String,
        /// Why.
        source: Box<RunError>,
    },
    /// The output folder is in use.
    #[error("{} already holds a run ({found}); nothing was changed. Give another folder with --out, or remove that one", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// The file that shows it.
        found: String,
    },
    /// The output folder cannot be made.
    #[error("{source}; give a folder that can be made with --out")]
    Output {
        /// What the operating system answered.
        source: FileError,
    },
    /// The weights are not those that the run wrote.
    #[error(
        "cannot use {}: its SHA-256 is {found}, but metrics.json beside it says {recorded}; the file that the run wrote is \
         expected, and `narrows train` with the config.toml beside it makes it again",
        file.display()
    )]
    AlteredWeights {
        /// The file.
        file: PathBuf,
        /// Its SHA-256.
        found: String,
        /// The SHA-256 that the run wrote down.
        recorded: String,
    },
    /// The folder is no run folder.
    #[error("{} is no run folder: it has no {missing}; a folder that `narrows train` wrote is expected", folder.display())]
    NotARun {
        /// The folder.
        folder: PathBuf,
        /// The file that is absent.
        missing: String,
    },
    /// The run in the folder is another.
    #[error(
        "cannot go on with the run in {}: {key} was {found} when it was begun, and is {needed} now; {remedy}",
        folder.display()
    )]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// A dotted key of the configuration, "version", "data" or "--gemm".
        key: String,
        /// What the run in the folder was begun with.
        found: String,
        /// What it would be gone on with.
        needed: String,
        /// What to do.
        remedy: &'static str,
    },
    /// Another process writes to the folder.
    #[error(
        "another process{} is writing to {}; wait for it, or give another folder",
        if process.is_empty() { String::new() } else { format!(" ({process})") },
        folder.display()
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// The number of that process, if it is known.
        process: String,
    },
    /// A checkpoint cannot be written, or read.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There are checkpoints, and none can be used.
    #[error(
        "cannot resume {}: {reasons}; remove the folder checkpoint in it to begin from the start",
        folder.display()
    )]
    NoCheckpoint {
        /// The run folder.
        folder: PathBuf,
        /// Why each is refused.
        reasons: String,
    },
    /// The history or the figures of a finished run cannot be read.
    #[error("cannot read {}: {reason}; the file that `narrows train` wrote is expected", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The threads cannot be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

impl RunError {
    /// Whether the command line or the configuration is wrong, rather than the run having failed.
    pub fn is_usage(&self) -> bool {
        match self {
            RunError::Config(_)
            | RunError::Model(_)
            | RunError::Optimizer(_)
            | RunError::Occupied { .. }
            | RunError::OtherStudy { .. }
            | RunError::Output { .. }
            | RunError::OtherRun { .. }
            | RunError::Locked { .. }
            | RunError::NotARun { .. } => true,
            RunError::Invert(error) => error.is_usage(),
            RunError::InStudy { source, .. } => source.is_usage(),
            RunError::Data(error) => error.is_usage(),
            _ => false,
        }
    }
}

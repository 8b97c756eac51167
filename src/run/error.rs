//! What can go wrong in a run, each as a sentence.

use std::fmt;
use std::path::Path;

use crate::analysis::AnalysisError;
use crate::config::ConfigError;
use crate::data::DataError;
use crate::figures::FigureError;
use crate::files::FileError;
use crate::invert::InvertError;
use crate::nn::ModelError;
use crate::nn::weights::WeightsError;
use crate::search::StorageError;
use crate::settings::Fault;
use crate::tasks::{BuildError, WidthError};
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
    /// A trained decoder cannot be run backwards.
    #[error(transparent)]
    Invert(#[from] InvertError),
    /// Codes cannot be measured.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The layers do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A setting does not fit the others or the data.
    #[error(transparent)]
    Setting(#[from] Fault),
    /// The model does not fit in the memory of this machine.
    #[error(transparent)]
    Memory(Fault),
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
    /// A folder cannot be used as was asked: which, why, and what to do.
    #[error("{0}")]
    Folder(String),
    /// The output folder cannot be made.
    #[error("{0}; give another folder with --out")]
    Output(FileError),
    /// What a run wrote cannot be used: which file, why, and what is expected.
    #[error("{0}")]
    Unusable(String),
    /// What a search wrote down cannot be used.
    #[error(transparent)]
    Journal(#[from] StorageError),
    /// The threads cannot be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

impl From<BuildError> for RunError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Model(error) => error.into(),
            BuildError::Setting(fault) => fault.into(),
        }
    }
}

impl RunError {
    /// The history or the figures of a finished run in `file` cannot be read.
    pub(crate) fn unreadable(file: &Path, reason: impl fmt::Display) -> RunError {
        let file = file.display();
        RunError::Unusable(format!("cannot read {file}: {reason}; the file that `narrows train` wrote is expected"))
    }

    /// Whether the command line or the configuration is wrong, rather than the run having failed.
    pub fn is_usage(&self) -> bool {
        match self {
            RunError::Config(_)
            | RunError::Model(_)
            | RunError::Setting(_)
            | RunError::Memory(_)
            | RunError::Folder(_)
            | RunError::Output(_) => true,
            RunError::Analysis(error) => matches!(
                error,
                AnalysisError::Pairs { .. } | AnalysisError::Perplexity { .. } | AnalysisError::Narrow { .. }
            ),
            RunError::Invert(error) => error.is_usage(),
            RunError::InStudy { source, .. } => source.is_usage(),
            RunError::Data(error) => error.is_usage(),
            _ => false,
        }
    }
}

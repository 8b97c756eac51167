//! The run folder: always the same names, never half-written.

use std::path::{Path, PathBuf};

use narrows_kernels::{AlignedVec, Context};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::RunError;
use super::prepare::{Prepared, prepare};
use crate::config::RunConfig;
use crate::files::{create_folder, read_whole, write_whole};
use crate::nn::weights;
use crate::train::{History, Trained};

/// A folder that a run is being written to.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

const CONFIG: &str = "config.toml";
const ENVIRONMENT: &str = "environment.json";
const HISTORY: &str = "history.csv";
const MODEL: &str = "model.safetensors";
const METRICS: &str = "metrics.json";
const LOSS: &str = "loss.png";
const RECONSTRUCTIONS: &str = "reconstructions.png";

/// What a run writes, and what a study writes above its runs.
const WRITTEN: [&str; 11] = [
    CONFIG,
    ENVIRONMENT,
    HISTORY,
    MODEL,
    METRICS,
    LOSS,
    RECONSTRUCTIONS,
    "study.toml",
    "summary.csv",
    "report.html",
    "runs",
];

/// Creates the folder of a run or a study, or takes it if it holds nothing that either would write.
pub fn create_output(path: &Path) -> Result<(), RunError> {
    for name in WRITTEN {
        if path.join(name).exists() {
            return Err(RunError::Occupied { folder: path.to_path_buf(), found: name.to_owned() });
        }
    }
    create_folder(path).map_err(|source| RunError::Output { source })
}

impl RunFolder {
    /// Creates `path`, or takes it if it holds no run yet.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        create_output(path)?;
        Ok(RunFolder { path: path.to_path_buf() })
    }

    /// The first of `base`, `base-2`, `base-3`, … that does not exist yet, created.
    pub fn create_next(base: &Path) -> Result<Self, RunError> {
        let mut path = base.to_path_buf();
        for number in 2.. {
            if !path.exists() {
                break;
            }
            let mut next = base.as_os_str().to_owned();
            next.push(format!("-{number}"));
            path = next.into();
        }
        Self::create(&path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `config.toml`, fully resolved, with a comment that says what it is.
    pub fn write_config(&self, config: &RunConfig) -> Result<(), RunError> {
        let text = format!(
            "# The configuration of this run, complete: `narrows train config.toml` repeats it.\n\n{}",
            config.to_toml()
        );
        self.write(CONFIG, text.as_bytes())
    }

    /// `environment.json`.
    pub fn write_environment(&self, environment: &Value) -> Result<(), RunError> {
        self.write_json(ENVIRONMENT, environment)
    }

    /// `history.csv`.
    pub fn write_history(&self, history: &History) -> Result<(), RunError> {
        self.write(HISTORY, history.to_csv().as_bytes())
    }

    /// `model.safetensors`, see [`weights`].
    pub fn write_weights(&self, bytes: &[u8]) -> Result<(), RunError> {
        self.write(MODEL, bytes)
    }

    /// `metrics.json`.
    pub fn write_metrics(&self, metrics: &Value) -> Result<(), RunError> {
        self.write_json(METRICS, metrics)
    }

    /// `loss.png`.
    pub fn write_loss_chart(&self, png: &[u8]) -> Result<(), RunError> {
        self.write(LOSS, png)
    }

    /// `reconstructions.png`.
    pub fn write_reconstructions(&self, png: &[u8]) -> Result<(), RunError> {
        self.write(RECONSTRUCTIONS, png)
    }

    fn write_json(&self, name: &str, value: &Value) -> Result<(), RunError> {
        self.write(name, format!("{value:#}\n").as_bytes())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        Ok(write_whole(&self.path.join(name), bytes)?)
    }
}

/// A finished run, read back.
#[derive(Debug)]
pub struct OpenRun {
    /// Its folder.
    pub path: PathBuf,
    /// Its configuration.
    pub config: RunConfig,
    /// Its data and model.
    pub prepared: Prepared,
    /// Its parameters.
    pub params: AlignedVec<f32>,
}

impl OpenRun {
    /// Reads the run in `path`, and the data it was made with.
    pub fn open(path: &Path, data_dirs: &[PathBuf]) -> Result<Self, RunError> {
        for name in [CONFIG, MODEL] {
            if !path.join(name).is_file() {
                return Err(RunError::NotARun { folder: path.to_path_buf(), missing: name.to_owned() });
            }
        }
        let file = path.join(CONFIG);
        let bytes = read_whole(&file)?;
        let config = RunConfig::from_toml(&String::from_utf8_lossy(&bytes), &file.display().to_string())?;
        let prepared = prepare(&config, data_dirs)?;
        let params = weights::load(&path.join(MODEL), &prepared.model)?;
        check_weights(path)?;
        Ok(OpenRun { path: path.to_path_buf(), config, prepared, params })
    }

    /// The model with its parameters, ready to be applied.
    pub fn trained(&self, context: Context) -> Trained<'_, f32> {
        self.prepared.trained(&self.config, &self.params, context)
    }
}

/// Refuses weights that are not those the run measured, where it got as far as to write down which those are.
fn check_weights(path: &Path) -> Result<(), RunError> {
    let metrics = path.join(METRICS);
    if !metrics.is_file() {
        return Ok(());
    }
    let metrics: Value = serde_json::from_slice(&read_whole(&metrics)?).unwrap_or_default();
    let Some(recorded) = metrics["model_sha256"].as_str() else { return Ok(()) };
    let file = path.join(MODEL);
    let found = hex_sha256(&read_whole(&file)?);
    if found == recorded {
        return Ok(());
    }
    Err(RunError::AlteredWeights { file, found, recorded: recorded.to_owned() })
}

/// SHA-256 in hexadecimal.
pub(super) fn hex_sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

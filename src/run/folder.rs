//! The run folder: always the same names, never half-written.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use narrows_kernels::{AlignedVec, Context};
use serde_json::Value;

use super::checkpoint::Store;
use super::error::RunError;
use super::lock::{CHECKPOINTS, FolderLock};
use super::prepare::{Prepared, prepare};
use super::tensorboard::EVENTS;
use crate::config::RunConfig;
use crate::files::{FileError, argument, create_folder, read_whole, remove_if_there, sha256, write_whole};
use crate::nn::weights;
use crate::tasks::{Trained, TrainedEncoder};
use crate::train::{FitResult, History};

/// A folder that a run is being written to, taken by this process for as long as any clone of this lives.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
    _lock: Arc<FolderLock>,
}

pub(super) const CONFIG: &str = "config.toml";
pub(super) const ENVIRONMENT: &str = "environment.json";
pub(super) const HISTORY: &str = "history.csv";
pub(super) const MODEL: &str = "model.safetensors";
pub(super) const METRICS: &str = "metrics.json";
pub(super) const BEGUN_FROM: &str = "begun_from.json";
pub(super) const LOSS: &str = "loss.png";
/// The page of a run or a study.
pub const REPORT: &str = "report.html";

/// In `metrics.json`, that a run ended because all its epochs are done.
pub(super) const LAST_EPOCH: &str = "last epoch";
/// In `metrics.json`, that a run ended because early stopping ran out of patience.
pub(super) const EARLY: &str = "early stopping";

/// Whether the run in `path` has come to its end, by its `metrics.json`.
pub(super) fn has_ended(path: &Path) -> Result<bool, RunError> {
    if !path.join(METRICS).is_file() {
        return Ok(false);
    }
    let metrics = read_json(path, METRICS)?;
    Ok([LAST_EPOCH, EARLY].iter().any(|end| metrics["stop"] == *end))
}

/// What a run writes, and what a study, a search or a workflow writes above its runs.
const WRITTEN: [&str; 32] = [
    CONFIG,
    ENVIRONMENT,
    HISTORY,
    MODEL,
    METRICS,
    LOSS,
    "reconstructions.png",
    "samples.png",
    "views.png",
    "epochs",
    "epochs.png",
    "confusion.png",
    "hardest.png",
    BEGUN_FROM,
    "checkpoint/last.safetensors",
    "checkpoint/previous.safetensors",
    "study.toml",
    "search.toml",
    "trials.csv",
    "best.toml",
    "best",
    "summary.csv",
    "codes.csv",
    "saturation.csv",
    "maps.csv",
    "generated.csv",
    "probe.csv",
    REPORT,
    "runs",
    "seeds",
    "parts",
    EVENTS,
];

/// Creates the folder of a run or a study, or takes it if it holds nothing that narrows would write.
pub fn create_output(path: &Path) -> Result<(), RunError> {
    check_vacant(path)?;
    create_folder(path).map_err(RunError::Output)
}

/// Refuses a folder that holds something which a run, a study, a search or a workflow would write.
pub fn check_vacant(path: &Path) -> Result<(), RunError> {
    match WRITTEN.into_iter().find(|name| path.join(name).exists()) {
        Some(name) => Err(RunError::Folder(format!(
            "{} already holds results ({name}); nothing was changed. Give another folder with --out, or remove that one",
            path.display()
        ))),
        None => Ok(()),
    }
}

impl RunFolder {
    /// Creates `path`, or takes it if it holds no run yet.
    pub fn create(path: &Path) -> Result<Self, RunError> {
        check_vacant(path)?;
        let folder = Self::take(path)?;
        // Another process may have been here between the look and the lock.
        check_vacant(path)?;
        Ok(folder)
    }

    /// Takes `path`, whatever run it holds, or creates it. Refused while another process has it.
    pub fn take(path: &Path) -> Result<Self, RunError> {
        Ok(RunFolder { path: path.to_path_buf(), _lock: Arc::new(FolderLock::take(path)?) })
    }

    /// The first of `base`, `base-2`, `base-3`, … that does not exist yet, created.
    pub fn create_next(base: &Path) -> Result<Self, RunError> {
        if let Some(parent) = base.parent() {
            create_folder(parent).map_err(RunError::Output)?;
        }
        let mut path = base.to_path_buf();
        for number in 2.. {
            // Creating it, rather than looking, keeps two processes that begin at once apart.
            match std::fs::create_dir(&path) {
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunError::Output(FileError::on("create", &path)(error))),
                Ok(()) => break,
            }
            let mut next = base.as_os_str().to_owned();
            next.push(format!("-{number}"));
            path = next.into();
        }
        Self::create(&path)
    }

    /// Whether `file` is one that a run, a study, a search or a workflow writes, in the folder of such a one.
    pub fn owns(file: &Path) -> bool {
        let (Some(name), Some(folder)) = (file.file_name(), file.parent()) else { return false };
        let is_ours = [ENVIRONMENT, "summary.csv", "trials.csv", "parts"].iter().any(|one| folder.join(one).exists());
        is_ours && WRITTEN.iter().any(|written| name == *written)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// `history.csv`.
    pub(super) fn write_history(&self, history: &History) -> Result<(), RunError> {
        self.write(HISTORY, history.to_csv().as_bytes())
    }

    /// Whether a checkpoint lies in it, whole or not.
    pub fn has_checkpoint(&self) -> bool {
        self.checkpoints().is_begun()
    }

    /// Removes the state that a finished run keeps at its end, so that its epochs cannot be raised any more.
    pub fn forget_state(&self) -> Result<(), RunError> {
        Ok(self.checkpoints().clear()?)
    }

    /// The checkpoints.
    pub(super) fn checkpoints(&self) -> Store {
        Store::new(self.path.join(CHECKPOINTS))
    }

    /// Removes what says that the run is done; whoever reads the folder from now on finds a run under way.
    pub(super) fn reopen(&self) -> Result<(), RunError> {
        Ok([METRICS, REPORT].iter().try_for_each(|name| remove_if_there(&self.path.join(name)))?)
    }

    pub(super) fn write_json(&self, name: &str, value: &Value) -> Result<(), RunError> {
        self.write(name, format!("{value:#}\n").as_bytes())
    }

    /// Writes one of the files above.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), RunError> {
        Ok(write_whole(&self.path.join(name), bytes)?)
    }
}

/// A run that is done, or interrupted, with its folder written.
#[derive(Debug)]
pub struct RunResult {
    /// What training gave.
    pub outcome: FitResult<f32>,
    /// The figures of each part that has images, "train", "validation" and "test", see
    /// [`Trainable::evaluate`](crate::tasks::Trainable::evaluate).
    pub evaluations: Vec<(&'static str, Value)>,
    /// The pictures that were written, each with what it shows; none of a run that is read back.
    pub pictures: Vec<(&'static str, String)>,
    /// SHA-256 of `model.safetensors`.
    pub weights_sha256: String,
}

impl RunResult {
    /// The figures of a part.
    pub fn evaluation(&self, part: &str) -> Option<&Value> {
        self.evaluations.iter().find(|(name, _)| *name == part).map(|(_, evaluation)| evaluation)
    }
}

/// A run that is done, or interrupted, read back.
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
    /// Reads the run in `path`, and the data it was made with. Refused: one under way, whose weights may be those of an earlier end.
    pub fn open(path: &Path, data_dirs: &[PathBuf]) -> Result<Self, RunError> {
        let config = run_config(path)?;
        if !path.join(METRICS).is_file() {
            let resume = format!("`narrows train --resume {}` finishes it", argument(path));
            let path = path.display();
            return Err(RunError::Folder(format!("the run in {path} is not finished; {resume}")));
        }
        check_is_run(path, MODEL)?;
        let prepared = prepare(&config, data_dirs)?;
        let params = weights::load(&path.join(MODEL), prepared.layout())?;
        check_weights(path)?;
        Ok(OpenRun { path: path.to_path_buf(), config, prepared, params })
    }

    /// The autoencoder with its parameters, ready to be applied. Refuses a run of something else.
    pub fn trained(&self, context: Context) -> Result<Trained<'_, f32>, RunError> {
        self.prepared.trained(&self.params, context).ok_or_else(|| self.lacks("decoder", "the run of an autoencoder"))
    }

    /// The encoder with its parameters. Refuses a run that has none.
    pub fn encoder(&self, context: Context) -> Result<TrainedEncoder<'_, f32>, RunError> {
        self.prepared.encoder(&self.params, context).ok_or_else(|| self.lacks("encoder", "a run with an encoder"))
    }

    fn lacks(&self, part: &str, accepted: &str) -> RunError {
        let (path, task) = (self.path.display(), self.config.task.name());
        RunError::Folder(format!(
            "{path} holds a run of the task \"{task}\", which has no {part}; {accepted} is expected"
        ))
    }
}

pub(super) fn check_is_run(path: &Path, file: &str) -> Result<(), RunError> {
    if path.join(file).is_file() {
        return Ok(());
    }
    let (is_there, is_study) = (path.exists(), path.join("study.toml").is_file());
    let path = path.display();
    Err(RunError::Folder(match (is_there, is_study) {
        (false, _) => format!(
            "{path} is no run folder: there is none of that name; one with a config.toml that `narrows train` wrote is expected, \
             and `narrows runs` lists them"
        ),
        (_, true) => {
            format!(
                "{path} is no run folder, but that of a study; one of its runs is expected, such as those in {path}/runs"
            )
        }
        _ => format!("{path} is no run folder: it has no {file}; a folder that `narrows train` wrote is expected"),
    }))
}

/// The configuration of the run in `path`.
pub fn run_config(path: &Path) -> Result<RunConfig, RunError> {
    check_is_run(path, CONFIG)?;
    let file = path.join(CONFIG);
    let bytes = read_whole(&file)?;
    Ok(RunConfig::from_toml(&String::from_utf8_lossy(&bytes), &file.display().to_string())?)
}

/// A file of JSON of the run in `path`.
pub(super) fn read_json(path: &Path, name: &str) -> Result<Value, RunError> {
    let file = path.join(name);
    let read = serde_json::from_slice(&read_whole(&file)?);
    read.map_err(|error| RunError::unreadable(&file, format!("it is no JSON ({error})")))
}

/// Refuses weights that are not those the run measured.
pub(super) fn check_weights(path: &Path) -> Result<(), RunError> {
    let metrics = read_json(path, METRICS)?;
    let Some(recorded) = metrics["model_sha256"].as_str() else { return Ok(()) };
    let file = path.join(MODEL);
    let found = sha256(&read_whole(&file)?);
    if found == recorded {
        return Ok(());
    }
    Err(RunError::Unusable(format!(
        "cannot use {}: its SHA-256 is {found}, but metrics.json beside it says {recorded}; the file that the run wrote is \
         expected, and `narrows train` with the config.toml beside it makes it again",
        file.display()
    )))
}

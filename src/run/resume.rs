//! What a run folder holds already: nothing, a run under way, or a finished one.

use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::checkpoint::{Identity, gemm_name};
use super::environment::Machine;
use super::error::RunError;
use super::folder::{
    BEGUN_FROM, CONFIG, EARLY, ENVIRONMENT, HISTORY, LAST_EPOCH, METRICS, MODEL, RunFolder, RunResult, check_weights,
    has_ended, read_json, run_config,
};
use super::prepare::Prepared;
use crate::config::{Difference, RunConfig};
use crate::data::Splits;
use crate::files::{argument, hex, read_whole};
use crate::nn::weights;
use crate::optim::Monitor;
use crate::train::{Best, Callback, FitResult, History, State, Stop, TrainError, Training};

/// What to do about a run that is another.
const OTHER_FOLDER: &str = "give another folder with --out to begin a new run";

/// What a run folder holds.
#[derive(Debug)]
pub enum Found {
    /// No run.
    Absent,
    /// A run under way: [`execute`](super::execute()) goes on from its checkpoint, or from the start where there is none.
    Begun,
    /// A finished run, read back: as it was made, but that the seconds of its history are rounded.
    Finished(Box<RunResult>),
}

/// What the bits of a run depend on.
pub fn identity(config: &RunConfig, prepared: &Prepared, machine: Machine) -> Identity {
    Identity {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        config: config.to_toml(),
        data: data_digest(&prepared.loaded),
        gemm: gemm_name(machine.context.gemm).to_owned(),
    }
}

/// SHA-256 (hex) over the data set and its division.
fn data_digest(loaded: &Splits) -> String {
    let mut hash = Sha256::new();
    hash.update(loaded.data.digest());
    for (_, part) in loaded.parts() {
        hash.update((part.len() as u64).to_le_bytes());
        part.indices.iter().for_each(|index| hash.update(index.to_le_bytes()));
    }
    hex(&hash.finalize())
}

/// What `folder` holds of the run of `config`. Refused where its configuration is another, and where a finished run was made
/// with other data or by another version of the program.
pub fn find_run(folder: &RunFolder, config: &RunConfig, prepared: &Prepared) -> Result<Found, RunError> {
    let path = folder.path();
    if !path.join(CONFIG).exists() {
        return Ok(Found::Absent);
    }
    let begun = run_config(path)?;
    check_config(path, &begun, config)?;
    let metrics = path.join(METRICS);
    if !metrics.is_file() {
        return Ok(Found::Begun);
    }
    let metrics = read_json(path, METRICS)?;
    let stop = match metrics["stop"].as_str() {
        // Fewer: a process that was to go on with more was killed before it said that the run is under way.
        Some(LAST_EPOCH) if metrics["epochs"].as_u64() == Some(begun.train.max_epochs as u64) => Stop::LastEpoch,
        Some(EARLY) => Stop::Early,
        _ => return Ok(Found::Begun),
    };
    let other = |key: &str, found: &Value, needed: &str| match found.as_str().unwrap_or_default() {
        found if found == needed => Ok(()),
        found => Err(other_run(path, key, found, needed, OTHER_FOLDER)),
    };
    other("version", &read_json(path, ENVIRONMENT)?["narrows"], env!("CARGO_PKG_VERSION"))?;
    other("data", &metrics["data_sha256"], &prepared.loaded.data.digest())?;
    if is_raised(&begun, config) {
        let (epochs, shown) = (&metrics["epochs"], path.display());
        let reason = match stop {
            Stop::Early => format!("early stopping ended it after {epochs}, and would again"),
            _ if !folder.has_checkpoint() => "the state at its end was not kept".to_owned(),
            _ => return Ok(Found::Begun),
        };
        return Err(RunError::Folder(format!(
            "cannot raise the epochs of the run in {shown}: {reason}; `--set init_from={}` with another folder begins a new run \
             with its weights",
            argument(path)
        )));
    }
    let executed = read_finished(path, config, prepared, &metrics, stop)?;
    // A process that was killed between its last file and the end has left them.
    match stop {
        Stop::Early => folder.checkpoints().clear()?,
        _ => folder.checkpoints().keep_last()?,
    }
    Ok(Found::Finished(Box::new(executed)))
}

fn read_finished(
    path: &Path,
    config: &RunConfig,
    prepared: &Prepared,
    metrics: &Value,
    stop: Stop,
) -> Result<RunResult, RunError> {
    let unreadable = |name: &str, reason: String| RunError::unreadable(&path.join(name), reason);
    if !path.join(MODEL).is_file() {
        return Err(RunError::Unusable(format!(
            "the run in {} is finished, but its {MODEL} is not there; put it back, or remove {METRICS} there, and `narrows train --resume \
             {}` makes it again",
            path.display(),
            argument(path)
        )));
    }
    check_weights(path)?;
    let params = weights::load(&path.join(MODEL), prepared.layout())?;
    let history = read_history(path)?;
    let lacks = |what: &str| unreadable(METRICS, format!("it has no {what}"));
    if metrics["epochs"].as_u64() != Some(history.epochs.len() as u64) {
        return Err(unreadable(
            METRICS,
            format!("it does not speak of the {} epochs of {HISTORY}", history.epochs.len()),
        ));
    }
    let best = match &metrics["best_epoch"] {
        Value::Null => None,
        epoch => {
            let epoch = epoch.as_u64().and_then(|epoch| usize::try_from(epoch).ok());
            let record = epoch.and_then(|epoch| history.epochs.get(epoch.checked_sub(1)?));
            let record = record.ok_or_else(|| lacks("best_epoch that is one of its epochs"))?;
            let monitor = config.train.early_stopping.as_ref().map_or(Monitor::ValLoss, |stopping| stopping.monitor);
            let value = if monitor == Monitor::Loss { record.loss } else { record.val_loss };
            Some(Best { epoch: record.epoch, value })
        }
    };
    let parts = prepared.loaded.parts().into_iter().filter(|(_, indices)| !indices.is_empty());
    let evaluations = parts.map(|(name, _)| {
        let figures = &metrics["evaluation"][name];
        let read = figures.is_object().then(|| (name, figures.clone()));
        read.ok_or_else(|| lacks(&format!("figures of the {name} images")))
    });
    let evaluations = evaluations.collect::<Result<Vec<_>, _>>()?;
    let restored_best = metrics["restored_best"].as_bool().ok_or_else(|| lacks("restored_best"))?;
    let weights_sha256 = metrics["model_sha256"].as_str().ok_or_else(|| lacks("model_sha256"))?.to_owned();
    let outcome = FitResult { params, history, stop, best, restored_best };
    Ok(RunResult { outcome, evaluations, pictures: Vec::new(), weights_sha256 })
}

/// `history.csv` of the run in `path`.
pub(super) fn read_history(path: &Path) -> Result<History, RunError> {
    let file = path.join(HISTORY);
    let text = read_whole(&file)?;
    History::from_csv(&String::from_utf8_lossy(&text)).map_err(|error| RunError::unreadable(&file, error))
}

/// The refusal of a run that was begun with something else.
fn other_run(path: &Path, key: &str, found: &str, needed: &str, remedy: &str) -> RunError {
    let path = path.display();
    RunError::Folder(format!(
        "cannot go on with the run in {path}: {key} was {found} when it was begun, and is {needed} now; {remedy}"
    ))
}

/// Whether one configuration is another with more epochs, and otherwise the same.
fn is_raised(begun: &RunConfig, now: &RunConfig) -> bool {
    let mut raised = begun.clone();
    raised.train.max_epochs = now.train.max_epochs;
    begun.train.max_epochs < now.train.max_epochs && raised.difference(now).is_none()
}

/// A finished run whose folder another takes over with more epochs.
pub(super) struct Parent {
    epochs: u64,
    sha256: String,
}

/// The finished run in `path`, where `config` is its own with more epochs.
pub(super) fn parent(path: &Path, config: &RunConfig) -> Result<Option<Parent>, RunError> {
    if !path.join(METRICS).is_file() || !is_raised(&run_config(path)?, config) {
        return Ok(None);
    }
    let metrics = read_json(path, METRICS)?;
    let (epochs, sha256) = (metrics["epochs"].as_u64(), metrics["model_sha256"].as_str());
    let is_finished = metrics["stop"] == LAST_EPOCH;
    Ok(epochs.zip(sha256).filter(|_| is_finished).map(|(epochs, sha256)| Parent { epochs, sha256: sha256.to_owned() }))
}

impl Parent {
    pub fn sentence(&self) -> String {
        let Parent { epochs, sha256 } = self;
        format!(
            "this is another run than that of {epochs} epochs in the same folder, and goes on from its end; {BEGUN_FROM} has \
                 the SHA-256 of its weights, {sha256}"
        )
    }

    /// The content of `begun_from.json`: what it was, and this run behind those before it.
    pub fn record(&self, path: &Path) -> Result<Value, RunError> {
        let mut record = if path.join(BEGUN_FROM).is_file() { read_json(path, BEGUN_FROM)? } else { json!({}) };
        let mut parents = record["parents"].as_array().cloned().unwrap_or_default();
        let this = json!({ "epochs": self.epochs, "model_sha256": self.sha256 });
        // A process that was killed here before has written it.
        if parents.last() != Some(&this) {
            parents.push(this);
        }
        record["parents"] = parents.into();
        Ok(record)
    }
}

/// Refuses to go on with the run in `path`, begun with one configuration, with another, and names the key. A run that has ended may have
/// more epochs.
pub fn check_config(path: &Path, begun: &RunConfig, now: &RunConfig) -> Result<(), RunError> {
    if is_raised(begun, now) && has_ended(path)? {
        return Ok(());
    }
    let mut raised = begun.clone();
    raised.train.max_epochs = begun.train.max_epochs.max(now.train.max_epochs);
    // More epochs are the reason only where nothing else is.
    match raised.difference(now).or_else(|| begun.difference(now)) {
        Some(Difference { key, first, second }) => Err(other_run(path, &key, &first, &second, OTHER_FOLDER)),
        None => Ok(()),
    }
}

/// The most bytes that a checkpoint of this run can have: parameters, the best ones and the moments, a row of numbers for each epoch
/// with a name for each column, the figures of the epoch under way, and texts of at most 2 MiB.
fn most_bytes(training: &Training<'_, f32>, prepared: &Prepared) -> u64 {
    let names = training.task.scalar_names();
    let columns = (History::COLUMNS.len() + names.len()) as u64;
    let text: usize = names.iter().map(|name| name.len() + 8).sum();
    let rows = (training.settings.max_epochs as u64).saturating_mul(8 * columns);
    let rest = 16 * columns + text as u64 + (2 << 20);
    // Gradients take as much as the best parameters.
    prepared.training_memory().saturating_add(rows).saturating_add(rest)
}

/// The state to go on from: that of the newest checkpoint that is whole.
pub(super) fn read_state(
    folder: &RunFolder,
    identity: &Identity,
    training: &Training<'_, f32>,
    prepared: &Prepared,
    callback: &mut dyn Callback<f32>,
) -> Result<Option<State<f32>>, RunError> {
    let stored = folder.checkpoints().read(most_bytes(training, prepared));
    let Some((path, checkpoint)) = stored.checkpoint else {
        if stored.refused.is_empty() {
            if folder.path().join(CONFIG).exists() {
                callback.on_note("no checkpoint was saved before the run ended, so it begins again from the start");
            }
            return Ok(None);
        }
        let (folder, reasons) = (folder.path().display(), stored.refused.join("; "));
        return Err(RunError::Unusable(format!(
            "cannot resume {folder}: {reasons}; remove the folder checkpoint in it to begin from the start"
        )));
    };
    check_identity(folder.path(), &checkpoint.identity, identity)?;
    checkpoint.state.check(training).map_err(|error| match error {
        TrainError::State(source) => RunError::Unusable(format!("cannot use {}: {source}", path.display())),
        other => RunError::from(other),
    })?;
    for sentence in stored.refused {
        callback.on_note(&format!("{sentence}; the one before it is used, {}", path.display()));
    }
    let cursor = checkpoint.state.cursor;
    callback.on_note(&format!("resumed in epoch {} after step {}", cursor.epoch, cursor.step));
    Ok(Some(checkpoint.state))
}

/// Refuses a checkpoint of another run, and names the key.
fn check_identity(path: &Path, found: &Identity, needed: &Identity) -> Result<(), RunError> {
    let refuse = |key: &str, found: &str, needed: &str, remedy| Err(other_run(path, key, found, needed, remedy));
    if found.version != needed.version {
        let remedy = "resume it with the version it was begun with, or give another folder to begin a new run";
        return refuse("version", &found.version, &needed.version, remedy);
    }
    if found.config != needed.config {
        let [begun, now] = [&found.config, &needed.config].map(|text| RunConfig::from_toml(text, "the checkpoint"));
        let (begun, now) = (begun?, now?);
        // The run ended, and goes on with more epochs.
        if !is_raised(&begun, &now) {
            check_config(path, &begun, &now)?;
            return refuse("config.toml", "another text", "this one", OTHER_FOLDER);
        }
    }
    if found.data != needed.data {
        let remedy = "put back the files it was begun with, or give another folder to begin a new run";
        return refuse("data", &format!("SHA-256 {}", found.data), &format!("SHA-256 {}", needed.data), remedy);
    }
    if found.gemm != needed.gemm {
        return refuse("--gemm", &found.gemm, &needed.gemm, "resume it with the engine it was begun with");
    }
    Ok(())
}

//! Trains, measures, and writes the run folder.

use std::path::Path;

use narrows_kernels::Context;
use serde_json::{Map, Value, json};

use super::begin::{begin, origin};
use super::callback::RunCallback;
use super::environment::Machine;
use super::error::RunError;
use super::folder::{
    BEGUN_FROM, CONFIG, EARLY, ENVIRONMENT, HISTORY, LAST_EPOCH, LOSS, METRICS, MODEL, REPORT, RunFolder, RunResult,
};
use super::images::{draw, loss_chart};
use super::lock::CHECKPOINTS;
use super::prepare::Prepared;
use super::resume::{self, identity};
use super::snapshots::{SNAPSHOTS, SNAPSHOTS_PICTURE, snapshot_picture};
use super::tensorboard::{EVENTS, EventFile};
use crate::config::RunConfig;
use crate::figures::Chart;
use crate::files::sha256;
use crate::nn::weights;
use crate::tape::Arena;
use crate::tasks::Weights;
use crate::train::{Callback, FitResult, SLICE_SAMPLES, Stop, Training};

/// Where a run in `folder` looks for one that it begins with and that is named without a folder.
pub fn beside(folder: &Path) -> &Path {
    folder.parent().unwrap_or(Path::new(""))
}

/// What training of `config` depends on.
pub(super) fn training<'a>(config: &'a RunConfig, prepared: &'a Prepared, context: Context) -> Training<'a, f32> {
    Training {
        context,
        task: &*prepared.task,
        train: prepared.loaded.train(),
        validation: prepared.loaded.validation(),
        settings: &config.train,
        seed: config.seed,
        slice_samples: SLICE_SAMPLES,
    }
}

/// Trains the model of `config` in the current thread pool, and writes nothing. A run that it begins with and that is named without
/// a folder is looked for in `beside`.
pub fn fit(
    config: &RunConfig,
    prepared: &Prepared,
    beside: &Path,
    context: Context,
    callback: &mut dyn Callback<f32>,
) -> Result<FitResult<f32>, RunError> {
    Ok(training(config, prepared, context).run(begin(config, prepared, beside)?.0, callback)?)
}

/// The files that a run of `config` writes, folders with a slash at the end.
pub fn run_files(config: &RunConfig, prepared: &Prepared) -> Vec<String> {
    let begun_from = origin(config, prepared).map(|_| BEGUN_FROM);
    let pictures = prepared.task.picture_files(&prepared.loaded).into_iter().map(|(file, _)| file);
    let snapshots = prepared.task.snapshots();
    let files = [CONFIG, ENVIRONMENT].into_iter().chain(begun_from).chain([HISTORY, LOSS]).chain(pictures);
    let files = files.chain(snapshots.map(|_| SNAPSHOTS_PICTURE)).chain([MODEL, METRICS, REPORT]);
    let folders = [
        (SNAPSHOTS, snapshots.is_some()),
        (CHECKPOINTS, config.train.checkpoint.is_some()),
        (EVENTS, config.train.tensorboard == Some(true)),
    ];
    let folders = folders.into_iter().filter(|(_, is_made)| *is_made).map(|(folder, _)| format!("{folder}/"));
    files.map(str::to_owned).chain(folders).collect()
}

/// Trains like [`fit`], and hands the parameters to `watch` at the end of each epoch, counted from 1, and before the first as
/// epoch 0. Since bits are a function of the configuration, this looks into a run that was made before.
pub fn watch(
    config: &RunConfig,
    prepared: &Prepared,
    beside: &Path,
    context: Context,
    watch: impl FnMut(usize, &[f32]) + Send,
) -> Result<(), RunError> {
    let params = begin(config, prepared, beside)?.0;
    let mut watcher = Watcher(watch);
    (watcher.0)(0, &params);
    training(config, prepared, context).run(params, &mut watcher)?;
    Ok(())
}

struct Watcher<F>(F);

impl<F: FnMut(usize, &[f32]) + Send> Callback<f32> for Watcher<F> {
    fn on_epoch(&mut self, epoch: usize, params: &[f32]) {
        (self.0)(epoch, params);
    }
}

/// Makes the run: trains in the current thread pool, evaluates, and writes all files of `folder`. Goes on from the newest
/// checkpoint in `folder` if there is one, and refuses one of another configuration, of other data or of another version.
/// An interrupted run is written like a finished one, with what there is, and keeps its checkpoints. One that has done all its
/// epochs keeps the state at its end, from which it goes on if `config` comes back with a larger `max_epochs`: to the bits of a
/// run that had so many from the start. One that was stopped early keeps none.
pub fn execute(
    config: &RunConfig,
    prepared: &Prepared,
    machine: Machine,
    folder: &RunFolder,
    callback: &mut dyn Callback<f32>,
) -> Result<RunResult, RunError> {
    let identity = identity(config, prepared, machine);
    let training = training(config, prepared, machine.context);
    let state = resume::read_state(folder, &identity, &training, prepared, callback)?;
    // What it begins with is refused before anything is written.
    let (start, taken) = match state {
        Some(state) => (state, None),
        None => {
            let (params, taken) = begin(config, prepared, beside(folder.path()))?;
            (training.first_state(params)?, taken)
        }
    };
    if let Some(parent) = resume::parent(folder.path(), config)? {
        callback.on_note(&parent.sentence());
        folder.write_json(BEGUN_FROM, &parent.record(folder.path())?)?;
    }
    let comment = "# The configuration of this run, complete: `narrows train config.toml` repeats it.";
    folder.write(CONFIG, format!("{comment}\n\n{}", config.to_toml()).as_bytes())?;
    // Only now: killed before, a run with more epochs would be one under way with the old ones, which cannot be raised.
    folder.reopen()?;
    folder.write_json(ENVIRONMENT, &machine.describe())?;
    if let Some(taken) = taken {
        callback.on_note(&taken.sentence());
        folder.write_json(BEGUN_FROM, &taken.to_json())?;
        if config.train.checkpoint.is_some() {
            // From now on the other run is not needed any more.
            folder.checkpoints().write(&identity, &start)?;
        }
    }
    let (task, history) = (&*prepared.task, start.history.clone());
    let events = match config.train.tensorboard {
        Some(true) => Some(EventFile::create(folder.path(), history.epochs.len())?),
        _ => None,
    };
    let mut keeper = RunCallback::new(folder, callback, &identity, &training, prepared, history, events);
    let outcome = training.resume(start, &mut keeper);
    let (failed, history, mut events) = keeper.into_parts();
    if let Some(error) = failed {
        return Err(error);
    }
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(failure) => {
            // The epochs before the failure show how it came.
            if !history.epochs.is_empty()
                && let Err(error) = folder.write_history(&history)
            {
                callback.on_note(&format!("{error}; the history lacks the last epochs"));
            }
            return Err(failure.into());
        }
    };
    folder.write_history(&outcome.history)?;
    let bytes = weights::to_bytes(prepared.layout(), &outcome.params, Some(task.description()));
    folder.write(MODEL, &bytes)?;
    let weights_sha256 = sha256(&bytes);

    let weights = Weights { params: &outcome.params, context: machine.context };
    let mut arena = Arena::default();
    let parts = prepared.loaded.parts().into_iter().filter(|(_, samples)| !samples.is_empty());
    let evaluations: Vec<_> =
        parts.map(|(name, samples)| (name, task.figures(weights, name, samples, config.seed, &mut arena))).collect();

    if !outcome.history.epochs.is_empty() {
        let chart = loss_chart(&config.name, task, &outcome.history);
        folder.write(LOSS, &chart.to_png(1200, 750)?)?;
    }
    let mut pictures = Vec::new();
    for picture in task.pictures(weights, &prepared.loaded) {
        let png = draw(&picture.content, &prepared.loaded.data)?;
        folder.write(picture.file, &png)?;
        let told = events.as_mut().map(|events| events.picture(outcome.history.epochs.len(), picture.file, &png));
        if let Some(Err(error)) = told {
            callback.on_note(&format!("{error}; TensorBoard lacks {}", picture.file));
        }
        pictures.push((picture.file, picture.holds));
    }
    if let Some(holds) = task.snapshots()
        && let Some(strip) = snapshot_picture(folder, outcome.history.epochs.len(), &prepared.loaded.data)?
    {
        folder.write(SNAPSHOTS_PICTURE, &strip)?;
        pictures.push((SNAPSHOTS_PICTURE, holds.to_owned()));
    }
    let metrics = metrics(prepared, &outcome, &evaluations, &weights_sha256, machine);
    // Written last: where it exists, all other files exist.
    folder.write_json(METRICS, &metrics)?;
    match outcome.stop {
        Stop::Interrupted { .. } => {}
        Stop::LastEpoch => folder.checkpoints().keep_last()?,
        Stop::Early => folder.checkpoints().clear()?,
    }
    Ok(RunResult { outcome, evaluations, pictures, weights_sha256 })
}

fn metrics(
    prepared: &Prepared,
    outcome: &FitResult<f32>,
    evaluations: &[(&'static str, Value)],
    weights_sha256: &str,
    machine: Machine,
) -> Value {
    let parts: Map<String, Value> =
        evaluations.iter().map(|(name, evaluation)| ((*name).to_owned(), evaluation.clone())).collect();
    let stop = match outcome.stop {
        Stop::LastEpoch => json!(LAST_EPOCH),
        Stop::Early => json!(EARLY),
        Stop::Interrupted { epoch, step } => json!({ "interrupted": { "epoch": epoch, "step": step } }),
    };
    let seconds: f64 = outcome.history.epochs.iter().map(|epoch| epoch.seconds).sum();
    let mut metrics = json!({
        "epochs": outcome.history.epochs.len(),
        "stop": stop,
        "best_epoch": outcome.best.map(|best| best.epoch),
        "restored_best": outcome.restored_best,
        "training_seconds": seconds,
        "parameters": prepared.layout().len(),
        "evaluation": parts,
        "data_sha256": prepared.loaded.data.digest(),
        "model_sha256": weights_sha256,
        "bit_contract": machine.is_in_bit_contract(),
    });
    if let Value::Object(metrics) = &mut metrics {
        metrics.extend(prepared.task.facts());
    }
    metrics
}

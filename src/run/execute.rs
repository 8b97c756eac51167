//! Trains, measures, and writes the run folder.

use std::time::{Duration, Instant};

use narrows_kernels::Context;
use serde_json::{Map, Value, json};

use super::environment::Machine;
use super::error::RunError;
use super::folder::{RunFolder, hex_sha256};
use super::images::{loss_chart, reconstruction_picture};
use super::measures::further_figures;
use super::prepare::Prepared;
use crate::config::RunConfig;
use crate::data::scale_table;
use crate::nn::weights;
use crate::optim::{Clip, LearningRate, Optimizer, OptimizerSpec};
use crate::tape::Arena;
use crate::train::{
    Evaluation, Event, Flow, History, Images, Job, Listener, Objective, Outcome, SLICE_ROWS, Stop, train,
};

/// Images in `reconstructions.png`: the first of the test set.
const RECONSTRUCTIONS: usize = 15;

/// Between two writings of `history.csv` while training.
const HISTORY_EVERY: Duration = Duration::from_secs(1);

/// A run that is done, or interrupted, with its folder written.
#[derive(Debug)]
pub struct Executed {
    /// What training gave.
    pub outcome: Outcome<f32>,
    /// The figures of each part that has images: "train", "validation", "test".
    pub evaluations: Vec<(&'static str, Evaluation)>,
    /// SHA-256 of `model.safetensors`.
    pub weights_sha256: String,
}

impl Executed {
    /// The figures of a part.
    pub fn evaluation(&self, part: &str) -> Option<&Evaluation> {
        self.evaluations.iter().find(|(name, _)| *name == part).map(|(_, evaluation)| evaluation)
    }
}

/// Trains the model of `config` from fresh weights, in the current thread pool, and writes nothing.
pub fn fit(
    config: &RunConfig,
    prepared: &Prepared,
    context: Context,
    listener: &mut dyn Listener,
) -> Result<Outcome<f32>, RunError> {
    let model = &prepared.model;
    let spec = OptimizerSpec::from_config(&config.optimizer);
    let learning_rate = LearningRate::from_config(&config.optimizer, spec.learning_rate);
    let job = Job {
        context,
        model,
        objective: Objective::new(config.train.loss, &config.model),
        data: &prepared.loaded.data,
        train: &prepared.loaded.split.train,
        validation: &prepared.loaded.split.validation,
        config: &config.train,
        seed: config.seed,
        optimizer: Optimizer::new(spec, model.table().len())?,
        learning_rate,
        clip: Clip::from_config(&config.optimizer),
        slice_rows: SLICE_ROWS,
    };
    let params = model.init(config.model.init, config.seed);
    Ok(train(job, params, listener)?)
}

/// Makes the run: trains in the current thread pool, evaluates, and writes all files of `folder`.
/// An interrupted run is written like a finished one, with what there is.
pub fn execute(
    config: &RunConfig,
    prepared: &Prepared,
    machine: Machine,
    folder: &RunFolder,
    listener: &mut dyn Listener,
) -> Result<Executed, RunError> {
    let resolved = RunConfig { optimizer: OptimizerSpec::resolve(&config.optimizer), ..config.clone() };
    folder.write_config(&resolved)?;
    folder.write_environment(&machine.describe())?;
    let mut keeper =
        HistoryKeeper { folder, listener, history: History::default(), written: Instant::now(), failed: None };
    let outcome = fit(config, prepared, machine.context, &mut keeper);
    if let Some(error) = keeper.failed {
        return Err(error);
    }
    if outcome.is_err() && !keeper.history.epochs.is_empty() {
        // The epochs before the failure show how it came.
        folder.write_history(&keeper.history)?;
    }
    let outcome = outcome?;
    folder.write_history(&outcome.history)?;
    let weights = weights::to_bytes(&prepared.model, &outcome.params);
    folder.write_weights(&weights)?;
    let weights_sha256 = hex_sha256(&weights);

    let trained = prepared.trained(config, &outcome.params, machine.context);
    let scale = scale_table::<f32>();
    let images = |indices| Images { data: &prepared.loaded.data, indices, scale: &scale };
    let mut arena = Arena::default();
    let parts = prepared.loaded.parts().into_iter().filter(|(_, indices)| !indices.is_empty());
    let evaluations: Vec<_> =
        parts.map(|(name, indices)| (name, trained.evaluate(images(indices), &mut arena))).collect();
    let mut metrics = metrics(prepared, &outcome, &evaluations, &weights_sha256, machine);
    for (name, indices) in prepared.loaded.parts() {
        if let Some(Value::Object(part)) = metrics["evaluation"].get_mut(name) {
            part.extend(further_figures(config, name, &trained, images(indices), &mut arena));
        }
    }
    folder.write_metrics(&metrics)?;

    let title = config.name.as_str();
    if !outcome.history.epochs.is_empty() {
        let chart = loss_chart(title, config.train.loss, std::iter::once((title, &outcome.history)));
        folder.write_loss_chart(&chart.to_png(1200, 750)?)?;
    }
    let shown = shown_images(prepared, RECONSTRUCTIONS);
    if !shown.is_empty() {
        folder.write_reconstructions(&reconstruction_picture(&trained, images(shown))?)?;
    }
    Ok(Executed { outcome, evaluations, weights_sha256 })
}

/// The first test images, or those of the part that there is.
fn shown_images(prepared: &Prepared, count: usize) -> &[u32] {
    let split = &prepared.loaded.split;
    let part = [&split.test, &split.validation, &split.train].into_iter().find(|part| !part.is_empty());
    part.map_or(&[], |part| &part[..count.min(part.len())])
}

fn metrics(
    prepared: &Prepared,
    outcome: &Outcome<f32>,
    evaluations: &[(&'static str, Evaluation)],
    weights_sha256: &str,
    machine: Machine,
) -> Value {
    let parts: Map<String, Value> =
        evaluations.iter().map(|(name, evaluation)| ((*name).to_owned(), evaluation.to_json())).collect();
    let stop = match outcome.stop {
        Stop::LastEpoch => json!("last epoch"),
        Stop::Early => json!("early stopping"),
        Stop::Interrupted { epoch, step } => json!({ "interrupted": { "epoch": epoch, "step": step } }),
    };
    let seconds: f64 = outcome.history.epochs.iter().map(|epoch| epoch.seconds).sum();
    json!({
        "epochs": outcome.history.epochs.len(),
        "stop": stop,
        "best_epoch": outcome.best.map(|best| best.epoch),
        "restored_best": outcome.restored_best,
        "training_seconds": seconds,
        "parameters": prepared.model.table().len(),
        "compression_ratio": prepared.model.compression_ratio(),
        "evaluation": parts,
        "data_sha256": prepared.loaded.data.digest(),
        "model_sha256": weights_sha256,
        "bit_contract": machine.is_in_bit_contract(),
    })
}

/// Writes `history.csv` as training goes on, and passes every event on.
struct HistoryKeeper<'a> {
    folder: &'a RunFolder,
    listener: &'a mut dyn Listener,
    history: History,
    written: Instant,
    failed: Option<RunError>,
}

impl Listener for HistoryKeeper<'_> {
    fn hear(&mut self, event: Event<'_>) -> Flow {
        if let Event::EpochDone { record, .. } = event {
            self.history.epochs.push(record.clone());
            if self.written.elapsed() >= HISTORY_EVERY {
                if let Err(error) = self.folder.write_history(&self.history) {
                    self.failed = Some(error);
                    return Flow::Interrupt;
                }
                self.written = Instant::now();
            }
        }
        self.listener.hear(event)
    }
}

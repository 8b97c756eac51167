//! From a configuration to data that are loaded and divided, and a model that is laid out.

use std::path::PathBuf;
use std::sync::Arc;

use super::environment::free_memory;
use super::error::RunError;
use crate::config::RunConfig;
use crate::data::{DataError, Published, Scaling, Splits};
use crate::nn::{Layout, grouped};
use crate::settings::Fault;
use crate::tasks::{Trainable, Trained, TrainedEncoder};
use crate::train::TrainSettings;
use narrows_kernels::Context;

/// All that a run needs besides its configuration.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The images; runs of a study share them.
    pub loaded: Arc<Splits>,
    /// What is trained.
    pub task: Arc<dyn Trainable>,
}

impl Prepared {
    /// Lays out the model of `config` for images that are loaded.
    pub fn new(config: &RunConfig, loaded: Arc<Splits>) -> Result<Self, RunError> {
        let task = config.task.build(&loaded, &config.optimizer)?;
        if let (Some(_), Some(origin)) = (&config.init_from, task.origin()) {
            let found = format!("a run for all weights, beside another for the {}", origin.prefix);
            return Err(Fault::new("init_from", found, "one of the two").into());
        }
        Ok(Prepared { task, loaded })
    }

    /// Bytes of what training keeps of the model: parameters, gradients and moments.
    pub fn training_memory(&self) -> u64 {
        let moments = self.task.phases().iter().map(|phase| {
            let ranges = self.layout().ranges(&phase.groups).unwrap_or_default();
            ranges.iter().map(ExactSizeIterator::len).sum::<usize>() * phase.optimizer.rule.buffers()
        });
        4 * (2 * self.layout().len() + moments.sum::<usize>()) as u64
    }

    /// Refuses to train a model whose parameters, gradients and moments would not fit in memory.
    pub fn check_memory(&self) -> Result<(), RunError> {
        let (parameters, needed) = (self.layout().len(), self.training_memory());
        match free_memory() {
            Some(free) if needed > free => {
                let (count, [needed, free]) = (grouped(parameters), [needed, free].map(|bytes| bytes as f64 / 1e9));
                let found = format!("a network of {count} parameters, which take {needed:.1} GB in training");
                let accepted = format!("one that fits in the {free:.1} GB of memory that are free");
                Err(RunError::Memory(Fault::new("model", found, accepted)))
            }
            _ => Ok(()),
        }
    }

    /// Steps of an epoch.
    pub fn steps(&self, settings: &TrainSettings) -> usize {
        self.loaded.train().len().div_ceil(settings.batch_size)
    }

    /// Where the parameters lie.
    pub fn layout(&self) -> &Layout {
        self.task.layout()
    }

    /// Multiplications and additions of a sample that goes through all networks once.
    pub fn multiply_adds(&self) -> usize {
        self.task.parts().iter().map(|(_, layers)| layers.multiply_adds()).sum()
    }

    /// The autoencoder with these parameters, ready to be applied; `None` where something else is trained.
    pub fn trained<'a>(&'a self, params: &'a [f32], context: Context) -> Option<Trained<'a, f32>> {
        Some(self.task.autoencoder()?.trained(params, context))
    }

    /// The encoder with these parameters; `None` where none is trained.
    pub fn encoder<'a>(&'a self, params: &'a [f32], context: Context) -> Option<TrainedEncoder<'a, f32>> {
        Some(TrainedEncoder { layers: self.task.encoder()?, params, context })
    }
}

/// Loads and divides the data of `config`, looked for in `data_dirs`, and lays out its model.
pub fn prepare(config: &RunConfig, data_dirs: &[PathBuf]) -> Result<Prepared, RunError> {
    Prepared::new(config, Arc::new(load_data(config, data_dirs)?))
}

/// Loads and divides the data of `config`, looked for in `data_dirs`.
pub fn load_data(config: &RunConfig, data_dirs: &[PathBuf]) -> Result<Splits, DataError> {
    let (wanted, parts) = (&config.data, &config.data.split);
    let mut published = Published::open(&wanted.set, data_dirs, wanted.variable.as_deref(), wanted.per_class)?;
    if !wanted.classes.is_empty() {
        published = published.classes(&wanted.classes)?;
    }
    published = published.stratified(parts.stratified).blocks(parts.block);
    let mut splits = match wanted.merge {
        true => published.split([parts.train, parts.validation, parts.test], config.seed)?,
        false => published.split_training([parts.train, parts.validation], config.seed)?,
    };
    if let Some(folds) = wanted.folds {
        let is_stratified = parts.stratified && splits.data.labels.is_some();
        splits = splits.fold(folds, wanted.fold, is_stratified, parts.block, config.seed)?;
    }
    if let Some(count) = wanted.train_images {
        splits = splits.keep_training(count, config.seed);
    }
    if let Some(limit) = wanted.limit {
        splits = splits.limit(limit);
    }
    match wanted.scaling {
        Scaling::Unit => Ok(splits),
        Scaling::StandardMinMax => splits.standard_min_max(),
    }
}

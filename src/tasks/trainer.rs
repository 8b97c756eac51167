//! An autoencoder trained in a few lines.

use std::path::Path;

use narrows_kernels::{AlignedVec, Context};
use ndarray::{Array2, ArrayView2};

use super::{AutoencoderTask, Evaluation, Objective, Trainable, Trained, WidthError, contractive};
use crate::data::{Samples, Splits};
use crate::nn::weights::{self, WeightsError};
use crate::nn::{Autoencoder, AutoencoderBuilder, ModelError};
use crate::optim::{Optimizer, Schedule};
use crate::settings::Fault;
use crate::tape::Arena;
use crate::train::{
    Callback, EarlyStoppingRule, History, Phase, SLICE_SAMPLES, Stop, ThreadsError, TrainError, TrainSettings,
    Training, all_threads, with_threads,
};

/// Trains an autoencoder; what is not said has the defaults that [`Trainer::new`] states.
///
/// ```
/// use narrows::data::Dataset;
/// use narrows::loss::Loss;
/// use narrows::nn::Activation::{Relu, Sigmoid};
/// use narrows::nn::{Autoencoder, dense};
/// use narrows::optim::Nadam;
/// use narrows::tasks::Trainer;
///
/// let data = Dataset::open("footwear")?.classes(["Sandal", "Sneaker"])?.split([5, 1, 1], 2026)?.limit(600);
/// let net = Autoencoder::new(data.shape()).encoder([dense(50, Relu)]).decoder([dense(784, Sigmoid)]);
/// let run = Trainer::new(net, Loss::Bce).optimizer(Nadam::keras(1e-3)).batch(32).epochs(2).seed(2026).fit(&data)?;
/// let codes = run.encode(data.test())?;
/// assert_eq!(codes.dim(), (600, 50));
/// assert!(run.evaluate(data.test())?.mse < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Trainer {
    net: AutoencoderBuilder,
    objective: Objective,
    phase: Phase,
    settings: TrainSettings,
    seed: u64,
    threads: usize,
}

/// Why a model was not trained.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Its layers do not fit together.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The objective does not fit the model, or a setting the data.
    #[error(transparent)]
    Setting(#[from] Fault),
    /// There is nothing to train on.
    #[error("there are no training samples")]
    NoSamples,
    /// The samples have another size than the model takes.
    #[error(transparent)]
    Width(#[from] WidthError),
    /// A setting is out of its range, or training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The threads cannot be started.
    #[error(transparent)]
    Threads(#[from] ThreadsError),
}

impl Trainer {
    /// A trainer of this model for a loss, or for an [`Objective`] with penalties: Adam with a learning rate of 1e-3, batches of
    /// 32, 10 epochs, seed 0, all cores.
    pub fn new(net: AutoencoderBuilder, objective: impl Into<Objective>) -> Self {
        let phase = Phase::new(["encoder", "decoder"], crate::optim::Adam::keras(1e-3));
        let settings =
            TrainSettings { batch_size: 32, max_epochs: 10, early_stopping: None, checkpoint: None, tensorboard: None };
        Trainer { net, objective: objective.into(), phase, settings, seed: 0, threads: all_threads() }
    }

    /// The rule of the updates, with its learning rate.
    pub fn optimizer(mut self, optimizer: impl Into<Optimizer>) -> Self {
        self.phase.optimizer.rule = optimizer.into();
        self
    }

    /// How the learning rate goes on from epoch to epoch.
    pub fn schedule(mut self, schedule: Schedule) -> Self {
        self.phase.optimizer.schedule = schedule;
        self
    }

    /// Scales the gradient down to this Euclidean norm, above 0, before each update.
    pub fn clip_norm(mut self, limit: f64) -> Self {
        self.phase.optimizer.clip_norm = Some(limit);
        self
    }

    /// Samples in a step, at least 1; more than there are is all of them.
    pub fn batch(mut self, size: usize) -> Self {
        self.settings.batch_size = size;
        self
    }

    /// Epochs at most, at least 1.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.settings.max_epochs = epochs;
        self
    }

    /// Ends when the validation loss has not fallen by more than `min_delta` for `patience` epochs, and keeps the last weights;
    /// see [`EarlyStoppingRule`] for more.
    pub fn early_stopping(mut self, patience: usize, min_delta: f64) -> Self {
        self.settings.early_stopping = Some(EarlyStoppingRule::new(patience, min_delta));
        self
    }

    /// Weights, shuffling and noise follow from it.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Threads to compute with; the results do not depend on it.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Trains on the training samples and validates on the validation samples.
    pub fn fit(&self, data: &Splits) -> Result<Fitted, FitError> {
        self.fit_with(data, &mut ())
    }

    /// [`fit`](Self::fit), told to a callback as it goes on.
    pub fn fit_with(&self, data: &Splits, callback: &mut dyn Callback<f32>) -> Result<Fitted, FitError> {
        let model = self.net.build()?;
        self.objective.check(model.decoder().last_activation())?;
        self.objective.check_settings()?;
        // A weight of 0 is no penalty.
        let contractive = self.objective.contractive.filter(|contractive| contractive.weight > 0.0);
        contractive::check(contractive, model.encoder().layers().iter().map(|placed| &placed.layer))?;
        self.check_variational(&model)?;
        if data.train().is_empty() {
            return Err(FitError::NoSamples);
        }
        WidthError::check("train on", model.features(), data.train().features())?;
        let watched = self.settings.validation_monitor(&self.phase.optimizer.schedule);
        if let Some(key) = watched.filter(|_| data.validation().is_empty()) {
            let found = "\"val_loss\" while there are no validation samples";
            return Err(Fault::new(key, found, "\"loss\"; or some validation samples").into());
        }
        let context = Context::detect();
        let task = AutoencoderTask::new(model, Objective { contractive, ..self.objective }, self.phase.clone());
        let training = Training {
            context,
            task: &task,
            train: data.train(),
            validation: data.validation(),
            settings: &self.settings,
            seed: self.seed,
            slice_samples: SLICE_SAMPLES,
        };
        let params = task.model().init(self.seed);
        let result = with_threads(self.threads, || training.run(params, callback))??;
        Ok(Fitted {
            task,
            params: result.params,
            history: result.history,
            stop: result.stop,
            context,
            threads: self.threads,
        })
    }

    /// Refuses a divergence of a code that is no distribution, and the other way round.
    fn check_variational(&self, model: &Autoencoder) -> Result<(), Fault> {
        let (found, accepted) = match (self.objective.variational, model.log_variance_head()) {
            (Some(_), None) => {
                ("given while the model's code is no distribution", "none, or a model with variational(true)")
            }
            (None, Some(_)) => {
                ("absent while the model's code is a distribution", "one, or a model with variational(false)")
            }
            _ => return Ok(()),
        };
        Err(Fault::new("variational", found, accepted))
    }
}

/// A trained autoencoder.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// What was trained.
    pub task: AutoencoderTask,
    /// The flat parameter buffer.
    pub params: AlignedVec<f32>,
    /// Every epoch.
    pub history: History,
    /// Why training ended.
    pub stop: Stop,
    context: Context,
    threads: usize,
}

impl Fitted {
    /// The model with its parameters, which takes arrays and computes in the current thread pool.
    pub fn trained(&self) -> Trained<'_, f32> {
        self.task.trained(&self.params, self.context)
    }

    /// The codes [n, code] of samples.
    pub fn encode(&self, samples: Samples<'_>) -> Result<Array2<f32>, WidthError> {
        self.run(|trained| trained.encode(samples))
    }

    /// The images [n, features] of codes [n, code].
    pub fn decode(&self, codes: ArrayView2<'_, f32>) -> Result<Array2<f32>, WidthError> {
        self.run(|trained| trained.decode(codes))
    }

    /// The reconstructions [n, features] of samples.
    pub fn reconstruct(&self, samples: Samples<'_>) -> Result<Array2<f32>, WidthError> {
        self.run(|trained| trained.reconstruct(samples))
    }

    /// Loss, errors and activity of the code on samples.
    pub fn evaluate(&self, samples: Samples<'_>) -> Result<Evaluation, WidthError> {
        WidthError::check("evaluate", self.task.model().features(), samples.features())?;
        Ok(self.run(|trained| trained.evaluate(samples, &mut Arena::default())))
    }

    /// Writes the weights as a `safetensors` file, see [`weights`].
    pub fn save(&self, path: &Path) -> Result<(), WeightsError> {
        let layout = self.task.model().layout();
        weights::save(path, layout, &self.params, Some(Trainable::description(&self.task)))
    }

    fn run<R: Send>(&self, work: impl FnOnce(Trained<'_, f32>) -> R + Send) -> R {
        // The threads could be started for training.
        with_threads(self.threads, || work(self.trained())).expect("threads as for training")
    }
}

//! All that the rest of a training run depends on, besides what the run was given to begin with.
//!
//! Random streams are functions of seed, purpose and index (`crate::rng`), so that the cursor stands for all of them.

use narrows_kernels::{AlignedVec, Real};

use super::early_stopping::Patience;
use super::error::{StateError, TrainError};
use super::history::History;
use super::metrics::Metrics;
use super::training::Training;
use super::updates::{PhaseState, Updates};

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch under way, counted from 1.
    pub epoch: usize,
    /// Steps of it that are done.
    pub step: usize,
}

/// Sums over the samples of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochSums {
    /// Σ loss · samples over the steps so far.
    pub loss: f64,
    /// Σ penalty · samples over the steps so far.
    pub penalty: f64,
    /// Samples so far.
    pub samples: usize,
}

impl EpochSums {
    pub(super) fn add(&mut self, loss: f64, penalty: f64, samples: usize) {
        self.loss += loss * samples as f64;
        self.penalty += penalty * samples as f64;
        self.samples += samples;
    }

    pub(super) fn mean_loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    pub(super) fn mean_penalty(&self) -> f64 {
        self.penalty / self.samples as f64
    }
}

/// All of it: what a [`Callback`](super::Callback) is given between two steps, and [`Training::resume`] goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T: Real> {
    /// Where the run stands.
    pub cursor: Cursor,
    /// The flat parameter buffer.
    pub params: AlignedVec<T>,
    /// What each phase remembers.
    pub phases: Vec<PhaseState<T>>,
    /// The sums of the epoch under way.
    pub sums: EpochSums,
    /// What the task gathered in the epoch under way.
    pub metrics: Metrics,
    /// What early stopping remembers, where it watches.
    pub patience: Option<Patience>,
    /// The parameters of the best epoch, where they are kept.
    pub best_params: Option<AlignedVec<T>>,
    /// Every finished epoch.
    pub history: History,
    /// Seconds of the epoch under way, without those for checkpoints.
    pub seconds: f64,
    /// Seconds for checkpoints since the last epoch's row.
    pub checkpoint_seconds: f64,
}

impl<T: Real> Training<'_, T> {
    /// The state before the first step, with these parameters.
    pub fn first_state(&self, params: AlignedVec<T>) -> Result<State<T>, TrainError> {
        let phases = self.task.phases().iter().map(|phase| Ok(Updates::new(phase, self.task)?.to_state()));
        Ok(State {
            cursor: Cursor { epoch: 1, step: 0 },
            params,
            phases: phases.collect::<Result<_, TrainError>>()?,
            sums: EpochSums::default(),
            metrics: Metrics::default(),
            patience: self.settings.early_stopping.as_ref().map(|_| Default::default()),
            best_params: None,
            history: History::new(self.task.scalar_names()),
            seconds: 0.0,
            checkpoint_seconds: 0.0,
        })
    }
}

impl<T: Real> State<T> {
    /// Refuses a description with settings out of their ranges, and a state that no run of it can have been in.
    pub fn check(&self, training: &Training<'_, T>) -> Result<(), TrainError> {
        training.check()?;
        let need = |what: &str, found: String, needed: String| {
            if found == needed { Ok(()) } else { Err(StateError { what: what.to_owned(), found, needed }) }
        };
        let values = |count: usize| format!("{count} values");
        let (settings, parameters) = (training.settings, training.task.layout().len());
        let (Cursor { epoch, step }, steps) = (self.cursor, training.steps());
        let is_at_end = settings.max_epochs.checked_add(1) == Some(epoch) && step == 0;
        if !(1..=settings.max_epochs).contains(&epoch) && !is_at_end {
            need("epoch", epoch.to_string(), format!("one from 1 to {}", settings.max_epochs))?;
        }
        if step > steps {
            need("step", step.to_string(), format!("one from 0 to {steps}"))?;
        }
        need("parameter buffer", values(self.params.len()), values(parameters))?;
        let taken = (epoch as u64 - 1).saturating_mul(steps as u64).saturating_add(step as u64);
        let phases = training.task.phases();
        need("number of phases", self.phases.len().to_string(), phases.len().to_string())?;
        for (phase, saved) in phases.iter().zip(&self.phases) {
            let expected = Updates::new(phase, training.task)?.to_state();
            let described = |moments: &[(String, AlignedVec<T>)]| {
                let moments = moments.iter().map(|(name, moment)| format!("{name} of {}", values(moment.len())));
                format!("[{}]", moments.collect::<Vec<_>>().join(", "))
            };
            need("list of optimizer moments", described(&saved.moments), described(&expected.moments))?;
            need("number of optimizer steps", saved.updates.to_string(), taken.to_string())?;
            need("epoch of the learning rate", saved.rate.epoch.to_string(), (epoch - 1).to_string())?;
        }
        let names = |names: &[String]| format!("[{}]", names.join(", "));
        let scalars = training.task.scalar_names();
        need("list of figures in the history", names(&self.history.names), names(&scalars))?;
        if self.metrics.sums.len() > scalars.len() {
            need("number of figures", self.metrics.sums.len().to_string(), format!("at most {}", scalars.len()))?;
        }
        if let Some(best) = &self.best_params {
            need("buffer of best parameters", values(best.len()), values(parameters))?;
        }
        let stopping = settings.early_stopping.as_ref();
        let watched = |is: bool| if is { "present" } else { "absent" }.to_owned();
        need("state of early stopping", watched(self.patience.is_some()), watched(stopping.is_some()))?;
        let keeps = stopping.is_some_and(|stopping| stopping.restore_best);
        let best = self.patience.is_some_and(|patience| patience.best.is_some());
        need("buffer of best parameters", watched(self.best_params.is_some()), watched(keeps && best))?;
        let samples = step.saturating_mul(settings.batch_size).min(training.train.len());
        need("number of samples seen", self.sums.samples.to_string(), samples.to_string())?;
        need("number of finished epochs", self.history.epochs.len().to_string(), (epoch - 1).to_string())?;
        Ok(())
    }
}

//! All that the rest of a training run depends on, besides what the run was given to begin with.
//!
//! Random streams are functions of seed, purpose and index (`crate::rng`), so that the cursor stands for all of them.

use narrows_kernels::{AlignedVec, Real};

use super::early_stopping::Patience;
use super::engine::Job;
use super::error::TrainError;
use super::event::{Flow, Listener};
use super::history::History;
use super::tally::Tally;
use crate::optim::Stepper;
use crate::optim::schedule::Rate;

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The epoch under way, counted from 1.
    pub epoch: usize,
    /// Steps of it that are done.
    pub step: usize,
}

/// Means over the samples of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EpochMean {
    /// Σ loss · samples over the steps so far.
    pub loss: f64,
    /// Σ penalty · samples over the steps so far.
    pub penalty: f64,
    /// Samples so far.
    pub samples: usize,
}

impl EpochMean {
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

/// A state of its own, from which [`train_from`](super::train_from) goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct State<T: Real> {
    /// Where the run stands.
    pub cursor: Cursor,
    /// The flat parameter buffer.
    pub params: AlignedVec<T>,
    /// Steps that the optimizer has taken.
    pub optimizer_steps: u64,
    /// The optimizer's moments by name, each as long as the parameters.
    pub moments: Vec<(String, AlignedVec<T>)>,
    /// The learning rate, and what a plateau remembers.
    pub rate: Rate,
    /// The running means of the epoch under way.
    pub mean: EpochMean,
    /// What the epoch under way has seen of the code.
    pub tally: Tally,
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

impl<T: Real> State<T> {
    /// Before the first step of a job.
    pub fn first(job: &Job<'_, T>, params: AlignedVec<T>) -> Self {
        let moments = job.optimizer.state().into_iter();
        State {
            cursor: Cursor { epoch: 1, step: 0 },
            params,
            optimizer_steps: 0,
            moments: moments.map(|(name, values)| (name, AlignedVec::from_slice(values))).collect(),
            rate: job.learning_rate.rate().clone(),
            mean: EpochMean::default(),
            tally: Tally::default(),
            patience: job.config.early_stopping.as_ref().map(|_| Patience::default()),
            best_params: None,
            history: History::default(),
            seconds: 0.0,
            checkpoint_seconds: 0.0,
        }
    }
}

/// The same by reference: what a [`Recorder`] is lent between two steps.
#[derive(Clone, Copy)]
pub struct Snapshot<'a, T: Real> {
    /// Where the run stands.
    pub cursor: Cursor,
    /// The flat parameter buffer.
    pub params: &'a [T],
    /// The optimizer, with its moments and its number of steps.
    pub optimizer: &'a Stepper<T>,
    /// The learning rate, and what a plateau remembers.
    pub rate: &'a Rate,
    /// The running means of the epoch under way.
    pub mean: EpochMean,
    /// What the epoch under way has seen of the code.
    pub tally: &'a Tally,
    /// What early stopping remembers, where it watches.
    pub patience: Option<Patience>,
    /// The parameters of the best epoch, where they are kept.
    pub best_params: Option<&'a [T]>,
    /// Every finished epoch.
    pub history: &'a History,
    /// Seconds of the epoch under way, without those for checkpoints.
    pub seconds: f64,
    /// Seconds for checkpoints since the last epoch's row.
    pub checkpoint_seconds: f64,
}

impl<T: Real> Snapshot<'_, T> {
    /// A copy.
    pub fn to_state(&self) -> State<T> {
        let moments = self.optimizer.state().into_iter();
        State {
            cursor: self.cursor,
            params: AlignedVec::from_slice(self.params),
            optimizer_steps: self.optimizer.step_count(),
            moments: moments.map(|(name, values)| (name, AlignedVec::from_slice(values))).collect(),
            rate: self.rate.clone(),
            mean: self.mean,
            tally: self.tally.clone(),
            patience: self.patience,
            best_params: self.best_params.map(AlignedVec::from_slice),
            history: self.history.clone(),
            seconds: self.seconds,
            checkpoint_seconds: self.checkpoint_seconds,
        }
    }
}

/// A moment at which a state may be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After this many steps of the run.
    Step(u64),
    /// After this many epochs of the run.
    Epoch(usize),
    /// The run was interrupted here.
    Interrupted,
}

/// A listener that may be lent the state of the run between two steps. What it does with it changes no bit of the run.
pub trait Recorder<T: Real>: Listener {
    /// Whether to be lent the state now. Asked after every step and every epoch but the last, so it must be quick.
    fn wants(&mut self, moment: Moment) -> bool;

    /// Takes the state, and says whether training goes on. The time this takes counts as that of checkpoints.
    fn record(&mut self, state: &Snapshot<'_, T>) -> Flow;

    /// Takes the state before the step that failed, or after the last one when its outcome failed, with the images (their
    /// numbers in the data set) that were being seen.
    fn fail(&mut self, state: &Snapshot<'_, T>, images: &[u32], error: &TrainError);
}

/// Records nothing.
pub(super) struct Unrecorded<'a>(pub &'a mut dyn Listener);

impl Listener for Unrecorded<'_> {
    fn hear(&mut self, event: super::Event<'_>) -> Flow {
        self.0.hear(event)
    }

    fn note(&mut self, sentence: &str) {
        self.0.note(sentence);
    }
}

impl<T: Real> Recorder<T> for Unrecorded<'_> {
    fn wants(&mut self, _: Moment) -> bool {
        false
    }

    fn record(&mut self, _: &Snapshot<'_, T>) -> Flow {
        Flow::Continue
    }

    fn fail(&mut self, _: &Snapshot<'_, T>, _: &[u32], _: &TrainError) {}
}

/// A state that cannot be one of the run that is to go on from it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the saved {what} is {found}, but this run needs {needed}")]
pub struct StateError {
    /// What does not fit.
    pub what: String,
    /// What was saved.
    pub found: String,
    /// What the run needs.
    pub needed: String,
}

impl<T: Real> State<T> {
    /// Refuses a state that no run of this job can have been in.
    pub fn check(&self, job: &Job<'_, T>) -> Result<(), StateError> {
        let need = |what: &str, found: String, needed: String| {
            if found == needed { Ok(()) } else { Err(StateError { what: what.to_owned(), found, needed }) }
        };
        let (images, batch) = (job.train.len(), job.config.batch_size);
        let (Cursor { epoch, step }, steps) = (self.cursor, job.steps());
        if !(1..=job.config.max_epochs).contains(&epoch) {
            return need("epoch", epoch.to_string(), format!("one from 1 to {}", job.config.max_epochs));
        }
        if step > steps {
            return need("step", step.to_string(), format!("one from 0 to {steps}"));
        }
        let values = |count: usize| format!("{count} values");
        need("parameter buffer", values(self.params.len()), values(job.model.table().len()))?;
        let names = |names: Vec<String>| format!("[{}]", names.join(", "));
        let expected = job.optimizer.state();
        let found = names(self.moments.iter().map(|(name, _)| name.clone()).collect());
        need("list of optimizer moments", found, names(expected.iter().map(|(name, _)| name.clone()).collect()))?;
        for ((name, found), (_, expected)) in self.moments.iter().zip(&expected) {
            need(&format!("optimizer moment {name}"), values(found.len()), values(expected.len()))?;
        }
        if !self.tally.kl.is_empty() {
            need("list of divergences", values(self.tally.kl.len()), values(job.model.code_size()))?;
        }
        if let Some(best) = &self.best_params {
            need("buffer of best parameters", values(best.len()), values(job.model.table().len()))?;
        }
        let stopping = job.config.early_stopping.as_ref();
        let watched = |is: bool| if is { "present" } else { "absent" }.to_owned();
        need("state of early stopping", watched(self.patience.is_some()), watched(stopping.is_some()))?;
        let keeps = stopping.is_some_and(|stopping| stopping.restore_best);
        let best = self.patience.is_some_and(|patience| patience.best.is_some());
        need("buffer of best parameters", watched(self.best_params.is_some()), watched(keeps && best))?;
        let taken = (epoch as u64 - 1) * steps as u64 + step as u64;
        need("number of optimizer steps", self.optimizer_steps.to_string(), taken.to_string())?;
        need("epoch of the learning rate", self.rate.epoch.to_string(), (epoch - 1).to_string())?;
        let samples = step.saturating_mul(batch).min(images);
        need("number of samples seen", self.mean.samples.to_string(), samples.to_string())?;
        need("number of finished epochs", self.history.epochs.len().to_string(), (epoch - 1).to_string())
    }
}

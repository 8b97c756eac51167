//! What the training loop tells, and what a callback may answer.

use narrows_kernels::Real;

use super::history::EpochRecord;
use super::state::State;

/// Something that happened in the training loop.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// An optimizer step is done.
    StepDone {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 within the epoch.
        step: usize,
        /// Steps of an epoch.
        steps: usize,
        /// The mean loss of the epoch's samples so far.
        loss: f64,
    },
    /// An epoch and its validation are done.
    EpochDone {
        /// Its figures.
        record: &'a EpochRecord,
        /// The names of the figures that the task adds to the record.
        names: &'a [String],
        /// Whether the monitored value is the best so far; `None` without early stopping.
        improved: Option<bool>,
        /// Epochs without improvement, as early stopping counts them; 0 without early stopping.
        waited: usize,
    },
}

/// Whether training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Training goes on.
    Continue,
    /// Training ends after this step.
    Interrupt,
}

/// A moment at which the state of a run may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After this many steps of the run.
    Step(u64),
    /// After this many epochs of the run.
    Epoch(usize),
    /// The run was interrupted here.
    Interrupted,
    /// After the last epoch of the run, where early stopping has not ended it before.
    End,
}

/// What is told of a run while it trains. Every method has a default that does nothing.
pub trait Callback<T: Real>: Send {
    /// Takes an event, in order, and says whether training goes on.
    fn on_event(&mut self, _event: Event<'_>) -> Flow {
        Flow::Continue
    }

    /// Looks at the parameters at the end of an epoch, counted from 1, before the event that says so.
    fn on_epoch(&mut self, _epoch: usize, _params: &[T]) {}

    /// Takes a sentence for a person: where a run goes on from, or what went wrong that it survives.
    fn on_note(&mut self, _sentence: &str) {}

    /// Whether to be given the state now, a copy. Asked after every step and every epoch that early stopping does
    /// not end, so it must be quick.
    fn wants_state(&mut self, _moment: Moment) -> bool {
        false
    }

    /// Takes the state between two steps, and says whether training goes on. The time this takes, the copy's included,
    /// counts as that of checkpoints.
    fn on_state(&mut self, _state: State<T>) -> Flow {
        Flow::Continue
    }
}

/// Does nothing.
impl<T: Real> Callback<T> for () {}

//! What the training loop tells, and what a listener may answer.

use super::history::EpochRecord;

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
        /// Whether the monitored value is the best so far; `None` without early stopping.
        improved: Option<bool>,
    },
}

/// Whether training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Continue,
    /// It ends after this step.
    Interrupt,
}

/// Hears every event of a training loop, in order.
pub trait Listener: Send {
    /// Takes an event, and says whether training goes on.
    fn hear(&mut self, event: Event<'_>) -> Flow;

    /// Takes a sentence for a person about something that went wrong and that the run survives.
    fn note(&mut self, _sentence: &str) {}
}

/// Hears nothing.
impl Listener for () {
    fn hear(&mut self, _: Event<'_>) -> Flow {
        Flow::Continue
    }
}

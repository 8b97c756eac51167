//! Why training fails.

use narrows_kernels::Real;

use crate::nn::{Layout, UnknownGroup};
use crate::settings::Fault;
use crate::tape::Tape;

/// Why training failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The loss is infinite or not a number.
    #[error(
        "training stopped in epoch {epoch} at step {step}: the loss is {loss}. The first value that is not finite came from \
         {origin}. A smaller learning rate, gradient clipping (optimizer.clip_norm) or another initialisation may help"
    )]
    NonFiniteLoss {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 within the epoch.
        step: usize,
        /// The loss.
        loss: f64,
        /// The operation and the layer.
        origin: String,
    },
    /// A parameter became infinite or not a number in the last update of an epoch.
    #[error(
        "training stopped in epoch {epoch} at step {step}: the update left the parameter {name} with a value that is not \
         finite. A smaller learning rate or gradient clipping (optimizer.clip_norm) may help"
    )]
    NonFiniteUpdate {
        /// Counted from 1.
        epoch: usize,
        /// The last of the epoch, counted from 1.
        step: usize,
        /// The parameter.
        name: String,
    },
    /// Finite parameters give a validation loss that is infinite or not a number.
    #[error(
        "training stopped after epoch {epoch}: the loss on the validation set is {loss}, though every parameter is finite. A \
         smaller learning rate may help"
    )]
    NonFiniteValidation {
        /// Counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },
    /// A parameter became infinite or not a number in an update, before any image was seen with it.
    #[error(
        "training stopped in epoch {epoch} at step {step}: the loss is {loss}, because {origin} is not finite since the update \
         before. A smaller learning rate or gradient clipping (optimizer.clip_norm) may help"
    )]
    NonFiniteParameter {
        /// Counted from 1.
        epoch: usize,
        /// Counted from 1 within the epoch.
        step: usize,
        /// The loss.
        loss: f64,
        /// The parameter.
        origin: String,
    },
    /// A phase updates a group that there is not.
    #[error(transparent)]
    Group(#[from] UnknownGroup),
    /// A setting is out of its range.
    #[error(transparent)]
    Setting(#[from] Fault),
    /// A saved state that is none of this run.
    #[error("cannot go on from a saved state: {0}")]
    State(#[from] StateError),
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

impl TrainError {
    /// Where a loss that is not finite came from. Epoch and step are counted from 1.
    pub(super) fn non_finite<T: Real>(
        layout: &Layout,
        tape: &Tape<'_, T>,
        [epoch, step]: [usize; 2],
        loss: f64,
    ) -> Self {
        let found = tape.first_non_finite();
        let origin = found.map_or("the sum of loss and penalty".to_owned(), |found| layout.describe(found));
        match found.and_then(|found| found.parameter) {
            Some(_) => TrainError::NonFiniteParameter { epoch, step, loss, origin },
            None => TrainError::NonFiniteLoss { epoch, step, loss, origin },
        }
    }
}

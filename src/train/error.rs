//! Why training fails.

use narrows_kernels::Real;

use super::state::StateError;
use crate::nn::{Layout, UnknownGroup};
use crate::settings::Fault;
use crate::tape::Tape;

/// Why training failed.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TrainError {
    /// The loss is infinite or not a number.
    #[error(
        "training stopped in epoch {epoch} at step {step}: the loss is {loss}. The first value that is not finite came from \
         {origin}, for image {image} of the batch. A smaller learning rate, gradient clipping (optimizer.clip_norm) or \
         another initialisation may help"
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
        /// The row of the batch, counted from 1.
        image: usize,
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
    /// The optimizer of a phase has a setting out of its range.
    #[error(transparent)]
    Optimizer(#[from] Fault),
    /// A saved state that is none of this run.
    #[error("cannot go on from a saved state: {0}")]
    State(#[from] StateError),
}

/// Where a loss stopped being finite, before the epoch and step are known.
pub(super) struct NonFiniteLoss {
    loss: f64,
    origin: String,
    image: usize,
    in_parameter: bool,
}

impl NonFiniteLoss {
    pub(super) fn trace<T: Real>(layout: &Layout, tape: &Tape<'_, T>, loss: f64, first_sample: usize) -> Self {
        match tape.first_non_finite() {
            Some(found) => NonFiniteLoss {
                loss,
                origin: layout.describe(found),
                image: first_sample + found.row + 1,
                in_parameter: found.parameter.is_some(),
            },
            None => {
                NonFiniteLoss { loss, origin: "the sum of loss and penalty".to_owned(), image: 1, in_parameter: false }
            }
        }
    }

    pub(super) fn at(self, epoch: usize, step: usize) -> TrainError {
        let NonFiniteLoss { loss, origin, image, in_parameter } = self;
        if in_parameter {
            TrainError::NonFiniteParameter { epoch, step, loss, origin }
        } else {
            TrainError::NonFiniteLoss { epoch, step, loss, origin, image }
        }
    }
}

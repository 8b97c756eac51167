//! What updates the parameters of a phase.

use std::ops::Range;

use narrows_kernels::{AlignedVec, Real};

use super::error::TrainError;
use super::task::{Phase, Task};
use crate::optim::schedule::Rate;
use crate::optim::{Clip, LearningRate, Stepper};

/// What the updates of a phase remember.
#[derive(Clone, Debug, PartialEq)]
pub struct PhaseState<T: Real> {
    /// Updates done.
    pub updates: u64,
    /// The optimizer's moments by name, each as long as the parameters of the phase's groups.
    pub moments: Vec<(String, AlignedVec<T>)>,
    /// The learning rate, and what a plateau remembers.
    pub rate: Rate,
}

/// The updates of a phase: what they move, and how.
pub(super) struct Updates<T: Real> {
    pub ranges: Vec<Range<usize>>,
    pub optimizer: Stepper<T>,
    pub learning_rate: LearningRate,
    pub clip: Clip,
}

impl<T: Real> Updates<T> {
    pub fn new(phase: &Phase, task: &dyn Task<T>) -> Result<Self, TrainError> {
        let ranges = task.layout().ranges(&phase.groups)?;
        let count = ranges.iter().map(ExactSizeIterator::len).sum();
        Ok(Updates {
            ranges,
            learning_rate: phase.optimizer.learning_rate(),
            optimizer: Stepper::new(phase.optimizer.rule, count)?,
            clip: phase.optimizer.clip(),
        })
    }

    pub fn restore(&mut self, state: &PhaseState<T>) {
        for ((_, to), (_, from)) in self.optimizer.state_mut().into_iter().zip(&state.moments) {
            to.copy_from_slice(from);
        }
        self.optimizer.set_step_count(state.updates);
        self.learning_rate.set_rate(state.rate.clone());
    }

    pub fn to_state(&self) -> PhaseState<T> {
        let moments = self.optimizer.state().into_iter();
        PhaseState {
            updates: self.optimizer.step_count(),
            moments: moments.map(|(name, values)| (name, AlignedVec::from_slice(values))).collect(),
            rate: self.learning_rate.rate().clone(),
        }
    }
}

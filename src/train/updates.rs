//! What updates the parameters of a phase.

use std::ops::Range;

use narrows_kernels::{AlignedVec, Isa, Real};

use super::error::TrainError;
use super::history::EpochRecord;
use super::task::{Phase, Task};
use crate::optim::schedule::Rate;
use crate::optim::{OptimizerSpec, Stepper};
use crate::settings::check;

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
    /// What the learning rate of each range is multiplied by.
    factors: Vec<f64>,
    spec: OptimizerSpec,
    stepper: Stepper<T>,
    pub rate: Rate,
}

impl<T: Real> Updates<T> {
    pub fn new(phase: &Phase, task: &dyn Task<T>) -> Result<Self, TrainError> {
        check(&mut phase.optimizer.clone()).map_err(|fault| fault.within("optimizer"))?;
        let layout = task.layout();
        let ranges = layout.ranges(&phase.groups)?;
        // Where groups have rates of their own, no range may span two of them.
        let (ranges, factors) = match &phase.rates[..] {
            [] => (ranges.clone(), vec![1.0; ranges.len()]),
            rates => {
                layout.ranges(&rates.iter().map(|(group, _)| group).collect::<Vec<_>>())?;
                let factor =
                    |group: &String| rates.iter().find(|(name, _)| name == group).map_or(1.0, |(_, factor)| *factor);
                let mut parts = Vec::new();
                for group in &phase.groups {
                    parts.extend(layout.ranges(&[group])?.into_iter().map(|range| (range, factor(group))));
                }
                parts.sort_by_key(|(range, _)| range.start);
                parts.into_iter().unzip()
            }
        };
        let count = ranges.iter().map(ExactSizeIterator::len).sum();
        let (spec, stepper) = (phase.optimizer.clone(), Stepper::new(phase.optimizer.rule, count)?);
        Ok(Updates { ranges, factors, rate: spec.schedule.first_rate(&spec.rule), spec, stepper })
    }

    pub fn restore(&mut self, state: PhaseState<T>) {
        (self.stepper.steps, self.stepper.moments, self.rate) = (state.updates, state.moments, state.rate);
    }

    pub fn to_state(&self) -> PhaseState<T> {
        let Stepper { steps, moments, .. } = &self.stepper;
        PhaseState { updates: *steps, moments: moments.clone(), rate: self.rate.clone() }
    }

    /// Moves the parameters of the phase by one step along their gradients, which are clipped before.
    pub fn step(&mut self, isa: Isa, params: &mut [T], grads: &mut [T]) {
        self.spec.clip(isa, grads, &self.ranges);
        self.stepper.step_by(isa, params, grads, &self.ranges, &self.factors, self.rate.rate);
    }

    pub fn epoch_done(&mut self, record: &EpochRecord) {
        let OptimizerSpec { rule, schedule, .. } = &self.spec;
        schedule.next_rate(rule, &mut self.rate, record.monitored(schedule.monitor()));
    }
}

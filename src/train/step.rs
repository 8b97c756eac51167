//! The gradients of one batch.

use std::ops::Range;

use narrows_kernels::{Accumulate, AlignedVec, Real};

use super::error::TrainError;
use super::metrics::Metrics;
use super::task::Batch;
use super::training::Training;
use crate::data::Samples;
use crate::nn::{Draws, Pass};
use crate::tape::{Arena, Tape, WholeBatch};

/// The buffers of a step, which the next one reuses.
pub(super) struct StepMemory<T: Real> {
    pub(super) arena: Arena<T>,
    pub(super) grads: AlignedVec<T>,
}

impl<T: Real> StepMemory<T> {
    pub(super) fn new(parameters: usize) -> Self {
        StepMemory { arena: Arena::default(), grads: AlignedVec::zeros(parameters) }
    }

    /// Leaves the gradients of a batch by the parameters in `ranges` in `grads`; returns loss and penalty. Where the task accepts
    /// slices, a batch of more than `slice_samples` is processed slice by slice: since every element of a weight's gradient is
    /// one chain over the rows, the bits are those of the batch in one piece, in the memory of a slice.
    pub(super) fn gradients(
        &mut self,
        training: &Training<'_, T>,
        params: &[T],
        ranges: &[Range<usize>],
        batch: &[u32],
        draws: Draws,
        metrics: &mut Metrics,
    ) -> Result<(f64, f64), TrainError> {
        let task = training.task;
        let slice_samples = if task.accepts_slices() { training.slice_samples } else { batch.len() };
        let (mut whole, mut values, mut penalty) = (WholeBatch { samples: batch.len(), sum_before: 0.0 }, 0.0, 0.0);
        let mut loss = f64::NAN;
        for (number, indices) in batch.chunks(slice_samples).enumerate() {
            let first_sample = number * slice_samples;
            let mut tape = Tape::new(training.context, &mut self.arena, params);
            let slice = Batch { samples: Samples { indices, ..training.train }, whole };
            let pass = Pass::Train(Draws { first_sample, ..draws });
            let recorded = task.record(draws.phase.into(), &mut tape, &slice, pass, metrics);
            values += tape.scalar(recorded.loss).to_f64();
            penalty += recorded.penalty.map_or(0.0, |penalty| tape.scalar(penalty).to_f64());
            if !(values + penalty).is_finite() || !tape.scalar(recorded.total).is_finite() {
                let at = [draws.epoch, draws.step as usize % training.steps() + 1];
                return Err(TrainError::non_finite(task.layout(), &tape, at, values + penalty));
            }
            // A sum that is chained over rows does not depend on the slices; a mean of means does in its last bits.
            loss = match tape.loss_sum(recorded.loss) {
                Some((sum, cols)) => {
                    whole.sum_before = sum;
                    sum / (batch.len() * cols) as f64
                }
                None => values,
            };
            let accumulate = if number == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            if let Err(error) = tape.backward(recorded.total, ranges, &mut self.grads, accumulate) {
                panic!("a task recorded a total that has no gradient: {error}");
            }
        }
        Ok((loss, penalty))
    }
}

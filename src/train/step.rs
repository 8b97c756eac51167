//! The gradients of one batch.

use narrows_kernels::{Accumulate, AlignedVec, Real};

use super::engine::Job;
use super::error::NonFiniteLoss;
use super::evaluate::Images;
use crate::loss;
use crate::nn::Mode;
use crate::tape::{Arena, Tape, Whole};

/// The buffers of a step, which the next one reuses.
pub(super) struct StepMemory<T> {
    arena: Arena<T>,
    pub(super) grads: AlignedVec<T>,
}

impl<T: Real> StepMemory<T> {
    pub(super) fn new(parameters: usize) -> Self {
        StepMemory { arena: Arena::default(), grads: AlignedVec::zeros(parameters) }
    }

    /// Leaves the gradients of one batch in `grads`; returns loss and penalty. A batch of more than `job.slice_rows` rows is
    /// processed slice by slice: since every element of a weight's gradient is one chain over the rows, the bits are those of
    /// the batch in one piece, in the memory of a slice.
    pub(super) fn gradients(
        &mut self,
        job: &Job<'_, T>,
        scale: &[T; 256],
        params: &[T],
        batch: &[u32],
        step: u64,
    ) -> Result<(f64, f64), NonFiniteLoss> {
        self.watched_gradients(job, scale, params, batch, step, |_, _| {})
    }

    /// The same; `watch` is shown what was recorded for each slice, and the rows of the batch above it.
    pub(super) fn watched_gradients(
        &mut self,
        job: &Job<'_, T>,
        scale: &[T; 256],
        params: &[T],
        batch: &[u32],
        step: u64,
        mut watch: impl FnMut(&Tape<'_, T>, usize),
    ) -> Result<(f64, f64), NonFiniteLoss> {
        let (mut whole, mut values, mut penalty) = (Whole { rows: batch.len(), above: 0.0 }, 0.0, 0.0);
        for (number, slice) in batch.chunks(job.slice_rows).enumerate() {
            let first_row = number * job.slice_rows;
            let mut tape = Tape::new(job.context, &mut self.arena, params);
            let x = Images { data: job.data, indices: slice, scale }.gather(&mut tape, slice);
            let mode = Mode::Train { seed: job.seed, step, first_row };
            let recorded = job.objective.record(job.model, &mut tape, whole, x, mode);
            watch(&tape, first_row);
            values += tape.scalar(recorded.loss).to_f64();
            penalty += recorded.penalty.map_or(0.0, |penalty| tape.scalar(penalty).to_f64());
            if !(values + penalty).is_finite() {
                return Err(NonFiniteLoss::trace(job.model, &tape, values + penalty, first_row));
            }
            whole.above = tape.loss_sum(recorded.loss);
            let accumulate = if number == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            tape.backward(recorded.total, &mut self.grads, accumulate)
                .expect("every parameter of an autoencoder influences its reconstruction");
        }
        let elements = batch.len() * job.model.features();
        Ok((loss::of_slices(job.objective.loss, whole.above, values, elements), penalty))
    }
}

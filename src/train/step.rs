//! The gradients of one batch.

use narrows_kernels::{Accumulate, AlignedVec, Real};

use super::engine::Job;
use super::error::NonFiniteLoss;
use super::evaluate::Images;
use super::objective::Objective;
use super::tally::Tally;
use crate::loss;
use crate::nn::Mode;
use crate::tape::{ALL, Arena, Tape, Whole};

/// The buffers of a step, which the next one reuses.
pub(super) struct StepMemory<T: Real> {
    arena: Arena<T>,
    pub(super) grads: AlignedVec<T>,
}

impl<T: Real> StepMemory<T> {
    pub(super) fn new(parameters: usize) -> Self {
        StepMemory { arena: Arena::default(), grads: AlignedVec::zeros(parameters) }
    }

    /// Leaves the gradients of one batch in `grads` and what was seen of the code in `tally`; returns loss and penalty. A batch of more than `job.slice_rows` rows is
    /// processed slice by slice: since every element of a weight's gradient is one chain over the rows, the bits are those of
    /// the batch in one piece, in the memory of a slice.
    pub(super) fn gradients(
        &mut self,
        job: &Job<'_, T>,
        objective: &Objective,
        params: &[T],
        batch: &[u32],
        step: u64,
        tally: &mut Tally,
    ) -> Result<(f64, f64), NonFiniteLoss> {
        self.watched_gradients(job, objective, params, batch, step, tally, |_, _| {})
    }

    #[allow(clippy::too_many_arguments, reason = "a step has that many sides, and none of them belongs to another")]
    /// The same; `watch` is shown what was recorded for each slice, and the rows of the batch above it.
    pub(super) fn watched_gradients(
        &mut self,
        job: &Job<'_, T>,
        objective: &Objective,
        params: &[T],
        batch: &[u32],
        step: u64,
        tally: &mut Tally,
        mut watch: impl FnMut(&Tape<'_, T>, usize),
    ) -> Result<(f64, f64), NonFiniteLoss> {
        let slice_rows = if objective.needs_whole_batch() { batch.len() } else { job.slice_rows };
        let (mut whole, mut values, mut penalty) = (Whole { samples: batch.len(), above: 0.0 }, 0.0, 0.0);
        for (number, slice) in batch.chunks(slice_rows).enumerate() {
            let first_row = number * slice_rows;
            let mut tape = Tape::new(job.context, &mut self.arena, params);
            let x = Images { data: job.data, indices: slice, scale: &job.scale }.gather(&mut tape, slice);
            let mode = Mode::Train { seed: job.seed, step, first_row };
            let recorded = objective.record(job.model, &mut tape, whole, x, mode);
            watch(&tape, first_row);
            values += tape.scalar(recorded.loss).to_f64();
            penalty += recorded.penalty.map_or(0.0, |penalty| tape.scalar(penalty).to_f64());
            if !(values + penalty).is_finite() {
                return Err(NonFiniteLoss::trace(job.model, &tape, values + penalty, first_row));
            }
            whole.above = tape.loss_sum(recorded.loss);
            tally.add(objective, &tape, &recorded);
            let accumulate = if number == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            tape.backward(recorded.total, ALL, &mut self.grads, accumulate)
                .expect("every parameter of an autoencoder influences its reconstruction");
        }
        let elements = batch.len() * job.model.features();
        Ok((loss::of_slices(job.objective.loss, whole.above, values, elements), penalty))
    }
}

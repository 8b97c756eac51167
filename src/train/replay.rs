//! The step at which a run failed, repeated with every value in sight.

use narrows_kernels::{Real, enlist};

use super::engine::{Job, check_epoch};
use super::error::TrainError;
use super::evaluate::{Images, ROWS};
use super::state::{Cursor, State};
use super::step::StepMemory;
use super::tally::Tally;
use crate::data::batches;
use crate::nn::{Mode, Param};
use crate::tape::{Arena, Tape};

/// The values of a parameter or of a layer's output.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// "encoder.0.weight", "encoder.0" or "the loss".
    pub name: String,
    /// The smallest finite value; ∞ where there is none.
    pub min: f64,
    /// The largest finite value; −∞ where there is none.
    pub max: f64,
    /// The first value that is not finite, with its row and column counted from 1. The rows of a layer's output are the
    /// images of the batch.
    pub first_non_finite: Option<(usize, usize, f64)>,
}

/// What was seen.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Every parameter before the step, in the order of the flat buffer.
    pub parameters: Vec<Seen>,
    /// The output of every layer, and of what is recorded for the loss, in the order of the model.
    pub layers: Vec<Seen>,
    /// The gradient of each parameter, before it is clipped; empty where the loss was not finite, or no step was taken.
    pub gradients: Vec<Seen>,
    /// Each parameter after the step; empty where there are no gradients.
    pub updated: Vec<Seen>,
    /// Where the step was taken from.
    pub cursor: Cursor,
    /// How the step failed; `None` where it left finite parameters.
    pub error: Option<TrainError>,
}

impl Seen {
    fn nothing(name: String) -> Self {
        Seen { name, min: f64::INFINITY, max: f64::NEG_INFINITY, first_non_finite: None }
    }

    fn add<T: Real>(&mut self, values: &[T], cols: usize, first_row: usize) {
        for (at, value) in values.iter().enumerate() {
            let value = value.to_f64();
            if value.is_finite() {
                (self.min, self.max) = (self.min.min(value), self.max.max(value));
            } else if self.first_non_finite.is_none() {
                self.first_non_finite = Some((first_row + at / cols + 1, at % cols + 1, value));
            }
        }
    }
}

/// Repeats, in the current thread pool, the step after `state`; at the end of an epoch, the checks of its outcome.
pub fn replay<T: Real>(job: Job<'_, T>, state: State<T>) -> Result<Replay, TrainError> {
    state.check(&job)?;
    let mut replay = Replay {
        parameters: per_parameter(&job, &state.params),
        layers: no_layers(&job),
        gradients: Vec::new(),
        updated: Vec::new(),
        cursor: state.cursor,
        error: None,
    };
    enlist(|| {
        if state.cursor.step == job.steps() {
            repeat_validation(&job, &state, &mut replay);
        } else {
            repeat_step(job, state, &mut replay);
        }
    });
    Ok(replay)
}

fn per_parameter<T: Real>(job: &Job<'_, T>, values: &[T]) -> Vec<Seen> {
    let see = |param: &Param| {
        let mut seen = Seen::nothing(param.name.clone());
        seen.add(param.of(values), param.cols, 0);
        seen
    };
    job.model.table().iter().map(see).collect()
}

fn repeat_step<T: Real>(mut job: Job<'_, T>, mut state: State<T>, replay: &mut Replay) {
    let Cursor { epoch, step } = state.cursor;
    let mut order = vec![0; job.train.len()];
    job.order_into(&mut order, epoch);
    let batch = batches(&order, job.config.batch_size).nth(step).unwrap_or_default();
    let mut memory = StepMemory::new(state.params.len());
    let watch = |tape: &Tape<'_, T>, first_row: usize| see(tape, first_row, &mut replay.layers);
    let done = memory.watched_gradients(
        &job,
        &job.objective.at_epoch(epoch),
        &state.params,
        batch,
        state.optimizer_steps,
        &mut Tally::default(),
        watch,
    );
    if let Err(found) = done {
        replay.error = Some(found.at(epoch, step + 1));
        return;
    }
    replay.gradients = per_parameter(&job, &memory.grads);
    job.restore(&state);
    let (isa, learning_rate) = (job.context.isa, job.learning_rate.value());
    let all = 0..state.params.len();
    let all = std::slice::from_ref(&all);
    job.clip.apply(isa, &mut memory.grads, all);
    job.optimizer.step(isa, &mut state.params, &memory.grads, all, learning_rate);
    replay.updated = per_parameter(&job, &state.params);
    let broken = replay.updated.iter().find(|seen| seen.first_non_finite.is_some());
    replay.error = broken.map(|seen| TrainError::NonFiniteUpdate { epoch, step: step + 1, name: seen.name.clone() });
}

fn repeat_validation<T: Real>(job: &Job<'_, T>, state: &State<T>, replay: &mut Replay) {
    let scale = job.scale;
    let images = Images { data: job.data, indices: job.validation, scale: &scale };
    let mut arena = Arena::default();
    for (number, batch) in job.validation.chunks(ROWS).enumerate() {
        let mut tape = Tape::new(job.context, &mut arena, &state.params);
        let x = images.gather(&mut tape, batch);
        job.objective.forward(job.model, &mut tape, x, Mode::Infer);
        see(&tape, number * ROWS, &mut replay.layers);
    }
    let trained =
        super::Trained { model: job.model, params: &state.params, objective: job.objective, context: job.context };
    let loss = trained.loss(images, &mut arena);
    replay.error = check_epoch(job, &state.params, state.cursor, loss).err();
}

fn no_layers<T: Real>(job: &Job<'_, T>) -> Vec<Seen> {
    (0..=job.model.loss_scope()).map(|scope| Seen::nothing(job.model.layer_name(scope))).collect()
}

/// The last value of each layer is its output.
fn see<T: Real>(tape: &Tape<'_, T>, first_row: usize, layers: &mut [Seen]) {
    for (scope, seen) in (0..).zip(layers) {
        // The images themselves are recorded before any layer, and are finite.
        let of_layer = tape.nodes().filter(|node| node.scope == scope && !node.is_parameter);
        if let Some(output) = of_layer.last() {
            seen.add(output.value, output.cols.max(1), first_row);
        }
    }
}

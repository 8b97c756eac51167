//! The step at which a run failed, repeated with every value in sight.

use narrows_kernels::{Real, enlist};

use super::engine::{Job, check_epoch};
use super::error::TrainError;
use super::evaluate::{Images, ROWS};
use super::state::{Cursor, State};
use super::step::StepMemory;
use super::tally::Tally;
use crate::data::batches;
use crate::nn::Mode;
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
    /// How the step failed; `None` if it did not.
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
    let parameter = |param: &crate::nn::Param| {
        let mut seen = Seen::nothing(param.name.clone());
        seen.add(param.of(&state.params), param.cols, 0);
        seen
    };
    let parameters = job.model.table().iter().map(parameter).collect();
    let (layers, error) = enlist(|| {
        if state.cursor.step == job.steps() { repeat_validation(&job, &state) } else { repeat_step(&job, &state) }
    });
    Ok(Replay { parameters, layers, error })
}

fn repeat_step<T: Real>(job: &Job<'_, T>, state: &State<T>) -> (Vec<Seen>, Option<TrainError>) {
    let Cursor { epoch, step } = state.cursor;
    let mut order = vec![0; job.train.len()];
    job.order_into(&mut order, epoch);
    let batch = batches(&order, job.config.batch_size).nth(step).unwrap_or_default();
    let mut layers = no_layers(job);
    let mut memory = StepMemory::new(state.params.len());
    let watch = |tape: &Tape<'_, T>, first_row: usize| see(tape, first_row, &mut layers);
    let done = memory.watched_gradients(
        job,
        &job.objective.at_epoch(epoch),
        &state.params,
        batch,
        state.optimizer_steps,
        &mut Tally::default(),
        watch,
    );
    (layers, done.err().map(|found| found.at(epoch, step + 1)))
}

fn repeat_validation<T: Real>(job: &Job<'_, T>, state: &State<T>) -> (Vec<Seen>, Option<TrainError>) {
    let (mut layers, scale) = (no_layers(job), job.scale);
    let images = Images { data: job.data, indices: job.validation, scale: &scale };
    let mut arena = Arena::default();
    for (number, batch) in job.validation.chunks(ROWS).enumerate() {
        let mut tape = Tape::new(job.context, &mut arena, &state.params);
        let x = images.gather(&mut tape, batch);
        job.objective.forward(job.model, &mut tape, x, Mode::Infer);
        see(&tape, number * ROWS, &mut layers);
    }
    let trained =
        super::Trained { model: job.model, params: &state.params, objective: job.objective, context: job.context };
    let loss = trained.loss(images, &mut arena);
    (layers, check_epoch(job, &state.params, state.cursor, loss).err())
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

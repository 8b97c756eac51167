//! The training loop: the one place that knows the order of things.

use std::time::Instant;

use narrows_kernels::reduce::is_all_finite;
use narrows_kernels::{Accumulate, AlignedVec, Context, Real, enlist};

use super::early_stopping::{Best, EarlyStopping, Verdict};
use super::evaluate::{Images, Trained};
use super::event::{Event, Flow, Listener};
use super::history::{EpochRecord, History};
use super::objective::Objective;
use super::tally::Tally;
use crate::config::{Monitor, TrainConfig};
use crate::data::{Dataset, batches, scale_table, shuffle_into};
use crate::loss;
use crate::nn::{Autoencoder, Mode, Param};
use crate::optim::{Clip, LearningRate, Optimizer};
use crate::tape::{Arena, NOISE_ROWS, Tape, Whole};

/// All that a training run depends on.
pub struct Job<'a, T: Real> {
    /// How to compute.
    pub context: Context,
    /// The structure being trained.
    pub model: &'a Autoencoder,
    /// What is minimised.
    pub objective: Objective,
    /// The images.
    pub data: &'a Dataset,
    /// Which of them are trained on.
    pub train: &'a [u32],
    /// Which of them are validated on; may be none.
    pub validation: &'a [u32],
    /// Batches, epochs, early stopping.
    pub config: &'a TrainConfig,
    /// Shuffling, dropout and noise follow from it.
    pub seed: u64,
    /// Takes the steps.
    pub optimizer: Optimizer<T>,
    /// Gives each epoch its learning rate.
    pub learning_rate: LearningRate,
    /// Limits gradients before each step.
    pub clip: Clip,
    /// Rows of a batch that are processed at a time, a multiple of [`NOISE_ROWS`]: memory, not bits, depends on it. An objective
    /// that [needs the whole batch](Objective::needs_whole_batch) gets it whatever this is.
    pub slice_rows: usize,
}

/// The usual [`Job::slice_rows`].
pub const SLICE_ROWS: usize = 4 * NOISE_ROWS;

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// All epochs are done.
    LastEpoch,
    /// Early stopping ran out of patience.
    Early,
    /// A listener asked for it after this step of this epoch; both counted from 1.
    Interrupted {
        /// The epoch under way.
        epoch: usize,
        /// The last step done.
        step: usize,
    },
}

/// What training gave.
#[derive(Clone, Debug)]
pub struct Outcome<T: Real> {
    /// The flat parameter buffer.
    pub params: AlignedVec<T>,
    /// Every finished epoch.
    pub history: History,
    /// Why it ended.
    pub stop: Stop,
    /// The best epoch, where early stopping watched.
    pub best: Option<Best>,
    /// Whether `params` are those of the best epoch instead of the last.
    pub restored_best: bool,
}

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
}

/// Trains from `params` on, in the current thread pool, whose threads stay awake meanwhile ([`enlist`]). The outcome is a function of the job alone: neither threads nor instruction set change a bit.
pub fn train<T: Real>(
    job: Job<'_, T>,
    params: AlignedVec<T>,
    listener: &mut dyn Listener,
) -> Result<Outcome<T>, TrainError> {
    enlist(|| run(job, params, listener))
}

fn run<T: Real>(
    mut job: Job<'_, T>,
    mut params: AlignedVec<T>,
    listener: &mut dyn Listener,
) -> Result<Outcome<T>, TrainError> {
    let scale = scale_table::<T>();
    let mut memory = StepMemory::new(params.len());
    let mut validation_arena = Arena::default();
    let mut order = vec![0; job.train.len()];
    let mut history = History::default();
    let mut early_stopping = job.config.early_stopping.clone().map(EarlyStopping::new);
    let mut best_params: Option<AlignedVec<T>> = None;
    let mut stop = Stop::LastEpoch;
    let steps = job.train.len().div_ceil(job.config.batch_size);
    for epoch in 1..=job.config.max_epochs {
        let began = Instant::now();
        let learning_rate = job.learning_rate.value();
        let objective = job.objective.at_epoch(epoch);
        shuffle_into(&mut order, job.seed, epoch as u64);
        // The order numbers the training images; the data set numbers all of them.
        order.iter_mut().for_each(|index| *index = job.train[*index as usize]);
        let mut mean = EpochMean::default();
        let mut interrupted = None;
        for (step, batch) in (1..).zip(batches(&order, job.config.batch_size)) {
            let taken = ((epoch - 1) * steps + step - 1) as u64;
            let (loss, penalty) = memory
                .gradients(&job, &objective, &scale, &params, batch, taken)
                .map_err(|found| found.at(epoch, step))?;
            job.clip.apply(job.context.isa, &mut memory.grads);
            job.optimizer.step(job.context.isa, &mut params, &memory.grads, learning_rate);
            mean.add(loss, penalty, batch.len());
            let event = Event::StepDone { epoch, step, steps, loss: mean.loss() };
            if listener.hear(event) == Flow::Interrupt {
                interrupted = Some(Stop::Interrupted { epoch, step });
                break;
            }
        }
        if let Some(interrupted) = interrupted {
            stop = interrupted;
            break;
        }
        let trained = Trained { model: job.model, params: &params, objective: job.objective, context: job.context };
        let images = Images { data: job.data, indices: job.validation, scale: &scale };
        let val_loss = trained.loss(images, &mut validation_arena);
        check_epoch(&job, &params, epoch, steps, val_loss)?;
        let seconds = began.elapsed().as_secs_f64();
        let (code, latent) = memory.tally.take(&objective);
        let (loss, penalty) = (mean.loss(), mean.penalty());
        let record = EpochRecord { epoch, loss, val_loss, seconds, penalty, learning_rate, code, latent };
        history.epochs.push(record.clone());
        let verdict = early_stopping.as_mut().map(|stopping| {
            let value = monitored(stopping.config().monitor, &record);
            stopping.observe(epoch, value)
        });
        let keeps_best = job.config.early_stopping.as_ref().is_some_and(|config| config.restore_best);
        if keeps_best && verdict == Some(Verdict::Improved) {
            let best = best_params.get_or_insert_with(|| AlignedVec::zeros(params.len()));
            best.copy_from_slice(&params);
        }
        let watched = monitored(job.learning_rate.monitor(), &record);
        job.learning_rate.epoch_done(watched);
        let improved = verdict.map(|verdict| verdict == Verdict::Improved);
        let flow = listener.hear(Event::EpochDone { record: &record, improved });
        if verdict == Some(Verdict::Stop) {
            stop = Stop::Early;
            break;
        }
        if flow == Flow::Interrupt && epoch < job.config.max_epochs {
            stop = Stop::Interrupted { epoch, step: steps };
            break;
        }
    }
    let restored_best = best_params.is_some();
    let best = early_stopping.and_then(|stopping| stopping.best());
    Ok(Outcome { params: best_params.unwrap_or(params), history, stop, best, restored_best })
}

/// Refuses an epoch whose last update left a parameter that is not finite, or whose validation loss is not.
fn check_epoch<T: Real>(
    job: &Job<'_, T>,
    params: &[T],
    epoch: usize,
    step: usize,
    loss: f64,
) -> Result<(), TrainError> {
    if !is_all_finite(job.context.isa, params) {
        let is_broken = |param: &&Param| !is_all_finite(job.context.isa, param.of(params));
        let name = job.model.table().iter().find(is_broken).map_or("", |param| &param.name);
        return Err(TrainError::NonFiniteUpdate { epoch, step, name: name.to_owned() });
    }
    if !job.validation.is_empty() && !loss.is_finite() {
        return Err(TrainError::NonFiniteValidation { epoch, loss });
    }
    Ok(())
}

fn monitored(monitor: Monitor, record: &EpochRecord) -> f64 {
    match monitor {
        Monitor::Loss => record.loss,
        Monitor::ValLoss => record.val_loss,
    }
}

/// The buffers of a step, which the next one reuses.
struct StepMemory<T> {
    arena: Arena<T>,
    grads: AlignedVec<T>,
    tally: Tally,
}

impl<T: Real> StepMemory<T> {
    fn new(parameters: usize) -> Self {
        StepMemory { arena: Arena::default(), grads: AlignedVec::zeros(parameters), tally: Tally::default() }
    }

    /// Leaves the gradients of one batch in `grads`; returns loss and penalty. A batch of more than `job.slice_rows` rows is
    /// processed slice by slice: since every element of a weight's gradient is one chain over the rows, the bits are those of
    /// the batch in one piece, in the memory of a slice.
    fn gradients(
        &mut self,
        job: &Job<'_, T>,
        objective: &Objective,
        scale: &[T; 256],
        params: &[T],
        batch: &[u32],
        step: u64,
    ) -> Result<(f64, f64), NonFiniteLoss> {
        let slice_rows = if objective.needs_whole_batch() { batch.len() } else { job.slice_rows };
        let (mut whole, mut values, mut penalty) = (Whole { rows: batch.len(), above: 0.0 }, 0.0, 0.0);
        for (number, slice) in batch.chunks(slice_rows).enumerate() {
            let first_row = number * slice_rows;
            let mut tape = Tape::new(job.context, &mut self.arena, params);
            let x = Images { data: job.data, indices: slice, scale }.gather(&mut tape, slice);
            let mode = Mode::Train { seed: job.seed, step, first_row };
            let recorded = objective.record(job.model, &mut tape, whole, x, mode);
            values += tape.scalar(recorded.loss).to_f64();
            penalty += recorded.penalty.map_or(0.0, |penalty| tape.scalar(penalty).to_f64());
            if !(values + penalty).is_finite() {
                return Err(NonFiniteLoss::trace(job.model, &tape, values + penalty, first_row));
            }
            whole.above = tape.loss_sum(recorded.loss);
            self.tally.add(objective, &tape, &recorded);
            let accumulate = if number == 0 { Accumulate::Overwrite } else { Accumulate::Add };
            tape.backward(recorded.total, &mut self.grads, accumulate)
                .expect("every parameter of an autoencoder influences its reconstruction");
        }
        let elements = batch.len() * job.model.features();
        Ok((loss::of_slices(job.objective.loss, whole.above, values, elements), penalty))
    }
}

/// Where a loss stopped being finite, before the epoch and step are known.
struct NonFiniteLoss {
    loss: f64,
    origin: String,
    image: usize,
    in_parameter: bool,
}

impl NonFiniteLoss {
    fn trace<T: Real>(model: &Autoencoder, tape: &Tape<'_, T>, loss: f64, first_row: usize) -> Self {
        match tape.first_non_finite() {
            Some(found) => NonFiniteLoss {
                loss,
                origin: model.describe(found),
                image: first_row + found.row + 1,
                in_parameter: found.parameter.is_some(),
            },
            None => {
                NonFiniteLoss { loss, origin: "the sum of loss and penalty".to_owned(), image: 1, in_parameter: false }
            }
        }
    }

    fn at(self, epoch: usize, step: usize) -> TrainError {
        let NonFiniteLoss { loss, origin, image, in_parameter } = self;
        if in_parameter {
            TrainError::NonFiniteParameter { epoch, step, loss, origin }
        } else {
            TrainError::NonFiniteLoss { epoch, step, loss, origin, image }
        }
    }
}

/// Means over the samples of an epoch.
#[derive(Default)]
struct EpochMean {
    loss: f64,
    penalty: f64,
    samples: usize,
}

impl EpochMean {
    fn add(&mut self, loss: f64, penalty: f64, samples: usize) {
        self.loss += loss * samples as f64;
        self.penalty += penalty * samples as f64;
        self.samples += samples;
    }

    fn loss(&self) -> f64 {
        self.loss / self.samples as f64
    }

    fn penalty(&self) -> f64 {
        self.penalty / self.samples as f64
    }
}

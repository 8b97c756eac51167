//! The training loop: the one place that knows the order of things.

use std::time::Instant;

use narrows_kernels::reduce::is_all_finite;
use narrows_kernels::{AlignedVec, Context, Real, enlist};

use super::early_stopping::{Best, EarlyStopping, Verdict};
use super::error::TrainError;
use super::evaluate::{Images, Trained};
use super::event::{Event, Flow, Listener};
use super::history::{EpochRecord, History};
use super::objective::Objective;
use super::state::{Cursor, EpochMean, Moment, Recorder, Snapshot, State, Unrecorded};
use super::step::StepMemory;
use super::tally::Tally;
use crate::data::{Dataset, batches, shuffle_into};
use crate::nn::{Autoencoder, Param};
use crate::optim::Monitor;
use crate::optim::{Clip, LearningRate, Stepper};
use crate::tape::{Arena, NOISE_ROWS};
use crate::train::TrainSettings;

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
    /// The value of each grey level.
    pub scale: [T; 256],
    /// Which of them are trained on.
    pub train: &'a [u32],
    /// Which of them are validated on; may be none.
    pub validation: &'a [u32],
    /// Batches, epochs, early stopping.
    pub config: &'a TrainSettings,
    /// Shuffling, dropout and noise follow from it.
    pub seed: u64,
    /// Takes the steps.
    pub optimizer: Stepper<T>,
    /// Gives each epoch its learning rate.
    pub learning_rate: LearningRate,
    /// Limits gradients before each step.
    pub clip: Clip,
    /// Rows of a batch that are processed at a time, a multiple of [`NOISE_ROWS`]: memory, not bits, depends on it.
    pub slice_rows: usize,
}

impl<T: Real> Job<'_, T> {
    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.train.len().div_ceil(self.config.batch_size)
    }

    /// Gives optimizer and learning rate the state that was saved, which fits.
    pub(super) fn restore(&mut self, state: &State<T>) {
        for ((_, to), (_, from)) in self.optimizer.state_mut().into_iter().zip(&state.moments) {
            to.copy_from_slice(from);
        }
        self.optimizer.set_step_count(state.optimizer_steps);
        self.learning_rate.set_rate(state.rate.clone());
    }

    /// Writes the training images in the order of an epoch, by their numbers in the data set.
    pub(super) fn order_into(&self, order: &mut [u32], epoch: usize) {
        shuffle_into(order, self.seed, epoch as u64);
        // The order numbers the training images; the data set numbers all of them.
        order.iter_mut().for_each(|index| *index = self.train[*index as usize]);
    }
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

/// Trains from `params` on, in the current thread pool, whose threads stay awake meanwhile ([`enlist`]). The outcome is a
/// function of the job alone: neither threads nor instruction set change a bit.
pub fn train<T: Real>(
    job: Job<'_, T>,
    params: AlignedVec<T>,
    listener: &mut dyn Listener,
) -> Result<Outcome<T>, TrainError> {
    let state = State::first(&job, params);
    train_from(job, state, &mut Unrecorded(listener))
}

/// [`train`] from where a run of the same job stood, to the same bits as without a break.
pub fn train_from<T: Real>(
    job: Job<'_, T>,
    state: State<T>,
    recorder: &mut dyn Recorder<T>,
) -> Result<Outcome<T>, TrainError> {
    let live = Live::begin(job, state)?;
    enlist(|| live.run(recorder))
}

/// A run under way: the job, and all that its rest depends on.
struct Live<'j, T: Real> {
    job: Job<'j, T>,
    params: AlignedVec<T>,
    cursor: Cursor,
    mean: EpochMean,
    tally: Tally,
    early_stopping: Option<EarlyStopping>,
    best_params: Option<AlignedVec<T>>,
    history: History,
    /// Of the epoch under way, up to `since`.
    seconds: f64,
    since: Instant,
    checkpoint_seconds: f64,
}

impl<'j, T: Real> Live<'j, T> {
    fn begin(mut job: Job<'j, T>, state: State<T>) -> Result<Self, TrainError> {
        state.check(&job)?;
        job.restore(&state);
        let mut early_stopping = job.config.early_stopping.clone().map(EarlyStopping::new);
        if let (Some(stopping), Some(patience)) = (&mut early_stopping, state.patience) {
            stopping.set_patience(patience);
        }
        Ok(Live {
            job,
            params: state.params,
            cursor: state.cursor,
            mean: state.mean,
            tally: state.tally,
            early_stopping,
            best_params: state.best_params,
            history: state.history,
            seconds: state.seconds,
            since: Instant::now(),
            checkpoint_seconds: state.checkpoint_seconds,
        })
    }

    fn run(mut self, recorder: &mut dyn Recorder<T>) -> Result<Outcome<T>, TrainError> {
        let scale = self.job.scale;
        let mut memory = StepMemory::new(self.params.len());
        let mut validation_arena = Arena::default();
        let mut order = vec![0; self.job.train.len()];
        let mut stop = Stop::LastEpoch;
        while self.cursor.epoch <= self.job.config.max_epochs {
            self.job.order_into(&mut order, self.cursor.epoch);
            if self.steps(&order, &mut memory, recorder)? == Flow::Interrupt {
                self.record(Moment::Interrupted, recorder);
                stop = Stop::Interrupted { epoch: self.cursor.epoch, step: self.cursor.step };
                break;
            }
            let images = Images { data: self.job.data, indices: self.job.validation, scale: &scale };
            let val_loss = self.trained().loss(images, &mut validation_arena);
            if let Err(error) = check_epoch(&self.job, &self.params, self.cursor, val_loss) {
                let last = batches(&order, self.job.config.batch_size).last().unwrap_or_default();
                let seen =
                    if matches!(error, TrainError::NonFiniteValidation { .. }) { self.job.validation } else { last };
                recorder.fail(&self.snapshot(), seen, &error);
                return Err(error);
            }
            let (verdict, flow) = self.end_epoch(val_loss, recorder);
            let done = self.history.epochs.len();
            if verdict == Some(Verdict::Stop) {
                stop = Stop::Early;
                break;
            }
            if done < self.job.config.max_epochs {
                let interrupt = flow == Flow::Interrupt;
                let moment = if interrupt { Moment::Interrupted } else { Moment::Epoch(done) };
                if self.record(moment, recorder) == Flow::Interrupt || interrupt {
                    stop = Stop::Interrupted { epoch: done, step: self.job.steps() };
                    break;
                }
            }
        }
        let restored_best = self.best_params.is_some();
        let best = self.early_stopping.and_then(|stopping| stopping.best());
        Ok(Outcome {
            params: self.best_params.unwrap_or(self.params),
            history: self.history,
            stop,
            best,
            restored_best,
        })
    }

    /// The steps of the epoch under way that are left.
    fn steps(
        &mut self,
        order: &[u32],
        memory: &mut StepMemory<T>,
        recorder: &mut dyn Recorder<T>,
    ) -> Result<Flow, TrainError> {
        let (steps, learning_rate) = (self.job.steps(), self.job.learning_rate.value());
        let objective = self.job.objective.at_epoch(self.cursor.epoch);
        for batch in batches(order, self.job.config.batch_size).skip(self.cursor.step) {
            let taken = self.job.optimizer.step_count();
            let found = memory.gradients(&self.job, &objective, &self.params, batch, taken, &mut self.tally);
            let (loss, penalty) = match found {
                Ok(found) => found,
                Err(found) => {
                    let error = found.at(self.cursor.epoch, self.cursor.step + 1);
                    // What is wrong with a parameter came from the batch before, which this epoch has: each epoch's last
                    // update is checked.
                    let is_parameter = matches!(error, TrainError::NonFiniteParameter { .. });
                    let before = self.cursor.step.checked_sub(1).filter(|_| is_parameter);
                    let before = before.and_then(|step| batches(order, self.job.config.batch_size).nth(step));
                    recorder.fail(&self.snapshot(), before.unwrap_or(batch), &error);
                    return Err(error);
                }
            };
            let isa = self.job.context.isa;
            let all = 0..self.params.len();
            let all = std::slice::from_ref(&all);
            self.job.clip.apply(isa, &mut memory.grads, all);
            self.job.optimizer.step(isa, &mut self.params, &memory.grads, all, learning_rate);
            self.mean.add(loss, penalty, batch.len());
            self.cursor.step += 1;
            let Cursor { epoch, step } = self.cursor;
            let event = Event::StepDone { epoch, step, steps, loss: self.mean.mean_loss() };
            if recorder.hear(event) == Flow::Interrupt
                || self.record(Moment::Step(taken + 1), recorder) == Flow::Interrupt
            {
                return Ok(Flow::Interrupt);
            }
        }
        Ok(Flow::Continue)
    }

    /// Writes the epoch's row, and goes on to the next.
    fn end_epoch(&mut self, val_loss: f64, recorder: &mut dyn Recorder<T>) -> (Option<Verdict>, Flow) {
        self.stop_clock();
        let epoch = self.cursor.epoch;
        let (code, latent) = self.tally.take(&self.job.objective.at_epoch(epoch));
        let record = EpochRecord {
            epoch,
            loss: self.mean.mean_loss(),
            val_loss,
            seconds: self.seconds,
            checkpoint_seconds: self.checkpoint_seconds,
            penalty: self.mean.mean_penalty(),
            learning_rate: self.job.learning_rate.value(),
            code,
            latent,
        };
        (self.seconds, self.checkpoint_seconds) = (0.0, 0.0);
        self.history.epochs.push(record.clone());
        let verdict = self.early_stopping.as_mut().map(|stopping| {
            let value = monitored(stopping.config().monitor, &record);
            stopping.observe(epoch, value)
        });
        let keeps_best = self.job.config.early_stopping.as_ref().is_some_and(|config| config.restore_best);
        if keeps_best && verdict == Some(Verdict::Improved) {
            let best = self.best_params.get_or_insert_with(|| AlignedVec::zeros(self.params.len()));
            best.copy_from_slice(&self.params);
        }
        let watched = monitored(self.job.learning_rate.monitor(), &record);
        self.job.learning_rate.epoch_done(watched);
        (self.cursor, self.mean) = (Cursor { epoch: epoch + 1, step: 0 }, EpochMean::default());
        let improved = verdict.map(|verdict| verdict == Verdict::Improved);
        (verdict, recorder.hear(Event::EpochDone { record: &record, improved }))
    }

    /// Lends the state to the recorder if it wants it.
    fn record(&mut self, moment: Moment, recorder: &mut dyn Recorder<T>) -> Flow {
        if !recorder.wants(moment) {
            return Flow::Continue;
        }
        self.stop_clock();
        let flow = recorder.record(&self.snapshot());
        self.checkpoint_seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        flow
    }

    /// Adds the time since it last ran to that of the epoch.
    fn stop_clock(&mut self) {
        self.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }

    fn trained(&self) -> Trained<'_, T> {
        Trained {
            model: self.job.model,
            params: &self.params,
            objective: self.job.objective,
            context: self.job.context,
        }
    }

    fn snapshot(&self) -> Snapshot<'_, T> {
        Snapshot {
            cursor: self.cursor,
            params: &self.params,
            optimizer: &self.job.optimizer,
            rate: self.job.learning_rate.rate(),
            mean: self.mean,
            tally: &self.tally,
            patience: self.early_stopping.as_ref().map(EarlyStopping::patience),
            best_params: self.best_params.as_deref(),
            history: &self.history,
            seconds: self.seconds,
            checkpoint_seconds: self.checkpoint_seconds,
        }
    }
}

/// Refuses an epoch whose last update left a parameter that is not finite, or whose validation loss is not.
pub(super) fn check_epoch<T: Real>(
    job: &Job<'_, T>,
    params: &[T],
    Cursor { epoch, step }: Cursor,
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

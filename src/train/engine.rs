//! The training loop: the one place that knows the order of things.

use std::time::Instant;

use narrows_kernels::reduce::is_all_finite;
use narrows_kernels::{AlignedVec, Real, enlist};

use super::early_stopping::{Best, EarlyStopping, Verdict};
use super::error::TrainError;
use super::event::{Callback, Event, Flow, Moment};
use super::history::{EpochRecord, History};
use super::metrics::Metrics;
use super::state::{Cursor, EpochMean, Snapshot, State};
use super::step::StepMemory;
use super::training::Training;
use super::updates::Updates;
use crate::data::batches;
use crate::nn::{Draws, Param};
use crate::optim::Monitor;
use crate::tape::Arena;

/// Why training ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stop {
    /// All epochs are done.
    LastEpoch,
    /// Early stopping ran out of patience.
    Early,
    /// A callback asked for it after this step of this epoch; both counted from 1.
    Interrupted {
        /// The epoch under way.
        epoch: usize,
        /// The last step done.
        step: usize,
    },
}

/// What training gave.
#[derive(Clone, Debug)]
pub struct FitResult<T: Real> {
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

impl<T: Real> Training<'_, T> {
    /// Trains from `params` on, in the current thread pool, whose threads stay awake meanwhile ([`enlist`]). The result is a
    /// function of this description alone: neither threads nor instruction set change a bit.
    pub fn run(&self, params: AlignedVec<T>, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        self.resume(self.first_state(params)?, callback)
    }

    /// Trains from where a run of the same description stood, to the same bits as without a break.
    pub fn resume(&self, state: State<T>, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        state.check(self)?;
        let fit = Fit::begin(self, state)?;
        enlist(|| fit.run(callback))
    }
}

/// A run under way: its description, and all that its rest depends on.
struct Fit<'j, T: Real> {
    training: &'j Training<'j, T>,
    updates: Vec<Updates<T>>,
    params: AlignedVec<T>,
    cursor: Cursor,
    mean: EpochMean,
    metrics: Metrics,
    early_stopping: Option<EarlyStopping>,
    best_params: Option<AlignedVec<T>>,
    history: History,
    /// Of the epoch under way, up to `since`.
    seconds: f64,
    since: Instant,
    checkpoint_seconds: f64,
}

impl<'j, T: Real> Fit<'j, T> {
    fn begin(training: &'j Training<'j, T>, state: State<T>) -> Result<Self, TrainError> {
        let mut updates = Vec::new();
        for (phase, saved) in training.task.phases().iter().zip(&state.phases) {
            let mut of_phase = Updates::new(phase, training.task)?;
            of_phase.restore(saved);
            updates.push(of_phase);
        }
        let mut early_stopping = training.settings.early_stopping.clone().map(EarlyStopping::new);
        if let (Some(stopping), Some(patience)) = (&mut early_stopping, state.patience) {
            stopping.set_patience(patience);
        }
        Ok(Fit {
            training,
            updates,
            params: state.params,
            cursor: state.cursor,
            mean: state.mean,
            metrics: state.metrics,
            early_stopping,
            best_params: state.best_params,
            history: state.history,
            seconds: state.seconds,
            since: Instant::now(),
            checkpoint_seconds: state.checkpoint_seconds,
        })
    }

    fn run(mut self, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        let mut memory = StepMemory::new(self.params.len());
        let mut validation_arena = Arena::default();
        let mut order = vec![0; self.training.train.len()];
        let mut stop = Stop::LastEpoch;
        while self.cursor.epoch <= self.training.settings.max_epochs {
            self.training.order_into(&mut order, self.cursor.epoch);
            if self.steps(&order, &mut memory, callback)? == Flow::Interrupt {
                self.record(Moment::Interrupted, callback);
                stop = Stop::Interrupted { epoch: self.cursor.epoch, step: self.cursor.step };
                break;
            }
            let val_loss = self.validate(&mut validation_arena)?;
            let (verdict, flow) = self.end_epoch(val_loss, callback);
            let done = self.history.epochs.len();
            if verdict == Some(Verdict::Stop) {
                stop = Stop::Early;
                break;
            }
            if done < self.training.settings.max_epochs {
                let interrupt = flow == Flow::Interrupt;
                let moment = if interrupt { Moment::Interrupted } else { Moment::Epoch(done) };
                if self.record(moment, callback) == Flow::Interrupt || interrupt {
                    stop = Stop::Interrupted { epoch: done, step: self.training.steps() };
                    break;
                }
            }
        }
        let restored_best = self.best_params.is_some();
        let best = self.early_stopping.and_then(|stopping| stopping.best());
        Ok(FitResult {
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
        callback: &mut dyn Callback<T>,
    ) -> Result<Flow, TrainError> {
        let (training, steps) = (self.training, self.training.steps());
        for batch in batches(order, training.settings.batch_size).skip(self.cursor.step) {
            let Cursor { epoch, step } = self.cursor;
            let taken = (epoch as u64 - 1) * steps as u64 + step as u64;
            for (number, phase) in training.task.phases().iter().enumerate() {
                if !taken.is_multiple_of(phase.every) {
                    continue;
                }
                let draws =
                    Draws { seed: training.seed, step: taken, phase: number as u8, view: 0, first_sample: 0, epoch };
                let Updates { ranges, optimizer, learning_rate, clip } = &mut self.updates[number];
                let found = memory.gradients(training, &self.params, ranges, batch, draws, &mut self.metrics);
                let (loss, penalty) = found.map_err(|found| found.at(epoch, step + 1))?;
                let isa = training.context.isa;
                clip.apply(isa, &mut memory.grads, ranges);
                optimizer.step(isa, &mut self.params, &memory.grads, ranges, learning_rate.value());
                memory.arena.assign(&mut self.params);
                if number == 0 {
                    self.mean.add(loss, penalty, batch.len());
                }
            }
            self.cursor.step += 1;
            let event = Event::StepDone { epoch, step: self.cursor.step, steps, loss: self.mean.mean_loss() };
            if callback.on_event(event) == Flow::Interrupt
                || self.record(Moment::Step(taken + 1), callback) == Flow::Interrupt
            {
                return Ok(Flow::Interrupt);
            }
        }
        Ok(Flow::Continue)
    }

    /// The validation loss. Refused: a last update that left a parameter that is not finite, a loss that is not.
    fn validate(&self, arena: &mut Arena<T>) -> Result<f64, TrainError> {
        let (training, Cursor { epoch, step }) = (self.training, self.cursor);
        let is_broken = |param: &&Param| !is_all_finite(training.context.isa, param.of(&self.params));
        if !is_all_finite(training.context.isa, &self.params) {
            let name = training.task.layout().iter().find(is_broken).map_or("", |param| &param.name);
            return Err(TrainError::NonFiniteUpdate { epoch, step, name: name.to_owned() });
        }
        let loss = training.task.validate(training.context, &self.params, training.validation, arena);
        if !training.validation.is_empty() && !loss.is_finite() {
            return Err(TrainError::NonFiniteValidation { epoch, loss });
        }
        Ok(loss)
    }

    /// Writes the epoch's row, and goes on to the next.
    fn end_epoch(&mut self, val_loss: f64, callback: &mut dyn Callback<T>) -> (Option<Verdict>, Flow) {
        self.stop_clock();
        let epoch = self.cursor.epoch;
        let record = EpochRecord {
            epoch,
            loss: self.mean.mean_loss(),
            val_loss,
            seconds: self.seconds,
            checkpoint_seconds: self.checkpoint_seconds,
            penalty: self.mean.mean_penalty(),
            learning_rate: self.updates[0].learning_rate.value(),
            scalars: self.training.task.scalars(epoch, &self.metrics),
        };
        (self.seconds, self.checkpoint_seconds, self.metrics) = (0.0, 0.0, Metrics::default());
        self.history.epochs.push(record.clone());
        let verdict = self.early_stopping.as_mut().map(|stopping| {
            let value = monitored(stopping.config().monitor, &record);
            stopping.observe(epoch, value)
        });
        let keeps_best = self.training.settings.early_stopping.as_ref().is_some_and(|rule| rule.restore_best);
        if keeps_best && verdict == Some(Verdict::Improved) {
            let best = self.best_params.get_or_insert_with(|| AlignedVec::zeros(self.params.len()));
            best.copy_from_slice(&self.params);
        }
        for updates in &mut self.updates {
            let watched = monitored(updates.learning_rate.monitor(), &record);
            updates.learning_rate.epoch_done(watched);
        }
        (self.cursor, self.mean) = (Cursor { epoch: epoch + 1, step: 0 }, EpochMean::default());
        let improved = verdict.map(|verdict| verdict == Verdict::Improved);
        (verdict, callback.on_event(Event::EpochDone { record: &record, names: &self.history.names, improved }))
    }

    /// Lends the state to the callback if it wants it.
    fn record(&mut self, moment: Moment, callback: &mut dyn Callback<T>) -> Flow {
        if !callback.wants_state(moment) {
            return Flow::Continue;
        }
        self.stop_clock();
        let flow = callback.on_state(&self.snapshot());
        self.checkpoint_seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        flow
    }

    /// Adds the time since it last ran to that of the epoch.
    fn stop_clock(&mut self) {
        self.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }

    fn snapshot(&self) -> Snapshot<'_, T> {
        Snapshot {
            cursor: self.cursor,
            params: &self.params,
            updates: &self.updates,
            mean: self.mean,
            metrics: &self.metrics,
            patience: self.early_stopping.as_ref().map(EarlyStopping::patience),
            best_params: self.best_params.as_deref(),
            history: &self.history,
            seconds: self.seconds,
            checkpoint_seconds: self.checkpoint_seconds,
        }
    }
}

fn monitored(monitor: Monitor, record: &EpochRecord) -> f64 {
    match monitor {
        Monitor::Loss => record.loss,
        Monitor::ValLoss => record.val_loss,
    }
}

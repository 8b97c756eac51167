//! The training loop: the one place that knows the order of things.

use std::time::Instant;

use narrows_kernels::reduce::is_all_finite;
use narrows_kernels::{AlignedVec, Real, with_spinning_threads};

use super::early_stopping::{Best, Verdict};
use super::error::TrainError;
use super::event::{Callback, Event, Flow, Moment};
use super::history::{EpochRecord, History};
use super::metrics::Metrics;
use super::pace::Pace;
use super::state::{Cursor, EpochSums, State};
use super::step::StepMemory;
use super::training::Training;
use super::updates::Updates;
use crate::data::batches;
use crate::nn::{Draws, Param};
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
    /// Trains from `params` on, in the current thread pool, whose threads stay awake meanwhile ([`with_spinning_threads`]). The result is a
    /// function of this description alone: neither threads nor instruction set change a bit.
    pub fn run(&self, params: AlignedVec<T>, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        self.resume(self.first_state(params)?, callback)
    }

    /// Trains from where a run of the same description stood, to the same bits as without a break.
    pub fn resume(&self, state: State<T>, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        state.check(self)?;
        let fit = Fit::begin(self, state)?;
        with_spinning_threads(|| fit.run(callback))
    }
}

/// A run under way.
struct Fit<'j, T: Real> {
    training: &'j Training<'j, T>,
    updates: Vec<Updates<T>>,
    /// Where it stands; what its phases remember lies in `updates`. Its seconds are those up to `since`.
    state: State<T>,
    since: Instant,
}

impl<'j, T: Real> Fit<'j, T> {
    fn begin(training: &'j Training<'j, T>, mut state: State<T>) -> Result<Self, TrainError> {
        let mut updates = Vec::new();
        for (phase, saved) in training.task.phases().iter().zip(std::mem::take(&mut state.phases)) {
            let mut of_phase = Updates::new(phase, training.task)?;
            of_phase.restore(saved);
            updates.push(of_phase);
        }
        Ok(Fit { training, updates, state, since: Instant::now() })
    }

    fn run(mut self, callback: &mut dyn Callback<T>) -> Result<FitResult<T>, TrainError> {
        let (mut memory, mut pace) = (StepMemory::new(self.state.params.len()), Pace::new());
        let mut validation_arena = Arena::default();
        let mut order = vec![0; self.training.train.len()];
        let mut stop = Stop::LastEpoch;
        while self.state.cursor.epoch <= self.training.settings.max_epochs {
            self.training.order_into(&mut order, self.state.cursor.epoch);
            if self.steps(&order, &mut memory, &mut pace, callback)? == Flow::Interrupt {
                self.record(Moment::Interrupted, callback);
                stop = Stop::Interrupted { epoch: self.state.cursor.epoch, step: self.state.cursor.step };
                break;
            }
            let val_loss = self.validate(&mut validation_arena)?;
            let (verdict, flow) = self.end_epoch(val_loss, callback);
            let done = self.state.history.epochs.len();
            if verdict == Some(Verdict::Stop) {
                stop = Stop::Early;
                break;
            }
            if done == self.training.settings.max_epochs {
                self.record(Moment::End, callback);
            } else {
                let interrupt = flow == Flow::Interrupt;
                let moment = if interrupt { Moment::Interrupted } else { Moment::Epoch(done) };
                if self.record(moment, callback) == Flow::Interrupt || interrupt {
                    stop = Stop::Interrupted { epoch: done, step: self.training.steps() };
                    break;
                }
            }
        }
        let State { params, history, best_params, patience, .. } = self.state;
        Ok(FitResult {
            restored_best: best_params.is_some(),
            params: best_params.unwrap_or(params),
            history,
            stop,
            best: patience.and_then(|patience| patience.best),
        })
    }

    /// The steps of the epoch under way that are left.
    fn steps(
        &mut self,
        order: &[u32],
        memory: &mut StepMemory<T>,
        pace: &mut Pace,
        callback: &mut dyn Callback<T>,
    ) -> Result<Flow, TrainError> {
        let (training, steps) = (self.training, self.training.steps());
        for batch in batches(order, training.settings.batch_size).skip(self.state.cursor.step) {
            let Cursor { epoch, step } = self.state.cursor;
            let taken = (epoch as u64 - 1) * steps as u64 + step as u64;
            pace.step(|| self.update(batch, taken, memory))?;
            self.state.cursor.step += 1;
            let event =
                Event::StepDone { epoch, step: self.state.cursor.step, steps, loss: self.state.sums.mean_loss() };
            if callback.on_event(event) == Flow::Interrupt
                || self.record(Moment::Step(taken + 1), callback) == Flow::Interrupt
            {
                return Ok(Flow::Interrupt);
            }
        }
        Ok(Flow::Continue)
    }

    /// One step of every phase, after so many taken.
    fn update(&mut self, batch: &[u32], taken: u64, memory: &mut StepMemory<T>) -> Result<(), TrainError> {
        let (training, epoch) = (self.training, self.state.cursor.epoch);
        for (number, updates) in self.updates.iter_mut().enumerate() {
            let draws =
                Draws { seed: training.seed, step: taken, phase: number as u8, view: 0, first_sample: 0, epoch };
            let State { params, metrics, .. } = &mut self.state;
            let (loss, penalty) = memory.gradients(training, params, &updates.ranges, batch, draws, metrics)?;
            updates.step(training.context.isa, params, &mut memory.grads);
            memory.arena.assign(params);
            if number == 0 {
                self.state.sums.add(loss, penalty, batch.len());
            }
        }
        Ok(())
    }

    /// The validation loss. Refused: a last update that left a parameter that is not finite, a loss that is not.
    fn validate(&mut self, arena: &mut Arena<T>) -> Result<f64, TrainError> {
        let (training, Cursor { epoch, step }) = (self.training, self.state.cursor);
        let is_broken = |param: &&Param| !is_all_finite(training.context.isa, param.of(&self.state.params));
        if !is_all_finite(training.context.isa, &self.state.params) {
            let name = training.task.layout().iter().find(is_broken).map_or("", |param| &param.name);
            return Err(TrainError::NonFiniteUpdate { epoch, step, name: name.to_owned() });
        }
        let State { params, metrics, .. } = &mut self.state;
        let loss = training.task.validate(training.context, params, training.validation, arena, metrics);
        if !training.validation.is_empty() && !loss.is_finite() {
            return Err(TrainError::NonFiniteValidation { epoch, loss });
        }
        Ok(loss)
    }

    /// Writes the epoch's row, and goes on to the next.
    fn end_epoch(&mut self, val_loss: f64, callback: &mut dyn Callback<T>) -> (Option<Verdict>, Flow) {
        self.stop_clock();
        let (training, state) = (self.training, &mut self.state);
        let epoch = state.cursor.epoch;
        let record = EpochRecord {
            epoch,
            loss: state.sums.mean_loss(),
            val_loss,
            seconds: state.seconds,
            checkpoint_seconds: state.checkpoint_seconds,
            penalty: state.sums.mean_penalty(),
            learning_rate: self.updates[0].rate.rate,
            scalars: training.task.scalars(epoch, &state.metrics),
        };
        (state.seconds, state.checkpoint_seconds, state.metrics) = (0.0, 0.0, Metrics::default());
        state.history.epochs.push(record.clone());
        let rule = training.settings.early_stopping.as_ref();
        let verdict = rule
            .map(|rule| rule.observe(state.patience.get_or_insert_default(), epoch, record.monitored(rule.monitor)));
        if rule.is_some_and(|rule| rule.restore_best) && verdict == Some(Verdict::Improved) {
            let best = state.best_params.get_or_insert_with(|| AlignedVec::zeros(state.params.len()));
            best.copy_from_slice(&state.params);
        }
        self.updates.iter_mut().for_each(|updates| updates.epoch_done(&record));
        (state.cursor, state.sums) = (Cursor { epoch: epoch + 1, step: 0 }, EpochSums::default());
        callback.on_epoch(epoch, &state.params);
        state.checkpoint_seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        let improved = verdict.map(|verdict| verdict == Verdict::Improved);
        let waited = state.patience.as_ref().map_or(0, |patience| patience.wait);
        let names = &state.history.names;
        (verdict, callback.on_event(Event::EpochDone { record: &record, names, improved, waited }))
    }

    /// Gives the state to the callback if it wants it.
    fn record(&mut self, moment: Moment, callback: &mut dyn Callback<T>) -> Flow {
        if !callback.wants_state(moment) {
            return Flow::Continue;
        }
        self.stop_clock();
        let phases = self.updates.iter().map(Updates::to_state).collect();
        let flow = callback.on_state(State { phases, ..self.state.clone() });
        self.state.checkpoint_seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
        flow
    }

    /// Adds the time since it last ran to that of the epoch.
    fn stop_clock(&mut self) {
        self.state.seconds += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }
}

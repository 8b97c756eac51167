//! Keeps what a run has done while it goes on: `history.csv` and checkpoints.

use std::time::{Duration, Instant};

use narrows_kernels::Context;

use super::checkpoint::Identity;
use super::error::RunError;
use super::folder::RunFolder;
use super::prepare::Prepared;
use super::snapshots::write_snapshot;
use super::tensorboard::EventFile;
use crate::tasks::{Trainable, Weights};
use crate::train::{Callback, CheckpointRule, Event, Flow, History, Moment, State, Training};

/// Between two writings of `history.csv` while training.
const HISTORY_EVERY: Duration = Duration::from_secs(1);

/// After the last checkpoint, training goes on for this many times what it cost before the next: with a cost that varies by
/// a factor of two it stays below 2 % of the time.
const COST_SHARE: f64 = 100.0;

/// Within an epoch this long after the last checkpoint one is written without waiting for the epoch's end.
const LONGEST_GAP: Duration = Duration::from_secs(60);

// What the run lacks where something cannot be written, which is told once of each.
const NO_HISTORY: &str = "training goes on, and the history is written later";
const NO_EVENTS: &str = "training goes on, and TensorBoard lacks this epoch";
const NO_SNAPSHOT: &str = "training goes on, and the picture of the epochs lacks this one";
const NO_CHECKPOINT: &str =
    "training goes on, and until a checkpoint can be written, a resumed run begins at the last one before";
const NO_LAST_CHECKPOINT: &str = "a run that goes on from here begins at the last checkpoint before";

/// Writes history and checkpoints as training goes on, and passes every event on.
pub(super) struct RunCallback<'a> {
    folder: &'a RunFolder,
    callback: &'a mut dyn Callback<f32>,
    identity: &'a Identity,
    rule: Option<CheckpointRule>,
    history_written: Instant,
    last: Instant,
    /// What the last checkpoint took; before the first, what it is expected to.
    cost: Duration,
    history: History,
    /// What TensorBoard is told, where it is.
    events: Option<EventFile>,
    task: &'a dyn Trainable,
    context: Context,
    /// Whether training ends with the state that comes next.
    is_over: bool,
    failed: Option<RunError>,
    /// What the person has been told is lacking, and still is.
    told: Vec<&'static str>,
}

impl<'a> RunCallback<'a> {
    /// A callback of a run whose epochs so far are `history`.
    pub fn new(
        folder: &'a RunFolder,
        callback: &'a mut dyn Callback<f32>,
        identity: &'a Identity,
        training: &Training<'_, f32>,
        prepared: &'a Prepared,
        history: History,
        events: Option<EventFile>,
    ) -> Self {
        let now = Instant::now();
        // A slow disk with 100 MB/s and 5 ms to sync.
        let cost = Duration::from_millis(5) + Duration::from_secs_f64(prepared.training_memory() as f64 / 100e6);
        RunCallback {
            folder,
            callback,
            identity,
            rule: training.settings.checkpoint.clone(),
            history_written: now,
            last: now,
            cost,
            history,
            events,
            task: &*prepared.task,
            context: training.context,
            is_over: false,
            failed: None,
            told: Vec::new(),
        }
    }

    /// What ended the run, the epochs heard of, and the events for TensorBoard.
    pub fn into_parts(self) -> (Option<RunError>, History, Option<EventFile>) {
        (self.failed, self.history, self.events)
    }

    /// A run can do without a file for now, as when the disk is full, but not without its folder.
    fn survives(&mut self, written: Result<(), impl Into<RunError>>, lack: &'static str) {
        let Err(error) = written else {
            self.told.retain(|told| *told != lack);
            return;
        };
        let error = error.into();
        if !self.folder.path().is_dir() {
            self.failed = Some(error);
        } else if !self.told.contains(&lack) {
            self.callback.on_note(&format!("{error}; {lack}"));
            self.told.push(lack);
        }
    }

    fn flow(&self) -> Flow {
        if self.failed.is_none() { Flow::Continue } else { Flow::Interrupt }
    }

    fn is_affordable(&self) -> bool {
        self.last.elapsed().as_secs_f64() >= COST_SHARE * self.cost.as_secs_f64()
    }
}

impl Callback<f32> for RunCallback<'_> {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::EpochDone { record, names, .. } = event {
            self.history.epochs.push(record.clone());
            if let Some(events) = &mut self.events {
                let written = events.epoch(record, names);
                self.survives(written, NO_EVENTS);
            }
            if self.history_written.elapsed() >= HISTORY_EVERY {
                self.survives(self.folder.write_history(&self.history), NO_HISTORY);
                self.history_written = Instant::now();
            }
        }
        match self.callback.on_event(event) {
            Flow::Continue => self.flow(),
            Flow::Interrupt => Flow::Interrupt,
        }
    }

    fn on_epoch(&mut self, epoch: usize, params: &[f32]) {
        if let Some(images) = self.task.snapshot(Weights { params, context: self.context }) {
            self.survives(write_snapshot(self.folder, epoch, images.view()), NO_SNAPSHOT);
        }
        if let Some(events) = &mut self.events {
            let written = events.tensors(epoch, self.task.layout(), params);
            self.survives(written, NO_EVENTS);
        }
        self.callback.on_epoch(epoch, params);
    }

    fn on_note(&mut self, sentence: &str) {
        self.callback.on_note(sentence);
    }

    /// Whether a checkpoint is due.
    fn wants_state(&mut self, moment: Moment) -> bool {
        self.is_over = matches!(moment, Moment::Interrupted | Moment::End);
        let Some(rule) = &self.rule else { return moment == Moment::Interrupted && self.failed.is_none() };
        match moment {
            Moment::Step(steps) => {
                rule.every_steps.is_some_and(|every| steps.is_multiple_of(every as u64))
                    || (self.last.elapsed() >= LONGEST_GAP && self.is_affordable())
            }
            Moment::Epoch(epochs) => epochs.is_multiple_of(rule.every_epochs) && self.is_affordable(),
            Moment::Interrupted => self.failed.is_none(),
            // From here the run goes on if its epochs are raised.
            Moment::End => true,
        }
    }

    fn on_state(&mut self, state: State<f32>) -> Flow {
        let began = Instant::now();
        let written = self.folder.checkpoints().write(self.identity, &state);
        self.last = Instant::now();
        self.cost = self.last - began;
        if written.is_ok() && self.told.contains(&NO_CHECKPOINT) {
            self.callback.on_note("a checkpoint could be written again");
        }
        self.survives(written, if self.is_over { NO_LAST_CHECKPOINT } else { NO_CHECKPOINT });
        self.flow()
    }
}

//! Keeps what a run has done while it goes on: `history.csv` and checkpoints.

use std::time::{Duration, Instant};

use narrows_kernels::Context;

use super::checkpoint::Identity;
use super::error::RunError;
use super::folder::RunFolder;
use super::snapshots::write_snapshot;
use super::tensorboard::EventFile;
use crate::files::FileError;
use crate::nn::Layout;
use crate::tasks::{Trainable, Weights};
use crate::train::{Callback, CheckpointRule, Event, Flow, History, Moment, State};

/// Between two writings of `history.csv` while training.
const HISTORY_EVERY: Duration = Duration::from_secs(1);

/// After the last checkpoint, training goes on for this many times what it cost before the next: with a cost that varies by
/// a factor of two it stays below 2 % of the time.
const COST_SHARE: f64 = 100.0;

/// Within an epoch this long after the last checkpoint one is written without waiting for the epoch's end.
const LONGEST_GAP: Duration = Duration::from_secs(60);

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
    /// What TensorBoard is told, where it is, and what the tensors are called.
    events: Option<(EventFile, &'a Layout)>,
    /// Whether the state that comes next is for a checkpoint.
    is_saved: bool,
    /// Whether TensorBoard is told of its tensors.
    is_drawn: bool,
    /// What is trained and how to apply it, where each epoch is looked at.
    task: Option<(&'a dyn Trainable, Context)>,
    failed: Option<RunError>,
    /// Whether the person has been told that something cannot be written; once is enough until it can be again.
    is_told: bool,
}

impl<'a> RunCallback<'a> {
    /// A callback of a run whose state takes `bytes` and whose epochs so far are `history`.
    pub fn new(
        folder: &'a RunFolder,
        callback: &'a mut dyn Callback<f32>,
        identity: &'a Identity,
        rule: Option<CheckpointRule>,
        bytes: u64,
        history: History,
        events: Option<(EventFile, &'a Layout)>,
    ) -> Self {
        let now = Instant::now();
        // A slow disk with 100 MB/s and 5 ms to sync.
        let cost = Duration::from_millis(5) + Duration::from_secs_f64(bytes as f64 / 100e6);
        RunCallback {
            folder,
            callback,
            identity,
            rule,
            history_written: now,
            last: now,
            cost,
            history,
            events,
            is_saved: false,
            is_drawn: false,
            task: None,
            failed: None,
            is_told: false,
        }
    }

    /// Lets it write down what `task` shows of each epoch.
    pub fn show_epochs_of(&mut self, task: &'a dyn Trainable, context: Context) {
        self.task = Some((task, context));
    }

    /// What ended the run, the epochs heard of, and the events for TensorBoard.
    pub fn into_parts(self) -> (Option<RunError>, History, Option<EventFile>) {
        (self.failed, self.history, self.events.map(|(events, _)| events))
    }

    /// Tells TensorBoard.
    fn tell(&mut self, what: impl FnOnce(&mut EventFile, &Layout) -> Result<(), FileError>) -> Flow {
        let Some((events, layout)) = &mut self.events else { return Flow::Continue };
        match what(events, layout) {
            Ok(()) => Flow::Continue,
            Err(error) => self.survives(error.into(), "training goes on, and TensorBoard lacks this epoch"),
        }
    }

    /// Whether a checkpoint is due.
    fn is_due(&self, moment: Moment) -> bool {
        if moment == Moment::Interrupted {
            return self.failed.is_none();
        }
        let Some(rule) = &self.rule else { return false };
        match moment {
            Moment::Step(steps) => {
                rule.every_steps.is_some_and(|every| steps.is_multiple_of(every as u64))
                    || (self.last.elapsed() >= LONGEST_GAP && self.is_affordable())
            }
            Moment::Epoch(epochs) => epochs.is_multiple_of(rule.every_epochs) && self.is_affordable(),
            // From here the run goes on if its epochs are raised.
            Moment::End => true,
            Moment::Interrupted => true,
        }
    }

    /// A run can do without a file for now, as when the disk is full, but not without its folder.
    fn survives(&mut self, error: RunError, consequence: &str) -> Flow {
        if self.folder.path().is_dir() {
            if !self.is_told {
                self.callback.on_note(&format!("{error}; {consequence}"));
            }
            self.is_told = true;
            return Flow::Continue;
        }
        self.failed = Some(error);
        Flow::Interrupt
    }

    fn is_affordable(&self) -> bool {
        self.last.elapsed().as_secs_f64() >= COST_SHARE * self.cost.as_secs_f64()
    }
}

impl Callback<f32> for RunCallback<'_> {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        let mut flow = Flow::Continue;
        if let Event::EpochDone { record, names, .. } = event {
            self.history.epochs.push(record.clone());
            flow = self.tell(|events, _| events.epoch(record, names));
            if self.history_written.elapsed() >= HISTORY_EVERY {
                if let Err(error) = self.folder.write_history(&self.history) {
                    flow = self.survives(error, "training goes on, and the history is written later");
                }
                self.history_written = Instant::now();
            }
        }
        match self.callback.on_event(event) {
            // What an epoch shows may have failed before.
            Flow::Continue if self.failed.is_none() => flow,
            _ => Flow::Interrupt,
        }
    }

    fn on_epoch(&mut self, epoch: usize, params: &[f32]) {
        let images = self.task.and_then(|(task, context)| task.snapshot(Weights { params, context }));
        let written = images.map(|images| write_snapshot(self.folder, epoch, images.view()));
        if let Some(Err(error)) = written {
            self.survives(error, "training goes on, and the picture of the epochs lacks this one");
        }
        self.callback.on_epoch(epoch, params);
    }

    fn on_note(&mut self, sentence: &str) {
        self.callback.on_note(sentence);
    }

    fn wants_state(&mut self, moment: Moment) -> bool {
        self.is_saved = self.is_due(moment);
        self.is_drawn = self.events.is_some() && matches!(moment, Moment::Epoch(_));
        self.is_saved || self.is_drawn
    }

    fn on_state(&mut self, state: State<f32>) -> Flow {
        if self.is_drawn {
            let told = self.tell(|events, layout| events.tensors(state.history.epochs.len(), layout, &state.params));
            if told == Flow::Interrupt || !self.is_saved {
                return told;
            }
        }
        let began = Instant::now();
        let written = self.folder.checkpoints().write(self.identity, &state);
        self.last = Instant::now();
        self.cost = self.last - began;
        match written {
            Ok(()) => {
                if self.is_told {
                    self.callback.on_note("a checkpoint could be written again");
                }
                self.is_told = false;
                Flow::Continue
            }
            Err(error) => self.survives(
                error.into(),
                "training goes on, and until a checkpoint can be written, a resumed run begins at the last one before",
            ),
        }
    }
}

//! In what steps a task is trained.

use super::EarlyStoppingRule;
use crate::optim::{Monitor, Schedule};
use crate::settings::{TableForm, at_least, settings};

settings! {
    /// How a run trains.
    #[derive(Clone, Debug, PartialEq)]
    pub struct TrainSettings {
        /// Images in a step. A larger number than there are images is all of them.
        pub batch_size: usize = 256, in at_least(1), required "a number of images, as in batch_size = 256";
        /// Epochs at most.
        pub max_epochs: usize = 50, in at_least(1), required "a number of epochs, as in max_epochs = 50";
        /// When to end before that.
        pub early_stopping: Option<EarlyStoppingRule> = None,
            in TableForm::or_false("a table such as { patience = 5, min_delta = 1e-2 }, or false");
        /// When to save what a resumed run needs; without a rule, only when interrupted. No bit of the result depends on it.
        pub checkpoint: Option<CheckpointRule> = Some(CheckpointRule::default()),
            in TableForm::or_false("a table such as { every_epochs = 1, every_steps = 1000 }, or false");
        /// Whether the run also writes events for TensorBoard: losses, pictures, and the distribution of every tensor. No bit of
        /// the result depends on it.
        pub tensorboard: Option<bool> = None;
    }
}

impl TrainSettings {
    /// The key of the setting that watches the validation loss, early stopping or a plateau of `schedule`; `None` where neither does.
    pub fn validation_monitor(&self, schedule: &Schedule) -> Option<&'static str> {
        let stopping = self.early_stopping.as_ref().map(|rule| ("train.early_stopping.monitor", rule.monitor));
        let plateau = match *schedule {
            Schedule::Plateau { monitor, .. } => Some(("optimizer.schedule.plateau", monitor)),
            _ => None,
        };
        let mut monitors = stopping.into_iter().chain(plateau);
        monitors.find(|(_, monitor)| *monitor == Monitor::ValLoss).map(|(key, _)| key)
    }
}

settings! {
    /// When a run saves all that the rest of it depends on.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CheckpointRule {
        /// After how many epochs; put off while saving would take a notable part of the time since the last.
        pub every_epochs: usize = 1, in at_least(1);
        /// After how many steps of the run, whatever it costs.
        pub every_steps: Option<usize> = None, in at_least(1);
    }
}

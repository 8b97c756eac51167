//! In what steps a task is trained.

use super::EarlyStoppingRule;

/// How a run trains.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainSettings {
    /// Images in a step; at least 1. A larger number than there are images is all of them.
    pub batch_size: usize,
    /// Epochs at most; at least 1.
    pub max_epochs: usize,
    /// When to end before that; in TOML absent or `false` for never.
    pub early_stopping: Option<EarlyStoppingRule>,
    /// When to save what a resumed run needs; in TOML `false` for only when interrupted. No bit of the result depends on it.
    pub checkpoint: Option<CheckpointRule>,
}

/// When a run saves all that the rest of it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRule {
    /// After how many epochs, at least 1; put off while saving would take a notable part of the time since the last.
    pub every_epochs: usize,
    /// After how many steps of the run, at least 1, whatever it costs; `None` for no such rule.
    pub every_steps: Option<usize>,
}

impl Default for CheckpointRule {
    /// After each epoch.
    fn default() -> Self {
        CheckpointRule { every_epochs: 1, every_steps: None }
    }
}

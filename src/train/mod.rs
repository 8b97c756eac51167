//! The training loop over the phases of a task, its callbacks, and its state.

mod early_stopping;
mod engine;
mod error;
mod event;
mod history;
mod metrics;
mod settings;
mod state;
mod step;
mod task;

pub use early_stopping::{Best, EarlyStopping, EarlyStoppingRule, Patience, Verdict};
pub use engine::{FitResult, SLICE_SAMPLES, Stop, Training};
pub use error::TrainError;
pub use event::{Callback, Event, Flow, Moment};
pub use history::{EpochRecord, History, HistoryError};
pub use metrics::Metrics;
pub use settings::{CheckpointRule, TrainSettings};
pub use state::{Cursor, EpochMean, PhaseState, Snapshot, State, StateError};
pub use task::{Batch, Phase, Recorded, Task};

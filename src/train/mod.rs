//! The training loop over the phases of a task, its callbacks, and its state.

mod early_stopping;
mod engine;
mod error;
mod event;
mod history;
mod metrics;
mod pace;
mod pool;
mod settings;
mod state;
mod step;
mod task;
mod training;
mod updates;

pub use early_stopping::{Best, EarlyStoppingRule, Patience, Verdict};
pub use engine::{FitResult, Stop};
pub use error::{StateError, TrainError};
pub use event::{Callback, Event, Flow, Moment};
pub use history::{EpochRecord, History, HistoryError};
pub use metrics::Metrics;
pub use pool::{ThreadsError, all_threads, with_threads};
pub use settings::{CheckpointRule, TrainSettings};
pub use state::{Cursor, EpochSums, State};
pub use task::{Batch, MEASURED_SAMPLES, Phase, Recorded, Task};
pub use training::{SLICE_SAMPLES, Training};
pub use updates::PhaseState;

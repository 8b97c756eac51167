//! The training loop and its listeners.

mod apply;
mod early_stopping;
mod engine;
mod evaluate;
mod event;
mod history;
mod objective;

pub use apply::WidthError;
pub use early_stopping::{Best, EarlyStopping, Verdict};
pub use engine::{Job, Outcome, SLICE_ROWS, Stop, TrainError, train};
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Images, Trained};
pub use event::{Event, Flow, Listener};
pub use history::{EpochRecord, History};
pub use objective::{Objective, Recorded};

//! The training loop and its listeners.

mod early_stopping;
mod evaluate;
mod event;
mod engine;
mod history;
mod objective;

pub use early_stopping::{Best, EarlyStopping, Verdict};
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Images, Trained};
pub use engine::{Job, Outcome, Stop, TrainError, train};
pub use event::{Event, Flow, Listener};
pub use history::{EpochRecord, History};
pub use objective::{Objective, Recorded};

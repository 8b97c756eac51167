//! The training loop and its listeners.

mod apply;
mod early_stopping;
mod engine;
mod error;
mod evaluate;
mod event;
mod history;
mod objective;
mod replay;
mod state;
mod step;

pub use apply::WidthError;
pub use early_stopping::{Best, EarlyStopping, Patience, Verdict};
pub use engine::{Job, Outcome, SLICE_ROWS, Start, Stop, fresh_state, train, train_from};
pub use error::TrainError;
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Images, Trained};
pub use event::{Event, Flow, Listener};
pub use history::{EpochRecord, History, HistoryError};
pub use objective::{Objective, Recorded};
pub use replay::{Replay, Seen, replay};
pub use state::{Cursor, EpochMean, Moment, Recorder, Snapshot, State, StateError};

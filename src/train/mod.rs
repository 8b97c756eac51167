//! The training loop and its listeners.

mod apply;
mod contractive;
mod denoising;
mod early_stopping;
mod engine;
mod error;
mod evaluate;
mod event;
mod history;
mod latent;
mod objective;
mod replay;
mod saturation;
mod state;
mod step;
mod tally;

pub use apply::WidthError;
pub use contractive::{method_of, penalty as contractive_penalty};
pub use denoising::{Denoising, psnr};
pub use early_stopping::{Best, EarlyStopping, Patience, Verdict};
pub use engine::{Job, Outcome, SLICE_ROWS, Stop, train, train_from};
pub use error::TrainError;
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Trained};
pub use event::{Event, Flow, Listener};
pub use history::{CodeRecord, EpochRecord, History, HistoryError, LatentRecord};
pub use latent::{ACTIVE_NATS, Elbo};
pub use objective::{Objective, Recorded};
pub use replay::{Replay, Seen, replay};
pub use saturation::{SATURATED_BELOW, Saturation};
pub use state::{Cursor, EpochMean, Moment, Recorder, Snapshot, State, StateError};
pub use tally::Tally;

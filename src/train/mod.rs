//! The training loop and its listeners.

mod apply;
mod contractive;
mod denoising;
mod early_stopping;
mod engine;
mod evaluate;
mod event;
mod history;
mod latent;
mod objective;
mod tally;

pub use apply::WidthError;
pub use contractive::{method_of, penalty as contractive_penalty};
pub use denoising::{Denoising, psnr};
pub use early_stopping::{Best, EarlyStopping, Verdict};
pub use engine::{Job, Outcome, SLICE_ROWS, Stop, TrainError, train};
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Images, Trained};
pub use event::{Event, Flow, Listener};
pub use history::{CodeRecord, EpochRecord, History, LatentRecord};
pub use latent::{ACTIVE_NATS, Elbo};
pub use objective::{Objective, Recorded};

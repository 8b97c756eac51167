//! What is trained: each task says what to record for a batch, and how a trained model is applied and measured.

mod apply;
mod autoencoder;
mod contractive;
mod denoising;
mod evaluate;
mod saturation;
mod spec;
mod trainer;
mod variational;

pub use apply::WidthError;
pub use autoencoder::{AutoencoderTask, Forward, Objective};
pub use contractive::{has_closed_form, method_of, penalty as contractive_penalty};
pub use denoising::{Denoising, psnr};
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Trained};
pub use saturation::{SATURATED_BELOW, Saturation};
pub use spec::AutoencoderSpec;
pub use trainer::{FitError, Fitted, Trainer};
pub use variational::{ACTIVE_NATS, Elbo};

//! What is trained: each task says what to record for a batch, and how a trained model is applied and measured.

mod apply;
mod autoencoder;
mod classifier;
mod contractive;
mod denoising;
mod evaluate;
mod gan;
mod kinds;
mod measures;
mod objective;
mod saturation;
mod simclr;
mod spec;
mod trainable;
mod trainer;
mod variational;

pub use apply::{Rows, TrainedEncoder, WidthError};
pub use autoencoder::AutoencoderTask;
pub use classifier::{ClassifierSpec, ClassifierTask};
pub use contractive::{has_closed_form, method_of, penalty as contractive_penalty};
pub use denoising::{Denoising, psnr};
pub use evaluate::{ACTIVE_ABOVE, Evaluation, Trained};
pub use gan::{Gan, GanSpec};
pub use kinds::TaskSpec;
pub use measures::jacobian_images;
pub use objective::{Forward, Objective};
pub use saturation::{SATURATED_BELOW, Saturation};
pub use simclr::{Simclr, SimclrSpec};
pub use spec::AutoencoderSpec;
pub use trainable::{BuildError, Cell, Content, Generator, Origin, Picture, Spec, Table, Trainable, Weights};
pub use trainer::{FitError, Fitted, Trainer};
pub use variational::{ACTIVE_NATS, Elbo};

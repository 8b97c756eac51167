//! Layers and models: parameters, initialisers, sequences of layers, the autoencoder, its summary.

mod activation;
mod autoencoder;
mod batch_norm;
mod constructors;
mod error;
mod init;
mod layer;
mod params;
mod pass;
mod sequential;
mod summary;
pub mod weights;
mod window;

pub use crate::tape::Activation;
pub use autoencoder::{Autoencoder, AutoencoderBuilder, Encoded};
pub use batch_norm::BatchNorm;
pub use constructors::{batch_norm, conv, conv_transpose, dense, dropout, max_pool, noise, reshape, zero_pad};
pub use error::ModelError;
pub use init::{Init, init_dense};
pub use layer::{Dense, Layer, MOST_LAYERS, Placed, Units, Windows};
pub use params::{Kind, Layout, Param, Params, UnknownGroup};
pub use pass::{Draws, Pass};
pub use sequential::{Sequential, sized};
pub use summary::{Part, grouped, summarise};
pub use window::{Dims, Padding};

//! Layers and models: parameters, initialisers, sequences of layers, the autoencoder, its summary.

mod activation;
mod autoencoder;
mod init;
mod layer;
mod params;
mod pass;
mod sequential;
mod summary;
pub mod weights;

pub use crate::tape::Activation;
pub use autoencoder::{Autoencoder, AutoencoderBuilder, Encoded, ModelError};
pub use init::{Init, init_dense};
pub use layer::{Dense, Layer, MOST_LAYERS, Placed, Units, dense, dropout, noise};
pub use params::{Kind, Layout, Param, Params, UnknownGroup};
pub use pass::{Draws, Pass};
pub use sequential::Sequential;
pub use summary::grouped;

//! Layers and models: parameters, initialisers, the autoencoder, its summary.

mod autoencoder;
mod init;
mod layer;
mod params;
mod spec;
mod summary;
pub mod weights;

pub use autoencoder::{Autoencoder, Encoded, Head, Mode, ModelError, Pass};
pub use init::init_dense;
pub use layer::Layer;
pub(crate) use layer::{activation_of, step_stream};
pub use params::{Param, ParamTable};
pub use spec::{Activation, Init, LayerSpec, MOST_LAYERS, Units};
pub use summary::grouped;

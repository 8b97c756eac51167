//! What can stand in the way of an inversion, each as a sentence.

use crate::data::image_size;
use crate::files::FileError;
use crate::linalg::FactorError;
use crate::tasks::WidthError;

/// A decoder that cannot be run backwards, or a run that cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub enum InvertError {
    /// A layer is not dense.
    #[error(
        "cannot invert the decoder: {layer} is a {kind} layer; layers that are dense, and dropout, noise, flatten and \
         reshape between them, can be run backwards"
    )]
    NotDense {
        /// "decoder.2".
        layer: String,
        /// What it is.
        kind: String,
    },
    /// A layer has fewer outputs than inputs.
    #[error(
        "cannot invert the decoder: {layer} narrows from {inputs} to {outputs} values, so that many codes give the same \
         image and none is identifiable; every layer needs at least as many outputs as inputs"
    )]
    Narrows {
        /// "decoder.1".
        layer: String,
        /// Its inputs.
        inputs: usize,
        /// Its outputs.
        outputs: usize,
    },
    /// Weights are not finite.
    #[error("cannot invert the weight of {layer}: {source}")]
    Factor {
        /// "decoder.1".
        layer: String,
        /// Which element.
        source: FactorError,
    },
    /// Rows of another width.
    #[error(transparent)]
    Width(#[from] WidthError),
    /// Images of another size than the model's.
    #[error(
        "cannot invert {name}: its images are {} pixels, and the model was trained on {}",
        image_size(*found), image_size(*shape)
    )]
    ImageSize {
        /// What the images are called.
        name: String,
        /// Rows, columns and channels of the images it was trained on.
        shape: [usize; 3],
        /// Those of these images.
        found: [usize; 3],
    },
    /// There is nothing to invert.
    #[error("cannot invert {name}: it has no images; at least one is needed")]
    NoImages {
        /// What the images are called.
        name: String,
    },
    /// A file of the run cannot be read, or a result not written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl InvertError {
    /// Whether the command line or the configuration is wrong, rather than a file damaged.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            InvertError::NotDense { .. }
                | InvertError::Narrows { .. }
                | InvertError::ImageSize { .. }
                | InvertError::NoImages { .. }
        )
    }
}

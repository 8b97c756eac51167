//! Why a model cannot be laid out.

use crate::tape::Shape;

/// A model whose layers do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The decoder's last layer does not give back the data's shape.
    #[error("the decoder ends in {found} values, but an image has {expected}; end it with {{ dense = \"input\" }}")]
    OutputSize {
        /// Values of an image.
        expected: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// A layer cannot be applied to what the layer before it gives.
    #[error("{layer} ({kind}) is given samples of shape {found}; it takes {accepted}")]
    Image {
        /// "encoder.2": its place.
        layer: String,
        /// "max-pool": its kind.
        kind: &'static str,
        /// The shape of a sample.
        found: Shape,
        /// What would be accepted.
        accepted: String,
    },
    /// A part has no layer with weights.
    #[error("the {part} has no dense or convolutional layer; give it at least one, such as {{ dense = 50 }}")]
    NoWeights {
        /// "encoder" or "decoder".
        part: &'static str,
    },
    /// The mean of a variational model's code does not come from a dense layer without activation.
    #[error(
        "a variational encoder must end in a dense layer without activation, such as {{ dense = 20 }}, which gives the mean; \
         this one ends in {found}"
    )]
    NoMean {
        /// The last layer.
        found: String,
    },
}

//! An autoencoder as a configuration describes it.

use super::Objective;
use crate::data::Corruption;
use crate::loss::{CodePenalty, Contractive, Loss, Variational, WeightPenalty};
use crate::nn::{Autoencoder, Init, Layer, ModelError};
use crate::tape::Shape;

/// An autoencoder, its loss and its penalties.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderSpec {
    /// What is minimised.
    pub loss: Loss,
    /// From the data to the code; has at least one dense layer.
    pub encoder: Vec<Layer>,
    /// From the code to the data; the last layer is dense with [`Units::Input`](crate::nn::Units::Input).
    pub decoder: Vec<Layer>,
    /// How weights and biases begin.
    pub init: Init,
    /// A penalty on the output of the encoder's last layer.
    pub code_penalty: CodePenalty,
    /// A penalty on the weight matrices.
    pub weight_penalty: WeightPenalty,
    /// A penalty on the derivative of the code.
    pub contractive: Option<Contractive>,
    /// What is done to the images that the encoder sees while training.
    pub corruption: Option<Corruption>,
    /// Whether the code is a distribution.
    pub variational: Option<Variational>,
}

impl AutoencoderSpec {
    /// The network for samples of this shape.
    pub fn lay_out(&self, input: impl Into<Shape>) -> Result<Autoencoder, ModelError> {
        let builder = Autoencoder::new(input).encoder(&self.encoder[..]).decoder(&self.decoder[..]).init(self.init);
        builder.variational(self.variational.is_some()).build()
    }

    /// What is minimised.
    pub fn objective(&self) -> Objective {
        Objective {
            loss: self.loss,
            code_penalty: self.code_penalty,
            weight_l2: self.weight_penalty.l2,
            contractive: self.contractive,
            corruption: self.corruption,
            variational: self.variational,
        }
    }
}

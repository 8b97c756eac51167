//! What is trained, and in what steps.

use super::EarlyStoppingRule;
use crate::data::Corruption;
use crate::loss::{CodePenalty, Contractive, Loss, Variational, WeightPenalty};
use crate::nn::{Autoencoder, Init, Layer, ModelError};

/// An autoencoder and its penalties.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderSpec {
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
    /// The network for images of `features` values.
    pub fn lay_out(&self, features: usize) -> Result<Autoencoder, ModelError> {
        Autoencoder::new(&self.encoder, &self.decoder, self.variational.is_some(), features)
    }
}

/// How a run trains.
#[derive(Clone, Debug, PartialEq)]
pub struct TrainSettings {
    /// What is minimised.
    pub loss: Loss,
    /// Images in a step; at least 1. A larger number than there are images is all of them.
    pub batch_size: usize,
    /// Epochs at most; at least 1.
    pub max_epochs: usize,
    /// When to end before that; in TOML absent or `false` for never.
    pub early_stopping: Option<EarlyStoppingRule>,
    /// When to save what a resumed run needs; in TOML `false` for only when interrupted. No bit of the result depends on it.
    pub checkpoint: Option<CheckpointRule>,
}

/// When a run saves all that the rest of it depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointRule {
    /// After how many epochs, at least 1; put off while saving would take a notable part of the time since the last.
    pub every_epochs: usize,
    /// After how many steps of the run, at least 1, whatever it costs; `None` for no such rule.
    pub every_steps: Option<usize>,
}

impl Default for CheckpointRule {
    /// After each epoch.
    fn default() -> Self {
        CheckpointRule { every_epochs: 1, every_steps: None }
    }
}

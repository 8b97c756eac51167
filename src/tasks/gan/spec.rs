//! A generator and a discriminator as a configuration describes them.

use std::sync::Arc;

use super::Gan;
use crate::data::Splits;
use crate::nn::{Activation, Init, Layer, Units};
use crate::optim::OptimizerSpec;
use crate::settings::{Counts, Fault, Length, Range, Visitor, settings};
use crate::tasks::spec::layers;
use crate::tasks::trainable::{BuildError, Spec, Trainable};

const LAYERS: Length = layers(1, "an array of layers, such as [{ dense = 50, activation = \"relu\" }]");
const NUMBERS: Counts = Counts { noun: "a number of values", ..Counts::new(1, 1 << 16) };

settings! {
    /// Two networks that train against each other, and what they minimise.
    #[derive(Clone, Debug, PartialEq)]
    pub struct GanSpec {
        /// Values of noise from N(0, I) that an image is made of.
        pub latent: usize = 100, in NUMBERS;
        /// From noise to an image; ends in a sigmoid.
        pub generator: Vec<Layer> = Vec::new(), in (LAYERS, Layer::ACCEPTED),
            required "layers, as in generator = [{ dense = \"input\", activation = \"sigmoid\" }]";
        /// From an image to one number, whose sigmoid is the probability that the image is real.
        pub discriminator: Vec<Layer> = Vec::new(), in (LAYERS, Layer::ACCEPTED),
            required "layers, as in discriminator = [{ dense = 256, activation = \"leaky-relu\" }, { dense = 1 }]";
        /// How weights and biases begin.
        pub init: Init = Init::Normal { std: 0.02, biases: false }, in Init::ACCEPTED;
        /// Taken from the probability 1 that the discriminator is to give to real images (Salimans et al. 2016).
        pub label_smoothing: f64 = 0.1, in Range::BELOW_ONE;
        /// Twice the factor of the discriminator's mean squared gradient at real images.
        pub gradient_penalty: f64 = 0.0, in Range::NOT_NEGATIVE;
        /// The discriminator's learning rate as a multiple of the generator's, which is that of the optimizer: each network has an
        /// optimizer of its own (two time scales, Heusel et al. 2017).
        pub discriminator_rate: f64 = 1.0, in Range::ABOVE_ZERO;
    }
    settle settle;
}

impl GanSpec {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        let last = |layers: &[Layer]| layers.last().and_then(Layer::activation);
        let number =
            |layer: &Layer| matches!(layer, Layer::Dense { units: Units::Count(1), activation: Activation::Linear });
        let normalised = self.discriminator.iter().any(|layer| matches!(layer, Layer::BatchNorm { .. }));
        let (key, found, accepted) = if last(&self.generator) != Some(Activation::Sigmoid) {
            ("generator", "without a sigmoid at its end", "a last layer with activation = \"sigmoid\"")
        } else if !self.discriminator.last().is_some_and(number) {
            ("discriminator", "without one number at its end", "a last layer { dense = 1 }")
        } else if normalised && self.gradient_penalty > 0.0 {
            (
                "gradient_penalty",
                "given while the discriminator has a batch-norm layer",
                "a discriminator without batch normalisation, through which the gradient at an image depends on the others of its \
                 batch; or 0",
            )
        } else {
            return Ok(());
        };
        Err(Fault::new(key, found, accepted))
    }
}

impl Spec for GanSpec {
    fn required(&self) -> &'static str {
        "a table [model] with generator and discriminator"
    }

    fn visit_training(&mut self, visitor: &mut dyn Visitor) {
        let accepted = "no loss: each network minimises a cross-entropy of the discriminator's outputs";
        visitor.meaningless("loss", "given while the task is \"gan\"", accepted);
    }

    fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError> {
        let mut of_discriminator = optimizer.clone();
        of_discriminator.scale_learning_rate(self.discriminator_rate);
        Ok(Arc::new(Gan::new(self, loaded.shape(), [of_discriminator, optimizer.clone()])?))
    }
}

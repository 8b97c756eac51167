//! An autoencoder as a configuration describes it.

use std::sync::Arc;

use super::trainable::{BuildError, Spec, Trainable};
use super::{AutoencoderTask, Objective, contractive};
use crate::data::{Corruption, Splits};
use crate::loss::{CodePenalty, Contractive, Loss, Variational, WeightPenalty};
use crate::nn::{Activation, Autoencoder, Init, Layer, MOST_LAYERS, ModelError, Units};
use crate::optim::OptimizerSpec;
use crate::settings::{About, Fault, Length, Setting as _, TableForm, Visitor, settings};
use crate::tape::Shape;
use crate::train::Phase;

const ENCODER: Length = layers(1, "an array of layers, such as [{ dense = 50, activation = \"relu\" }]");
const DECODER: Length = layers(1, "an array of layers, such as [{ dense = \"input\", activation = \"sigmoid\" }]");

settings! {
    /// An autoencoder, its loss and its penalties.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AutoencoderSpec {
        /// What is minimised. In a configuration it stands in the table of training.
        pub loss: Loss = Loss::Bce, if |_| false;
        /// From the data to the code; has at least one layer with weights.
        pub encoder: Vec<Layer> = Vec::new(), in (ENCODER, Layer::ACCEPTED),
            required "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]";
        /// From the code to the data; gives as many values as the data has.
        pub decoder: Vec<Layer> = Vec::new(), in (DECODER, Layer::ACCEPTED),
            required "layers, as in decoder = [{ dense = \"input\", activation = \"sigmoid\" }]";
        /// How weights and biases begin.
        pub init: Init = Init::GlorotUniform, in Init::ACCEPTED;
        /// A penalty on the output of the encoder's last layer. A variational model has none.
        pub code_penalty: CodePenalty = CodePenalty::default(), in TableForm::new("a table such as { l1 = 1e-6 }"),
            if |model| model.variational.is_none();
        /// A penalty on the weight matrices.
        pub weight_penalty: WeightPenalty = WeightPenalty::default(),
            in TableForm::new("a table such as { l2 = 1e-4 }");
        /// A penalty on the derivative of the code.
        pub contractive: Option<Contractive> = None, in TableForm::new("a table such as { weight = 1e-4 }");
        /// What is done to the images that the encoder sees while training.
        pub corruption: Option<Corruption> = None, in Corruption::ACCEPTED;
        /// Whether the code is a distribution.
        pub variational: Option<Variational> = None,
            in TableForm::new("a table such as { beta = 1.0, warmup_epochs = 0 }");
    }
    settle settle;
}

/// From so many layers on to as many as a network may have.
pub(super) const fn layers(least: usize, accepted: &'static str) -> Length {
    Length { least, most: MOST_LAYERS, accepted }
}

/// Refuses layers of which none has weights.
pub(super) fn check_weighted(key: &str, layers: &[Layer]) -> Result<(), Fault> {
    if layers.iter().any(|layer| layer.activation().is_some()) {
        return Ok(());
    }
    let found = "an array without a dense or convolutional layer";
    Err(Fault::new(key, found, "at least one layer { dense = … } or { conv = … }"))
}

/// See [`AutoencoderSpec::input`].
pub(super) fn input_of(encoder: &[Layer], image: [usize; 3]) -> Shape {
    let reads_images = encoder.iter().any(Layer::reads_images);
    if reads_images { image.into() } else { [image.iter().product()].into() }
}

impl Spec for AutoencoderSpec {
    fn required(&self) -> &'static str {
        "a table [model] with encoder and decoder"
    }

    fn visit_training(&mut self, visitor: &mut dyn Visitor) {
        let required = Some("a loss, as in loss = \"bce\"");
        self.loss.show(&About { key: "loss", doc: "What is minimised.", required }, (), visitor);
    }

    fn check(&self) -> Result<(), Fault> {
        self.check_loss().map_err(|fault| fault.within("train"))
    }

    fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError> {
        let model = self.lay_out(self.input(loaded.shape()))?;
        let phase = Phase::new(["encoder", "decoder"], optimizer.clone());
        Ok(Arc::new(AutoencoderTask::new(model, self.objective(), phase)))
    }
}

impl AutoencoderSpec {
    /// How the encoder takes images [height, width, channels]: as they are where one of its layers reads images, otherwise as a
    /// row of values.
    pub fn input(&self, image: [usize; 3]) -> Shape {
        input_of(&self.encoder, image)
    }

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

    /// The last decoder layer's activation, which the loss depends on.
    pub fn output_activation(&self) -> Activation {
        match self.decoder.last() {
            Some(layer) => layer.activation().unwrap_or(Activation::Linear),
            None => Activation::Linear,
        }
    }

    /// Refuses a loss that this model cannot be trained with.
    pub fn check_loss(&self) -> Result<(), Fault> {
        self.objective().check(self.output_activation())
    }

    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        self.contractive = self.contractive.filter(|contractive| contractive.weight > 0.0);
        check_weighted("encoder", &self.encoder)?;
        check_weighted("decoder", &self.decoder)?;
        self.check_output()?;
        contractive::check(self.contractive, &self.encoder)?;
        if self.variational.is_some() { self.check_variational() } else { Ok(()) }
    }

    fn check_output(&self) -> Result<(), Fault> {
        let found = match self.decoder.last() {
            None | Some(Layer::Dense { units: Units::Input, .. }) => return Ok(()),
            Some(Layer::Dense { units: Units::Count(units), .. }) => format!("a dense layer of {units} units"),
            Some(other @ (Layer::Dropout { .. } | Layer::Noise { .. })) => format!("a {} layer", other.name()),
            // Whether the size fits is known when the data is.
            Some(_) => return Ok(()),
        };
        let accepted =
            "a last decoder layer that gives the data back, such as { dense = \"input\", activation = \"sigmoid\" }";
        Err(Fault::new(format!("decoder.{}", self.decoder.len() - 1), found, accepted))
    }

    /// Refuses what has no meaning beside a code that is drawn: the layer before it must give the mean as it is, and other
    /// penalties on the code would have to say on which.
    fn check_variational(&self) -> Result<(), Fault> {
        let found = match self.encoder.last() {
            Some(Layer::Dense { activation: Activation::Linear, .. }) => None,
            Some(Layer::Dense { activation, .. }) => Some(format!("a last layer with \"{}\"", activation.name())),
            _ => Some("a last layer that is not dense".to_owned()),
        };
        if let Some(found) = found {
            let accepted = "an encoder that ends in a dense layer without activation, such as { dense = 20 }, which gives the mean";
            return Err(Fault::new("encoder", format!("{found} in a variational model"), accepted));
        }
        self.objective().check_settings()
    }
}

//! What is trained, and in what steps.

use super::{EarlyStoppingRule, has_closed_form};
use crate::data::Corruption;
use crate::loss::{CodePenalty, Contractive, JacobianMethod, Loss, Variational, WeightPenalty};
use crate::nn::{Activation, Autoencoder, Init, LayerSpec, MOST_LAYERS, ModelError, Units};
use crate::settings::{Fault, Length, TableForm, at_least, settings};

const ENCODER: Length = Length {
    least: 1,
    most: MOST_LAYERS,
    accepted: "an array of layers, such as [{ dense = 50, activation = \"relu\" }]",
};
const DECODER: Length = Length {
    least: 1,
    most: MOST_LAYERS,
    accepted: "an array of layers, such as [{ dense = \"input\", activation = \"sigmoid\" }]",
};
const INIT: &str = "\"glorot-uniform\", \"glorot-normal\", \"he-uniform\", \"he-normal\", \"pytorch-linear\" or a table such \
                    as { normal = 0.05, biases = true }";

settings! {
    /// An autoencoder and its penalties.
    #[derive(Clone, Debug, PartialEq)]
    pub struct AutoencoderSpec {
        /// From the data to the code; has at least one dense layer.
        pub encoder: Vec<LayerSpec> = Vec::new(), in (ENCODER, LayerSpec::ACCEPTED),
            required "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]";
        /// From the code to the data; the last layer is dense with as many outputs as the data has values.
        pub decoder: Vec<LayerSpec> = Vec::new(), in (DECODER, LayerSpec::ACCEPTED),
            required "layers, as in decoder = [{ dense = \"input\", activation = \"sigmoid\" }]";
        /// How weights and biases begin.
        pub init: Init = Init::GlorotUniform, in INIT;
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

impl AutoencoderSpec {
    /// The network for images of `features` values.
    pub fn lay_out(&self, features: usize) -> Result<Autoencoder, ModelError> {
        Autoencoder::new(&self.encoder, &self.decoder, self.variational.is_some(), features)
    }

    /// The last decoder layer's activation, which the loss depends on.
    pub fn output_activation(&self) -> Activation {
        match self.decoder.last() {
            Some(LayerSpec::Dense { activation, .. }) => *activation,
            _ => Activation::Linear,
        }
    }

    /// Refuses a loss that this model cannot be trained with.
    pub fn check_loss(&self, loss: Loss) -> Result<(), Fault> {
        let output = self.output_activation();
        let (found, accepted) = match loss {
            Loss::Bce if output != Activation::Sigmoid => (
                format!("\"bce\" while the last decoder layer's activation is \"{}\"", output.name()),
                "a last layer with activation = \"sigmoid\"; or \"bce-logits\", which applies the sigmoid itself",
            ),
            Loss::BceLogits if output == Activation::Sigmoid => (
                "\"bce-logits\", which applies a sigmoid, while the last decoder layer has applied one already".into(),
                "\"bce\"; or a last layer without activation = \"sigmoid\"",
            ),
            Loss::Kl if self.variational.is_some() => (
                "\"kl\" in a variational model".into(),
                "\"bce\", \"bce-logits\" or \"mse\", which are likelihoods of an image",
            ),
            _ => return Ok(()),
        };
        Err(Fault::new("loss", found, accepted))
    }

    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        self.contractive = self.contractive.filter(|contractive| contractive.weight > 0.0);
        if !self.encoder.iter().any(|layer| matches!(layer, LayerSpec::Dense { .. })) {
            return Err(Fault::new("encoder", "an array without a dense layer", "at least one layer { dense = … }"));
        }
        self.check_output()?;
        if self.contractive.is_some_and(|c| c.method == JacobianMethod::Gram) && !has_closed_form(&self.encoder) {
            let found = "\"gram\" while the encoder has other or more layers";
            let accepted =
                "\"auto\", \"exact\" or \"probes\"; \"gram\" takes an encoder of one or two dense layers alone";
            return Err(Fault::new("contractive.method", found, accepted));
        }
        if self.variational.is_some() { self.check_variational() } else { Ok(()) }
    }

    fn check_output(&self) -> Result<(), Fault> {
        let found = match self.decoder.last() {
            None | Some(LayerSpec::Dense { units: Units::Input, .. }) => return Ok(()),
            Some(LayerSpec::Dense { units: Units::Count(units), .. }) => format!("a dense layer of {units} units"),
            Some(other) => format!("a {} layer", other.name()),
        };
        let accepted =
            "a last decoder layer that gives the data back, such as { dense = \"input\", activation = \"sigmoid\" }";
        Err(Fault::new(format!("decoder.{}", self.decoder.len() - 1), found, accepted))
    }

    /// Refuses what has no meaning beside a code that is drawn: the layer before it must give the mean as it is, and other
    /// penalties on the code would have to say on which.
    fn check_variational(&self) -> Result<(), Fault> {
        let found = match self.encoder.last() {
            Some(LayerSpec::Dense { activation: Activation::Linear, .. }) => None,
            Some(LayerSpec::Dense { activation, .. }) => Some(format!("a last layer with \"{}\"", activation.name())),
            _ => Some("a last layer that is not dense".to_owned()),
        };
        if let Some(found) = found {
            let accepted = "an encoder that ends in a dense layer without activation, such as { dense = 20 }, which gives the mean";
            return Err(Fault::new("encoder", format!("{found} in a variational model"), accepted));
        }
        let others = [("code_penalty", !self.code_penalty.is_none()), ("contractive", self.contractive.is_some())];
        match others.into_iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => {
                let accepted = "model.variational without it: the divergence from N(0, I) is the penalty on the code";
                Err(Fault::new(key, "given in a variational model", accepted))
            }
            None => Ok(()),
        }
    }
}

settings! {
    /// How a run trains.
    #[derive(Clone, Debug, PartialEq)]
    pub struct TrainSettings {
        /// What is minimised.
        pub loss: Loss = Loss::Bce, required "a loss, as in loss = \"bce\"";
        /// Images in a step. A larger number than there are images is all of them.
        pub batch_size: usize = 256, in at_least(1), required "a number of images, as in batch_size = 256";
        /// Epochs at most.
        pub max_epochs: usize = 50, in at_least(1), required "a number of epochs, as in max_epochs = 50";
        /// When to end before that.
        pub early_stopping: Option<EarlyStoppingRule> = None,
            in TableForm::or_false("a table such as { patience = 5, min_delta = 1e-2 }, or false");
        /// When to save what a resumed run needs; without a rule, only when interrupted. No bit of the result depends on it.
        pub checkpoint: Option<CheckpointRule> = Some(CheckpointRule::default()),
            in TableForm::or_false("a table such as { every_epochs = 1, every_steps = 1000 }, or false");
    }
}

settings! {
    /// When a run saves all that the rest of it depends on.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct CheckpointRule {
        /// After how many epochs; put off while saving would take a notable part of the time since the last.
        pub every_epochs: usize = 1, in at_least(1);
        /// After how many steps of the run, whatever it costs.
        pub every_steps: Option<usize> = None, in at_least(1);
    }
}

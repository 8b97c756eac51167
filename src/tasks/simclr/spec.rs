//! Pairs of views as a configuration describes them.

use std::ops::Bound;
use std::sync::Arc;

use super::Simclr;
use crate::data::{Augmentation, Splits};
use crate::loss::{Contrast, LEAST_TEMPERATURE};
use crate::nn::{Init, Layer};
use crate::optim::OptimizerSpec;
use crate::settings::{Fault, Length, Range, TableForm, Visitor, settings};
use crate::tasks::spec::{check_weighted, layers};
use crate::tasks::trainable::{BuildError, Spec, Trainable};

const LAYERS: Length = layers(1, "an array of layers, such as [{ dense = 50, activation = \"relu\" }]");
const TEMPERATURE: Range = Range {
    from: Bound::Included(LEAST_TEMPERATURE),
    accepted: "a finite number of at least 0.05",
    ..Range::ABOVE_ZERO
};

settings! {
    /// An encoder that learns from two views of each image, and how they come about.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SimclrSpec {
        /// From an image to its code; has at least one layer with weights.
        pub encoder: Vec<Layer> = Vec::new(), in (LAYERS, Layer::ACCEPTED),
            required "layers, as in encoder = [{ conv = 32, stride = 2, activation = \"relu\" }, { dense = 128 }]";
        /// From the code to what is compared; of no use after training. Has at least one layer with weights.
        pub head: Vec<Layer> = Vec::new(), in (LAYERS, Layer::ACCEPTED),
            required "layers, as in head = [{ dense = 128, activation = \"relu\" }, { dense = 64 }]";
        /// How weights and biases begin.
        pub init: Init = Init::GlorotUniform, in Init::ACCEPTED;
        /// What the similarity of a pair is held against.
        pub contrast: Contrast = Contrast::NtXent;
        /// What similarities are divided by.
        pub temperature: f64 = 0.5, in TEMPERATURE;
        /// How two views of an image come to differ.
        pub augmentation: Augmentation = Augmentation::default(),
            in TableForm::new("a table such as { crop = 0.5, flip = true }");
    }
    settle settle;
}

impl SimclrSpec {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        check_weighted("encoder", &self.encoder)?;
        check_weighted("head", &self.head)
    }
}

impl Spec for SimclrSpec {
    fn required(&self) -> &'static str {
        "a table [model] with encoder and head"
    }

    fn visit_training(&mut self, visitor: &mut dyn Visitor) {
        let accepted = "no loss: model.contrast says what is minimised";
        visitor.meaningless("loss", "given while the task is \"simclr\"", accepted);
    }

    fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError> {
        Ok(Arc::new(Simclr::new(self, loaded.shape(), optimizer.clone())?))
    }
}

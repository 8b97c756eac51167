//! A classifier as a configuration describes it.

use std::sync::Arc;

use super::ClassifierTask;
use crate::data::Splits;
use crate::nn::{Init, Layer, Layout, Sequential, dense, sized};
use crate::optim::OptimizerSpec;
use crate::settings::{Fault, Length, Range, Text, Visitor, settings};
use crate::tape::Activation;
use crate::tasks::spec::{check_weighted, input_of, layers};
use crate::tasks::trainable::{BuildError, Spec, Trainable};
use crate::train::Phase;

/// The groups of a classifier's parameters.
const GROUPS: [&str; 2] = ["encoder", "head"];

const ENCODER: Length =
    layers(1, "an array of layers, such as [{ conv = 32, activation = \"relu\" }, { max-pool = 2 }]");
const HEAD: Length = layers(0, "an array of layers, such as [{ dense = 64, activation = \"relu\" }]");
const FROZEN: Length = Length { least: 0, most: 1, accepted: "an array of a group, such as [\"encoder\"]" };
const GROUP: Text = Text { holds: |text| GROUPS.contains(&text), ..Text::not_empty("\"encoder\" or \"head\"") };
const RATES: Length = Length { least: 0, most: 2, accepted: "a table of factors by group, such as { encoder = 0.1 }" };

settings! {
    /// A classifier of labelled images.
    ///
    /// ```
    /// use narrows::data::Dataset;
    /// use narrows::nn::{Activation::Relu, dense};
    /// use narrows::optim::Adam;
    /// use narrows::tape::Arena;
    /// use narrows::tasks::{ClassifierSpec, Spec, Weights};
    /// use narrows::train::{TrainSettings, Training};
    ///
    /// let data = Dataset::open("footwear")?.split([5, 1, 1], 2026)?.limit(600);
    /// let spec = ClassifierSpec { encoder: vec![dense(50, Relu)], ..ClassifierSpec::default() };
    /// let task = spec.build(&data, &Adam::keras(1e-3).into())?;
    /// let settings = TrainSettings { batch_size: 32, max_epochs: 2, ..TrainSettings::default() };
    /// let training = Training::new(&*task, data.train(), data.validation(), &settings, 2026);
    /// let trained = training.run(task.init(2026), &mut ())?;
    /// let weights = Weights { params: &trained.params, context: training.context };
    /// let figures = task.evaluate(weights, data.test(), &mut Arena::default());
    /// assert!(figures["accuracy"].as_f64() > Some(0.8), "{figures}");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct ClassifierSpec {
        /// From the data to the code; has at least one layer with weights.
        pub encoder: Vec<Layer> = Vec::new(), in (ENCODER, Layer::ACCEPTED),
            required "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]";
        /// Layers from the code to the scores. The last, a dense layer with a score for each class, is there without being stated.
        pub head: Vec<Layer> = Vec::new(), in (HEAD, Layer::ACCEPTED);
        /// How weights and biases begin.
        pub init: Init = Init::GlorotUniform, in Init::ACCEPTED;
        /// The share of every target that is spread evenly over all classes (Szegedy et al. 2016). What that adds to the cross-entropy is
        /// the history's penalty.
        pub label_smoothing: f64 = 0.0, in Range::BELOW_ONE;
        /// A finished run whose encoder this one begins with, the head beginning fresh: a path, or the bare name of a folder beside
        /// that of this run. Of a variational encoder the means are taken. What was taken is written down, and a run that is resumed
        /// does not need the other any more.
        pub encoder_from: Option<String> = None, in Text::not_empty("a run folder, as in encoder_from = \"runs/conv\"");
        /// Groups that stay as they begin. A frozen group is applied as after training: without dropout, batch normalisation by its
        /// running statistics.
        pub frozen: Vec<String> = Vec::new(), in (FROZEN, GROUP);
        /// What the learning rate of a group is multiplied by.
        pub rates: Vec<(String, f64)> = Vec::new(), in (RATES, Range::ABOVE_ZERO);
    }
    settle settle;
}

impl ClassifierSpec {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        check_weighted("encoder", &self.encoder)?;
        match self.rates.iter().find(|(group, _)| !GROUPS.contains(&group.as_str()) || self.frozen.contains(group)) {
            Some((group, _)) => {
                let found = format!("a table with {group:?}, which is no group that is trained");
                Err(Fault::new("rates", found, "\"encoder\" and \"head\", without what is frozen"))
            }
            None => Ok(()),
        }
    }
}

impl Spec for ClassifierSpec {
    fn required(&self) -> &'static str {
        "a table [model] with encoder"
    }

    fn visit_training(&mut self, visitor: &mut dyn Visitor) {
        let accepted = "no loss: a classifier minimises the cross-entropy of its labels";
        visitor.meaningless("loss", "given while the task is \"classifier\"", accepted);
    }

    fn build(&self, loaded: &Splits, optimizer: &OptimizerSpec) -> Result<Arc<dyn Trainable>, BuildError> {
        if loaded.data.labels.is_none() {
            let found = format!("{}, which has no labels", loaded.data.name);
            return Err(Fault::new("data.set", found, "a set of images with labels, which a classifier learns").into());
        }
        let trained = GROUPS.iter().filter(|group| self.frozen.iter().all(|frozen| frozen != *group));
        let phase = Phase { rates: self.rates.clone(), ..Phase::new(trained.copied(), optimizer.clone()) };
        let mut layout = Layout::default();
        let input = input_of(&self.encoder, loaded.shape());
        let classes = &loaded.data.class_names;
        let encoder = Sequential::new("encoder", input, &sized(&self.encoder, input.len()), &mut layout)?;
        let scores = dense(classes.len(), Activation::Linear);
        let head: Vec<Layer> = sized(&self.head, input.len()).into_iter().chain([scores]).collect();
        let head = Sequential::new("head", encoder.output(), &head, &mut layout)?;
        Ok(Arc::new(ClassifierTask {
            frozen: GROUPS.map(|group| self.frozen.iter().any(|frozen| frozen == group)),
            encoder,
            head,
            layout,
            init: self.init,
            label_smoothing: self.label_smoothing,
            classes: classes.clone(),
            phases: [phase],
            encoder_from: self.encoder_from.clone(),
        }))
    }
}

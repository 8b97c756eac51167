//! A classifier: an encoder, and a head that gives a score for each class.

use std::sync::Arc;

use narrows_kernels::{AlignedVec, Context, Real};
use serde_json::{Value, json};

use super::evaluate::rows_together;
use super::spec::input_of;
use super::trainable::{BuildError, Cell, Picture, Spec, Table, Trainable, Weights};
use crate::data::{Samples, Splits};
use crate::loss;
use crate::nn::{Init, Layer, Layout, MOST_LAYERS, ModelError, Pass, Placed, Sequential, dense, sized, summarise};
use crate::optim::OptimizerSpec;
use crate::settings::{Fault, Length, Range, Visitor, settings};
use crate::tape::{Activation, Arena, Shape, Tape, Var};
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

const ENCODER: Length = Length {
    least: 1,
    most: MOST_LAYERS,
    accepted: "an array of layers, such as [{ conv = 32, activation = \"relu\" }, { max-pool = 2 }]",
};
const HEAD: Length = Length {
    least: 0,
    most: MOST_LAYERS,
    accepted: "an array of layers, such as [{ dense = 64, activation = \"relu\" }]",
};
const INIT: &str = "\"glorot-uniform\", \"glorot-normal\", \"he-uniform\", \"he-normal\", \"pytorch-linear\" or a table such \
                    as { normal = 0.05, biases = true }";

settings! {
    /// A classifier of labelled images.
    #[derive(Clone, Debug, PartialEq)]
    pub struct ClassifierSpec {
        /// From the data to the code; has at least one layer with weights.
        pub encoder: Vec<Layer> = Vec::new(), in (ENCODER, Layer::ACCEPTED),
            required "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]";
        /// Layers from the code to the scores. The last, a dense layer with a score for each class, is there without being stated.
        pub head: Vec<Layer> = Vec::new(), in (HEAD, Layer::ACCEPTED);
        /// How weights and biases begin.
        pub init: Init = Init::GlorotUniform, in INIT;
        /// The share of every target that is spread evenly over all classes (Szegedy et al. 2016).
        pub label_smoothing: f64 = 0.0, in Range::BELOW_ONE;
    }
    settle settle;
}

impl ClassifierSpec {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        if self.encoder.iter().any(|layer| layer.activation().is_some()) {
            return Ok(());
        }
        let found = "an array without a dense or convolutional layer";
        Err(Fault::new("encoder", found, "at least one layer { dense = … } or { conv = … }"))
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
        let phase = Phase::new(["encoder", "head"], optimizer.clone());
        let input = input_of(&self.encoder, loaded.shape());
        Ok(Arc::new(ClassifierTask::new(self, input, loaded.data.class_names.clone(), phase)?))
    }
}

/// A classifier being trained: an encoder (group "encoder") and a head ("head") from its code to a score z_c for each class c.
///
/// Minimised is the mean over images of the cross-entropy −Σ_c t_c ln p_c in nats, with p = softmax(z), and the target t 1 for the
/// image's class and 0 for the others; with label smoothing s, t (1 − s) + s / classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierTask {
    encoder: Sequential,
    head: Sequential,
    layout: Layout,
    init: Init,
    label_smoothing: f64,
    classes: Vec<String>,
    phases: [Phase; 1],
}

impl ClassifierTask {
    /// A classifier of samples of shape `input` into `classes`, trained in one phase.
    pub fn new(spec: &ClassifierSpec, input: Shape, classes: Vec<String>, phase: Phase) -> Result<Self, ModelError> {
        let mut layout = Layout::default();
        let encoder = Sequential::new("encoder", input, &sized(&spec.encoder, input.len()), &mut layout)?;
        let scores = dense(classes.len(), Activation::Linear);
        let head: Vec<Layer> = sized(&spec.head, input.len()).into_iter().chain([scores]).collect();
        let head = Sequential::new("head", encoder.output(), &head, &mut layout)?;
        let (init, label_smoothing, phases) = (spec.init, spec.label_smoothing, [phase]);
        Ok(ClassifierTask { encoder, head, layout, init, label_smoothing, classes, phases })
    }

    fn layers(&self) -> impl Iterator<Item = &Placed> {
        self.encoder.layers().iter().chain(self.head.layers())
    }

    /// Records the scores [batch, classes] of images [batch, features].
    pub fn scores<T: Real>(&self, tape: &mut Tape<'_, T>, images: Var, pass: Pass) -> Var {
        let code = self.encoder.record(tape, images, pass);
        self.head.record(tape, code, pass)
    }

    /// The targets [batch, classes] of labels.
    fn targets<T: Real>(&self, tape: &mut Tape<'_, T>, smoothing: f64, labels: &[u8]) -> Var {
        let classes = self.classes.len();
        let (off, on) = (smoothing / classes as f64, 1.0 - smoothing + smoothing / classes as f64);
        tape.constant_with([labels.len(), classes], |out| {
            out.fill(T::from_f64(off));
            let rows = out.chunks_exact_mut(classes).zip(labels);
            rows.for_each(|(row, &label)| row[usize::from(label)] = T::from_f64(on));
        })
    }

    /// Calls `take` with the cross-entropy, without smoothing, the scores and the labels of every batch of `samples`.
    fn each_batch<T: Real>(
        &self,
        context: Context,
        params: &[T],
        samples: Samples<'_>,
        arena: &mut Arena<T>,
        mut take: impl FnMut(f64, &[T], &[u8]),
    ) {
        for batch in samples.chunks(rows_together(self.layers())) {
            let mut tape = Tape::new(context, arena, params);
            let batch = Batch::new(batch);
            let labels = labels_of(&batch);
            let x = batch.x(&mut tape);
            let scores = self.scores(&mut tape, x, Pass::Infer);
            let targets = self.targets(&mut tape, 0.0, &labels);
            let loss = loss::cross_entropy(&mut tape, batch.whole.samples, scores, targets);
            take(tape.scalar(loss).to_f64(), tape.value(scores), &labels);
        }
    }
}

fn labels_of(batch: &Batch<'_>) -> Vec<u8> {
    batch.labels().expect("a classifier is built for labelled data").collect()
}

/// How many rows of `scores` have their largest at the row's label; of equal scores the first counts.
fn correct<T: Real>(scores: &[T], labels: &[u8], classes: usize) -> usize {
    let rows = scores.chunks_exact(classes).zip(labels);
    rows.filter(|(row, label)| largest(row) == usize::from(**label)).count()
}

/// The class of the largest score; of equal scores the first.
fn largest<T: Real>(scores: &[T]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

impl<T: Real> Task<T> for ClassifierTask {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn record(
        &self,
        _phase: usize,
        tape: &mut Tape<'_, T>,
        batch: &Batch<'_>,
        pass: Pass,
        metrics: &mut Metrics,
    ) -> Recorded {
        let labels = labels_of(batch);
        let x = batch.x(tape);
        let scores = self.scores(tape, x, pass);
        tape.set_scope(self.layout.loss_scope());
        metrics.add(0, correct(tape.value(scores), &labels, self.classes.len()) as f64, labels.len() as f64);
        let targets = self.targets(tape, self.label_smoothing, &labels);
        loss::cross_entropy(tape, batch.whole.samples, scores, targets).into()
    }

    fn accepts_slices(&self) -> bool {
        !self.encoder.needs_whole_batch() && !self.head.needs_whole_batch()
    }

    fn scalar_names(&self) -> Vec<String> {
        ["accuracy", "val_accuracy"].map(str::to_owned).to_vec()
    }

    /// Shares of the images whose class has the largest score: of the training images at the step that saw them, and of the
    /// validation images at the end of the epoch.
    fn scalars(&self, _: usize, metrics: &Metrics) -> Vec<f64> {
        metrics.means().chain([f64::NAN; 2]).take(2).collect()
    }

    fn validate(
        &self,
        context: Context,
        params: &[T],
        samples: Samples<'_>,
        arena: &mut Arena<T>,
        metrics: &mut Metrics,
    ) -> f64 {
        let mut sum = 0.0;
        self.each_batch(context, params, samples, arena, |loss, scores, labels| {
            sum += loss * labels.len() as f64;
            metrics.add(1, correct(scores, labels, self.classes.len()) as f64, labels.len() as f64);
        });
        sum / samples.len() as f64
    }
}

impl Trainable for ClassifierTask {
    fn init(&self, seed: u64) -> AlignedVec<f32> {
        let mut flat = AlignedVec::zeros(self.layout.len());
        self.encoder.init(self.init, seed, &mut flat);
        self.head.init(self.init, seed, &mut flat);
        flat
    }

    fn description(&self) -> String {
        self.layout.describe_layers(self.layers())
    }

    fn summary(&self) -> String {
        summarise("classifier", self.encoder.input(), &[("encoder", &self.encoder), ("head", &self.head)])
    }

    fn loss_name(&self) -> &'static str {
        "cross-entropy"
    }

    fn loss_label(&self) -> &'static str {
        "cross-entropy (nats per image)"
    }

    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let (mut sum, mut right) = (0.0, 0);
        self.each_batch(weights.context, weights.params, samples, arena, |loss, scores, labels| {
            sum += loss * labels.len() as f64;
            right += correct(scores, labels, self.classes.len());
        });
        let count = samples.len() as f64;
        json!({ "images": samples.len(), "loss": sum / count, "accuracy": right as f64 / count })
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let row = |(name, figures): &(&'static str, Value)| {
            let [loss, accuracy] = ["loss", "accuracy"].map(|key| Cell::of(figures, key, 4));
            vec![(*name).into(), (&figures["images"]).into(), loss, accuracy]
        };
        let header = ["", "images", self.loss_name(), "accuracy"].map(str::to_owned).to_vec();
        vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }]
    }

    fn pictures(&self, _: Weights<'_>, _: &Splits) -> Vec<Picture> {
        Vec::new()
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}

//! A classifier: an encoder, and a head that gives a score for each class.

use narrows_kernels::{AlignedVec, Context, Real};
use serde_json::{Value, json};

use super::evaluate::rows_together;
use super::tally::{MOST_TOP, Tally, correct, largest, log_probability};
use super::trainable::{Cell, Content, Origin, Picture, Table, Trainable, Weights};
use crate::data::{Samples, Splits};
use crate::nn::{Init, Layout, Pass, Placed, Sequential, summarise};
use crate::tape::{Arena, Tape, Var};
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

/// Images in `hardest.png`.
const HARDEST: usize = 10;

/// A classifier being trained: an encoder (group "encoder") and a head ("head") from its code to a score z_c for each class c.
///
/// Minimised is the mean over images of the cross-entropy −Σ_c t_c ln p_c in nats, with p = softmax(z), and the target t 1 for the
/// image's class and 0 for the others; with label smoothing s, t (1 − s) + s / classes.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassifierTask {
    pub(super) encoder: Sequential,
    pub(super) head: Sequential,
    pub(super) layout: Layout,
    pub(super) init: Init,
    pub(super) label_smoothing: f64,
    pub(super) classes: Vec<String>,
    pub(super) phases: [Phase; 1],
    /// Whether the encoder is applied as after training.
    pub(super) is_frozen: bool,
    pub(super) encoder_from: Option<String>,
}

impl ClassifierTask {
    fn layers(&self) -> impl Iterator<Item = &Placed> {
        self.encoder.layers().iter().chain(self.head.layers())
    }

    /// Records the scores [batch, classes] of images [batch, features].
    pub fn scores<T: Real>(&self, tape: &mut Tape<'_, T>, images: Var, pass: Pass) -> Var {
        let code = self.encoder.record(tape, images, if self.is_frozen { Pass::Infer } else { pass });
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
            let loss = tape.softmax_cross_entropy(scores, targets);
            take(tape.scalar(loss).to_f64(), tape.value(scores), &labels);
        }
    }
}

fn labels_of(batch: &Batch<'_>) -> Vec<u8> {
    batch.labels().expect("a classifier is built for labelled data").collect()
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
        tape.softmax_cross_entropy_in(batch.whole, scores, targets).into()
    }

    fn accepts_slices(&self) -> bool {
        (self.is_frozen || !self.encoder.needs_whole_batch()) && !self.head.needs_whole_batch()
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

    fn origin(&self) -> Option<Origin<'_>> {
        self.encoder_from.as_deref().map(|run| Origin { run, prefix: "encoder" })
    }

    fn description(&self) -> String {
        self.layout.describe_layers(self.layers())
    }

    fn summary(&self) -> String {
        summarise("classifier", self.encoder.input(), &[("encoder", &self.encoder), ("head", &self.head)])
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.encoder, &self.head]
    }

    fn loss_name(&self) -> &'static str {
        "cross-entropy"
    }

    fn loss_label(&self) -> &'static str {
        "cross-entropy (nats per image)"
    }

    /// images; loss, without smoothing; accuracy; top, the shares of images whose class is among the one, two, three, … largest scores;
    /// confusion, for each class how many of its images had their largest score at each class.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let (mut sum, mut tally) = (0.0, Tally::new(self.classes.len()));
        self.each_batch(weights.context, weights.params, samples, arena, |loss, scores, labels| {
            sum += loss * labels.len() as f64;
            tally.add(scores, labels);
        });
        let mut figures = tally.to_json();
        figures["loss"] = json!(sum / samples.len() as f64);
        figures
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let shown: Vec<usize> = [2, 3, 5].into_iter().filter(|&k| k < self.classes.len() && k <= MOST_TOP).collect();
        let row = |(name, figures): &(&'static str, Value)| {
            let [loss, accuracy] = ["loss", "accuracy"].map(|key| Cell::of(figures, key, 4));
            let mut row = vec![(*name).into(), (&figures["images"]).into(), loss, accuracy];
            row.extend(shown.iter().map(|k| Cell::Number(figures["top"][k - 1].as_f64().unwrap_or(f64::NAN), 4)));
            row
        };
        let mut header = ["", "images", self.loss_name(), "accuracy"].map(str::to_owned).to_vec();
        header.extend(shown.iter().map(|k| format!("top {k}")));
        let mut tables = vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }];
        if let Some((name, figures)) = parts.last() {
            let numbered = self.classes.iter().enumerate();
            let row = |(number, class): (usize, &String)| {
                let mut row: Vec<Cell> = vec![format!("{number} {class}").into()];
                row.extend((0..self.classes.len()).map(|column| Cell::from(&figures["confusion"][number][column])));
                row
            };
            let title = format!("The {name} images of each class, by the class that has their largest score:");
            let header = std::iter::once(String::new()).chain((0..self.classes.len()).map(|class| class.to_string()));
            tables.push(Table { title, header: header.collect(), rows: numbered.map(row).collect() });
        }
        tables
    }

    fn pictures(&self, weights: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let parts = loaded.parts();
        let Some((part, samples)) = parts.into_iter().rev().find(|(_, samples)| !samples.is_empty()) else {
            return Vec::new();
        };
        let classes = self.classes.len();
        let mut tally = Tally::new(classes);
        let mut arena = Arena::default();
        // ln p of the right class, the number of the image, the right class and the one of the largest score.
        let mut images: Vec<(f64, usize, [usize; 2])> = Vec::new();
        self.each_batch(weights.context, weights.params, samples, &mut arena, |_, scores, labels| {
            tally.add(scores, labels);
            for (row, &label) in scores.chunks_exact(classes).zip(labels) {
                let label = usize::from(label);
                images.push((log_probability(row, label), images.len(), [label, largest(row)]));
            }
        });
        images.sort_by(|a, b| a.0.total_cmp(&b.0));
        images.truncate(HARDEST);
        let indices: Vec<u32> = images.iter().map(|&(_, number, _)| samples.indices[number]).collect();
        let named = |&(_, _, classes): &(f64, usize, [usize; 2])| {
            let [is, taken] = classes.map(|class| self.classes[class].as_str());
            if is == taken { is.to_owned() } else { format!("{is} → {taken}") }
        };
        let title = format!("{part} images of each class");
        let confusion = Content::Confusion { title, classes: self.classes.clone(), counts: tally.confusion };
        let hardest = Content::Images {
            images: Samples { data: samples.data, indices: &indices }.to_array(),
            beside: HARDEST,
            columns: images.iter().map(named).collect(),
        };
        let picture = |file, holds, content| Picture { file, holds, content };
        vec![
            picture("confusion.png", "the images of each class, by the class that has their largest score", confusion),
            picture(
                "hardest.png",
                "the images whose class has the least probability, and after the arrow what they are taken for",
                hardest,
            ),
        ]
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(&self.encoder)
    }
}

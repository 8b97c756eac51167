//! A classifier: an encoder, and a head that gives a score for each class.

mod measures;
mod spec;
mod tally;

pub use spec::ClassifierSpec;

use narrows_kernels::{Context, Real};

use self::tally::correct;
use crate::data::Samples;
use crate::nn::{Init, Layout, Pass, Placed, Sequential};
use crate::tape::{Arena, Tape, Var};
use crate::tasks::evaluate::rows_together;
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

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
    /// Whether encoder and head are applied as after training.
    frozen: [bool; 2],
    encoder_from: Option<String>,
}

impl ClassifierTask {
    fn layers(&self) -> impl Iterator<Item = &Placed> {
        self.encoder.layers().iter().chain(self.head.layers())
    }

    /// Records the scores [batch, classes] of images [batch, features].
    pub fn scores<T: Real>(&self, tape: &mut Tape<'_, T>, images: Var, pass: Pass) -> Var {
        let [of_encoder, of_head] = self.frozen.map(|is_frozen| if is_frozen { Pass::Infer } else { pass });
        let code = self.encoder.record(tape, images, of_encoder);
        self.head.record(tape, code, of_head)
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
        let mut cross_entropy = |smoothing: f64| {
            let targets = self.targets(tape, smoothing, &labels);
            tape.softmax_cross_entropy_in(batch.whole, scores, targets)
        };
        let loss = cross_entropy(0.0);
        if self.label_smoothing == 0.0 {
            return loss.into();
        }
        // What is smoothed counts as a penalty, so that the loss is that of the validation.
        let total = cross_entropy(self.label_smoothing);
        let opposite = tape.scale(loss, -1.0);
        Recorded { total, loss, penalty: Some(tape.add(total, opposite)) }
    }

    fn accepts_slices(&self) -> bool {
        let mut parts = [&self.encoder, &self.head].into_iter().zip(self.frozen);
        parts.all(|(part, is_frozen)| is_frozen || !part.needs_whole_batch())
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

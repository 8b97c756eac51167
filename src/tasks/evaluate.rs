//! A model measured on images it is not trained on at that moment.

use narrows_kernels::losses::{bce_with_logits, squared_error};
use narrows_kernels::reduce::sum_of_abs;
use narrows_kernels::{Context, Real, with_spinning_threads};
use serde::Serialize;

use super::objective::Objective;
use crate::data::Samples;
use crate::loss;
use crate::loss::Loss;
use crate::nn::{Autoencoder, Pass, Placed};
use crate::tape::{Arena, Tape, Var};
use crate::train::MEASURED_SAMPLES;

/// Values that one layer gives for the rows evaluated at a time, at most: 16 MB in f32. Layers on images give many.
const VALUES: usize = 1 << 22;

/// A code unit counts as active in a sample when its magnitude exceeds this.
pub const ACTIVE_ABOVE: f64 = 1e-3;

/// Figures of a model on a set of images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Evaluation {
    /// Images measured.
    pub images: usize,
    /// The loss the model is trained with, without penalties.
    pub loss: f64,
    /// The mean squared error per pixel between images and reconstructions.
    pub mse: f64,
    /// √mse / (largest − smallest pixel of the images).
    pub nrmse: f64,
    /// The mean over images of the number of code units with a magnitude above [`ACTIVE_ABOVE`].
    pub active_code_units: f64,
    /// The mean over images of Σ|code|.
    pub code_l1: f64,
}

/// Records a batch [batch.len(), features] of samples, given by their numbers in the data set.
pub(super) fn record_batch<T: Real>(samples: Samples<'_>, tape: &mut Tape<'_, T>, batch: &[u32]) -> Var {
    tape.constant_with([batch.len(), samples.features()], |out| samples.data.gather(batch, out))
}

/// A model with its parameters, ready to be applied.
#[derive(Clone, Copy)]
pub struct Trained<'a, T> {
    /// The structure.
    pub model: &'a Autoencoder,
    /// The flat parameter buffer.
    pub params: &'a [T],
    /// What it was trained to minimise.
    pub objective: Objective,
    /// How to compute.
    pub context: Context,
}

/// Rows that are evaluated at a time through these layers.
pub(super) fn rows_together<'a>(layers: impl IntoIterator<Item = &'a Placed>) -> usize {
    let widest = layers.into_iter().map(|placed| placed.output.len()).fold(1, usize::max);
    (VALUES / widest).clamp(1, MEASURED_SAMPLES)
}

impl<T: Real> Trained<'_, T> {
    /// Rows that are evaluated at a time.
    pub(super) fn rows(&self) -> usize {
        rows_together(self.model.layers())
    }

    /// The loss alone, without penalties; what a validation after each epoch needs. NaN for no images.
    pub fn loss(&self, images: Samples<'_>, arena: &mut Arena<T>) -> f64 {
        let mut sum = LossSum::new(self.objective.loss);
        for batch in images.indices.chunks(self.rows()) {
            let mut tape = Tape::new(self.context, arena, self.params);
            let x = record_batch(images, &mut tape, batch);
            let pass = self.objective.forward(self.model, &mut tape, x, Pass::Infer);
            sum.add(self.context, &mut tape, pass.output, x);
        }
        sum.mean(images.indices.len(), self.model.features())
    }

    /// All figures.
    pub fn evaluate(&self, images: Samples<'_>, arena: &mut Arena<T>) -> Evaluation {
        with_spinning_threads(|| self.measure(images, arena))
    }

    fn measure(&self, images: Samples<'_>, arena: &mut Arena<T>) -> Evaluation {
        let mut sum = LossSum::new(self.objective.loss);
        let (mut squares, mut active, mut l1) = (0.0, 0, 0.0);
        let (mut smallest, mut largest) = (f64::INFINITY, f64::NEG_INFINITY);
        for batch in images.indices.chunks(self.rows()) {
            let mut tape = Tape::new(self.context, arena, self.params);
            let x = record_batch(images, &mut tape, batch);
            let pass = self.objective.forward(self.model, &mut tape, x, Pass::Infer);
            sum.add(self.context, &mut tape, pass.output, x);
            let reconstruction = loss::reconstruction(self.objective.loss, &mut tape, pass.output, x);
            let (found, wanted, code) = (tape.value(reconstruction), tape.value(x), tape.value(pass.code));
            squares = squared_error(self.context.isa, found, wanted, self.model.features(), squares);
            active += code.iter().filter(|c| c.to_f64().abs() > ACTIVE_ABOVE).count();
            l1 += sum_of_abs(self.context.isa, code);
            for pixel in wanted {
                smallest = smallest.min(pixel.to_f64());
                largest = largest.max(pixel.to_f64());
            }
        }
        let count = images.indices.len();
        let mse = squares / (count * self.model.features()) as f64;
        Evaluation {
            images: count,
            loss: sum.mean(count, self.model.features()),
            mse,
            nrmse: mse.sqrt() / (largest - smallest),
            active_code_units: active as f64 / count as f64,
            code_l1: l1 / count as f64,
        }
    }
}

/// Σ of a loss over batches, in the unit the loss is averaged from.
pub(super) struct LossSum {
    kind: Loss,
    sum: f64,
}

impl LossSum {
    pub fn new(kind: Loss) -> Self {
        LossSum { kind, sum: 0.0 }
    }

    pub fn add<T: Real>(&mut self, context: Context, tape: &mut Tape<'_, T>, output: Var, target: Var) {
        let (rows, cols) = (tape.shape(output).samples(), tape.shape(output).features());
        self.sum = match self.kind {
            Loss::Bce | Loss::BceLogits => {
                bce_with_logits(context.isa, tape.value(output), tape.value(target), cols, self.sum)
            }
            Loss::Mse => squared_error(context.isa, tape.value(output), tape.value(target), cols, self.sum),
            Loss::Kl => {
                let mean = loss::record(self.kind, tape, output, target);
                self.sum + rows as f64 * tape.scalar(mean).to_f64()
            }
        };
    }

    pub fn mean(&self, rows: usize, cols: usize) -> f64 {
        match self.kind {
            Loss::Kl => self.sum / rows as f64,
            _ => self.sum / (rows * cols) as f64,
        }
    }
}

//! What a run of two rivals asks of them: figures, tables and pictures.

use narrows_kernels::AlignedVec;
use ndarray::{Array2, ArrayView2};
use serde_json::{Value, json};

use super::{Gan, SCALARS};
use crate::data::{Samples, Splits};
use crate::nn::Sequential;
use crate::nn::{Pass, summarise};
use crate::rng::{Purpose, standard_normal, stream};
use crate::tape::{Arena, Tape};
use crate::tasks::WidthError;
use crate::tasks::apply::map;
use crate::tasks::evaluate::rows_together;
use crate::tasks::trainable::{Cell, Content, Generator, Picture, Table, Trainable, Weights};
use crate::train::{Batch, Metrics, Task};

/// Images beside each other, and rows of them, in `samples.png`.
const SHOWN: [usize; 2] = [15, 6];

/// Images in a batch that is measured.
const MEASURED: usize = 500;

/// `count` draws from N(0, I), the same whatever their number.
fn noise(count: usize, latent: usize, seed: u64) -> Array2<f32> {
    let mut stream = stream(seed, Purpose::Sample, 0);
    Array2::from_shape_simple_fn((count, latent), || standard_normal(&mut stream) as f32)
}

impl Generator for Gan {
    fn latent(&self) -> usize {
        self.generator.input().len()
    }

    fn generate(&self, weights: Weights<'_>, noise: ArrayView2<'_, f32>) -> Result<Array2<f32>, WidthError> {
        let (Weights { params, context }, together) = (weights, rows_together(self.generator.layers().iter()));
        map(params, context, together, "generate", self.latent(), noise, |tape, z| {
            self.generator.record(tape, z, Pass::Infer)
        })
    }
}

impl Trainable for Gan {
    fn init(&self, seed: u64) -> AlignedVec<f32> {
        Gan::init(self, seed)
    }

    fn description(&self) -> String {
        let layers = self.generator.layers().iter().chain(self.discriminator.layers());
        self.layout.describe_layers(layers)
    }

    fn summary(&self) -> String {
        let parts = [("generator", &self.generator), ("discriminator", &self.discriminator)];
        summarise("gan", self.generator.input(), &parts)
    }

    fn networks(&self) -> Vec<&Sequential> {
        vec![&self.generator, &self.discriminator]
    }

    fn loss_name(&self) -> &'static str {
        "discriminator loss"
    }

    fn loss_label(&self) -> &'static str {
        "binary cross-entropy of verdicts (nats per image)"
    }

    fn further_losses(&self) -> &[&'static str] {
        &SCALARS[..1]
    }

    /// The figures of the history, but the generator's loss, with the running statistics and on noise of its own.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let (mut sum, mut means) = (0.0, [0.0; 4]);
        for part in samples.chunks(MEASURED) {
            let (mut metrics, batch) = (Metrics::default(), Batch::new(part));
            let mut tape = Tape::new(weights.context, arena, weights.params);
            let recorded = self.record(0, &mut tape, &batch, Pass::Infer, &mut metrics);
            sum += f64::from(tape.scalar(recorded.loss)) * part.len() as f64;
            means.iter_mut().zip(metrics.means()).for_each(|(sum, mean)| *sum += mean * part.len() as f64);
        }
        let count = samples.len() as f64;
        let [_, real, made, diversity] = means.map(|sum| sum / count);
        json!({ "images": samples.len(), "loss": sum / count, "d_real": real, "d_fake": made, "diversity": diversity })
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let row = |(name, figures): &(&'static str, Value)| {
            let [loss, real, made, diversity] =
                ["loss", "d_real", "d_fake", "diversity"].map(|key| Cell::of(figures, key, 4));
            vec![(*name).into(), (&figures["images"]).into(), loss, real, made, diversity]
        };
        let header = ["", "images", self.loss_name(), "D(real)", "D(made)", "diversity"].map(str::to_owned).to_vec();
        vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }]
    }

    fn pictures(&self, weights: Weights<'_>, _: &Splits) -> Vec<Picture> {
        let [beside, rows] = SHOWN;
        let images = self.generate(weights, noise(beside * rows, self.latent(), 1).view());
        let images = images.expect("the noise is of the size that the generator takes");
        vec![Picture {
            file: "samples.png",
            holds: "images made of noise",
            content: Content::Images { images, beside, columns: Vec::new() },
        }]
    }

    /// Images of one noise.
    fn snapshot(&self, weights: Weights<'_>) -> Option<Array2<f32>> {
        self.generate(weights, noise(SHOWN[0], self.latent(), 1).view()).ok()
    }

    fn generator(&self) -> Option<&dyn Generator> {
        Some(self)
    }
}

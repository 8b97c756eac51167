//! What a run of a generator and a discriminator asks of them: figures, tables and pictures.

use ndarray::{Array2, ArrayView2};
use serde_json::{Value, json};

use super::{Gan, SCALARS};
use crate::data::{Samples, Splits};
use crate::nn::{Init, Part, Pass, summarise};
use crate::rng::{Purpose, standard_normal, stream};
use crate::tape::{Arena, Tape};
use crate::tasks::WidthError;
use crate::tasks::apply::map;
use crate::tasks::evaluate::rows_together;
use crate::tasks::trainable::{Cell, Content, Generator, Picture, Table, Trainable, Weights};
use crate::train::{Batch, MEASURED_SAMPLES, Metrics, Task};

/// Images beside each other, and rows of them, in `samples.png`.
const SHOWN: [usize; 2] = [15, 6];

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
    fn parts(&self) -> Vec<Part<'_>> {
        vec![("generator", &self.generator), ("discriminator", &self.discriminator)]
    }

    fn initialiser(&self) -> Init {
        self.spec.init
    }

    fn summary(&self) -> String {
        summarise("gan", self.generator.input(), &self.parts())
    }

    fn loss_name(&self) -> &'static str {
        "discriminator loss"
    }

    fn loss_label(&self) -> &'static str {
        "binary cross-entropy of the discriminator's outputs (nats per image)"
    }

    fn further_losses(&self) -> &[&'static str] {
        &SCALARS[..1]
    }

    /// The figures of the history, but the generator's loss, with the running statistics and on noise of its own.
    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        let (mut sum, mut all) = (0.0, Metrics { sums: vec![[0.0; 2]; SCALARS.len()] });
        for part in samples.chunks(MEASURED_SAMPLES) {
            let (mut metrics, batch) = (Metrics::default(), Batch::new(part));
            let mut tape = Tape::new(weights.context, arena, weights.params);
            let recorded = self.record(0, &mut tape, &batch, Pass::Infer, &mut metrics);
            sum += f64::from(tape.scalar(recorded.loss)) * part.len() as f64;
            let images = part.len() as f64;
            let sums = metrics.sums.into_iter().enumerate();
            sums.for_each(|(position, [sum, weight])| all.add(position, sum * images, weight * images));
        }
        let means: Vec<f64> = all.means().collect();
        json!({
            "images": samples.len(),
            "loss": sum / samples.len() as f64,
            "d_real": means[1],
            "d_fake": means[2],
            "diversity": means[3],
        })
    }

    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let row = |(name, figures): &(&'static str, Value)| {
            let [loss, real, made, diversity] =
                ["loss", "d_real", "d_fake", "diversity"].map(|key| Cell::of(figures, key, 4));
            vec![(*name).into(), (&figures["images"]).into(), loss, real, made, diversity]
        };
        let header =
            ["", "images", self.loss_name(), "D(real)", "D(generated)", "diversity"].map(str::to_owned).to_vec();
        vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }]
    }

    fn picture_files(&self, _: &Splits) -> Vec<(&'static str, String)> {
        vec![("samples.png", "images generated from noise".to_owned())]
    }

    fn pictures(&self, weights: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let [beside, rows] = SHOWN;
        let images = self.generate(weights, noise(beside * rows, self.latent(), 1).view());
        let images = images.expect("the noise is of the size that the generator takes");
        Picture::of(self.picture_files(loaded), [Content::Images { images, beside, columns: Vec::new() }])
    }

    /// Images of one noise.
    fn snapshot(&self, weights: Weights<'_>) -> Option<Array2<f32>> {
        self.generate(weights, noise(SHOWN[0], self.latent(), 1).view()).ok()
    }

    fn snapshots(&self) -> Option<&'static str> {
        Some("the same noise after each of several epochs")
    }

    fn generator(&self) -> Option<&dyn Generator> {
        Some(self)
    }
}

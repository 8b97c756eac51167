//! Variational models: the code as a distribution, and what a bound on the likelihood of images says of them (Kingma & Welling
//! 2014).

use narrows_kernels::{Real, with_spinning_threads};
use serde_json::{Value, json};

use super::evaluate::{LossSum, Trained, record_batch};
use super::objective::draw;
use crate::data::Samples;
use crate::loss;
use crate::nn::Pass;
use crate::rng::{Purpose, standard_normal, stream};
use crate::tape::{Arena, Tape};

/// A dimension of the code counts as active when its mean divergence from N(0, 1) exceeds this, in nats; one that has
/// collapsed onto the prior has about none.
pub const ACTIVE_NATS: f64 = 0.01;

/// The parts of the negative evidence lower bound of images, each a mean over images.
#[derive(Clone, Debug, PartialEq)]
pub struct Elbo {
    /// Images measured.
    pub images: usize,
    /// The loss summed over the pixels of an image, with codes drawn once from the encoder's distribution: nats for a
    /// cross-entropy, squared error otherwise.
    pub reconstruction: f64,
    /// KL(N(μ, σ²) ‖ N(0, I)) in nats.
    pub kl: f64,
    /// The part of each dimension of the code in `kl`.
    pub kl_per_dimension: Vec<f64>,
}

impl Elbo {
    /// reconstruction + kl: with the cross-entropy, the negative bound on ln p(image), in nats.
    pub fn negative(&self) -> f64 {
        self.reconstruction + self.kl
    }

    /// Dimensions whose divergence exceeds [`ACTIVE_NATS`].
    pub fn active_dimensions(&self) -> usize {
        active(&self.kl_per_dimension)
    }

    /// As `metrics.json` holds it.
    pub fn to_json(&self) -> Value {
        json!({
            "negative_elbo": self.negative(),
            "reconstruction": self.reconstruction,
            "kl": self.kl,
            "active_dimensions": self.active_dimensions(),
            "kl_per_dimension": self.kl_per_dimension,
        })
    }
}

/// Dimensions whose divergence exceeds [`ACTIVE_NATS`].
pub(super) fn active(kl_per_dimension: &[f64]) -> usize {
    kl_per_dimension.iter().filter(|&&kl| kl > ACTIVE_NATS).count()
}

impl<T: Real> Trained<'_, T> {
    /// The parts of the evidence lower bound. Every image draws its code from a stream of its own, named by `seed` and its index
    /// in the data set. `None` for a model that is not variational.
    pub fn elbo(&self, images: Samples<'_>, seed: u64, arena: &mut Arena<T>) -> Option<Elbo> {
        self.model.log_variance_head()?;
        Some(with_spinning_threads(|| {
            let mut sum = LossSum::new(self.objective.loss);
            let mut kl = vec![0.0; self.model.code_size()];
            for batch in images.indices.chunks(self.rows()) {
                let mut tape = Tape::new(self.context, arena, self.params);
                let x = record_batch(images, &mut tape, batch);
                let encoded = self.model.encode_with(&mut tape, x, Pass::Infer);
                let log_variance = self.model.log_variance(&mut tape, encoded).expect("the model has the head");
                let width = self.model.code_size();
                let normal = tape.constant_with([batch.len(), width], |out| {
                    for (&index, row) in batch.iter().zip(out.chunks_exact_mut(width)) {
                        let mut stream = stream(seed, Purpose::MeasuredLatent, index.into());
                        row.iter_mut().for_each(|value| *value = T::from_f64(standard_normal(&mut stream)));
                    }
                });
                let code = draw(&mut tape, encoded.code, log_variance, normal);
                let output = self.objective.decode(self.model, &mut tape, code, Pass::Infer);
                sum.add(self.context, &mut tape, output, x);
                let divergence = loss::latent_divergence(&mut tape, encoded.code, log_variance);
                let sums = tape.column_sum(divergence);
                kl.iter_mut().zip(tape.value(sums)).for_each(|(kl, sum)| *kl += sum.to_f64());
            }
            let count = images.indices.len();
            kl.iter_mut().for_each(|kl| *kl /= count as f64);
            let features = self.model.features();
            let reconstruction = features as f64 * sum.mean(count, features);
            Elbo { images: count, reconstruction, kl: kl.iter().sum(), kl_per_dimension: kl }
        }))
    }
}

//! What an epoch's training steps saw of the code.

use narrows_kernels::Real;

use super::evaluate::ACTIVE_ABOVE;
use super::history::{CodeRecord, LatentRecord};
use super::latent;
use super::objective::{Objective, Recorded};
use crate::tape::Tape;

/// Sums over the samples of an epoch, each at the step that saw it, like the loss.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Samples of a variational model.
    pub samples: usize,
    /// Values of codes whose mean is penalised.
    pub values: usize,
    /// Their sum.
    pub sum: f64,
    /// Those of a magnitude above [`ACTIVE_ABOVE`].
    pub active: usize,
    /// The divergence of each dimension, in nats.
    pub kl: Vec<f64>,
}

impl Tally {
    /// Adds the rows of a slice.
    pub(super) fn add<T: Real>(&mut self, objective: &Objective, tape: &Tape<'_, T>, recorded: &Recorded) {
        if objective.code_penalty.sparsity().is_some() {
            let code = tape.value(recorded.code);
            self.values += code.len();
            self.sum += code.iter().map(|value| value.to_f64()).sum::<f64>();
            self.active += code.iter().filter(|value| value.to_f64().abs() > ACTIVE_ABOVE).count();
        }
        if let Some(sums) = recorded.divergences {
            let sums = tape.value(sums);
            self.samples += tape.shape(recorded.code).0;
            self.kl.resize(sums.len(), 0.0);
            self.kl.iter_mut().zip(sums).for_each(|(kl, sum)| *kl += sum.to_f64());
        }
    }

    /// The means of the epoch that ends, and a fresh start.
    pub(super) fn take(&mut self, objective: &Objective) -> (Option<CodeRecord>, Option<LatentRecord>) {
        let done = std::mem::take(self);
        let code = (done.values > 0).then(|| CodeRecord {
            mean_activation: done.sum / done.values as f64,
            active_share: done.active as f64 / done.values as f64,
        });
        let latent = (done.samples > 0).then(|| {
            let kl_per_dimension: Vec<f64> = done.kl.iter().map(|kl| kl / done.samples as f64).collect();
            LatentRecord {
                beta: objective.variational.map_or(0.0, |variational| variational.beta),
                kl: kl_per_dimension.iter().sum(),
                active_dimensions: latent::active(&kl_per_dimension),
                kl_per_dimension,
            }
        });
        (code, latent)
    }
}

//! Loss functions and penalties, recorded on a tape.
//!
//! A [`Loss`] is reported per pixel, the mean over pixels and samples, except the KL divergence, which is the mean over samples.
//! [`contrastive`] is a mean over views, and [`adversarial_loss`] one over samples. Penalties are added to what is minimised and
//! reported apart.

mod adversarial;
mod contrastive;
mod penalty;

pub use adversarial::{adversarial_loss, gradient_penalty};
pub use contrastive::{Contrast, LEAST_TEMPERATURE, contrastive};
pub use penalty::{CodePenalty, Contractive, JacobianMethod, Sparsity, Variational, WeightPenalty};

use narrows_kernels::Real;

use crate::settings::settings;
use crate::tape::{Activation, Tape, Var, WholeBatch};

settings! {
    /// What is minimised: averaged over images and values, unless stated.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Loss {
        /// Binary cross-entropy of a sigmoid output, in nats.
        Bce = "bce",
        /// Binary cross-entropy that applies the sigmoid itself.
        BceLogits = "bce-logits",
        /// Mean squared error.
        Mse = "mse",
        /// Kullback–Leibler divergence between image and reconstruction, each normalised to sum one.
        Kl = "kl",
    }
}

/// Added to every pixel before an image is normalised to a distribution, so that no logarithm of zero is taken.
pub const KL_EPSILON: f64 = 1e-8;

/// What the loss of this kind is, with its unit, as an axis label says it.
pub fn axis_label(kind: Loss) -> &'static str {
    match kind {
        Loss::Bce | Loss::BceLogits => "binary cross-entropy (nats per pixel)",
        Loss::Mse => "mean squared error (per pixel)",
        Loss::Kl => "KL divergence (nats per image)",
    }
}

/// Whether the loss takes the decoder's output before its sigmoid: sigmoid and cross-entropy are one operation then.
pub fn takes_logits(kind: Loss) -> bool {
    kind == Loss::Bce
}

/// The loss of `output` [batch, …] against `target` of that shape in [0, 1] → [1, 1].
///
/// | kind | value |
/// |---|---|
/// | bce, bce-logits | mean of max(z, 0) − z·t + ln(1 + e^−\|z\|), `output` being the logits z |
/// | mse | mean of (x − t)² |
/// | kl | mean over samples of Σ p ln(p/q), p and q the normalised target and output |
pub fn record<T: Real>(kind: Loss, tape: &mut Tape<'_, T>, output: Var, target: Var) -> Var {
    record_in(kind, tape, WholeBatch::of(tape.shape(output)), output, target)
}

/// The part of [`record`] that these samples have in a larger batch.
pub fn record_in<T: Real>(kind: Loss, tape: &mut Tape<'_, T>, whole: WholeBatch, output: Var, target: Var) -> Var {
    match kind {
        Loss::Bce | Loss::BceLogits => tape.bce_with_logits_in(whole, output, target),
        Loss::Mse => tape.mse_in(whole, output, target),
        Loss::Kl => tape.kl_in(whole.samples, output, target, KL_EPSILON),
    }
}

/// The reconstruction, comparable with `target` pixel by pixel, that belongs to an `output` this loss was taken of: the
/// sigmoid of logits, the output itself, or for KL the output normalised and rescaled to the target's sum.
pub fn reconstruction<T: Real>(kind: Loss, tape: &mut Tape<'_, T>, output: Var, target: Var) -> Var {
    match kind {
        Loss::Bce | Loss::BceLogits => tape.activate(output, Activation::Sigmoid),
        Loss::Mse => output,
        Loss::Kl => {
            let shape = tape.shape(output);
            let by_sample = [shape.samples(), shape.features()];
            let (output, target) = (tape.reshape(output, by_sample), tape.reshape(target, by_sample));
            let positive = tape.activate(output, Activation::Relu);
            let raised = tape.offset(positive, KL_EPSILON);
            let total = tape.row_sum(raised);
            let reciprocal = tape.reciprocal(total);
            let wanted = tape.row_sum(target);
            let factor = tape.mul(wanted, reciprocal);
            let factor = tape.broadcast_column(factor, shape.features());
            let scaled = tape.mul(raised, factor);
            tape.reshape(scaled, shape)
        }
    }
}

/// The activity penalty (l1·Σ|code| + l2·Σcode²) / batch, as Keras scales it; `None` when both weights are zero.
pub fn code_penalty<T: Real>(penalty: CodePenalty, tape: &mut Tape<'_, T>, code: Var, batch: usize) -> Option<Var> {
    let l1 = (penalty.l1 != 0.0).then(|| {
        let magnitude = tape.abs(code);
        let sum = tape.sum(magnitude);
        tape.scale(sum, penalty.l1 / batch as f64)
    });
    let l2 = (penalty.l2 != 0.0).then(|| {
        let square = tape.square(code);
        let sum = tape.sum(square);
        tape.scale(sum, penalty.l2 / batch as f64)
    });
    total(tape, [l1, l2])
}

/// How far a mean activation stays from 0 and 1, where the divergence is infinite. In f32, 1 − ε is still below 1.
pub const SPARSITY_EPSILON: f64 = 1e-6;

/// weight · Σ_j KL(ρ ‖ ρ̂_j) = weight · Σ_j ρ ln(ρ/ρ̂_j) + (1 − ρ) ln((1 − ρ)/(1 − ρ̂_j)) → [1, 1], with ρ̂ = `means` [1, code]
/// the mean of each code unit over a whole batch, clipped to (ε, 1 − ε), see [`SPARSITY_EPSILON`] (Ng, CS294A, section 3).
///
/// For a sigmoid code ρ̂_j is the share of the time that unit j is on, and always inside. For a ReLU or a linear code it is a
/// mean activation and no probability: the penalty draws that mean to ρ, by large values on few images or small ones on many
/// alike; a unit that is never on (ρ̂ = 0), or whose mean is 1 or more, is clipped and gets no gradient from the penalty, so a
/// dead unit stays dead and a large one is left to the reconstruction.
pub fn sparsity<T: Real>(Sparsity { weight, rho }: Sparsity, tape: &mut Tape<'_, T>, means: Var) -> Var {
    let units = tape.shape(means).len();
    let means = tape.clamp(means, SPARSITY_EPSILON, 1.0 - SPARSITY_EPSILON);
    let on = tape.ln(means);
    let on = tape.scale(on, -weight * rho);
    let negated = tape.scale(means, -1.0);
    let rest = tape.offset(negated, 1.0);
    let off = tape.ln(rest);
    let off = tape.scale(off, -weight * (1.0 - rho));
    let both = tape.add(on, off);
    let sum = tape.sum(both);
    let negative_entropy = rho * libm::log(rho) + (1.0 - rho) * libm::log(1.0 - rho);
    tape.offset(sum, weight * units as f64 * negative_entropy)
}

/// ½(μ² + σ² − 1 − ln σ²) for each value of a code, whose sum over dimensions is KL(N(μ, σ²) ‖ N(0, I)) in nats: [rows, code]
/// from `mean` and `log_variance` of that shape (Kingma & Welling 2014, appendix B).
pub fn latent_divergence<T: Real>(tape: &mut Tape<'_, T>, mean: Var, log_variance: Var) -> Var {
    let square = tape.square(mean);
    let variance = tape.exp(log_variance);
    let positive = tape.add(square, variance);
    let negative = tape.offset(log_variance, 1.0);
    let twice = tape.sub(positive, negative);
    tape.scale(twice, 0.5)
}

/// The weight penalty l2·Σw² of one weight matrix; `None` when `l2` is zero.
pub fn weight_penalty<T: Real>(l2: f64, tape: &mut Tape<'_, T>, weight: Var) -> Option<Var> {
    (l2 != 0.0).then(|| {
        let square = tape.square(weight);
        let sum = tape.sum(square);
        tape.scale(sum, l2)
    })
}

/// The sum of the terms that are there.
pub fn total<T: Real>(tape: &mut Tape<'_, T>, terms: [Option<Var>; 2]) -> Option<Var> {
    match terms {
        [Some(a), Some(b)] => Some(tape.add(a, b)),
        [a, b] => a.or(b),
    }
}

//! What two networks that train against each other minimise (Goodfellow et al. 2014).

use narrows_kernels::Real;

use crate::tape::{Tape, Var};

/// The cross-entropy of a discriminator's logits against "real" with probability `target` → [1, 1], in nats, the mean over
/// samples. A target of 1 for generated samples is the generator's non-saturating loss, −ln σ(logits).
pub fn adversarial_loss<T: Real>(tape: &mut Tape<'_, T>, logits: Var, target: f64) -> Var {
    let target = tape.constant_with(tape.shape(logits), |out| out.fill(T::from_f64(target)));
    tape.bce_with_logits(logits, target)
}

/// weight / 2 · the mean over samples of |∂logit/∂x|² → [1, 1], `logits` [batch, 1] recorded from `x` [batch, …] sample by
/// sample: R₁ of Mescheder et al. 2018, taken of real samples.
pub fn gradient_penalty<T: Real>(weight: f64, tape: &mut Tape<'_, T>, logits: Var, x: Var) -> Var {
    let samples = tape.shape(x).samples();
    let total = tape.sum(logits);
    // Each logit depends on its own sample alone, so the gradient of their sum is the gradient of each.
    let gradient = tape.gradient_of(total, x).expect("a sum is a scalar");
    let square = tape.square(gradient);
    let norms = tape.sum(square);
    tape.scale(norms, 0.5 * weight / samples as f64)
}

//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1) and AdamW (Loshchilov and Hutter,
//! "Decoupled weight decay regularization", 2019), which is Adam after w ← w − ηλw.
//!
//! m ← m + (1 − β₁)(g − m); v ← v + (1 − β₂)(g² − v); then
//!
//! | Keras, ε = 1e-7 | PyTorch, ε = 1e-8 |
//! |---|---|
//! | w ← w − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε) | w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε) |
//!
//! The two differ in ε alone, which Keras does not correct for the bias of v (the paper's "epsilon hat", end of section 2).

use narrows_kernels::{Real, update};

use super::{Dialect, Moment, Step, parts};

pub(super) fn moments() -> Vec<(&'static str, f64)> {
    vec![("first_moment", 0.0), ("second_moment", 0.0)]
}

/// 1 − βᵗ.
pub(super) fn correction(beta: f64, t: u64) -> f64 {
    1.0 - libm::pow(beta, t as f64)
}

pub(super) fn step<T: Real>(at: Step<'_>, params: &mut [T], grads: &[T], moments: &mut [Moment<T>]) {
    let Step { spec, isa, t, rate, decay } = at;
    let [m, v] = parts(moments);
    let of_m = correction(spec.beta_1, t);
    let of_root = correction(spec.beta_2, t).sqrt();
    let (step_m, root) = match spec.dialect {
        Dialect::Keras => (rate * of_root / of_m, 1.0),
        Dialect::Pytorch => (rate / of_m, 1.0 / of_root),
    };
    let (take_m, take_v) = (1.0 - spec.beta_1, 1.0 - spec.beta_2);
    let by = update::Adam { decay, take_m, take_v, step_m, step_g: 0.0, root, epsilon: spec.epsilon };
    update::adam(isa, &by, params, grads, m, v);
}

//! Adadelta (Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1).
//!
//! ```text
//! a ← ρa + (1 − ρ)g²      Δ = √(d + ε)/√(a + ε) · g      d ← ρd + (1 − ρ)Δ²      w ← w − ηΔ
//! ```
//!
//! | | Keras | PyTorch |
//! |---|---|---|
//! | ρ | 0.95 | 0.9 |
//! | ε | 1e-7 | 1e-6 |
//! | default η | 1e-3 | 1 |
//!
//! The equations are the same in both; only the weight decay differs besides the defaults.

use narrows_kernels::{Real, update};

use super::{Moment, Step, parts};

pub(super) fn moments() -> Vec<(&'static str, f64)> {
    vec![("mean_of_squares", 0.0), ("mean_of_squared_steps", 0.0)]
}

pub(super) fn step<T: Real>(at: Step<'_>, params: &mut [T], grads: &[T], moments: &mut [Moment<T>]) {
    let Step { spec, isa, rate, decay, .. } = at;
    let [squares, squared_steps] = parts(moments);
    let by = update::Adadelta { decay, take: 1.0 - spec.rho, rate, epsilon: spec.epsilon };
    update::adadelta(isa, &by, params, grads, squares, squared_steps);
}

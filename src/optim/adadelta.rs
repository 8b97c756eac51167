//! Adadelta (Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1).
//!
//! ```text
//! a ← ρa + (1 − ρ)g²      Δ = √(d + ε)/√(a + ε) · g      d ← ρd + (1 − ρ)Δ²      w ← w − ηΔ
//! ```
//!
//! The equations are the same in Keras and PyTorch; only the weight decay differs besides the defaults.

use narrows_kernels::{Real, update};

use super::{Moments, Rule, Semantics, Step};
use crate::settings::{Range, settings};

settings! {
    /// Adadelta.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Adadelta(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = semantics.pick(1e-3, 1.0), in Range::ABOVE_ZERO;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-6), in Range::ABOVE_ZERO;
        /// ρ, of the mean of squares.
        pub rho: f64 = semantics.pick(0.95, 0.9), in Range::BELOW_ONE;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

impl Rule for Adadelta {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        vec![("mean_of_squares", 0.0), ("mean_of_squared_steps", 0.0)]
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let [squares, squared_steps] = moments.take();
        let decay = self.semantics.decay(self.weight_decay, at.rate);
        let by = update::Adadelta { decay, take: 1.0 - self.rho, rate: at.rate, epsilon: self.epsilon };
        update::adadelta(at.isa, &by, params, grads, squares, squared_steps);
    }
}

//! RMSprop (Tieleman and Hinton, "Neural networks for machine learning", 2012, lecture 6.5), centred as in Graves,
//! "Generating sequences with recurrent neural networks", 2013, equations 38–45.
//!
//! v ← ρv + (1 − ρ)g², centred also c ← ρc + (1 − ρ)g; then
//!
//! | | Keras | PyTorch |
//! |---|---|---|
//! | D | √(v + ε) | √v + ε |
//! | D, centred | √(v − c² + ε) | √(v − c²) + ε |
//! | plain | w ← w − ηg/D | the same |
//! | momentum | b ← μb + ηg/D; w ← w − b | b ← μb + g/D; w ← w − ηb |
//!
//! ρ is what PyTorch calls alpha. Where rounding makes v − c² negative, it counts as 0: both frameworks would take the root of a negative number.

use narrows_kernels::{Real, update};

use super::{Moments, Rule, Semantics, Step};
use crate::settings::{Range, settings};

settings! {
    /// RMSprop.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Rmsprop(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = semantics.pick(1e-3, 0.01), in Range::ABOVE_ZERO;
        /// The momentum μ; 0 for none.
        pub momentum: f64 = 0.0, in Range::BELOW_ONE;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-8), in Range::ABOVE_ZERO;
        /// ρ, of the mean of squares.
        pub rho: f64 = semantics.pick(0.9, 0.99), in Range::BELOW_ONE;
        /// Whether the square of the mean gradient is subtracted.
        pub centered: bool = false;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

impl Rule for Rmsprop {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        let mut moments = vec![("mean_of_squares", 0.0)];
        if self.centered {
            moments.push(("mean_gradient", 0.0));
        }
        if self.momentum > 0.0 {
            moments.push(("velocity", 0.0));
        }
        moments
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let [squares, second, third] = moments.take();
        let (mean, buffer) = match (self.centered, self.momentum > 0.0) {
            (true, true) => (Some(second), Some(third)),
            (true, false) => (Some(second), None),
            (false, true) => (None, Some(second)),
            (false, false) => (None, None),
        };
        let (inside, outside) = self.semantics.pick((self.epsilon, 0.0), (0.0, self.epsilon));
        let (rate, gradient) = match (self.semantics, &buffer) {
            (Semantics::Keras, Some(_)) => (1.0, at.rate),
            _ => (at.rate, 1.0),
        };
        let decay = self.semantics.decay(self.weight_decay, at.rate);
        let (take, momentum) = (1.0 - self.rho, self.momentum);
        let by = update::RmsProp { decay, take, rate, momentum, gradient, inside, outside };
        update::rms_prop(at.isa, &by, params, grads, squares, mean, buffer);
    }
}

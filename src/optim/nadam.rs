//! Nadam (Dozat, "Incorporating Nesterov momentum into Adam", 2016).
//!
//! With m and v as in Adam, v̂ = v/(1 − β₂ᵗ), a momentum that grows with t, and its product Πₜ = u₁·u₂·…·uₜ,
//!
//! ```text
//! m̂ = uₜ₊₁·m / (1 − Πₜ·uₜ₊₁) + (1 − uₜ)·g / (1 − Πₜ)          w ← w − η·m̂ / (√v̂ + ε)
//! ```
//!
//! | | Keras | PyTorch |
//! |---|---|---|
//! | uₜ | β₁(1 − ½·0.96ᵗ) | β₁(1 − ½·0.96^(tψ)) |

use narrows_kernels::{Real, update};

use super::{Moments, Rule, Semantics, Step, adam};
use crate::settings::{Range, settings};

settings! {
    /// Nadam.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Nadam(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = semantics.pick(1e-3, 2e-3), in Range::ABOVE_ZERO;
        /// β₁, of the mean gradient.
        pub beta_1: f64 = 0.9, in Range::BELOW_ONE;
        /// β₂, of the mean of squares.
        pub beta_2: f64 = 0.999, in Range::BELOW_ONE;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-8), in Range::ABOVE_ZERO;
        /// ψ, how fast the momentum grows.
        pub momentum_decay: f64 = 4e-3, in Range::NOT_NEGATIVE, if |rule| rule.semantics == Semantics::Pytorch;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

impl Nadam {
    /// uₜ.
    fn momentum(&self, t: f64) -> f64 {
        let exponent = match self.semantics {
            Semantics::Keras => t,
            Semantics::Pytorch => t * self.momentum_decay,
        };
        self.beta_1 * (1.0 - 0.5 * libm::pow(0.96, exponent))
    }
}

/// Πₜ, a function of t alone: it is kept to save the walk from 1 to t, not because it is state.
pub(super) struct Momenta {
    t: u64,
    product: f64,
}

/// From here on 1 − Πₜ is 1, and the product may as well be 0.
const VANISHED: f64 = 1e-30;

impl Momenta {
    pub(super) fn new() -> Self {
        Momenta { t: 0, product: 1.0 }
    }

    /// Πₜ.
    fn product(&mut self, rule: &Nadam, t: u64) -> f64 {
        if t < self.t {
            *self = Self::new();
        }
        while self.t < t && self.product > 0.0 {
            self.t += 1;
            self.product *= rule.momentum(self.t as f64);
            if self.product < VANISHED {
                self.product = 0.0;
            }
        }
        self.t = t;
        self.product
    }
}

impl Rule for Nadam {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        adam::MOMENTS.to_vec()
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let Step { isa, t, rate, momenta } = at;
        let [m, v] = moments.take();
        let (now, next) = (self.momentum(t as f64), self.momentum((t + 1) as f64));
        let product = momenta.product(self, t);
        let by = update::Adam {
            decay: self.semantics.decay(self.weight_decay, rate),
            take_m: 1.0 - self.beta_1,
            take_v: 1.0 - self.beta_2,
            step_m: rate * next / (1.0 - product * next),
            step_g: rate * (1.0 - now) / (1.0 - product),
            root: 1.0 / adam::correction(self.beta_2, t).sqrt(),
            epsilon: self.epsilon,
        };
        update::adam(isa, &by, params, grads, m, v);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_the_same_walked_or_jumped_to() {
        let rule = Nadam::keras(1e-3);
        let mut walked = Momenta::new();
        for t in 1..2000 {
            let product = walked.product(&rule, t);
            assert_eq!(product, Momenta::new().product(&rule, t));
        }
        assert_eq!(walked.product(&rule, 3), Momenta::new().product(&rule, 3));
        assert_eq!(walked.product(&rule, u64::MAX), 0.0);
    }
}

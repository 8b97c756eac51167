//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1) and AdamW (Loshchilov and Hutter,
//! "Decoupled weight decay regularization", 2019), which is Adam after w ← w − ηλw.
//!
//! m ← m + (1 − β₁)(g − m); v ← v + (1 − β₂)(g² − v); then
//!
//! | Keras | PyTorch |
//! |---|---|
//! | w ← w − η·√(1 − β₂ᵗ)/(1 − β₁ᵗ) · m / (√v + ε) | w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε) |
//!
//! The two differ in ε alone, which Keras does not correct for the bias of v (the paper's "epsilon hat", end of section 2).

use narrows_kernels::Real;
use narrows_kernels::update::{self, Decay};

use super::{Moments, Rule, Semantics, Step, decoupled};
use crate::settings::{Range, settings};

settings! {
    /// Adam.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Adam(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = 1e-3, in Range::ABOVE_ZERO;
        /// β₁, of the mean gradient.
        pub beta_1: f64 = 0.9, in Range::BELOW_ONE;
        /// β₂, of the mean of squares.
        pub beta_2: f64 = 0.999, in Range::BELOW_ONE;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-8), in Range::ABOVE_ZERO;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

settings! {
    /// AdamW.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct AdamW(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = 1e-3, in Range::ABOVE_ZERO;
        /// β₁, of the mean gradient.
        pub beta_1: f64 = 0.9, in Range::BELOW_ONE;
        /// β₂, of the mean of squares.
        pub beta_2: f64 = 0.999, in Range::BELOW_ONE;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-8), in Range::ABOVE_ZERO;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = semantics.pick(0.004, 0.01), in Range::NOT_NEGATIVE;
    }
}

pub(super) const MOMENTS: [(&str, f64); 2] = [("first_moment", 0.0), ("second_moment", 0.0)];

/// 1 − βᵗ.
pub(super) fn correction(beta: f64, t: u64) -> f64 {
    1.0 - libm::pow(beta, t as f64)
}

impl Adam {
    fn step_with<T: Real>(&self, decay: Decay, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let Step { isa, t, rate, .. } = at;
        let [m, v] = moments.take();
        let of_m = correction(self.beta_1, t);
        let of_root = correction(self.beta_2, t).sqrt();
        let (step_m, root) = match self.semantics {
            Semantics::Keras => (rate * of_root / of_m, 1.0),
            Semantics::Pytorch => (rate / of_m, 1.0 / of_root),
        };
        let (take_m, take_v) = (1.0 - self.beta_1, 1.0 - self.beta_2);
        let by = update::Adam { decay, take_m, take_v, step_m, step_g: 0.0, root, epsilon: self.epsilon };
        update::adam(isa, &by, params, grads, m, v);
    }
}

impl Rule for Adam {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        MOMENTS.to_vec()
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let decay = self.semantics.decay(self.weight_decay, at.rate);
        self.step_with(decay, at, params, grads, moments);
    }
}

impl Rule for AdamW {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        MOMENTS.to_vec()
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let AdamW { learning_rate, beta_1, beta_2, epsilon, weight_decay, semantics } = *self;
        let adam = Adam { learning_rate, beta_1, beta_2, epsilon, weight_decay, semantics };
        adam.step_with(decoupled(weight_decay, at.rate), at, params, grads, moments);
    }
}

//! Adagrad (Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011,
//! the diagonal rule of figure 1).
//!
//! a ← a + g²; then
//!
//! | Keras | PyTorch |
//! |---|---|
//! | w ← w − ηg / √(a + ε) | w ← w − η/(1 + (t − 1)·decay) · g / (√a + ε) |

use narrows_kernels::{Real, update};

use super::{Moments, Rule, Semantics, Step};
use crate::settings::{Range, settings};

settings! {
    /// Adagrad.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Adagrad(semantics: Semantics) {
        /// The learning rate η.
        pub learning_rate: f64 = semantics.pick(1e-3, 0.01), in Range::ABOVE_ZERO;
        /// ε, which keeps the divisor from 0.
        pub epsilon: f64 = semantics.pick(1e-7, 1e-10), in Range::ABOVE_ZERO;
        /// What the sum of squares begins at.
        pub initial_accumulator: f64 = semantics.pick(0.1, 0.0), in Range::NOT_NEGATIVE;
        /// The learning rate is divided by 1 + (t − 1) times this.
        pub lr_decay: f64 = 0.0, in Range::NOT_NEGATIVE, if |rule| rule.semantics == Semantics::Pytorch;
        /// The weight decay λ; 0 for none.
        pub weight_decay: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

impl Rule for Adagrad {
    fn moments(&self) -> Vec<(&'static str, f64)> {
        vec![("sum_of_squares", self.initial_accumulator)]
    }

    fn step<T: Real>(&self, at: Step<'_>, params: &mut [T], grads: &[T], moments: Moments<'_, T>) {
        let Step { isa, t, rate, .. } = at;
        let [squares] = moments.take();
        let decay = self.semantics.decay(self.weight_decay, rate);
        let by = match self.semantics {
            Semantics::Keras => update::Adagrad { decay, rate, inside: self.epsilon, outside: 0.0 },
            Semantics::Pytorch => {
                let rate = rate / (1.0 + (t - 1) as f64 * self.lr_decay);
                update::Adagrad { decay, rate, inside: 0.0, outside: self.epsilon }
            }
        };
        update::adagrad(isa, &by, params, grads, squares);
    }
}

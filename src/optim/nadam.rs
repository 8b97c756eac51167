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
//! | uₜ | β₁(1 − ½·0.96ᵗ) | β₁(1 − ½·0.96^(tψ)), ψ = 0.004 |
//! | ε | 1e-7 | 1e-8 |
//! | default η | 1e-3 | 2e-3 |

use narrows_kernels::{Real, update};

use super::{Dialect, Moment, OptimizerSpec, Step, adam, parts};

pub(super) fn moments() -> Vec<(&'static str, f64)> {
    adam::moments()
}

/// Πₜ, a function of t alone: it is kept to save the walk from 1 to t, not because it is state.
pub(super) struct Momenta {
    t: u64,
    product: f64,
}

/// From here on 1 − Πₜ is 1, and the product may as well be 0.
const VANISHED: f64 = 1e-30;

/// uₜ.
fn momentum(spec: &OptimizerSpec, t: f64) -> f64 {
    let exponent = match spec.dialect {
        Dialect::Keras => t,
        Dialect::Pytorch => t * spec.momentum_decay,
    };
    spec.beta_1 * (1.0 - 0.5 * libm::pow(0.96, exponent))
}

impl Momenta {
    pub(super) fn new() -> Self {
        Momenta { t: 0, product: 1.0 }
    }

    /// Πₜ.
    fn product(&mut self, spec: &OptimizerSpec, t: u64) -> f64 {
        if t < self.t {
            *self = Self::new();
        }
        while self.t < t && self.product > 0.0 {
            self.t += 1;
            self.product *= momentum(spec, self.t as f64);
            if self.product < VANISHED {
                self.product = 0.0;
            }
        }
        self.t = t;
        self.product
    }
}

pub(super) fn step<T: Real>(
    at: Step<'_>,
    params: &mut [T],
    grads: &[T],
    moments: &mut [Moment<T>],
    momenta: &mut Momenta,
) {
    let Step { spec, isa, t, rate, decay } = at;
    let [m, v] = parts(moments);
    let (now, next) = (momentum(spec, t as f64), momentum(spec, (t + 1) as f64));
    let product = momenta.product(spec, t);
    let by = update::Adam {
        decay,
        take_m: 1.0 - spec.beta_1,
        take_v: 1.0 - spec.beta_2,
        step_m: rate * next / (1.0 - product * next),
        step_g: rate * (1.0 - now) / (1.0 - product),
        root: 1.0 / adam::correction(spec.beta_2, t).sqrt(),
        epsilon: spec.epsilon,
    };
    update::adam(isa, &by, params, grads, m, v);
}

#[cfg(test)]
mod tests {
    use super::super::OptimizerName;
    use super::*;

    #[test]
    fn the_product_is_the_same_walked_or_jumped_to() {
        let spec = OptimizerSpec::defaults(OptimizerName::Nadam, Dialect::Keras);
        let mut walked = Momenta::new();
        for t in 1..2000 {
            let product = walked.product(&spec, t);
            assert_eq!(product, Momenta::new().product(&spec, t));
        }
        assert_eq!(walked.product(&spec, 3), Momenta::new().product(&spec, 3));
        assert_eq!(walked.product(&spec, u64::MAX), 0.0);
    }
}

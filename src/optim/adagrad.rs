//! Adagrad (Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization", 2011,
//! the diagonal rule of figure 1).
//!
//! a ← a + g²; then
//!
//! | Keras, a₀ = 0.1, ε = 1e-7 | PyTorch, a₀ = 0, ε = 1e-10 |
//! |---|---|
//! | w ← w − ηg / √(a + ε) | w ← w − η/(1 + (t − 1)·decay) · g / (√a + ε) |

use narrows_kernels::{Real, update};

use super::{Dialect, Moment, OptimizerSpec, Step, parts};

pub(super) fn moments(spec: &OptimizerSpec) -> Vec<(&'static str, f64)> {
    vec![("sum_of_squares", spec.initial_accumulator)]
}

pub(super) fn step<T: Real>(at: Step<'_>, params: &mut [T], grads: &[T], moments: &mut [Moment<T>]) {
    let Step { spec, isa, t, rate, decay } = at;
    let [squares] = parts(moments);
    let by = match spec.dialect {
        Dialect::Keras => update::Adagrad { decay, rate, inside: spec.epsilon, outside: 0.0 },
        Dialect::Pytorch => {
            let rate = rate / (1.0 + (t - 1) as f64 * spec.lr_decay);
            update::Adagrad { decay, rate, inside: 0.0, outside: spec.epsilon }
        }
    };
    update::adagrad(isa, &by, params, grads, squares);
}

#[cfg(test)]
mod tests {
    use super::super::{Optimizer, OptimizerName};
    use super::*;
    use narrows_kernels::Isa;

    #[test]
    fn pytorch_lowers_its_learning_rate_from_the_second_step_on() {
        let defaults = OptimizerSpec::defaults(OptimizerName::Adagrad, Dialect::Pytorch);
        let spec = OptimizerSpec { lr_decay: 1.0, epsilon: f64::MIN_POSITIVE, ..defaults };
        let mut optimizer = Optimizer::<f64>::new(spec, 1).unwrap();
        let mut w = [1.0];
        optimizer.step(Isa::SCALAR, &mut w, &[3.0], 0.5);
        assert_eq!(w[0], 0.5);
        optimizer.step(Isa::SCALAR, &mut w, &[4.0], 0.5);
        assert_eq!(w[0], 0.5 - 0.25 * (4.0 / 5.0));
    }
}

//! Stochastic gradient descent, with momentum μ.
//!
//! | | Keras | PyTorch |
//! |---|---|---|
//! | plain (μ = 0) | w ← w − ηg | the same |
//! | momentum | v ← μv − ηg; w ← w + v | v ← μv + (1 − δ)g, but v = g in the first step; w ← w − ηv |
//! | Nesterov | v as above; w ← w + μv − ηg | v as above; w ← w − η(g + μv) |
//!
//! δ is the dampening. The velocity holds the learning rate in Keras and not in PyTorch: they part when η changes.

use narrows_kernels::{Real, update};

use super::{Dialect, Moment, OptimizerSpec, Step, parts};

pub(super) fn moments(spec: &OptimizerSpec) -> Vec<(&'static str, f64)> {
    if spec.momentum == 0.0 { Vec::new() } else { vec![("velocity", 0.0)] }
}

pub(super) fn step<T: Real>(at: Step<'_>, params: &mut [T], grads: &[T], moments: &mut [Moment<T>]) {
    let Step { spec, isa, t, rate, decay } = at;
    if spec.momentum == 0.0 {
        return update::sgd(isa, &update::Sgd { decay, rate }, params, grads);
    }
    let [velocity] = parts(moments);
    let (gradient, step, look_ahead) = match spec.dialect {
        Dialect::Keras => (-rate, 1.0, -rate),
        Dialect::Pytorch => (if t == 1 { 1.0 } else { 1.0 - spec.dampening }, -rate, 1.0),
    };
    let look_ahead = spec.nesterov.then_some(look_ahead);
    let by = update::Momentum { decay, momentum: spec.momentum, gradient, step, look_ahead };
    update::momentum(isa, &by, params, grads, velocity);
}

#[cfg(test)]
mod tests {
    use super::super::{Optimizer, OptimizerName};
    use super::*;
    use narrows_kernels::Isa;

    /// w after two steps from 1 with gradients 0.5 and −0.25 and learning rates 0.5 and 0.125; all numbers are exact.
    fn two_steps(spec: OptimizerSpec) -> f64 {
        let mut optimizer = Optimizer::<f64>::new(spec, 1).unwrap();
        let mut w = [1.0];
        optimizer.step(Isa::SCALAR, &mut w, &[0.5], 0.5);
        optimizer.step(Isa::SCALAR, &mut w, &[-0.25], 0.125);
        w[0]
    }

    #[test]
    fn the_dialects_part_when_the_learning_rate_changes() {
        let of = |dialect| OptimizerSpec { momentum: 0.5, ..OptimizerSpec::defaults(OptimizerName::Sgd, dialect) };
        // v = −0.25, then −0.125 + 0.03125.
        assert_eq!(two_steps(of(Dialect::Keras)), 1.0 - 0.25 - 0.125 + 0.03125);
        // v = 0.5, then 0.25 − 0.25 = 0.
        assert_eq!(two_steps(of(Dialect::Pytorch)), 1.0 - 0.25);
    }

    #[test]
    fn dampening_spares_the_first_step() {
        let defaults = OptimizerSpec::defaults(OptimizerName::Sgd, Dialect::Pytorch);
        // v = 0.5, then 0.25 − 0.125.
        let spec = OptimizerSpec { momentum: 0.5, dampening: 0.5, ..defaults };
        assert_eq!(two_steps(spec), 1.0 - 0.25 - 0.125 * 0.125);
    }

    #[test]
    fn weight_decay_is_decoupled_in_keras_and_coupled_in_pytorch() {
        let of = |dialect| OptimizerSpec {
            weight_decay: 0.5,
            momentum: 0.0,
            ..OptimizerSpec::defaults(OptimizerName::Sgd, dialect)
        };
        let first = 1.0 - 0.25 - 0.25;
        assert_eq!(two_steps(of(Dialect::Keras)), first - 0.0625 * first + 0.125 * 0.25);
        assert_eq!(two_steps(of(Dialect::Pytorch)), first - 0.125 * (-0.25 + 0.5 * first));
    }
}

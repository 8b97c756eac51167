//! RMSprop (Tieleman and Hinton, "Neural networks for machine learning", 2012, lecture 6.5), centred as in Graves,
//! "Generating sequences with recurrent neural networks", 2013, equations 38–45.
//!
//! v ← ρv + (1 − ρ)g², centred also c ← ρc + (1 − ρ)g; then
//!
//! | | Keras, ρ = 0.9, ε = 1e-7 | PyTorch, ρ = 0.99, ε = 1e-8 |
//! |---|---|---|
//! | D | √(v + ε) | √v + ε |
//! | D, centred | √(v − c² + ε) | √(v − c²) + ε |
//! | plain | w ← w − ηg/D | the same |
//! | momentum | b ← μb + ηg/D; w ← w − b | b ← μb + g/D; w ← w − ηb |
//!
//! Where rounding makes v − c² negative, it counts as 0: both frameworks would take the root of a negative number.

use narrows_kernels::{Real, update};

use super::{Dialect, Moment, OptimizerSpec, Step};

pub(super) fn moments(spec: &OptimizerSpec) -> Vec<(&'static str, f64)> {
    let mut moments = vec![("mean_of_squares", 0.0)];
    if spec.centered {
        moments.push(("mean_gradient", 0.0));
    }
    if spec.momentum > 0.0 {
        moments.push(("velocity", 0.0));
    }
    moments
}

pub(super) fn step<T: Real>(at: Step<'_>, params: &mut [T], grads: &[T], moments: &mut [Moment<T>]) {
    let Step { spec, isa, rate, decay, .. } = at;
    let mut values = moments.iter_mut().map(|moment| &mut moment.values[..]);
    let squares = values.next().unwrap_or_default();
    let mean = if spec.centered { values.next() } else { None };
    let buffer = if spec.momentum > 0.0 { values.next() } else { None };
    let (inside, outside) = match spec.dialect {
        Dialect::Keras => (spec.epsilon, 0.0),
        Dialect::Pytorch => (0.0, spec.epsilon),
    };
    let (rate, gradient) = match (spec.dialect, &buffer) {
        (Dialect::Keras, Some(_)) => (1.0, rate),
        _ => (rate, 1.0),
    };
    let by = update::RmsProp { decay, take: 1.0 - spec.rho, rate, momentum: spec.momentum, gradient, inside, outside };
    update::rms_prop(isa, &by, params, grads, squares, mean, buffer);
}

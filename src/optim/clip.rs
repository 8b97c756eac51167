//! Gradient clipping, over the flat gradient of a whole model.

use narrows_kernels::elementwise::{clamp_in_place, scale_in_place};
use narrows_kernels::{Isa, Real, reduce};

use super::{Dialect, OptimizerConfig};

/// What is done to gradients before each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Nothing.
    None,
    /// [`by_global_norm`] with this largest norm.
    Norm(Dialect, f64),
    /// [`by_value`] with this limit.
    Value(f64),
}

impl Clip {
    /// What a configuration asks for.
    pub fn from_config(config: &OptimizerConfig) -> Self {
        match (config.clip_norm, config.clip_value) {
            (Some(norm), _) => Clip::Norm(config.dialect, norm),
            (None, Some(limit)) => Clip::Value(limit),
            (None, None) => Clip::None,
        }
    }

    /// Clips `grads`.
    pub fn apply<T: Real>(self, isa: Isa, grads: &mut [T]) {
        match self {
            Clip::None => {}
            Clip::Norm(dialect, norm) => {
                by_global_norm(isa, dialect, grads, norm);
            }
            Clip::Value(limit) => {
                by_value(isa, grads, limit);
            }
        }
    }
}

/// Shortens the gradient to a Euclidean norm n = √Σg² of at most c = `max_norm`, and returns n as it was before.
///
/// | Keras (`global_clipnorm`) | PyTorch (`clip_grad_norm_`) |
/// |---|---|
/// | g ← g · c / max(n, c) | g ← g · min(1, c / (n + 1e-6)) |
///
/// The factor is computed in `f64` and rounded once; where it is 1 the gradient is not touched. Nor is it where n is infinite
/// or NaN: the caller sees that in the returned norm. In `f32` n is infinite from about 1.8e19 on.
pub fn by_global_norm<T: Real>(isa: Isa, dialect: Dialect, grads: &mut [T], max_norm: f64) -> f64 {
    let norm = reduce::sum_of_squares(isa, grads).sqrt();
    let factor = match dialect {
        Dialect::Keras => max_norm / norm.max(max_norm),
        Dialect::Pytorch => (max_norm / (norm + 1e-6)).min(1.0),
    };
    if norm.is_finite() && factor < 1.0 {
        scale_in_place(isa, grads, T::from_f64(factor));
    }
    norm
}

/// Moves each element of the gradient to the nearest number in \[−c, c\], c = `limit` > 0; NaN stays. Both frameworks define
/// it so. Returns the norm from before.
pub fn by_value<T: Real>(isa: Isa, grads: &mut [T], limit: f64) -> f64 {
    let norm = reduce::sum_of_squares(isa, grads).sqrt();
    let limit = T::from_f64(limit);
    clamp_in_place(isa, grads, -limit, limit);
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_left_alone() {
        let isa = Isa::detect();
        for dialect in Dialect::ALL {
            let mut grads = [3.0f64, -4.0];
            assert_eq!(by_global_norm(isa, dialect, &mut grads, 1.0), 5.0);
            let factor = if dialect == Dialect::Keras { 0.2 } else { 1.0 / 5.000001 };
            assert_eq!(grads, [3.0 * factor, -4.0 * factor]);
            let mut grads = [3.0f64, -4.0];
            assert_eq!(by_global_norm(isa, dialect, &mut grads, 6.0), 5.0);
            assert_eq!(grads, [3.0, -4.0]);
        }
    }

    #[test]
    fn a_norm_that_is_not_finite_changes_nothing_and_is_returned() {
        for bad in [f32::NAN, f32::INFINITY] {
            for dialect in Dialect::ALL {
                let mut grads = [1.0, bad];
                assert!(!by_global_norm(Isa::detect(), dialect, &mut grads, 0.1).is_finite());
                assert_eq!(grads[0], 1.0);
            }
        }
    }

    #[test]
    fn values_are_moved_to_the_limit_and_nan_stays() {
        let mut grads = [0.25f32, -3.0, 7.0, f32::NAN, f32::NEG_INFINITY];
        assert!(by_value(Isa::detect(), &mut grads, 0.5).is_nan());
        assert_eq!(grads[..3], [0.25, -0.5, 0.5]);
        assert!(grads[3].is_nan());
        assert_eq!(grads[4], -0.5);
    }
}

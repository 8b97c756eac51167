//! Gradient clipping, over the whole gradient of the parameters that are stepped together.

use std::ops::Range;

use narrows_kernels::elementwise::{clamp_in_place, scale_in_place};
use narrows_kernels::{Isa, Real, reduce};

use super::Semantics;
use super::stepper::joined;

/// What is done to gradients before each step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clip {
    /// Nothing.
    None,
    /// [`by_global_norm`] with this largest norm.
    Norm(Semantics, f64),
    /// [`by_value`] with this limit.
    Value(f64),
}

impl Clip {
    /// Clips the gradients in `ranges` of `grads`.
    pub fn apply<T: Real>(self, isa: Isa, grads: &mut [T], ranges: &[Range<usize>]) {
        match self {
            Clip::None => {}
            Clip::Norm(semantics, norm) => {
                by_global_norm(isa, semantics, grads, ranges, norm);
            }
            Clip::Value(limit) => {
                by_value(isa, grads, ranges, limit);
            }
        }
    }
}

/// n = √Σg² over the gradients in `ranges`; ranges that touch count as one.
fn norm<T: Real>(isa: Isa, grads: &[T], ranges: &[Range<usize>]) -> f64 {
    joined(ranges).map(|range| reduce::sum_of_squares(isa, &grads[range])).sum::<f64>().sqrt()
}

/// Shortens the gradient in `ranges` to a Euclidean norm n = √Σg² of at most c = `max_norm`, and returns n as it was before.
///
/// | Keras (`global_clipnorm`) | PyTorch (`clip_grad_norm_`) |
/// |---|---|
/// | g ← g · c / max(n, c) | g ← g · min(1, c / (n + 1e-6)) |
///
/// The factor is computed in `f64` and rounded once; where it is 1 the gradient is not touched. Nor is it where n is infinite
/// or NaN: the caller sees that in the returned norm. In `f32` n is infinite from about 1.8e19 on.
pub fn by_global_norm<T: Real>(
    isa: Isa,
    semantics: Semantics,
    grads: &mut [T],
    ranges: &[Range<usize>],
    max_norm: f64,
) -> f64 {
    let norm = norm(isa, grads, ranges);
    let factor = match semantics {
        Semantics::Keras => max_norm / norm.max(max_norm),
        Semantics::Pytorch => (max_norm / (norm + 1e-6)).min(1.0),
    };
    if norm.is_finite() && factor < 1.0 {
        joined(ranges).for_each(|range| scale_in_place(isa, &mut grads[range], T::from_f64(factor)));
    }
    norm
}

/// Moves each element of the gradient in `ranges` to the nearest number in \[−c, c\], c = `limit` > 0; NaN stays. Both
/// frameworks define it so. Returns the norm from before.
pub fn by_value<T: Real>(isa: Isa, grads: &mut [T], ranges: &[Range<usize>], limit: f64) -> f64 {
    let norm = norm(isa, grads, ranges);
    let limit = T::from_f64(limit);
    joined(ranges).for_each(|range| clamp_in_place(isa, &mut grads[range], -limit, limit));
    norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gradient_is_shortened_and_a_short_one_left_alone() {
        let isa = Isa::detect();
        for semantics in Semantics::all() {
            let mut grads = [3.0f64, -4.0];
            assert_eq!(by_global_norm(isa, semantics, &mut grads, &[0..1, 1..2], 1.0), 5.0);
            let factor = if semantics == Semantics::Keras { 0.2 } else { 1.0 / 5.000001 };
            assert_eq!(grads, [3.0 * factor, -4.0 * factor]);
            let mut grads = [3.0f64, -4.0];
            assert_eq!(by_global_norm(isa, semantics, &mut grads, &[0..1, 1..2], 6.0), 5.0);
            assert_eq!(grads, [3.0, -4.0]);
        }
    }

    #[test]
    fn a_norm_that_is_not_finite_changes_nothing_and_is_returned() {
        for bad in [f32::NAN, f32::INFINITY] {
            for semantics in Semantics::all() {
                let mut grads = [1.0, bad];
                assert!(!by_global_norm(Isa::detect(), semantics, &mut grads, &[0..1, 1..2], 0.1).is_finite());
                assert_eq!(grads[0], 1.0);
            }
        }
    }

    #[test]
    fn values_are_moved_to_the_limit_and_nan_stays() {
        let mut grads = [0.25f32, -3.0, 7.0, f32::NAN, f32::NEG_INFINITY];
        assert!(by_value(Isa::detect(), &mut grads, &[0..2, 2..5], 0.5).is_nan());
        assert_eq!(grads[..3], [0.25, -0.5, 0.5]);
        assert!(grads[3].is_nan());
        assert_eq!(grads[4], -0.5);
    }

    #[test]
    fn gradients_outside_the_ranges_neither_count_nor_change() {
        let (isa, ranges) = (Isa::detect(), [1..2, 3..4]);
        let mut grads = [70.0f64, 3.0, f64::NAN, -4.0];
        assert_eq!(by_global_norm(isa, Semantics::Keras, &mut grads, &ranges, 1.0), 5.0);
        assert_eq!((grads[0], grads[1], grads[3]), (70.0, 3.0 * 0.2, -4.0 * 0.2));
        assert!(grads[2].is_nan());
        let mut grads = [70.0f64, 3.0, f64::NAN, -4.0];
        assert_eq!(by_value(isa, &mut grads, &ranges, 0.5), 5.0);
        assert_eq!((grads[0], grads[1], grads[3]), (70.0, 0.5, -0.5));
    }
}

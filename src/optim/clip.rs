//! Gradient clipping, over the whole gradient of the parameters that are stepped together.

use std::ops::Range;

use narrows_kernels::elementwise::{clamp_in_place, scale_in_place};
use narrows_kernels::{Isa, Real, reduce};

use super::Semantics;
use super::stepper::joined;

/// Shortens the gradient in `ranges` to a Euclidean norm n = √Σg² of at most c = `max_norm`, and returns n as it was before;
/// ranges that touch count as one.
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
    let squares = joined(ranges).map(|range| reduce::sum_of_squares(isa, &grads[range]));
    let norm = squares.sum::<f64>().sqrt();
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
/// frameworks define it so.
pub fn by_value<T: Real>(isa: Isa, grads: &mut [T], ranges: &[Range<usize>], limit: f64) {
    let limit = T::from_f64(limit);
    joined(ranges).for_each(|range| clamp_in_place(isa, &mut grads[range], -limit, limit));
}

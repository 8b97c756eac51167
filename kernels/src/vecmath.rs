//! exp, ln, tanh, sigmoid and softplus of vectors.

use crate::{Real, Simd};

#[inline(always)]
fn by_lane<T: Real, S: Simd<T>>(simd: S, x: S::V, f: impl Fn(f64) -> f64) -> S::V {
    let mut lanes = [T::ZERO; 64];
    simd.store(&mut lanes, x);
    for lane in &mut lanes[..S::LANES] {
        *lane = T::from_f64(f(lane.to_f64()));
    }
    simd.load(&lanes)
}

/// eˣ.
#[inline(always)]
pub fn exp<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    by_lane(simd, x, f64::exp)
}

/// eˣ − 1.
#[inline(always)]
pub fn exp_m1<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    by_lane(simd, x, f64::exp_m1)
}

/// The natural logarithm.
#[inline(always)]
pub fn ln<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    by_lane(simd, x, f64::ln)
}

/// ln(1 + u) for u in [0, 1].
#[inline(always)]
pub fn ln_1p_unit<T: Real, S: Simd<T>>(simd: S, u: S::V) -> S::V {
    by_lane(simd, u, f64::ln_1p)
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    by_lane(simd, x, f64::tanh)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let e = exp(simd, simd.neg(simd.abs(x)));
    sigmoid_of_exp(simd, x, e)
}

/// σ(x), given e⁻|ˣ|.
#[inline(always)]
pub(crate) fn sigmoid_of_exp<T: Real, S: Simd<T>>(simd: S, x: S::V, e: S::V) -> S::V {
    let one = simd.splat(T::ONE);
    let numerator = simd.select(simd.lt(x, simd.splat(T::ZERO)), e, one);
    simd.div(numerator, simd.add(one, e))
}

/// ln(1 + eˣ).
#[inline(always)]
pub fn softplus<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let e = exp(simd, simd.neg(simd.abs(x)));
    simd.add(simd.max(simd.splat(T::ZERO), x), ln_1p_unit(simd, e))
}

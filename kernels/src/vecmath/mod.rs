//! exp, ln, tanh, sigmoid and softplus of vectors: one definition for every instruction set.
//!
//! Method, in three lines:
//! * eˣ: x = k·ln 2 + r with |r| ≤ ½ ln 2 (Cody and Waite's two-part ln 2), eʳ = 1 + r + r²·P(r), times 2ᵏ in two steps.
//! * ln x: x = 2ᵉ(1 + f) with f in [−¼, ½), s = f/(2 + f), ln(1 + f) = 2 artanh s = f − (f²/2 − s(f²/2 + s²·Q(s²))).
//! * tanh, sigmoid and softplus follow from these without cancellation; P and Q are fits of ours (see `constants`).
//!
//! Largest errors in ULP (units in the last place of the exact result). The tests hold them to the promises; measured is the
//! largest over all 2³² inputs for `f32`, and over the 1500 stored points of each function, of 60 digits, for `f64`:
//!
//! | function | f32: promised | measured | f64: promised | measured |
//! |---|---|---|---|---|
//! | [`exp`] | 1 | 0.988 | 1.5 | 0.891 |
//! | [`exp_m1`] | 1.5 | 1.203 | 1.5 | 1.016 |
//! | [`ln`] | 1 | 0.906 | 1.5 | 0.755 |
//! | [`tanh`] | 2 | 1.499 | 2.5 | 1.321 |
//! | [`sigmoid`] | 2 | 1.967 | 2.5 | 1.349 |
//! | [`softplus`] | 2 | 1.637 | 2.5 | 1.078 |
//!
//! Subnormal inputs and results are held to the same bounds; NaN gives NaN, whose sign and payload are no part of the
//! contract; overflow gives ∞ and underflow 0.

mod constants;

pub use constants::Elementary;

use crate::{Real, Simd};

/// Σ coefficients\[i\]·xⁱ by Horner's rule.
#[inline(always)]
fn polynomial<T: Real, S: Simd<T>>(simd: S, coefficients: &'static [T], x: S::V) -> S::V {
    let mut sum = simd.splat(coefficients[coefficients.len() - 1]);
    for &coefficient in coefficients[..coefficients.len() - 1].iter().rev() {
        sum = simd.fma(sum, x, simd.splat(coefficient));
    }
    sum
}

/// (k, hi) with x = k·ln 2 + r and hi = r + k·(the low part of ln 2), exact.
#[inline(always)]
fn reduce<T: Real, S: Simd<T>>(simd: S, x: S::V) -> (S::V, S::V) {
    let k = simd.round(simd.mul(x, simd.splat(T::LOG2_E)));
    (k, simd.fnma(k, simd.splat(T::LN2_HIGH), x))
}

/// eˣ of x ≤ `EXP_HIGH`.
#[inline(always)]
fn exp_below_overflow<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let (k, hi) = reduce(simd, simd.max(simd.splat(T::EXP_LOW), x));
    let r = simd.fnma(k, simd.splat(T::LN2_LOW), hi);
    let p = simd.fma(simd.mul(r, r), polynomial(simd, T::EXP, r), r);
    // 2ᵏ itself may be infinite or subnormal; its halves are neither, and only the last product rounds.
    let first = simd.round(simd.mul(k, simd.splat(T::from_f64(0.5))));
    let scaled = simd.mul(simd.add(simd.splat(T::ONE), p), simd.pow2(first));
    simd.mul(scaled, simd.pow2(simd.sub(k, first)))
}

/// eˣ.
#[inline(always)]
pub fn exp<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    exp_below_overflow(simd, simd.min(simd.splat(T::EXP_HIGH), x))
}

/// e⁻|ˣ|, which sigmoid, softplus and the cross-entropy share.
#[inline(always)]
pub(crate) fn exp_minus_abs<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    exp_below_overflow(simd, simd.neg(simd.abs(x)))
}

/// eˣ − 1 of x between `EXP_M1_LOW` and `EXP_HIGH`.
#[inline(always)]
fn exp_m1_within<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let (k, hi) = reduce(simd, x);
    let low = simd.mul(k, simd.splat(T::LN2_LOW));
    let r = simd.sub(hi, low);
    let r_error = simd.sub(simd.sub(hi, r), low);
    // eʳ − 1 = p + p_error: at k = ±1 its rounding would show twice in a result as small.
    let tail = simd.fma(simd.mul(r, r), polynomial(simd, T::EXP, r), r_error);
    let p = simd.add(r, tail);
    let p_error = simd.sub(tail, simd.sub(p, r));
    // 2ᵏ(p + p_error) + (2ᵏ − 1), halved: 2ᵏ is infinite where eˣ just is not.
    let scale = simd.pow2(simd.sub(k, simd.splat(T::ONE)));
    let half = simd.fma(scale, p, simd.sub(scale, simd.splat(T::from_f64(0.5))));
    let half = simd.fma(scale, p_error, half);
    let tiny = simd.lt(simd.abs(x), simd.splat(T::TINY));
    simd.select(tiny, x, simd.add(half, half))
}

/// eˣ − 1.
#[inline(always)]
pub fn exp_m1<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let x = simd.min(simd.splat(T::EXP_HIGH), x);
    exp_m1_within(simd, simd.max(simd.splat(T::EXP_M1_LOW), x))
}

/// e·ln 2 + ln(1 + f) for f in [−¼, ½].
#[inline(always)]
fn ln_of_parts<T: Real, S: Simd<T>>(simd: S, e: S::V, f: S::V) -> S::V {
    let s = simd.div(f, simd.add(simd.splat(T::from_f64(2.0)), f));
    let z = simd.mul(s, s);
    let half_square = simd.mul(simd.mul(f, f), simd.splat(T::from_f64(0.5)));
    let tail = simd.fma(z, polynomial(simd, T::LN, z), half_square);
    let small = simd.fma(s, tail, simd.mul(e, simd.splat(T::LN2_LOW)));
    let below = simd.sub(f, simd.sub(half_square, small));
    simd.fma(e, simd.splat(T::LN2_HIGH), below)
}

/// The natural logarithm: −∞ at ±0, NaN below.
#[inline(always)]
pub fn ln<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let (zero, one) = (simd.splat(T::ZERO), simd.splat(T::ONE));
    let infinity = simd.splat(T::INFINITY);
    let subnormal = simd.lt(x, simd.splat(T::MIN_NORMAL));
    let (factor, raised) = T::RAISE;
    let normal = simd.select(subnormal, simd.mul(x, simd.splat(factor)), x);
    let e = simd.sub(simd.exponent(normal), simd.select(subnormal, simd.splat(raised), zero));
    let m = simd.mantissa(normal);
    let upper = simd.le(simd.splat(T::from_f64(1.5)), m);
    let m = simd.select(upper, simd.mul(m, simd.splat(T::from_f64(0.5))), m);
    let e = simd.select(upper, simd.add(e, one), e);
    let value = ln_of_parts(simd, e, simd.sub(m, one));
    // Neither +∞ nor NaN went through the polynomial meaningfully.
    let value = simd.select(simd.lt(x, infinity), value, x);
    let nonpositive = simd.select(simd.eq(x, zero), simd.neg(infinity), simd.sub(infinity, infinity));
    simd.select(simd.le(x, zero), nonpositive, value)
}

/// ln(1 + u) for u in \[0, 1\], to the relative accuracy of [`ln`] down to u = 0.
#[inline(always)]
pub fn ln_1p_unit<T: Real, S: Simd<T>>(simd: S, u: S::V) -> S::V {
    let (half, one) = (simd.splat(T::from_f64(0.5)), simd.splat(T::ONE));
    // Above ½ both u − 1 and its half are exact: ln(1 + u) = ln 2 + ln(1 + (u − 1)/2).
    let upper = simd.lt(half, u);
    let f = simd.select(upper, simd.mul(simd.sub(u, one), half), u);
    let e = simd.select(upper, one, simd.splat(T::ZERO));
    ln_of_parts(simd, e, f)
}

/// The hyperbolic tangent: x + x³·P(x²) for |x| < 0.35, else (e²|ˣ| − 1) / (e²|ˣ| + 1) with the sign of x.
#[inline(always)]
pub fn tanh<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let magnitude = simd.abs(x);
    let z = simd.mul(x, x);
    let small = simd.fma(simd.mul(z, polynomial(simd, T::TANH, z)), magnitude, magnitude);
    let q = exp_m1_within(simd, simd.min(simd.splat(T::TANH_HIGH), simd.add(magnitude, magnitude)));
    let large = simd.div(q, simd.add(q, simd.splat(T::from_f64(2.0))));
    simd.copysign(simd.select(simd.lt(magnitude, simd.splat(T::from_f64(0.35))), small, large), x)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    sigmoid_of_exp(simd, x, exp_minus_abs(simd, x))
}

/// σ(x), given e = e⁻|ˣ|: 1/(1 + e) above zero, e/(1 + e) below.
#[inline(always)]
pub(crate) fn sigmoid_of_exp<T: Real, S: Simd<T>>(simd: S, x: S::V, e: S::V) -> S::V {
    let one = simd.splat(T::ONE);
    let numerator = simd.select(simd.lt(x, simd.splat(T::ZERO)), e, one);
    let denominator = simd.add(one, e);
    let lost = simd.sub(e, simd.sub(denominator, one));
    let y = simd.div(numerator, denominator);
    // n/(d + lost) = y − y·lost/d to first order, and 1/d is σ(|x|), which y or 1 − y approximates.
    let reciprocal = simd.max(y, simd.sub(one, y));
    simd.fnma(simd.mul(y, lost), reciprocal, y)
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + e⁻|ˣ|).
#[inline(always)]
pub fn softplus<T: Real, S: Simd<T>>(simd: S, x: S::V) -> S::V {
    let e = exp_minus_abs(simd, x);
    simd.add(simd.max(simd.splat(T::ZERO), x), ln_1p_unit(simd, e))
}

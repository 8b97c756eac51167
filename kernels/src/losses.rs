//! Losses of a matrix of predictions against targets, and their gradients.
//!
//! Values are sums over all elements of [rows, cols], by rows as [`crate::reduce`] states: `start` is the sum of the rows
//! above, so that a batch may be summed in slices of rows. Gradients are elementwise; `scale` carries whatever the loss is
//! divided by (and the 2 of the squared error).

use crate::once::once;
use crate::reduce::{Summand, chain, whole_rows};
use crate::{Isa, Real, Simd, vecmath};

/// (x − t)².
#[derive(Clone, Copy)]
struct SquaredError;

impl<T: Real> Summand<T, 2, 0> for SquaredError {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, [x, t]: [S::V; 2]) -> (S::V, [S::V; 0]) {
        let error = simd.sub(x, t);
        (simd.mul(error, error), [])
    }
}

#[derive(Clone, Copy)]
struct SquaredErrorAndGradient<T>(T);

impl<T: Real> Summand<T, 2, 1> for SquaredErrorAndGradient<T> {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, [x, t]: [S::V; 2]) -> (S::V, [S::V; 1]) {
        let error = simd.sub(x, t);
        (simd.mul(error, error), [simd.mul(simd.splat(self.0), error)])
    }
}

/// max(z, 0) − z·t + ln(1 + e⁻|ᶻ|), given e = e⁻|ᶻ|.
#[inline(always)]
fn bce_of_exp<T: Real, S: Simd<T>>(simd: S, z: S::V, t: S::V, e: S::V) -> S::V {
    let positive = simd.max(simd.splat(T::ZERO), z);
    simd.add(simd.fnma(z, t, positive), vecmath::ln_1p_unit(simd, e))
}

/// scale · (σ(z) − t), given e = e⁻|ᶻ|.
#[inline(always)]
fn bce_gradient_of_exp<T: Real, S: Simd<T>>(simd: S, scale: S::V, z: S::V, t: S::V, e: S::V) -> S::V {
    simd.mul(scale, simd.sub(vecmath::sigmoid_of_exp(simd, z, e), t))
}

#[derive(Clone, Copy)]
struct Bce;

impl<T: Real> Summand<T, 2, 0> for Bce {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, [z, t]: [S::V; 2]) -> (S::V, [S::V; 0]) {
        let e = vecmath::exp_minus_abs(simd, z);
        (bce_of_exp(simd, z, t, e), [])
    }
}

#[derive(Clone, Copy)]
struct BceAndGradient<T>(T);

impl<T: Real> Summand<T, 2, 1> for BceAndGradient<T> {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, [z, t]: [S::V; 2]) -> (S::V, [S::V; 1]) {
        let e = vecmath::exp_minus_abs(simd, z);
        (bce_of_exp(simd, z, t, e), [bce_gradient_of_exp(simd, simd.splat(self.0), z, t, e)])
    }
}

once! {
    /// `start` + Σ (x − t)²; x, t [rows, cols].
    pub fn squared_error<T: Real>(isa: Isa, x: &[T], t: &[T], cols: usize, start: f64) -> f64 {
        whole_rows(x.len(), cols);
        chain(isa, SquaredError, [x, t], [], cols, start)
    }

    /// [`squared_error`], to the same bits, and out = scale · (x − t) in one pass: the gradient of the mean of n squared errors has
    /// scale 2/n. Moves three elements per element.
    pub fn squared_error_and_gradient<T: Real>(
        isa: Isa,
        x: &[T],
        t: &[T],
        cols: usize,
        scale: T,
        start: f64,
        out: &mut [T],
    ) -> f64 {
        whole_rows(x.len(), cols);
        chain(isa, SquaredErrorAndGradient(scale), [x, t], [out], cols, start)
    }

    /// `start` + Σ max(z, 0) − z·t + ln(1 + e⁻|ᶻ|): the binary cross-entropy −t·ln σ(z) − (1 − t)·ln(1 − σ(z)) of logits z and
    /// targets t in [0, 1], without the overflow; z, t [rows, cols]. An infinite logit gives an infinite or NaN loss.
    pub fn bce_with_logits<T: Real>(isa: Isa, z: &[T], t: &[T], cols: usize, start: f64) -> f64 {
        whole_rows(z.len(), cols);
        chain(isa, Bce, [z, t], [], cols, start)
    }

    /// [`bce_with_logits`], to the same bits, and out = scale · (σ(z) − t) in one pass and with one exponential. Moves three elements
    /// per element.
    pub fn bce_with_logits_and_gradient<T: Real>(
        isa: Isa,
        z: &[T],
        t: &[T],
        cols: usize,
        scale: T,
        start: f64,
        out: &mut [T],
    ) -> f64 {
        whole_rows(z.len(), cols);
        chain(isa, BceAndGradient(scale), [z, t], [out], cols, start)
    }
}

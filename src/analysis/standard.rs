//! Codes brought to mean 0, and to variance 1 where that is wanted.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
use ndarray::ArrayView2;

use super::error::AnalysisError;

/// Refuses codes that hold something else than numbers.
pub(super) fn check_finite(action: &'static str, codes: ArrayView2<'_, f32>) -> Result<(), AnalysisError> {
    match codes.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, col), &value)) => Err(AnalysisError::NotFinite { action, row, col, value }),
        None => Ok(()),
    }
}

/// Mean and deviation of each value of the codes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Standard {
    pub mean: Vec<f64>,
    /// One over the standard deviation; 0 where the value does not vary.
    factor: Vec<f64>,
}

impl Standard {
    pub fn of(codes: ArrayView2<'_, f32>) -> Standard {
        let n = codes.nrows() as f64;
        let mut mean = vec![0.0; codes.ncols()];
        for row in codes.rows() {
            mean.iter_mut().zip(row).for_each(|(sum, &value)| *sum += f64::from(value));
        }
        mean.iter_mut().for_each(|sum| *sum /= n);
        let mut variance = vec![0.0; codes.ncols()];
        for row in codes.rows() {
            for ((sum, &value), mean) in variance.iter_mut().zip(row).zip(&mean) {
                *sum += (f64::from(value) - mean) * (f64::from(value) - mean);
            }
        }
        // What is left of a constant by the rounding of its mean, as scikit-learn bounds it.
        let factor = |(sum, mean): (&f64, &f64)| {
            let variance = sum / n;
            let constant =
                variance <= n * f64::EPSILON * variance + (n * mean * f64::EPSILON) * (n * mean * f64::EPSILON);
            if constant { 0.0 } else { 1.0 / variance.sqrt() }
        };
        Standard { factor: variance.iter().zip(&mean).map(factor).collect(), mean }
    }

    /// The mean alone. Refused: fewer than two codes, codes that are not finite.
    pub fn centring(action: &'static str, codes: ArrayView2<'_, f32>) -> Result<Standard, AnalysisError> {
        if codes.nrows() < 2 {
            return Err(AnalysisError::TooFew { action, least: 2, found: codes.nrows() });
        }
        check_finite(action, codes)?;
        Ok(Standard::of(codes).unscaled())
    }

    /// The same without the deviations.
    pub fn unscaled(self) -> Standard {
        Standard { factor: vec![1.0; self.mean.len()], ..self }
    }

    /// [n, d], row-major.
    pub fn apply(&self, codes: ArrayView2<'_, f32>) -> Vec<f64> {
        let mut x = Vec::with_capacity(codes.len());
        for row in codes.rows() {
            let standard = |((&value, mean), factor): ((&f32, &f64), &f64)| (f64::from(value) - mean) * factor;
            x.extend(row.iter().zip(&self.mean).zip(&self.factor).map(standard));
        }
        x
    }
}

/// XᵀX [d, d] of x [n, d].
pub(super) fn scatter(context: Context, x: &[f64], d: usize) -> Vec<f64> {
    let mut scatter = vec![0.0; d * d];
    let x = MatRef::new(x, x.len() / d.max(1), d);
    gemm(context, MatMut::new(&mut scatter, d, d), Accumulate::Overwrite, x.transposed(), x, Epilogue::NONE);
    scatter
}

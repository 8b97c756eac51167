//! The Fréchet distance between two sets of images, through features of them.

use narrows_kernels::{Accumulate, Context, Epilogue, MatRef, gemm};
use ndarray::ArrayView2;

use super::error::AnalysisError;
use super::standard::{Standard, scatter};
use crate::linalg::{Matrix, singular_values, symmetric_eigen};

/// The mean of features, and the square root of their covariance.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMoments {
    mean: Vec<f64>,
    /// Σ^½ [d, d], symmetric.
    root: Matrix<f64>,
    /// tr Σ.
    trace: f64,
}

impl FeatureMoments {
    /// Those of `features` [n, d], the covariance over n − 1, as numpy's `cov` has it. Its root is V·Λ^½·Vᵀ with eigenvalues and
    /// vectors by Jacobi's rotations. Refused: fewer than two rows, values that are not finite.
    pub fn of(context: Context, features: ArrayView2<'_, f32>) -> Result<FeatureMoments, AnalysisError> {
        let standard = Standard::centring("measure the distribution of", features)?;
        let (n, d) = features.dim();
        let mut covariance = scatter(context, &standard.apply(features), d);
        covariance.iter_mut().for_each(|sum| *sum /= (n - 1) as f64);
        let trace = covariance.iter().step_by(d + 1).sum();
        let (values, vectors) = symmetric_eigen(context, &mut Matrix::copy_of(MatRef::new(&covariance, d, d)));
        let mut scaled = vectors.clone();
        for (j, value) in values.iter().enumerate() {
            scaled.col_mut(j).iter_mut().for_each(|x| *x *= value.sqrt());
        }
        Ok(FeatureMoments { mean: standard.mean, root: product(context, &scaled, &vectors.transposed()), trace })
    }

    /// |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½), the squared Wasserstein distance between normal distributions with these moments
    /// (Dowson and Landau 1982; of images Heusel et al. 2017). The trace of (Σ₁Σ₂)^½ is the sum of the singular values of
    /// Σ₁^½·Σ₂^½, so that no root of a matrix that is not symmetric is taken.
    ///
    /// # Panics
    /// When the two have features of different sizes.
    pub fn distance(&self, context: Context, other: &FeatureMoments) -> f64 {
        assert_eq!(self.mean.len(), other.mean.len(), "distributions of features of one size");
        let squares = self.mean.iter().zip(&other.mean).map(|(a, b)| (a - b) * (a - b));
        let between: f64 = squares.sum();
        let roots: f64 = singular_values(context, &mut product(context, &self.root, &other.root)).iter().sum();
        // Two equal distributions may miss 0 by rounding.
        (between + self.trace + other.trace - 2.0 * roots).max(0.0)
    }
}

fn product(context: Context, a: &Matrix<f64>, b: &Matrix<f64>) -> Matrix<f64> {
    let mut out = Matrix::zeros(a.rows(), b.cols());
    let (rows, cols) = (out.rows(), out.cols());
    gemm(context, out.block_mut(0..rows, 0..cols), Accumulate::Overwrite, a.view(), b.view(), Epilogue::NONE);
    out
}

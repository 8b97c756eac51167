//! Principal components: the directions in which codes vary most.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
use ndarray::{Array2, ArrayView2};

use super::error::AnalysisError;
use super::standard::{Standard, scatter};
use crate::linalg::{Matrix, symmetric_eigen};

/// The mean of codes, and their directions of largest variance.
#[derive(Clone, Debug, PartialEq)]
pub struct Pca {
    standard: Standard,
    /// A row for each component [count, d], of length one, or zeros where nothing is left to vary; the one of largest variance
    /// first. Its element of largest magnitude is positive.
    components: Array2<f64>,
    /// The variance along each component, as a share of the total; 0 where nothing varies.
    pub shares: Vec<f64>,
}

impl Pca {
    /// The first `count` components of `codes` [n, d], of which there are at most d: the eigenvectors of their covariance,
    /// by Jacobi's rotations in f64. Refused: fewer than two codes, codes that are not finite.
    pub fn fit(context: Context, codes: ArrayView2<'_, f32>, count: usize) -> Result<Pca, AnalysisError> {
        let standard = Standard::centring("find the principal components of", codes)?;
        let d = codes.ncols();
        let scatter = scatter(context, &standard.apply(codes), d);
        let (variances, vectors) = symmetric_eigen(context, &mut Matrix::copy_of(MatRef::new(&scatter, d, d)));
        let total: f64 = variances.iter().sum();
        let mut components = Array2::zeros((count.min(d), d));
        let mut shares = Vec::new();
        for (j, mut row) in components.rows_mut().into_iter().enumerate() {
            shares.push(if total > 0.0 { variances[j] / total } else { 0.0 });
            let column = vectors.col(j);
            let largest = column.iter().fold(0.0f64, |most, &x| if x.abs() > most.abs() { x } else { most });
            row.iter_mut().zip(column).for_each(|(to, &x)| *to = x * largest.signum());
        }
        Ok(Pca { standard, components, shares })
    }

    /// The mean code `[d]`.
    pub fn mean(&self) -> &[f64] {
        &self.standard.mean
    }

    /// A row for each component [count, d], of length one, or zeros where nothing is left to vary: mean + Σ coordinate · component
    /// leads from coordinates to codes.
    pub fn components(&self) -> ArrayView2<'_, f64> {
        self.components.view()
    }

    /// The coordinates [n, count] of `codes` [n, d] along the components. Refused: codes of another size.
    pub fn project(&self, context: Context, codes: ArrayView2<'_, f32>) -> Result<Array2<f64>, AnalysisError> {
        let (count, d) = self.components.dim();
        if codes.ncols() != d {
            return Err(AnalysisError::Width { action: "project", expected: d, found: codes.ncols() });
        }
        let centred = self.standard.apply(codes);
        let mut out = Array2::zeros((codes.nrows(), count));
        let components = self.components.as_slice().expect("made contiguous");
        gemm(
            context,
            MatMut::new(out.as_slice_mut().expect("a new array is contiguous"), codes.nrows(), count),
            Accumulate::Overwrite,
            MatRef::new(&centred, codes.nrows(), d),
            MatRef::new(components, count, d).transposed(),
            Epilogue::NONE,
        );
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_on_a_tilted_ellipse_have_its_axes() {
        // Along (3, 4)/5 the points vary 10 times as much as along (−4, 3)/5; the mean is (7, −2, 1).
        let codes = Array2::from_shape_fn((400, 3), |(i, j)| {
            let (a, b) = ([10.0, -10.0, 0.0, 0.0][i % 4], [0.0, 0.0, 1.0, -1.0][i % 4]);
            [7.0 + 0.6 * a - 0.8 * b, -2.0 + 0.8 * a + 0.6 * b, 1.0][j]
        });
        let context = Context::detect();
        let pca = Pca::fit(context, codes.view(), 2).unwrap();
        let close = |found: &[f64], expected: &[f64]| {
            found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-6)
        };
        assert!(close(pca.components.as_slice().unwrap(), &[0.6, 0.8, 0.0, 0.8, -0.6, 0.0]), "{pca:?}");
        assert!(close(&pca.shares, &[100.0 / 101.0, 1.0 / 101.0]), "{pca:?}");
        let projected = pca.project(context, codes.view()).unwrap();
        assert!(close(projected.as_slice().unwrap(), &[10.0, 0.0, -10.0, 0.0, 0.0, -1.0, 0.0, 1.0]), "{projected}");
        assert_eq!(
            pca.project(context, codes.view().split_at(ndarray::Axis(1), 1).1).unwrap_err().to_string(),
            "cannot project codes of 2 values: those it was fitted to have 3"
        );
    }

    #[test]
    fn codes_that_do_not_vary_have_components_of_no_share() {
        let pca = Pca::fit(Context::detect(), Array2::from_elem((5, 2), 3.0).view(), 2).unwrap();
        assert_eq!(pca.shares, [0.0, 0.0]);
        assert_eq!(pca.components, Array2::<f64>::zeros((2, 2)));
        let one = Pca::fit(Context::detect(), Array2::from_elem((1, 2), 3.0).view(), 2).unwrap_err();
        assert_eq!(one.to_string(), "cannot find the principal components of 1 codes: at least 2 are needed");
    }
}

//! Singular values by one-sided Jacobi rotations.
//!
//! Pairs of columns are rotated until all are orthogonal; their norms are then the singular values (Hestenes 1958). Slower
//! than bidiagonalisation, but short, and small singular values come out with small relative errors (Demmel & Veselić 1992).

use narrows_kernels::reduce::{dot, sum_of_squares};
use narrows_kernels::{Context, Real};

use super::Matrix;

/// Sweeps over all pairs; far more than were ever seen to be needed (about ten).
const MOST_SWEEPS: usize = 60;

/// The singular values of `a`, largest first: one for each column. `a` is overwritten: its columns, in
/// no order, are then the left singular vectors, each times its singular value. Sweeps end when every pair's cosine is
/// at most rows · ε.
pub fn singular_values<T: Real>(context: Context, a: &mut Matrix<T>) -> Vec<f64> {
    let squares = orthogonalise(context, a);
    let mut values: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

/// Eigenvalues, largest first, and eigenvectors, a column for each, of a symmetric positive semidefinite matrix, which is
/// overwritten: one-sided rotations take A to A·V, whose columns are λ_j·v_j. Columns of the null space are zero.
pub fn symmetric_eigen(context: Context, a: &mut Matrix<f64>) -> (Vec<f64>, Matrix<f64>) {
    assert_eq!(a.rows(), a.cols(), "a symmetric matrix is square");
    let values: Vec<f64> = orthogonalise(context, a).into_iter().map(f64::sqrt).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| values[j].total_cmp(&values[i]));
    let mut vectors = Matrix::zeros(a.rows(), a.cols());
    for (to, &from) in order.iter().enumerate() {
        let length = if values[from] > 0.0 { values[from] } else { 1.0 };
        for (to, &from) in vectors.col_mut(to).iter_mut().zip(a.col(from)) {
            *to = from / length;
        }
    }
    (order.into_iter().map(|at| values[at]).collect(), vectors)
}

/// Rotates pairs of columns until all are orthogonal; returns the squares of their norms.
fn orthogonalise<T: Real>(context: Context, a: &mut Matrix<T>) -> Vec<f64> {
    let (rows, cols) = (a.rows(), a.cols());
    let tolerance = rows as f64 * T::EPSILON.to_f64();
    let mut squares: Vec<f64> = (0..cols).map(|j| sum_of_squares(context.isa, a.col(j))).collect();
    for _ in 0..MOST_SWEEPS {
        let mut rotated = false;
        for p in 0..cols {
            for q in p + 1..cols {
                let (x, y) = a.two_cols_mut(p, q);
                let product = dot(context.isa, x, y);
                let bound = (squares[p] * squares[q]).sqrt();
                if product.abs() <= tolerance * bound {
                    continue;
                }
                rotated = true;
                // The smaller root of t² + 2ζt − 1 = 0 is the tangent that makes the columns orthogonal.
                let zeta = (squares[q] - squares[p]) / (2.0 * product);
                let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
                let cosine = 1.0 / (1.0 + tangent * tangent).sqrt();
                let (c, s) = (T::from_f64(cosine), T::from_f64(cosine * tangent));
                for (x, y) in x.iter_mut().zip(y.iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
                squares[p] = sum_of_squares(context.isa, x);
                squares[q] = sum_of_squares(context.isa, y);
            }
        }
        if !rotated {
            break;
        }
    }
    squares
}

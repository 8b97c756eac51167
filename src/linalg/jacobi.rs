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
    let mut values: Vec<f64> = squares.into_iter().map(f64::sqrt).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[cfg(test)]
mod tests {
    use narrows_kernels::MatRef;

    use super::*;

    #[test]
    fn small_matrices_have_their_known_singular_values() {
        let values = |data: &[f64], rows, cols| {
            let mut a = Matrix::copy_of(MatRef::new(data, rows, cols));
            singular_values(Context::detect(), &mut a)
        };
        // AᵀA = [[25, 20], [20, 25]] has the eigenvalues 45 and 5.
        let found = values(&[3.0, 0.0, 4.0, 5.0], 2, 2);
        assert!((found[0] - 45f64.sqrt()).abs() < 1e-14 && (found[1] - 5f64.sqrt()).abs() < 1e-14, "{found:?}");
        assert_eq!(values(&[0.0, -2.0, 3.0, 0.0, 0.0, 0.0], 3, 2), [3.0, 2.0]);
        assert_eq!(values(&[0.0; 6], 3, 2), [0.0, 0.0]);
        let parallel = values(&[1.0, 2.0, 1.0, 2.0], 2, 2);
        assert!((parallel[0] - 10f64.sqrt()).abs() < 1e-14 && parallel[1] < 1e-15, "{parallel:?}");
    }
}

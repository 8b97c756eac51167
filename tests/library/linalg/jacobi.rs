//! Singular values by one-sided Jacobi rotations.

use narrows::linalg::Matrix;
use narrows::linalg::*;
use narrows_kernels::Context;
use narrows_kernels::MatRef;

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

#[test]
fn eigenvectors_put_the_matrix_together_again() {
    // The eigenvalues of [[2, 1, 0], [1, 2, 0], [0, 0, 0.5]] are 3, 1 and 0.5.
    let data = [2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 0.5];
    let mut a = Matrix::copy_of(MatRef::new(&data, 3, 3));
    let (values, vectors) = symmetric_eigen(Context::detect(), &mut a);
    for (found, expected) in values.iter().zip([3.0, 1.0, 0.5]) {
        assert!((found - expected).abs() < 1e-14, "{values:?}");
    }
    for i in 0..3 {
        for j in 0..3 {
            let sum: f64 = (0..3).map(|k| values[k] * vectors.get(i, k) * vectors.get(j, k)).sum();
            assert!((sum - data[3 * i + j]).abs() < 1e-14, "{i}, {j}: {sum}");
        }
    }
}

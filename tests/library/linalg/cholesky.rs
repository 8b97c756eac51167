//! Small symmetric positive definite systems.

use narrows::linalg::*;

#[test]
fn a_system_with_a_known_factor_is_solved_exactly() {
    // L = [[2, 0, 0], [1, 3, 0], [-1, 2, 1]], A = L·Lᵀ, x = (1, -2, 3).
    let mut a = [4.0, f64::NAN, f64::NAN, 2.0, 10.0, f64::NAN, -2.0, 5.0, 6.0];
    let mut b = [4.0 - 4.0 - 6.0, 2.0 - 20.0 + 15.0, -2.0 - 10.0 + 18.0];
    assert!(cholesky_factor(&mut a, 3));
    cholesky_substitute(&a, &mut b);
    assert_eq!(b, [1.0, -2.0, 3.0]);
}

#[test]
fn a_matrix_that_is_not_positive_definite_is_refused() {
    assert!(!cholesky_factor(&mut [1.0, 0.0, 2.0, 4.0], 2));
    assert!(!cholesky_factor(&mut [f64::NAN], 1));
    assert!(!cholesky_factor(&mut [f64::INFINITY], 1));
    assert!(cholesky_factor(&mut [], 0));
}

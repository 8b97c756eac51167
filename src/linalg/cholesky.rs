//! Small symmetric positive definite systems.

/// Solves a·x = b in place for one right-hand side: a [n, n] row-major, of which the lower triangle is read and overwritten
/// by its Cholesky factor; b \[n\] becomes x. False, with b spoilt, when a pivot is not positive or not finite.
///
/// # Panics
/// When `a` does not have n · n elements.
pub fn cholesky_solve(a: &mut [f64], b: &mut [f64]) -> bool {
    let n = b.len();
    assert_eq!(a.len(), n * n, "a matrix [{n}, {n}]");
    for j in 0..n {
        for i in j..n {
            let sum: f64 = (0..j).map(|p| a[i * n + p] * a[j * n + p]).sum();
            let rest = a[i * n + j] - sum;
            if i == j {
                if !(rest > 0.0 && rest.is_finite()) {
                    return false;
                }
                a[j * n + j] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    for i in 0..n {
        let sum: f64 = (0..i).map(|p| a[i * n + p] * b[p]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|p| a[p * n + i] * b[p]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::cholesky_solve;

    #[test]
    fn a_system_with_a_known_factor_is_solved_exactly() {
        // L = [[2, 0, 0], [1, 3, 0], [-1, 2, 1]], A = L·Lᵀ, x = (1, -2, 3).
        let mut a = [4.0, f64::NAN, f64::NAN, 2.0, 10.0, f64::NAN, -2.0, 5.0, 6.0];
        let mut b = [4.0 - 4.0 - 6.0, 2.0 - 20.0 + 15.0, -2.0 - 10.0 + 18.0];
        assert!(cholesky_solve(&mut a, &mut b));
        assert_eq!(b, [1.0, -2.0, 3.0]);
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_refused() {
        assert!(!cholesky_solve(&mut [1.0, 0.0, 2.0, 4.0], &mut [1.0, 1.0]));
        assert!(!cholesky_solve(&mut [f64::NAN], &mut [1.0]));
        assert!(!cholesky_solve(&mut [f64::INFINITY], &mut [1.0]));
        assert!(cholesky_solve(&mut [], &mut []));
    }
}

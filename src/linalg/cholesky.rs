//! Small symmetric positive definite systems.

/// Factors a = L·Lᵀ in place: a [n, n] row-major, of which the lower triangle is read and overwritten by L. False when a pivot is
/// not positive or not finite.
///
/// # Panics
/// When `a` does not have n · n elements.
pub fn cholesky_factor(a: &mut [f64], n: usize) -> bool {
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
    true
}

/// Solves L·Lᵀ·x = b in place, L [n, n] from [`cholesky_factor`], b \[n\].
///
/// # Panics
/// When `l` does not have n · n elements.
pub fn cholesky_substitute(l: &[f64], b: &mut [f64]) {
    let n = b.len();
    assert_eq!(l.len(), n * n, "a factor [{n}, {n}]");
    for i in 0..n {
        let sum: f64 = (0..i).map(|p| l[i * n + p] * b[p]).sum();
        b[i] = (b[i] - sum) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|p| l[p * n + i] * b[p]).sum();
        b[i] = (b[i] - sum) / l[i * n + i];
    }
}

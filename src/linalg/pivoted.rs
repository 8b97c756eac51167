//! QR with column pivoting, and least squares with it.
//!
//! A·P = Q·R with |r₀₀| ≥ |r₁₁| ≥ … is computed in two stages (Chan 1987; Golub & Van Loan, "Matrix Computations", 5.4):
//!
//! 1. A [m, n] = Q₁·R₁ without pivoting, in blocks: nearly all of the work, and all of that matrix products.
//! 2. R₁·P = Q₂·R with pivoting, on the small [n, n] matrix; Q = Q₁·Q₂.
//!
//! Multiplication by Q₁ᵀ keeps the norms of all columns, so stage 2 meets the pivots that pivoting on A would choose. Blocked
//! pivoting on A itself (LAPACK's `xGEQP3`) leaves half the work in matrix–vector products. A wide matrix skips stage 1.
//!
//! Q is formed, [m, min(m, n)]: Qᵀb is then one product of 2·m·n operations for each right-hand side, half of what applying
//! the reflections takes, and one chain for each element, which a batch of right-hand sides cannot change.
//!
//! **Rank**: the number of diagonal elements of R above max(m, n) · ε · |r₀₀|. Where it is short of n, a further QR of the
//! transpose of R's first rows gives them as Uᵀ·Zᵀ, and x = P·Z·U⁻ᵀ·Qᵀb is the solution of least norm (complete orthogonal
//! decomposition, Golub & Van Loan 5.4.7).
//!
//! Before all this A is multiplied by a power of two that brings its largest element near 1, so that no square overflows;
//! columns whose squares underflow are then far below rounding.

use narrows_kernels::reduce::sum_of_squares;
use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, Real, gemm};
use rayon::prelude::*;

use super::householder::{Reflectors, apply_one, factor_unpivoted, reflect};
use super::triangular::{Side, Triangle};
use super::{FactorError, Matrix, singular_values};

/// Right-hand sides solved together: the products are then large, and the buffers of a 784×392 matrix stay in a core's L2.
const TOGETHER: usize = 512;

/// A·P = Q·R, ready to solve least-squares problems with A [m, n].
#[derive(Clone, Debug)]
pub struct PivotedQr<T> {
    rows: usize,
    cols: usize,
    /// A times this was factored.
    scale: T,
    /// [m, min(m, n)], orthonormal columns.
    q: Matrix<T>,
    /// [min(m, n), n], upper trapezoidal, of the scaled matrix.
    r: Matrix<T>,
    /// Column j of A·P is column `permutation[j]` of A.
    permutation: Vec<usize>,
    rank: usize,
    triangle: Triangle<T>,
    /// Z [n, rank] where the rank is short of n; the triangle is then Uᵀ.
    z: Option<Matrix<T>>,
}

impl<T: Real> PivotedQr<T> {
    /// Factors `a` [m, n], of any strides. Refuses a matrix without elements, or with one that is not finite.
    pub fn factor(context: Context, a: MatRef<'_, T>) -> Result<Self, FactorError> {
        let (rows, cols) = (a.rows(), a.cols());
        if rows == 0 || cols == 0 {
            return Err(FactorError::Empty { rows, cols });
        }
        let mut a = Matrix::copy_of(a);
        if let Some(at) = a.as_slice().iter().position(|x| !x.is_finite()) {
            let (row, col) = (at % rows, at / rows);
            return Err(FactorError::NotFinite { rows, cols, row, col, value: a.get(row, col).to_f64() });
        }
        let scale = scale_of(&a);
        a.as_mut_slice().iter_mut().for_each(|x| *x = *x * scale);

        let k = rows.min(cols);
        let tall = (rows > cols).then(|| {
            let reflectors = factor_unpivoted(context, &mut a);
            a = upper(&a, cols);
            reflectors
        });
        let (taus, permutation) = factor_pivoted(context, &mut a);
        let mut q = Matrix::identity(a.rows(), k);
        Reflectors::gather(context, &a, &taus).apply(context, &mut q);
        if let Some(reflectors) = tall {
            let mut padded = Matrix::zeros(rows, k);
            for j in 0..k {
                padded.col_mut(j)[..q.rows()].copy_from_slice(q.col(j));
            }
            reflectors.apply(context, &mut padded);
            q = padded;
        }
        let r = upper(&a, k);
        let rank = rank_of(&r, rows, cols);
        let (triangle, z) = if rank == cols {
            (Triangle::new(&r, rank, Side::Upper), None)
        } else {
            let mut short = Matrix::copy_of(r.block(0..rank, 0..cols).transposed());
            let reflectors = factor_unpivoted(context, &mut short);
            let mut z = Matrix::identity(cols, rank);
            reflectors.apply(context, &mut z);
            (Triangle::new(&short.transposed(), rank, Side::Lower), Some(z))
        };
        Ok(PivotedQr { rows, cols, scale, q, r, permutation, rank, triangle, z })
    }

    /// The number of diagonal elements of R above max(m, n) · ε · |r₀₀|.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Q [m, min(m, n)]: orthonormal columns that span A's range when the rank is full.
    pub fn q(&self) -> &Matrix<T> {
        &self.q
    }

    /// R [min(m, n), n], upper trapezoidal.
    pub fn r(&self) -> Matrix<T> {
        let mut r = self.r.clone();
        r.as_mut_slice().iter_mut().for_each(|x| *x = *x / self.scale);
        r
    }

    /// Column j of A·P is column `permutation()[j]` of A.
    pub fn permutation(&self) -> &[usize] {
        &self.permutation
    }

    /// The singular values of A, largest first, by [`singular_values`] of Rᵀ; their relative errors are of the size of
    /// min(m, n) · ε · κ.
    pub fn singular_values(&self, context: Context) -> Vec<f64> {
        let scale = self.scale.to_f64();
        let mut values = singular_values(context, &mut self.r.transposed());
        values.iter_mut().for_each(|value| *value /= scale);
        values
    }

    /// κ₂(A) = σ_max / σ_min, from [`PivotedQr::singular_values`]; infinite when σ_min is 0.
    pub fn condition_number(&self, context: Context) -> f64 {
        let values = self.singular_values(context);
        let (largest, smallest) = (values[0], values[values.len() - 1]);
        if smallest == 0.0 { f64::INFINITY } else { largest / smallest }
    }

    /// For each right-hand side b the x that minimises ‖A·x − b‖₂, and among several the one of least norm: `rhs` [count, m]
    /// row-major, one b in each row, `out` [count, n] the solutions. A right-hand side that is not finite spoils its own
    /// solution alone. The rows are shared among the threads of the current rayon pool.
    ///
    /// # Panics
    /// When `rhs` is not whole rows of m, or `out` not as many rows of n.
    pub fn solve_rows(&self, context: Context, rhs: &[T], out: &mut [T]) {
        assert!(rhs.len().is_multiple_of(self.rows), "{} elements are no right-hand sides [{}]", rhs.len(), self.rows);
        let count = rhs.len() / self.rows;
        assert_eq!(out.len(), count * self.cols, "{count} solutions [{}]", self.cols);
        let chunk = |(rhs, out): (&[T], &mut [T])| self.solve_chunk(context, rhs, out);
        let rhs = rhs.par_chunks(TOGETHER * self.rows);
        rhs.zip(out.par_chunks_mut(TOGETHER * self.cols)).for_each(chunk);
    }

    fn solve_chunk(&self, context: Context, rhs: &[T], out: &mut [T]) {
        let (count, rank) = (rhs.len() / self.rows, self.rank);
        let rhs = MatRef::new(rhs, count, self.rows).transposed();
        let mut y = vec![T::ZERO; rank * count];
        let q = self.q.block(0..self.rows, 0..rank).transposed();
        gemm(context, MatMut::new(&mut y, rank, count), Accumulate::Overwrite, q, rhs, Epilogue::NONE);
        self.triangle.solve(context, &mut y, count);
        if let Some(z) = &self.z {
            let mut x = vec![T::ZERO; self.cols * count];
            let y = MatRef::new(&y, rank, count);
            gemm(context, MatMut::new(&mut x, self.cols, count), Accumulate::Overwrite, z.view(), y, Epilogue::NONE);
            self.scatter(&x, count, out);
        } else {
            self.scatter(&y, count, out);
        }
    }

    /// Undoes the permutation and the scale: x [n, count] → out [count, n].
    fn scatter(&self, x: &[T], count: usize, out: &mut [T]) {
        for (row, &to) in x.chunks_exact(count.max(1)).zip(&self.permutation) {
            for (sample, &value) in row.iter().enumerate() {
                out[sample * self.cols + to] = value * self.scale;
            }
        }
    }
}

/// The power of two that brings the largest element to [1, 2), within what the type's exponents allow.
fn scale_of<T: Real>(a: &Matrix<T>) -> T {
    let largest = a.as_slice().iter().fold(0.0f64, |largest, x| largest.max(x.to_f64().abs()));
    if largest == 0.0 {
        return T::ONE;
    }
    let most = if size_of::<T>() == 4 { 120 } else { 1000 };
    let exponent = ((largest.to_bits() >> 52) as i64 - 1023).clamp(-most, most);
    T::from_f64(f64::from_bits(((1023 - exponent) as u64) << 52))
}

/// The first `rows` rows of `a` with zeros below the diagonal.
fn upper<T: Real>(a: &Matrix<T>, rows: usize) -> Matrix<T> {
    let mut upper = Matrix::zeros(rows, a.cols());
    for j in 0..a.cols() {
        let len = (j + 1).min(rows);
        upper.col_mut(j)[..len].copy_from_slice(&a.col(j)[..len]);
    }
    upper
}

fn rank_of<T: Real>(r: &Matrix<T>, rows: usize, cols: usize) -> usize {
    let diagonal = |i: usize| r.get(i, i).to_f64().abs();
    let threshold = rows.max(cols) as f64 * T::EPSILON.to_f64() * diagonal(0);
    (0..r.rows()).take_while(|&i| diagonal(i) > threshold).count()
}

/// Reflects column after column, each time the one of largest remaining norm. Norms are taken down from step to step, and
/// formed anew where cancellation has eaten half their digits (Drmač & Bujanović 2008, as in LAPACK's `xLAQP2`).
fn factor_pivoted<T: Real>(context: Context, a: &mut Matrix<T>) -> (Vec<T>, Vec<usize>) {
    let (rows, cols) = (a.rows(), a.cols());
    let norm = |column: &[T]| sum_of_squares(context.isa, column).sqrt();
    let mut permutation: Vec<usize> = (0..cols).collect();
    let mut norms: Vec<f64> = (0..cols).map(|j| norm(a.col(j))).collect();
    let mut exact = norms.clone();
    let threshold = T::EPSILON.to_f64().sqrt();
    let mut taus = Vec::with_capacity(rows.min(cols));
    for step in 0..rows.min(cols) {
        // The first of the largest, so that ties have one outcome.
        let largest = (step + 1..cols).fold(step, |best, j| if norms[j] > norms[best] { j } else { best });
        a.swap_cols(step, largest);
        permutation.swap(step, largest);
        norms.swap(step, largest);
        exact.swap(step, largest);
        let (reflected, others) = a.as_mut_slice().split_at_mut((step + 1) * rows);
        let column = &mut reflected[step * rows + step..];
        let tau = reflect(context, column);
        for (j, other) in (step + 1..cols).zip(others.chunks_exact_mut(rows)) {
            apply_one(context, column, tau, &mut other[step..]);
            if norms[j] == 0.0 {
                continue;
            }
            let ratio = other[step].to_f64().abs() / norms[j];
            let left = (1.0 - ratio * ratio).max(0.0);
            if left * (norms[j] / exact[j]) * (norms[j] / exact[j]) <= threshold {
                norms[j] = norm(&other[step + 1..]);
                exact[j] = norms[j];
            } else {
                norms[j] *= left.sqrt();
            }
        }
        taus.push(tau);
    }
    (taus, permutation)
}

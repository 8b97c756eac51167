//! Householder reflections, one at a time and in blocks.
//!
//! H = I − τ·v·vᵀ with v₀ = 1 maps a column to (β, 0, …, 0). A product of k of them is I − V·T·Vᵀ, V [m, k] unit lower
//! trapezoidal and T [k, k] upper triangular (Schreiber & Van Loan 1989, "A storage-efficient WY representation for products
//! of Householder transformations"), so that applying all k costs three matrix products.

use narrows_kernels::elementwise::{mul_scalar, scale_in_place};
use narrows_kernels::reduce::{dot, sum_of_squares};
use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, Real, gemm};

use super::matrix::{Matrix, block_mut};

/// Columns factored one by one before their reflections are applied to the others together.
const PANEL: usize = 32;

/// Replaces `x` by (β, v₁, v₂, …) and returns τ. β has the sign opposite to x₀, so that nothing cancels; a column that is
/// already (β, 0, …, 0) is left alone with τ = 0, and so is a column whose other elements are so small that their squares may
/// have lost digits to underflow: H would not be orthogonal, and beside 1 they are far below rounding. Squares are summed by the
/// kernels, in T within rows of 4096 and in f64 beyond.
pub(super) fn reflect<T: Real>(context: Context, x: &mut [T]) -> T {
    let (head, tail) = x.split_first_mut().expect("a column has a diagonal element");
    let alpha = head.to_f64();
    let squares = sum_of_squares(context.isa, tail);
    let smallest = if size_of::<T>() == 4 { f64::from(f32::MIN_POSITIVE) } else { f64::MIN_POSITIVE };
    if squares <= tail.len() as f64 * smallest / T::EPSILON.to_f64() {
        return T::ZERO;
    }
    let norm = (alpha * alpha + squares).sqrt();
    let beta = if alpha > 0.0 { -norm } else { norm };
    scale_in_place(context.isa, tail, T::from_f64(1.0 / (alpha - beta)));
    *head = T::from_f64(beta);
    T::from_f64((beta - alpha) / beta)
}

/// column ← H·column, H given by τ and the reflected column `v`, whose first element counts as 1.
pub(super) fn apply_one<T: Real>(context: Context, v: &[T], tau: T, column: &mut [T]) {
    if tau == T::ZERO {
        return;
    }
    let (head, tail) = column.split_first_mut().expect("a column has a diagonal element");
    let product = head.to_f64() + dot(context.isa, &v[1..], tail);
    let factor = T::from_f64(tau.to_f64() * product);
    *head = *head - factor;
    mul_scalar(context.isa, &v[1..], -factor, tail, Accumulate::Add);
}

/// Consecutive reflections as I − V·T·Vᵀ, acting on rows `first`...
#[derive(Clone, Debug)]
struct Panel<T> {
    first: usize,
    v: Matrix<T>,
    t: Matrix<T>,
}

/// The orthogonal matrix Q = H₀·H₁·… [rows, rows], kept as reflections.
#[derive(Clone, Debug)]
pub(super) struct Reflectors<T> {
    panels: Vec<Panel<T>>,
}

impl<T: Real> Reflectors<T> {
    /// Gathers the reflections that lie below the diagonal of `a`, τ of column j being `taus[j]`.
    pub fn gather(context: Context, a: &Matrix<T>, taus: &[T]) -> Self {
        let starts = (0..taus.len()).step_by(PANEL);
        let panel = |first: usize| {
            let end = (first + PANEL).min(taus.len());
            Panel::new(context, a.as_slice(), a.rows(), first, &taus[first..end])
        };
        Reflectors { panels: starts.map(panel).collect() }
    }

    /// c [rows, n] ← Q·c.
    pub fn apply(&self, context: Context, c: &mut Matrix<T>) {
        for panel in self.panels.iter().rev() {
            let (rows, cols) = (c.rows(), c.cols());
            panel.apply(context, c.block_mut(panel.first..rows, 0..cols), false);
        }
    }
}

impl<T: Real> Panel<T> {
    /// Reads the vectors from the columns of `data`, which lie `rows` elements apart, from the diagonal element `first` on.
    fn new(context: Context, data: &[T], rows: usize, first: usize, taus: &[T]) -> Self {
        let k = taus.len();
        let mut v = Matrix::zeros(rows - first, k);
        for j in 0..k {
            let source = &data[(first + j) * rows + first..(first + j + 1) * rows];
            let to = v.col_mut(j);
            to[j] = T::ONE;
            to[j + 1..].copy_from_slice(&source[j + 1..]);
        }
        // T of the first j reflections, extended by a column: −τⱼ·T·(Vᵀvⱼ), and τⱼ on the diagonal.
        let mut t = Matrix::<T>::zeros(k, k);
        for (j, &tau) in taus.iter().enumerate() {
            let products: Vec<f64> = (0..j).map(|i| dot(context.isa, &v.col(i)[j..], &v.col(j)[j..])).collect();
            for i in 0..j {
                let sum: f64 = (i..j).map(|p| t.get(i, p).to_f64() * products[p]).sum();
                t.set(i, j, T::from_f64(-tau.to_f64() * sum));
            }
            t.set(j, j, tau);
        }
        Panel { first, v, t }
    }

    /// c ← (I − V·T·Vᵀ)·c, or with `transposed` (I − V·Tᵀ·Vᵀ)·c.
    fn apply(&self, context: Context, mut c: MatMut<'_, T>, transposed: bool) {
        let (k, n) = (self.v.cols(), c.cols());
        let mut products = Matrix::zeros(k, n);
        let mut turned = Matrix::zeros(k, n);
        let v = self.v.view();
        let t = if transposed { self.t.view().transposed() } else { self.t.view() };
        let overwrite = Accumulate::Overwrite;
        gemm(context, products.block_mut(0..k, 0..n), overwrite, v.transposed(), c.as_ref(), Epilogue::NONE);
        gemm(context, turned.block_mut(0..k, 0..n), overwrite, t, products.view(), Epilogue::NONE);
        scale_in_place(context.isa, turned.as_mut_slice(), -T::ONE);
        gemm(context, c.reborrow(), Accumulate::Add, v, turned.view(), Epilogue::NONE);
    }
}

/// Factors a [m, n] = Q·R without pivoting: R is left on and above the diagonal of `a`. All but the panels' own columns is
/// matrix products.
pub(super) fn factor_unpivoted<T: Real>(context: Context, a: &mut Matrix<T>) -> Reflectors<T> {
    let (rows, cols) = (a.rows(), a.cols());
    let mut panels = Vec::new();
    for first in (0..rows.min(cols)).step_by(PANEL) {
        let end = (first + PANEL).min(rows.min(cols));
        let (left, right) = a.as_mut_slice().split_at_mut(end * rows);
        let mut taus = Vec::with_capacity(end - first);
        for j in first..end {
            let (reflected, others) = left.split_at_mut((j + 1) * rows);
            let column = &mut reflected[j * rows + j..];
            let tau = reflect(context, column);
            for other in others.chunks_exact_mut(rows) {
                apply_one(context, column, tau, &mut other[j..]);
            }
            taus.push(tau);
        }
        let panel = Panel::new(context, left, rows, first, &taus);
        if end < cols {
            panel.apply(context, block_mut(right, rows, first..rows, 0..cols - end), true);
        }
        panels.push(panel);
    }
    Reflectors { panels }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(rows: usize, cols: usize) -> Matrix<f64> {
        let mut a = Matrix::zeros(rows, cols);
        let mut state = 1u64;
        for x in a.as_mut_slice() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *x = (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        }
        a
    }

    #[test]
    fn a_reflected_column_keeps_its_norm_and_loses_its_tail() {
        let context = Context::detect();
        let x = [3.0, -1.0, 2.0, 0.5];
        let mut v = x;
        let tau = reflect(context, &mut v);
        let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        assert!((v[0] + norm).abs() <= 4.0 * f64::EPSILON * norm, "beta has the sign opposite to the first element");
        let mut image = x;
        apply_one(context, &v, tau, &mut image);
        assert!((image[0] - v[0]).abs() <= 8.0 * f64::EPSILON * norm);
        assert!(image[1..].iter().all(|y| y.abs() <= 8.0 * f64::EPSILON * norm), "{image:?}");
        let mut done = [5.0, 0.0, 0.0];
        assert_eq!((reflect(context, &mut done), done), (0.0, [5.0, 0.0, 0.0]));
        // Squares of 1e-44 have three bits in f32.
        let mut tiny = [1e-22f32; 3];
        assert_eq!((reflect(context, &mut tiny), tiny), (0.0, [1e-22; 3]));
    }

    #[test]
    fn panels_of_reflections_are_the_reflections_one_by_one() {
        let context = Context::detect();
        // Two panels and a part of a third.
        let a = filled(90, 70);
        let mut factored = a.clone();
        let reflectors = factor_unpivoted(context, &mut factored);
        let mut one_by_one = a.clone();
        for j in 0..70 {
            let rows = one_by_one.rows();
            let (reflected, others) = one_by_one.as_mut_slice().split_at_mut((j + 1) * rows);
            let column = &mut reflected[j * rows + j..];
            let tau = reflect(context, column);
            others.chunks_exact_mut(rows).for_each(|other| apply_one(context, column, tau, &mut other[j..]));
        }
        let mut r = Matrix::zeros(90, 70);
        for j in 0..70 {
            for i in 0..=j {
                // A column of norm about 3 meets up to 70 reflections, each of which rounds it a few times.
                let difference = factored.get(i, j) - one_by_one.get(i, j);
                assert!(difference.abs() <= 70.0 * 4.0 * f64::EPSILON * 3.0, "R({i}, {j}) is off by {difference:e}");
                r.set(i, j, factored.get(i, j));
            }
        }
        reflectors.apply(context, &mut r);
        for (product, original) in r.as_slice().iter().zip(a.as_slice()) {
            assert!((product - original).abs() <= 70.0 * 4.0 * f64::EPSILON * 3.0);
        }
    }
}

//! Batch normalisation: passes over a matrix whose columns each have numbers of their own.
//!
//! With x [rows, cols] and for each column its negative mean m, a factor f and a bias b, a layer computes a(f·(x + m) + b). What it
//! needs besides, forward and backward, are sums of columns. Every operation is rounded by itself, in the order in which the equations
//! are written, so that each function gives the bits of elementwise operations on whole matrices; none of those is stored.

use crate::activation::with_activation;
use crate::elementwise::Same;
use crate::elementwise::drive::{Map, grain, load, store, with_map};
use crate::once::once;
use crate::reduce::{ColumnTerm, columns_with_rows, whole_rows};
use crate::{Accumulate, Activation, Isa, Kernel, Real, Simd};

/// A function of the elements of N matrices and the numbers that R rows have for their column.
trait ColumnMap<T: Real, const N: usize, const R: usize>: Copy + Send + Sync {
    /// The value. Mark it `#[inline(always)]`.
    fn value<S: Simd<T>>(self, simd: S, inputs: [S::V; N], rows: [S::V; R]) -> S::V;
}

/// A term of a column's sum.
#[derive(Clone, Copy)]
struct Term<F>(F);

impl<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize> ColumnTerm<T, N, 0, R> for Term<F> {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, inputs: [S::V; N], rows: [S::V; R]) -> (S::V, [S::V; 0]) {
        (self.0.value(simd, inputs, rows), [])
    }
}

/// (x + m)².
#[derive(Clone, Copy)]
struct CentredSquare;

impl<T: Real> ColumnMap<T, 1, 1> for CentredSquare {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [x]: [S::V; 1], [m]: [S::V; 1]) -> S::V {
        let centred = simd.add(x, m);
        simd.mul(centred, centred)
    }
}

/// g·(x + m).
#[derive(Clone, Copy)]
struct CentredProduct;

impl<T: Real> ColumnMap<T, 2, 1> for CentredProduct {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [g, x]: [S::V; 2], [m]: [S::V; 1]) -> S::V {
        simd.mul(g, simd.add(x, m))
    }
}

/// a((x + m)·f + b).
#[derive(Clone, Copy)]
struct Normalised<F>(F);

impl<T: Real, F: Map<T, 1>> ColumnMap<T, 1, 3> for Normalised<F> {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [x]: [S::V; 1], [m, f, b]: [S::V; 3]) -> S::V {
        let scaled = simd.mul(simd.add(x, m), f);
        self.0.value(simd, [simd.add(scaled, b)])
    }
}

/// g·f + k·2(x + m).
#[derive(Clone, Copy)]
struct CentredGradient;

impl<T: Real> ColumnMap<T, 2, 3> for CentredGradient {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [g, x]: [S::V; 2], [m, f, k]: [S::V; 3]) -> S::V {
        let centred = simd.add(x, m);
        simd.add(simd.mul(g, f), simd.mul(k, simd.add(centred, centred)))
    }
}

/// g·f + k·2(x + m) + q.
#[derive(Clone, Copy)]
struct InputGradient;

impl<T: Real> ColumnMap<T, 2, 4> for InputGradient {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, inputs: [S::V; 2], [m, f, k, q]: [S::V; 4]) -> S::V {
        simd.add(CentredGradient.value(simd, inputs, [m, f, k]), q)
    }
}

once! {
    /// sums\[j\] = Σᵢ (x\[i, j\] + m\[j\])², over ascending rows; x [rows, cols], m and sums \[cols\]. Moves one element per element.
    pub fn centred_square_sums<T: Real>(isa: Isa, x: &[T], m: &[T], sums: &mut [T]) {
        columns_with_rows(isa, Term(CentredSquare), [x], [m], [], m.len(), sums, Accumulate::Overwrite);
    }

    /// out\[i, j\] = a((x\[i, j\] + m\[j\])·f\[j\] + b\[j\]); x and out [rows, cols], the others \[cols\]. Moves two elements per element.
    pub fn normalise<T: Real>(isa: Isa, activation: Activation, x: &[T], m: &[T], f: &[T], b: &[T], out: &mut [T]) {
        with_activation!(activation, a => map_columns(isa, Normalised(a), [x], [m, f, b], out));
    }

    /// sums\[j\] = Σᵢ g\[i, j\]·(x\[i, j\] + m\[j\]), over ascending rows; g and x [rows, cols]. Moves two elements per element.
    pub fn centred_product_sums<T: Real>(isa: Isa, g: &[T], x: &[T], m: &[T], sums: &mut [T]) {
        columns_with_rows(isa, Term(CentredProduct), [g, x], [m], [], m.len(), sums, Accumulate::Overwrite);
    }

    /// sums\[j\] = Σᵢ c\[i, j\], over ascending rows, with the gradient of the centred input, c = g·f + k·2(x + m), that [`input_gradient`]
    /// has; `rows` are m, f and k. Moves two elements per element.
    pub fn centred_gradient_sums<T: Real>(isa: Isa, g: &[T], x: &[T], rows: [&[T]; 3], sums: &mut [T]) {
        columns_with_rows(isa, Term(CentredGradient), [g, x], rows, [], rows[0].len(), sums, Accumulate::Overwrite);
    }

    /// out\[i, j\] = g\[i, j\]·f\[j\] + k\[j\]·2(x\[i, j\] + m\[j\]) + q\[j\]: the gradient of the input, with `rows` m, f, k and q; k carries what comes through
    /// the variance and q what comes through the mean. Moves three elements per element.
    pub fn input_gradient<T: Real>(isa: Isa, g: &[T], x: &[T], rows: [&[T]; 4], out: &mut [T]) {
        map_columns(isa, InputGradient, [g, x], rows, out);
    }
}

/// out\[i, j\] = f of the elements \[i, j\] of the inputs and the j-th of the rows.
fn map_columns<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    rows: [&[T]; R],
    out: &mut [T],
) {
    let cols = rows[0].len();
    whole_rows(out.len(), cols);
    assert!(inputs.iter().all(|input| input.len() == out.len()), "a normalisation takes inputs as long as its output");
    assert!(rows.iter().all(|row| row.len() == cols), "a normalisation takes rows of one length");
    if !out.is_empty() {
        split(isa, Columns { f, inputs, rows, cols, out }, grain(inputs[0].len()));
    }
}

/// Rows over which the numbers of a strip of columns stay in registers.
const BLOCK: usize = 32;
/// Vectors in a strip.
const STRIP: usize = 2;

struct Columns<'a, T, F, const N: usize, const R: usize> {
    f: F,
    inputs: [&'a [T]; N],
    rows: [&'a [T]; R],
    cols: usize,
    out: &'a mut [T],
}

/// Halves the rows until few elements are left.
fn split<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize>(
    isa: Isa,
    columns: Columns<'_, T, F, N, R>,
    grain: usize,
) {
    let count = columns.out.len() / columns.cols;
    if columns.out.len() < 2 * grain || count < 2 {
        return T::dispatch(isa, columns);
    }
    let Columns { f, inputs, rows, cols, out } = columns;
    let middle = count / 2 * cols;
    let (above, below) = out.split_at_mut(middle);
    crate::spin::join(
        || split(isa, Columns { f, inputs: inputs.map(|x| &x[..middle]), rows, cols, out: above }, grain),
        || split(isa, Columns { f, inputs: inputs.map(|x| &x[middle..]), rows, cols, out: below }, grain),
    );
}

impl<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize> Kernel<T> for Columns<'_, T, F, N, R> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let (cols, block) = (self.cols, BLOCK * self.cols);
        let mut start = 0;
        while start < self.out.len() {
            let end = self.out.len().min(start + block);
            let mut j = 0;
            while cols - j >= STRIP * S::LANES {
                self.strip::<S, STRIP>(simd, start, end, j, S::LANES);
                j += STRIP * S::LANES;
            }
            while j < cols {
                self.strip::<S, 1>(simd, start, end, j, S::LANES.min(cols - j));
                j += S::LANES;
            }
            start = end;
        }
    }
}

impl<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize> Columns<'_, T, F, N, R> {
    /// The elements `start`..`end`, whole rows, of W vectors of columns from the j-th on. With W > 1 `count` is LANES.
    #[inline(always)]
    fn strip<S: Simd<T>, const W: usize>(&mut self, simd: S, start: usize, end: usize, j: usize, count: usize) {
        let zero = simd.splat(T::ZERO);
        let mut rows = [[zero; R]; W];
        for (w, of) in rows.iter_mut().enumerate() {
            for (number, row) in of.iter_mut().zip(self.rows) {
                *number = load(simd, row, j + w * S::LANES, count);
            }
        }
        let mut at = start + j;
        while at < end {
            for (w, of) in rows.iter().enumerate() {
                let mut xs = [zero; N];
                for (x, input) in xs.iter_mut().zip(self.inputs) {
                    *x = load(simd, input, at + w * S::LANES, count);
                }
                let value = self.f.value(simd, xs, *of);
                store(simd, self.out, at + w * S::LANES, count, value);
            }
            at += self.cols;
        }
    }
}

//! Batch normalisation: passes over a matrix whose columns each have numbers of their own.
//!
//! With x [rows, cols] and for each column its negative mean m, a factor f and a bias b, a layer computes a(f·(x + m) + b). What it
//! needs besides, forward and backward, are sums of columns. Every operation is rounded by itself, in the order in which the equations
//! are written, so that each function gives the bits of elementwise operations on whole matrices; none of those is stored.

use crate::activation::{with_activation, with_activation_and_derivative};
use crate::elementwise::drive::{Map, grain, load, store};
use crate::once::once;
use crate::reduce::{ColumnTerms, columns_with_rows, whole_rows};
use crate::{Accumulate, Activation, Isa, Kernel, Real, Simd};

/// A function of the elements of N matrices and the numbers that R rows have for their column.
trait ColumnMap<T: Real, const N: usize, const R: usize>: Copy + Send + Sync {
    /// The value. Mark it `#[inline(always)]`.
    fn value<S: Simd<T>>(self, simd: S, inputs: [S::V; N], rows: [S::V; R]) -> S::V;
}

/// A term of a column's sum.
#[derive(Clone, Copy)]
struct Term<F>(F);

impl<T: Real, F: ColumnMap<T, N, R>, const N: usize, const R: usize> ColumnTerms<T, N, 0, R, 1> for Term<F> {
    #[inline(always)]
    fn terms<S: Simd<T>>(self, simd: S, inputs: [S::V; N], rows: [S::V; R]) -> ([S::V; 1], [S::V; 0]) {
        ([self.0.value(simd, inputs, rows)], [])
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

/// dz = g·a'(z) with z = (x + m)·f + b, from an activation and its derivative as a function of its output.
#[derive(Clone, Copy)]
struct BeforeActivation<A, D>(A, D);

impl<T: Real, A: Map<T, 1>, D: Map<T, 1>> ColumnMap<T, 2, 3> for BeforeActivation<A, D> {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [g, x]: [S::V; 2], rows: [S::V; 3]) -> S::V {
        let y = Normalised(self.0).value(simd, [x], rows);
        simd.mul(g, self.1.value(simd, [y]))
    }
}

/// dz, and dz·(x + m).
#[derive(Clone, Copy)]
struct BiasAndFactor<F>(F);

impl<T: Real, F: ColumnMap<T, 2, 3>> ColumnTerms<T, 2, 0, 3, 2> for BiasAndFactor<F> {
    #[inline(always)]
    fn terms<S: Simd<T>>(self, simd: S, [g, x]: [S::V; 2], [m, f, b]: [S::V; 3]) -> ([S::V; 2], [S::V; 0]) {
        let dz = self.0.value(simd, [g, x], [m, f, b]);
        ([dz, simd.mul(dz, simd.add(x, m))], [])
    }
}

/// dz·f + k·2(x + m).
#[derive(Clone, Copy)]
struct CentredGradient<F>(F);

impl<T: Real, F: ColumnMap<T, 2, 3>> ColumnMap<T, 2, 4> for CentredGradient<F> {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [g, x]: [S::V; 2], [m, f, b, k]: [S::V; 4]) -> S::V {
        let dz = self.0.value(simd, [g, x], [m, f, b]);
        let centred = simd.add(x, m);
        simd.add(simd.mul(dz, f), simd.mul(k, simd.add(centred, centred)))
    }
}

/// dz·f + k·2(x + m) + q.
#[derive(Clone, Copy)]
struct InputGradient<F>(CentredGradient<F>);

impl<T: Real, F: ColumnMap<T, 2, 3>> ColumnMap<T, 2, 5> for InputGradient<F> {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, inputs: [S::V; 2], [m, f, b, k, q]: [S::V; 5]) -> S::V {
        simd.add(self.0.value(simd, inputs, [m, f, b, k]), q)
    }
}

once! {
    /// sums\[j\] = Σᵢ (x\[i, j\] + m\[j\])², over ascending rows; x [rows, cols], m and sums \[cols\]. Moves one element per element.
    pub fn centred_square_sums<T: Real>(isa: Isa, x: &[T], m: &[T], sums: &mut [T]) {
        columns_with_rows(isa, Term(CentredSquare), [x], [m], [], m.len(), [(sums, Accumulate::Overwrite)]);
    }

    /// out\[i, j\] = a((x\[i, j\] + m\[j\])·f\[j\] + b\[j\]); x and out [rows, cols], the others \[cols\]. Moves two elements per element.
    pub fn normalise<T: Real>(isa: Isa, activation: Activation, x: &[T], m: &[T], f: &[T], b: &[T], out: &mut [T]) {
        with_activation!(activation, a => map_columns(isa, Normalised(a), [x], [m, f, b], out));
    }

    /// With dz = g·a'(z) before the activation of z = (x + m)·f + b: of_bias\[j\] (+)= Σᵢ dz\[i, j\] and of_factor\[j\] = Σᵢ dz\[i, j\]·(x\[i, j\] + m\[j\]),
    /// over ascending rows, from zero or from the old sum; `inputs` are g and x [rows, cols], `rows` m, f and b \[cols\]. z is computed once
    /// more, which costs less than reading it. Moves two elements per element.
    pub fn bias_and_factor_sums<T: Real>(
        isa: Isa,
        activation: Activation,
        inputs: [&[T]; 2],
        rows: [&[T]; 3],
        of_bias: &mut [T],
        accumulate: Accumulate,
        of_factor: &mut [T],
    ) {
        let sums = [(of_bias, accumulate), (of_factor, Accumulate::Overwrite)];
        with_activation_and_derivative!(activation, both => {
            let dz = BeforeActivation(both.0, both.1);
            columns_with_rows(isa, BiasAndFactor(dz), inputs, rows, [], rows[0].len(), sums)
        });
    }

    /// sums\[j\] = Σᵢ c\[i, j\], over ascending rows, with the gradient of the centred input, c = dz·f + k·2(x + m), that [`input_gradient`]
    /// has; `rows` are m, f, b and k. Moves two elements per element.
    pub fn centred_gradient_sums<T: Real>(
        isa: Isa,
        activation: Activation,
        inputs: [&[T]; 2],
        rows: [&[T]; 4],
        sums: &mut [T],
    ) {
        let sums = [(sums, Accumulate::Overwrite)];
        with_activation_and_derivative!(activation, both => {
            let gradient = CentredGradient(BeforeActivation(both.0, both.1));
            columns_with_rows(isa, Term(gradient), inputs, rows, [], rows[0].len(), sums)
        });
    }

    /// out\[i, j\] = dz\[i, j\]·f\[j\] + k\[j\]·2(x\[i, j\] + m\[j\]) + q\[j\], with dz as [`bias_and_factor_sums`] has it: the gradient of the input;
    /// `rows` are m, f, b, k and q; k carries what comes through the variance and q what comes through the mean. Moves three elements per
    /// element.
    pub fn input_gradient<T: Real>(
        isa: Isa,
        activation: Activation,
        inputs: [&[T]; 2],
        rows: [&[T]; 5],
        out: &mut [T],
    ) {
        with_activation_and_derivative!(activation, both => {
            let gradient = InputGradient(CentredGradient(BeforeActivation(both.0, both.1)));
            map_columns(isa, gradient, inputs, rows, out)
        });
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

//! Sums of columns, one chain of additions each.

use super::{Summand, whole_rows};
use crate::elementwise::drive::{grain, load, store};
use crate::{Accumulate, Isa, Kernel, Real, Simd};

/// Rows over which a strip's sums stay in registers.
const ROWS: usize = 32;
/// Vectors in a strip: four independent chains hide the latency of an addition.
const STRIP: usize = 4;
/// Threads share columns in multiples of this many: at least a cache line of them.
const GRAIN: usize = 16;

/// Terms of a column's K sums, computed from the elements of N inputs and the numbers that R rows have for the column, with M outputs on
/// the side.
pub(crate) trait ColumnTerms<T: Real, const N: usize, const M: usize, const R: usize, const K: usize>:
    Copy + Send + Sync
{
    /// The terms and the outputs. Mark it `#[inline(always)]`.
    fn terms<S: Simd<T>>(self, simd: S, inputs: [S::V; N], rows: [S::V; R]) -> ([S::V; K], [S::V; M]);
}

/// A summand that is the same in every column.
#[derive(Clone, Copy)]
struct Anywhere<F>(F);

impl<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize> ColumnTerms<T, N, M, 0, 1> for Anywhere<F> {
    #[inline(always)]
    fn terms<S: Simd<T>>(self, simd: S, inputs: [S::V; N], _: [S::V; 0]) -> ([S::V; 1], [S::V; M]) {
        let (term, outputs) = self.0.term(simd, inputs);
        ([term], outputs)
    }
}

/// sums\[j\] (+)= Σᵢ term(i, j), over ascending rows, writing the side outputs.
pub(crate) fn columns<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
    cols: usize,
    sums: &mut [T],
    accumulate: Accumulate,
) {
    columns_with_rows(isa, Anywhere(f), inputs, [], outputs, cols, [(sums, accumulate)]);
}

/// [`columns`] of terms that also depend on the numbers that `rows` have for the column, for several sums.
pub(crate) fn columns_with_rows<T: Real, F, const N: usize, const M: usize, const R: usize, const K: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    rows: [&[T]; R],
    outputs: [&mut [T]; M],
    cols: usize,
    sums: [(&mut [T], Accumulate); K],
) where
    F: ColumnTerms<T, N, M, R, K>,
{
    assert!(rows.iter().all(|row| row.len() == cols), "column sums take rows of one number for each column");
    let len = inputs[0].len();
    whole_rows(len, cols);
    assert!(sums.iter().all(|(sums, _)| sums.len() == cols), "column sums take one output for each column");
    assert!(inputs.iter().all(|input| input.len() == len), "column sums take inputs of one length");
    assert!(outputs.iter().all(|output| output.len() == len), "column sums take outputs as long as their inputs");
    let sums = sums.map(|(sums, accumulate)| {
        if accumulate == Accumulate::Overwrite {
            sums.fill(T::ZERO);
        }
        sums
    });
    if len == 0 {
        return;
    }
    let outputs = outputs.map(|output| Target(output.as_mut_ptr()));
    let grain = grain(len);
    split(isa, Columns { f, inputs, numbers: rows, outputs, cols, rows: len / cols, from: 0, sums }, grain);
}

/// The start of an output [rows, cols] of which several threads write disjoint columns.
struct Target<T>(*mut T);

impl<T> Clone for Target<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Target<T> {}
// SAFETY: a pointer into a `&mut [T]` that `columns` holds for as long as the threads run; each writes its own columns.
unsafe impl<T: Send> Send for Target<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Target<T> {}

/// The columns `from`..`from + width()` of the operands.
struct Columns<'a, T, F, const N: usize, const M: usize, const R: usize, const K: usize> {
    f: F,
    inputs: [&'a [T]; N],
    numbers: [&'a [T]; R],
    outputs: [Target<T>; M],
    cols: usize,
    rows: usize,
    from: usize,
    sums: [&'a mut [T]; K],
}

/// Halves the columns until few elements are left.
fn split<T: Real, F: ColumnTerms<T, N, M, R, K>, const N: usize, const M: usize, const R: usize, const K: usize>(
    isa: Isa,
    columns: Columns<'_, T, F, N, M, R, K>,
    grain: usize,
) {
    let middle = columns.width().div_ceil(2).next_multiple_of(GRAIN);
    if columns.rows * columns.width() < 2 * grain || middle >= columns.width() {
        return T::dispatch(isa, columns);
    }
    let Columns { f, inputs, numbers, outputs, cols, rows, from, mut sums } = columns;
    let right = sums.each_mut().map(|sums| sums.split_off_mut(middle..).expect("the middle lies within"));
    crate::spin::join(
        || split(isa, Columns { f, inputs, numbers, outputs, cols, rows, from, sums }, grain),
        || split(isa, Columns { f, inputs, numbers, outputs, cols, rows, from: from + middle, sums: right }, grain),
    );
}

impl<T: Real, F: ColumnTerms<T, N, M, R, K>, const N: usize, const M: usize, const R: usize, const K: usize> Kernel<T>
    for Columns<'_, T, F, N, M, R, K>
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(mut self, simd: S) {
        let width = self.width();
        let mut row = 0;
        while row < self.rows {
            let end = self.rows.min(row + ROWS);
            let mut j = 0;
            while width - j >= STRIP * S::LANES {
                self.strip::<S, STRIP>(simd, row, end, j, S::LANES);
                j += STRIP * S::LANES;
            }
            while j < width {
                self.strip::<S, 1>(simd, row, end, j, S::LANES.min(width - j));
                j += S::LANES;
            }
            row = end;
        }
    }
}

impl<T: Real, F: ColumnTerms<T, N, M, R, K>, const N: usize, const M: usize, const R: usize, const K: usize>
    Columns<'_, T, F, N, M, R, K>
{
    fn width(&self) -> usize {
        self.sums[0].len()
    }

    /// Rows `row`..`end` of W vectors of columns, from the j-th of these columns on. With W > 1 `count` is LANES.
    #[inline(always)]
    fn strip<S: Simd<T>, const W: usize>(&mut self, simd: S, row: usize, end: usize, j: usize, count: usize) {
        let zero = simd.splat(T::ZERO);
        let mut sums = [[zero; K]; W];
        for (w, of) in sums.iter_mut().enumerate() {
            for (sum, from) in of.iter_mut().zip(&self.sums) {
                *sum = load(simd, from, j + w * S::LANES, count);
            }
        }
        let mut numbers = [[zero; R]; W];
        for (w, of) in numbers.iter_mut().enumerate() {
            for (number, row) in of.iter_mut().zip(self.numbers) {
                *number = load(simd, row, self.from + j + w * S::LANES, count);
            }
        }
        for i in row..end {
            let start = i * self.cols + self.from + j;
            for (w, of) in sums.iter_mut().enumerate() {
                let at = start + w * S::LANES;
                let mut xs = [zero; N];
                for (x, input) in xs.iter_mut().zip(self.inputs) {
                    *x = load(simd, input, at, count);
                }
                let (terms, side) = self.f.terms(simd, xs, numbers[w]);
                for (output, value) in self.outputs.iter().zip(side) {
                    // SAFETY: the loads above found `at + count` within the inputs, as long as which the outputs are, and
                    // these columns are this call's alone.
                    unsafe {
                        if count == S::LANES {
                            simd.store_ptr(output.0.add(at), value);
                        } else {
                            simd.store_ptr_partial(output.0.add(at), value, count);
                        }
                    }
                }
                for (sum, term) in of.iter_mut().zip(terms) {
                    *sum = simd.add(*sum, term);
                }
            }
        }
        for (w, of) in sums.iter().enumerate() {
            for (sum, to) in of.iter().zip(&mut self.sums) {
                store(simd, to, j + w * S::LANES, count, *sum);
            }
        }
    }
}

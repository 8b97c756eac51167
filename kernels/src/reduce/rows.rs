//! Sums of rows, by lanes and tree.

use super::Summand;
use crate::elementwise::drive::{grain, load, split_inputs, split_outputs, store};
use crate::{Isa, Kernel, Real, Simd};

/// Virtual lanes of a row's sum.
const LANES: usize = 64;
/// Rows whose sums lie on the stack before they are handed on.
const BLOCK: usize = 256;

/// `start` plus the sum of every row, chained in ascending order. The last row may be short.
pub(crate) fn chain<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
    cols: usize,
    start: f64,
) -> f64 {
    let mut sum = start;
    each_row(isa, f, inputs, outputs, cols, |row| sum += row.to_f64());
    sum
}

/// Calls `take` with the sum of every row, in ascending order. The last row may be short.
pub(crate) fn each_row<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: F,
    mut inputs: [&[T]; N],
    mut outputs: [&mut [T]; M],
    cols: usize,
    mut take: impl FnMut(T),
) {
    let len = inputs[0].len();
    assert!(inputs.iter().all(|input| input.len() == len), "a sum takes inputs of one length");
    assert!(outputs.iter().all(|output| output.len() == len), "a sum takes outputs as long as its inputs");
    let mut sums = [T::ZERO; BLOCK];
    while !inputs[0].is_empty() {
        assert!(cols > 0, "rows of no columns hold no elements");
        let taken = inputs[0].len().min(BLOCK.saturating_mul(cols));
        let sums = &mut sums[..taken.div_ceil(cols)];
        let (now, later) = split_inputs(inputs, taken);
        let (out, rest) = split_outputs(outputs, taken);
        split(isa, f, now, out, cols, sums, grain(taken));
        (inputs, outputs) = (later, rest);
        sums.iter().for_each(|&sum| take(sum));
    }
}

/// Halves the rows until few elements are left.
fn split<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize>(
    isa: Isa,
    f: F,
    inputs: [&[T]; N],
    outputs: [&mut [T]; M],
    cols: usize,
    sums: &mut [T],
    grain: usize,
) {
    let rows = sums.len();
    if rows < 2 || inputs[0].len() < 2 * grain {
        return T::dispatch(isa, Rows { f, inputs, outputs, cols, sums });
    }
    let (above, below) = split_inputs(inputs, rows / 2 * cols);
    let (out_above, out_below) = split_outputs(outputs, rows / 2 * cols);
    let (sums_above, sums_below) = sums.split_at_mut(rows / 2);
    crate::spin::join(
        || split(isa, f, above, out_above, cols, sums_above, grain),
        || split(isa, f, below, out_below, cols, sums_below, grain),
    );
}

struct Rows<'a, T, F, const N: usize, const M: usize> {
    f: F,
    inputs: [&'a [T]; N],
    outputs: [&'a mut [T]; M],
    cols: usize,
    sums: &'a mut [T],
}

impl<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize> Kernel<T> for Rows<'_, T, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Rows { f, inputs, mut outputs, cols, sums } = self;
        let len = inputs[0].len();
        for (row, sum) in sums.iter_mut().enumerate() {
            let start = row * cols;
            *sum = sum_row(simd, f, inputs, &mut outputs, start, len.min(start + cols));
        }
    }
}

/// The sum of the terms `start`..`end`.
#[inline(always)]
pub(crate) fn sum_row<T: Real, S: Simd<T>, F: Summand<T, N, M>, const N: usize, const M: usize>(
    simd: S,
    f: F,
    inputs: [&[T]; N],
    outputs: &mut [&mut [T]; M],
    start: usize,
    end: usize,
) -> T {
    let mut sums = [simd.splat(T::ZERO); LANES];
    let mut at = start;
    while end - at >= LANES {
        for sum in &mut sums[..LANES / S::LANES] {
            *sum = simd.add(*sum, terms(simd, f, inputs, outputs, at, S::LANES));
            at += S::LANES;
        }
    }
    for sum in &mut sums[..LANES / S::LANES] {
        if at < end {
            let count = S::LANES.min(end - at);
            let mut term = terms(simd, f, inputs, outputs, at, count);
            if count < S::LANES {
                // Lanes past the end hold f(0, …), not 0.
                let mut lanes = [T::ZERO; LANES];
                simd.store_partial(&mut lanes[..count], term);
                term = simd.load(&lanes);
            }
            *sum = simd.add(*sum, term);
            at += count;
        }
    }
    fold(simd, sums)
}

/// The terms `at`..`at + count`, whose side outputs it writes.
#[inline(always)]
fn terms<T: Real, S: Simd<T>, F: Summand<T, N, M>, const N: usize, const M: usize>(
    simd: S,
    f: F,
    inputs: [&[T]; N],
    outputs: &mut [&mut [T]; M],
    at: usize,
    count: usize,
) -> S::V {
    let mut xs = [simd.splat(T::ZERO); N];
    for (x, input) in xs.iter_mut().zip(inputs) {
        *x = load(simd, input, at, count);
    }
    let (term, side) = f.term(simd, xs);
    for (output, value) in outputs.iter_mut().zip(side) {
        store(simd, output, at, count, value);
    }
    term
}

/// Folds the virtual lanes in halves.
#[inline(always)]
fn fold<T: Real, S: Simd<T>>(simd: S, sums: [S::V; LANES]) -> T {
    let mut lanes = [T::ZERO; LANES];
    for (lanes, sum) in lanes.chunks_exact_mut(S::LANES).zip(sums) {
        simd.store(lanes, sum);
    }
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
        }
        half /= 2;
    }
    lanes[0]
}

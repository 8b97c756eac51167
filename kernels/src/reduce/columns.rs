//! Sums of columns, one chain of additions each.

use super::{Summand, whole_rows};
use crate::elementwise::drive::{load, store};
use crate::{Accumulate, Isa, Kernel, Real, Simd};

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
    let len = inputs[0].len();
    whole_rows(len, cols);
    assert_eq!(sums.len(), cols, "column sums take one output for each column");
    assert!(inputs.iter().all(|input| input.len() == len), "column sums take inputs of one length");
    assert!(outputs.iter().all(|output| output.len() == len), "column sums take outputs as long as their inputs");
    if accumulate == Accumulate::Overwrite {
        sums.fill(T::ZERO);
    }
    T::dispatch(isa, Columns { f, inputs, outputs, cols, sums });
}

struct Columns<'a, T, F, const N: usize, const M: usize> {
    f: F,
    inputs: [&'a [T]; N],
    outputs: [&'a mut [T]; M],
    cols: usize,
    sums: &'a mut [T],
}

impl<T: Real, F: Summand<T, N, M>, const N: usize, const M: usize> Kernel<T> for Columns<'_, T, F, N, M> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Columns { f, inputs, outputs, cols, sums } = self;
        let zero = simd.splat(T::ZERO);
        let len = inputs[0].len();
        let mut row = 0;
        while row < len {
            let mut j = 0;
            while j < cols {
                let count = S::LANES.min(cols - j);
                let mut xs = [zero; N];
                for i in 0..N {
                    xs[i] = load(simd, inputs[i], row + j, count);
                }
                let (term, side) = f.term(simd, xs);
                for i in 0..M {
                    store(simd, outputs[i], row + j, count, side[i]);
                }
                let sum = simd.add(load(simd, sums, j, count), term);
                store(simd, sums, j, count, sum);
                j += S::LANES;
            }
            row += cols;
        }
    }
}

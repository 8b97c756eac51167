//! Sums over rows, columns and everything.
//!
//! A sum of a row uses 64 virtual lanes, for both types and every instruction set: element i is added to lane i mod 64, in
//! ascending order, and then the lanes are folded in halves:
//!
//! ```text
//! lane     0  1  2 … 31 | 32 … 63        lane i += lane i + 32, for i < 32
//!          0 … 15 | 16 … 31              lane i += lane i + 16, for i < 16
//!          …                             … 8, 4, 2, 1: lane 0 is the sum
//! ```
//!
//! All of that is in `T`. Sums over several rows chain the rows' sums in `f64`, in ascending order: a matrix that is summed
//! in slices of rows, each starting from the sum of those above, gives the bits of the whole. Sums that know no rows
//! ([`sum_of_squares`], [`sum_of_abs`], [`dot`]) take rows of 4096. Matrices are row-major and contiguous; nothing is
//! allocated; large ones are split over the threads of the current rayon pool, between rows.

mod columns;
mod rows;

pub(crate) use columns::{ColumnTerms, columns, columns_with_rows};
pub(crate) use rows::{chain, sum_row};

use crate::once::once;
use crate::{Accumulate, Isa, Kernel, Real, Simd};

/// A term of a sum, computed from N inputs, with M outputs on the side.
pub(crate) trait Summand<T: Real, const N: usize, const M: usize>: Copy + Send + Sync {
    /// The term and the outputs. Mark it `#[inline(always)]`.
    fn term<S: Simd<T>>(self, simd: S, inputs: [S::V; N]) -> (S::V, [S::V; M]);
}

macro_rules! summands {
    ($($name:ident, $simd:ident, [$($x:ident),*] => $body:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            pub(crate) struct $name;
            impl<T: Real> Summand<T, { [$(stringify!($x)),*].len() }, 0> for $name {
                #[inline(always)]
                fn term<S: Simd<T>>(
                    self,
                    $simd: S,
                    [$($x),*]: [S::V; { [$(stringify!($x)),*].len() }],
                ) -> (S::V, [S::V; 0]) {
                    ($body, [])
                }
            }
        )*
    };
}

summands! {
    Value, _simd, [x] => x;
    Square, simd, [x] => simd.mul(x, x);
    Magnitude, simd, [x] => simd.abs(x);
    Product, simd, [a, b] => simd.mul(a, b);
}

/// The length of a row where the caller names none.
const CHUNK: usize = 4096;

once! {
    /// out\[i\] (+)= Σⱼ x\[i, j\]; x [rows, cols], out \[rows\].
    pub fn row_sums<T: Real>(isa: Isa, x: &[T], cols: usize, out: &mut [T], accumulate: Accumulate) {
        assert_eq!(x.len(), out.len() * cols, "row_sums takes rows of {cols} and an output for each");
        let mut row = 0;
        if cols == 0 && accumulate == Accumulate::Overwrite {
            out.fill(T::ZERO);
        }
        rows::each_row(isa, Value, [x], [], cols, |sum| {
            match accumulate {
                Accumulate::Overwrite => out[row] = sum,
                Accumulate::Add => out[row] += sum,
            }
            row += 1;
        });
    }

    /// Σᵢⱼ x\[i, j\]; x [rows, cols].
    pub fn sum<T: Real>(isa: Isa, x: &[T], cols: usize) -> f64 {
        whole_rows(x.len(), cols);
        chain(isa, Value, [x], [], cols, 0.0)
    }

    /// out\[j\] (+)= Σᵢ x\[i, j\]; x [rows, cols], out \[cols\]. Each column is one chain of additions over ascending rows, from
    /// zero or from the old output.
    pub fn column_sums<T: Real>(isa: Isa, x: &[T], cols: usize, out: &mut [T], accumulate: Accumulate) {
        columns(isa, Value, [x], [], cols, out, accumulate);
    }

    /// Σ x\[i\]²: squares rounded, in rows of 4096. Infinite when a row's sum passes the largest `T`.
    pub fn sum_of_squares<T: Real>(isa: Isa, x: &[T]) -> f64 {
        chain(isa, Square, [x], [], CHUNK, 0.0)
    }

    /// Σ |x\[i\]|, in rows of 4096.
    pub fn sum_of_abs<T: Real>(isa: Isa, x: &[T]) -> f64 {
        chain(isa, Magnitude, [x], [], CHUNK, 0.0)
    }

    /// Σ a\[i\] · b\[i\]: products rounded, in rows of 4096.
    pub fn dot<T: Real>(isa: Isa, a: &[T], b: &[T]) -> f64 {
        assert_eq!(a.len(), b.len(), "dot takes slices of one length");
        chain(isa, Product, [a, b], [], CHUNK, 0.0)
    }

    /// Whether no element is infinite or NaN. Reads each element once.
    pub fn is_all_finite<T: Real>(isa: Isa, x: &[T]) -> bool {
        T::dispatch(isa, AllFinite(x))
    }
}

struct AllFinite<'a, T>(&'a [T]);

impl<T: Real> Kernel<T> for AllFinite<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) -> bool {
        // x · 0 is ±0 for finite x and NaN for all others, and a sum with one NaN stays NaN.
        let zero = simd.splat(T::ZERO);
        let mut sums = [zero; 4];
        let mut blocks = self.0.chunks_exact(4 * S::LANES);
        for block in &mut blocks {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = simd.add(*sum, simd.mul(simd.load(&block[i * S::LANES..]), zero));
            }
        }
        for block in blocks.remainder().chunks(S::LANES) {
            sums[0] = simd.add(sums[0], simd.mul(simd.load_partial(block), zero));
        }
        let total = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
        let mut lanes = [T::ZERO; 64];
        simd.store(&mut lanes, total);
        lanes.iter().all(|&lane| lane == T::ZERO)
    }
}

/// Panics unless `len` elements are whole rows of `cols`.
pub(crate) fn whole_rows(len: usize, cols: usize) {
    assert!(len == 0 || (cols > 0 && len.is_multiple_of(cols)), "{len} elements are no whole rows of {cols}");
}

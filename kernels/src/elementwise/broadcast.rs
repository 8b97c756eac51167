//! Rows and columns spread over a matrix.

use super::drive::{Adding, Elementwise, Map, Writing, grain, load, store};
use super::{Same, Sum};
use crate::once::once;
use crate::{Accumulate, Isa, Kernel, Real, Simd};

/// What stands for an operand of shape [rows, cols].
#[derive(Clone, Copy)]
enum Operand<'a, T> {
    /// [rows, cols].
    Matrix(&'a [T]),
    /// \[cols\], the same in every row.
    Row(&'a [T]),
    /// \[rows\], the same in every column.
    Column(&'a [T]),
}

/// Operand of one row.
#[derive(Clone, Copy)]
enum Source<'a, T, V> {
    Slice(&'a [T]),
    Splat(V),
}

once! {
    /// out\[i, j\] = x\[i, j\] + row\[j\]; x and out [rows, cols], row \[cols\].
    pub fn add_row<T: Real>(isa: Isa, x: &[T], row: &[T], out: &mut [T]) {
        assert_eq!(x.len(), out.len(), "add_row takes an output as long as its input");
        rows(isa, Sum, [Operand::Matrix(x), Operand::Row(row)], row.len(), out, Accumulate::Overwrite);
    }

    /// out\[i, j\] (+)= row\[j\]; out [rows, cols], row \[cols\].
    pub fn broadcast_row<T: Real>(isa: Isa, row: &[T], out: &mut [T], accumulate: Accumulate) {
        rows(isa, Same, [Operand::Row(row)], row.len(), out, accumulate);
    }

    /// out\[i, j\] (+)= column\[i\]; out [rows, cols], column \[rows\].
    pub fn broadcast_column<T: Real>(isa: Isa, column: &[T], cols: usize, out: &mut [T], accumulate: Accumulate) {
        assert_eq!(column.len() * cols, out.len(), "broadcast_column takes an output of column length times cols");
        rows(isa, Same, [Operand::Column(column)], cols, out, accumulate);
    }
}

fn rows<T: Real, F: Map<T, N>, const N: usize>(
    isa: Isa,
    f: F,
    operands: [Operand<'_, T>; N],
    cols: usize,
    out: &mut [T],
    accumulate: Accumulate,
) {
    if out.is_empty() {
        return;
    }
    assert!(cols > 0 && out.len().is_multiple_of(cols), "{} elements are no whole rows of {cols}", out.len());
    let grain = grain(out.len());
    match accumulate {
        Accumulate::Overwrite => split(isa, Writing(f), operands, cols, out, grain),
        Accumulate::Add => split(isa, Adding(f), operands, cols, out, grain),
    }
}

/// Halves the rows until few elements are left.
fn split<T: Real, E: Elementwise<T, N, 1>, const N: usize>(
    isa: Isa,
    f: E,
    operands: [Operand<'_, T>; N],
    cols: usize,
    out: &mut [T],
    grain: usize,
) {
    let rows = out.len() / cols;
    if out.len() < 2 * grain || rows < 2 {
        return T::dispatch(isa, Rows { f, operands, cols, out });
    }
    let middle = rows / 2;
    let (above, below) = out.split_at_mut(middle * cols);
    crate::spin::join(
        || split(isa, f, operands.map(|operand| operand.rows(0, middle, cols)), cols, above, grain),
        || split(isa, f, operands.map(|operand| operand.rows(middle, rows, cols)), cols, below, grain),
    );
}

impl<'a, T> Operand<'a, T> {
    fn rows(self, from: usize, to: usize, cols: usize) -> Self {
        match self {
            Operand::Matrix(x) => Operand::Matrix(&x[from * cols..to * cols]),
            Operand::Row(row) => Operand::Row(row),
            Operand::Column(column) => Operand::Column(&column[from..to]),
        }
    }
}

struct Rows<'a, T, E, const N: usize> {
    f: E,
    operands: [Operand<'a, T>; N],
    cols: usize,
    out: &'a mut [T],
}

impl<T: Real, E: Elementwise<T, N, 1>, const N: usize> Kernel<T> for Rows<'_, T, E, N> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let zero = simd.splat(T::ZERO);
        let cols = self.cols;
        for (i, out) in self.out.chunks_exact_mut(cols).enumerate() {
            let mut sources = [Source::Splat(zero); N];
            for (source, operand) in sources.iter_mut().zip(self.operands) {
                *source = match operand {
                    Operand::Matrix(x) => Source::Slice(&x[i * cols..(i + 1) * cols]),
                    Operand::Row(row) => Source::Slice(row),
                    Operand::Column(column) => Source::Splat(simd.splat(column[i])),
                };
            }
            let mut start = 0;
            while start < cols {
                let count = S::LANES.min(cols - start);
                let mut xs = [zero; N];
                for (x, source) in xs.iter_mut().zip(sources) {
                    *x = match source {
                        Source::Slice(slice) => load(simd, slice, start, count),
                        Source::Splat(value) => value,
                    };
                }
                let old = if E::READS_OUTPUTS { load(simd, out, start, count) } else { zero };
                let [new] = self.f.apply(simd, xs, [old]);
                store(simd, out, start, count, new);
                start += S::LANES;
            }
        }
    }
}

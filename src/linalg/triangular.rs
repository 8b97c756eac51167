//! Triangular systems with many right-hand sides, in blocks.

use narrows_kernels::elementwise::mul_scalar;
use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, Real, gemm};

use super::Matrix;

/// Unknowns solved one by one after a matrix product has brought in all that are known.
const BLOCK: usize = 16;

/// Which triangle a matrix is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Upper,
    Lower,
}

/// A triangular matrix without zeros on its diagonal, ready to be solved with.
#[derive(Clone, Debug)]
pub(super) struct Triangle<T> {
    side: Side,
    /// Off the diagonal negated, so that a product that accumulates subtracts.
    negated: Matrix<T>,
}

impl<T: Real> Triangle<T> {
    /// The leading [size, size] triangle of `matrix`; what lies on the other side is not read.
    pub fn new(matrix: &Matrix<T>, size: usize, side: Side) -> Self {
        let mut negated = Matrix::zeros(size, size);
        for j in 0..size {
            let range = if side == Side::Upper { 0..j } else { j + 1..size };
            negated.set(j, j, matrix.get(j, j));
            for i in range {
                negated.set(i, j, -matrix.get(i, j));
            }
        }
        Triangle { side, negated }
    }

    /// y ← T⁻¹·y; y [size, width] row-major, an unknown's values for all right-hand sides beside each other. Each unknown is
    /// a chain over the blocks of known ones, then over its own block, divided by the diagonal.
    pub fn solve(&self, context: Context, y: &mut [T], width: usize) {
        let size = self.negated.rows();
        assert_eq!(y.len(), size * width, "right-hand sides [{size}, {width}]");
        let blocks = (0..size).step_by(BLOCK).map(|first| first..(first + BLOCK).min(size));
        match self.side {
            Side::Upper => blocks.rev().for_each(|block| {
                let (above, known) = y.split_at_mut(block.end * width);
                let own = &mut above[block.start * width..];
                let (rows, unknowns) = (block.len(), size - block.end);
                let lhs = self.negated.block(block.clone(), block.end..size);
                accumulate(context, own, rows, lhs, MatRef::new(known, unknowns, width), width);
                for i in block.clone().rev() {
                    self.eliminate(context, own, width, block.start, i, block.start..i);
                }
            }),
            Side::Lower => blocks.for_each(|block| {
                let (known, below) = y.split_at_mut(block.start * width);
                let own = &mut below[..block.len() * width];
                let lhs = self.negated.block(block.clone(), 0..block.start);
                accumulate(context, own, block.len(), lhs, MatRef::new(known, block.start, width), width);
                for i in block.clone() {
                    self.eliminate(context, own, width, block.start, i, i + 1..block.end);
                }
            }),
        }
    }

    /// Divides unknown i by its diagonal element and takes it out of the unknowns `others` of its block.
    fn eliminate(
        &self,
        context: Context,
        own: &mut [T],
        width: usize,
        first: usize,
        i: usize,
        others: std::ops::Range<usize>,
    ) {
        let diagonal = self.negated.get(i, i);
        let (before, rest) = own.split_at_mut((i - first) * width);
        let (solved, after) = rest.split_at_mut(width);
        solved.iter_mut().for_each(|y| *y = *y / diagonal);
        for p in others {
            let factor = self.negated.get(p, i);
            let row = if p < i { &mut before[(p - first) * width..] } else { &mut after[(p - i - 1) * width..] };
            mul_scalar(context.isa, solved, factor, &mut row[..width], Accumulate::Add);
        }
    }
}

/// own [rows, width] += lhs · known.
fn accumulate<T: Real>(
    context: Context,
    own: &mut [T],
    rows: usize,
    lhs: MatRef<'_, T>,
    known: MatRef<'_, T>,
    width: usize,
) {
    if known.rows() > 0 {
        gemm(context, MatMut::new(own, rows, width), Accumulate::Add, lhs, known, Epilogue::NONE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_with_a_triangle_are_undone() {
        // Integers: every step is exact, so the solution is too.
        for size in [1, 15, 16, 17, 40] {
            let mut a = Matrix::<f64>::zeros(size, size);
            for j in 0..size {
                for i in 0..size {
                    a.set(i, j, if i == j { 2.0 } else { ((3 * i + 5 * j) % 3) as f64 - 1.0 });
                }
            }
            for side in [Side::Upper, Side::Lower] {
                let width = 3;
                let x: Vec<f64> = (0..size * width).map(|i| (i % 7) as f64 - 3.0).collect();
                let mut y = vec![0.0; size * width];
                for i in 0..size {
                    for j in 0..size {
                        if i == j || (side == Side::Upper) == (i < j) {
                            for s in 0..width {
                                y[i * width + s] += a.get(i, j) * x[j * width + s];
                            }
                        }
                    }
                }
                Triangle::new(&a, size, side).solve(Context::detect(), &mut y, width);
                assert_eq!(y, x, "{side:?} of {size}");
            }
        }
    }
}

//! Distances between all points, a few rows at a time, and the nearest of them.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
use ndarray::ArrayView2;
use rayon::prelude::*;

/// Distances that are in memory at once: 16 MiB.
const HELD: usize = 1 << 21;
/// Rows that are in memory at once are a multiple of this, the height of the widest tile of a product, and at most that.
const ROWS: [usize; 2] = [14, 112];
/// In spaces of at most so many dimensions a product saves nothing.
const FEW: usize = 3;
/// Distances that are compared with the largest kept one before any is looked at.
const BLOCK: usize = 16;

/// Points of a space.
pub(super) struct Points {
    /// [n, d].
    x: Vec<f64>,
    /// |x|² of each.
    squares: Vec<f64>,
    /// [d, n] of few dimensions, else nothing.
    columns: Vec<f64>,
    n: usize,
    d: usize,
}

impl Points {
    /// Those of `points` [n, d].
    pub fn of(points: ArrayView2<'_, f32>) -> Points {
        let x: Vec<f64> = points.iter().map(|&value| f64::from(value)).collect();
        let (n, d) = points.dim();
        // The product of two f32 is exact in f64: these are the chains of the matrix product below, so that a point is at
        // distance 0 from itself and from an equal point.
        let square = |i: usize| x[i * d..(i + 1) * d].iter().fold(0.0, |sum, x| sum + x * x);
        let squares = (0..n).map(square).collect();
        let columns = if d > FEW { Vec::new() } else { points.t().iter().map(|&value| f64::from(value)).collect() };
        Points { squares, columns, x, n, d }
    }

    /// `f` of the number of each point and its squared distances \[n\] from all, that from itself ∞, in order: in f64, as
    /// |x_i|² + |x_j|² − 2 x_i·x_j to (2d + 1) · 1.1e-16 of the sum of the squares, and 0 from an equal point. `f` runs on all threads of the
    /// current pool, with a scratch value for each.
    pub fn each_row<S: Default, R: Send>(
        &self,
        context: Context,
        f: impl Fn(&mut S, usize, &mut [f64]) -> R + Sync,
    ) -> Vec<R> {
        let (n, d) = (self.n, self.d);
        let rows = (HELD / n.max(1)).clamp(ROWS[0], ROWS[1]) / ROWS[0] * ROWS[0];
        let (mut tile, mut results) = (vec![0.0; rows * n], Vec::with_capacity(n));
        let all = MatRef::new(&self.x, n, d);
        for start in (0..n).step_by(rows) {
            let count = rows.min(n - start);
            let tile = &mut tile[..count * n];
            if d > FEW {
                let own = all.row_range(start..start + count);
                let out = MatMut::new(tile, count, n);
                gemm(context, out, Accumulate::Overwrite, own, all.transposed(), Epilogue::NONE);
            }
            let of_row = |scratch: &mut S, (row, products): (usize, &mut [f64])| {
                let i = start + row;
                self.distances(i, products);
                products[i] = f64::INFINITY;
                f(scratch, i, products)
            };
            results.par_extend(tile.par_chunks_mut(n).enumerate().map_init(S::default, of_row));
        }
        results
    }

    /// The squared distances of point i, in place of its products where there are some.
    fn distances(&self, i: usize, products: &mut [f64]) {
        if self.d > FEW {
            let square = self.squares[i];
            for (value, other) in products.iter_mut().zip(&self.squares) {
                let distance = (square + other) - 2.0 * *value;
                *value = if distance > 0.0 { distance } else { 0.0 };
            }
            return;
        }
        products.fill(0.0);
        for column in self.columns.chunks_exact(self.n) {
            let own = column[i];
            products.iter_mut().zip(column).for_each(|(sum, &other)| *sum += (own - other) * (own - other));
        }
    }

    /// The `count` nearest of each point, nearest first and of equally near ones the first: squared distances and numbers.
    pub fn nearest(&self, context: Context, count: usize) -> Vec<Vec<(f64, u32)>> {
        self.each_row(context, |_: &mut (), _, row| smallest(row, count))
    }
}

/// The `count` smallest finite numbers of a row and their places, smallest first, of equal ones the first.
fn smallest(row: &[f64], count: usize) -> Vec<(f64, u32)> {
    let mut kept: Vec<(f64, u32)> = Vec::with_capacity(count + 1);
    let mut bound = f64::INFINITY;
    for (chunk, values) in row.chunks(BLOCK).enumerate() {
        if !values.iter().fold(false, |any, &value| any | (value < bound)) {
            continue;
        }
        for (at, &value) in values.iter().enumerate() {
            if value < bound {
                let place = kept.partition_point(|other| other.0 <= value);
                kept.insert(place, (value, (chunk * BLOCK + at) as u32));
                kept.truncate(count);
                if kept.len() == count {
                    bound = kept.last().map_or(f64::NEG_INFINITY, |last| last.0);
                }
            }
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::rng::{Purpose, standard_normal, stream};

    #[test]
    fn the_nearest_are_those_of_a_sort_and_ties_go_to_the_first() {
        // Whole numbers, so that many distances are equal.
        let mut stream = stream(2, Purpose::Draw, 0);
        for (n, d, count) in [(1, 2, 3), (2, 1, 1), (50, 4, 7), (700, 2, 30), (300, 5, 20)] {
            let points = Array2::from_shape_simple_fn((n, d), || (3.0 * standard_normal(&mut stream)).round() as f32);
            let found = Points::of(points.view()).nearest(Context::detect(), count);
            for (i, found) in found.iter().enumerate() {
                let distance = |j: usize| {
                    points.row(i).iter().zip(points.row(j)).map(|(a, b)| f64::from((a - b) * (a - b))).sum::<f64>()
                };
                let mut all: Vec<(f64, u32)> = (0..n).filter(|&j| j != i).map(|j| (distance(j), j as u32)).collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                all.truncate(count);
                assert_eq!(found, &all, "point {i} of {n}");
            }
        }
    }
}

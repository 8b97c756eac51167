//! Σ_j q_ij² (y_i − y_j) for every i, and Σ q_ij, with q_ij = 1 / (1 + |y_i − y_j|²).
//!
//! Points lie in blocks of 512. For a pair of blocks q is computed once and serves both, which halves the work:
//!
//! ```text
//!            block b: points j, broadcast one by one
//!          ┌──────────────────────────────┐
//!  block a │  force on i: a lane for each i, one chain over ascending j
//!  points i│  force on j: 16 virtual lanes, i to lane i mod 16, one chain over ascending i each, then folded in halves
//!  in lanes└──────────────────────────────┘
//! ```
//!
//! Within a block every i meets every j but itself, by the first rule. The force on a point is the sum of what the blocks
//! contribute, in their order, in f64; so is the sum of q. Neither the width of vectors nor threads can change a bit.

use std::ops::Range;

use super::{SCALE, scaled_reciprocal};
use crate::{Isa, Kernel, Real, Simd, spin};

/// Points of a block. Twice as many halve the memory for what blocks contribute, and leave less to share among threads.
const BLOCK: usize = 512;
/// Virtual lanes of the force on a broadcast point.
const LANES: usize = 16;
/// Points whose virtual lanes stay in the first-level cache: 16 KiB.
const COLUMNS: usize = 128;

/// The repulsion between points, and the memory that it needs: points²/64 bytes.
#[derive(Clone, Debug)]
pub struct Repulsion {
    points: usize,
    block: usize,
    /// Pairs of blocks, the first no later than the second; for each first one ascending.
    pairs: Vec<(u32, u32)>,
    /// For each pair [4, block]: x and y of the force on the points of the first block, then of the second.
    forces: Vec<f32>,
    /// Σ q over each pair of blocks, scaled.
    totals: Vec<f64>,
}

impl Repulsion {
    /// For so many points.
    pub fn new(points: usize) -> Repulsion {
        Repulsion::in_blocks(points, BLOCK)
    }

    /// [`new`](Self::new) with blocks of another size, a multiple of 64, which has other bits: for tests.
    #[doc(hidden)]
    pub fn in_blocks(points: usize, block: usize) -> Repulsion {
        assert!(block > 0 && block.is_multiple_of(64), "blocks hold a multiple of 64 points, not {block}");
        let blocks = points.div_ceil(block) as u32;
        let pairs: Vec<(u32, u32)> = (0..blocks).flat_map(|a| (a..blocks).map(move |b| (a, b))).collect();
        let forces = vec![0.0; pairs.len() * 4 * block];
        Repulsion { points, block, totals: vec![0.0; pairs.len()], pairs, forces }
    }

    /// Σ_i Σ_{j≠i} q_ij of the points at (`x`, `y`), whose `forces` Σ_j q_ij² (y_i − y_j) it writes, x and y. Positions are
    /// finite and at most 1e18 apart. On the threads of the current pool; nothing is allocated.
    ///
    /// # Panics
    /// When a slice is not as long as there are points.
    pub fn compute(&mut self, isa: Isa, [x, y]: [&[f32]; 2], forces: [&mut [f32]; 2]) -> f64 {
        let lengths = [x.len(), y.len(), forces[0].len(), forces[1].len()];
        assert!(
            lengths == [self.points; 4],
            "the repulsion of {} points takes slices as long, not {lengths:?}",
            self.points
        );
        each_pair(isa, [x, y], self.block, &self.pairs, &mut self.forces, &mut self.totals);
        let [fx, fy] = forces;
        self.gather(0, fx, fy);
        let twice = |(a, b): &(u32, u32)| if a == b { 1.0 } else { 2.0 };
        self.pairs.iter().zip(&self.totals).fold(0.0, |sum, (pair, total)| sum + twice(pair) * total) / SCALE
    }

    /// Sums the contributions of all blocks to the points from block `first` on.
    fn gather(&self, first: usize, fx: &mut [f32], fy: &mut [f32]) {
        let count = fx.len().div_ceil(self.block);
        if count > 1 {
            let middle = count / 2 * self.block;
            let ((x0, x1), (y0, y1)) = (fx.split_at_mut(middle), fy.split_at_mut(middle));
            return spin::join(|| self.gather(first, x0, y0), || self.gather(first + count / 2, x1, y1));
        }
        let blocks = self.points.div_ceil(self.block);
        let mut sums = [[0.0f64; 2 * COLUMNS]; 2];
        for start in (0..fx.len()).step_by(2 * COLUMNS) {
            let end = fx.len().min(start + 2 * COLUMNS);
            sums.iter_mut().for_each(|sums| sums.fill(0.0));
            for other in 0..blocks {
                let (a, b) = (first.min(other), first.max(other));
                let pair = a * blocks - a * a.saturating_sub(1) / 2 + b - a;
                let side = if first <= other { 0 } else { 2 };
                for (axis, sums) in sums.iter_mut().enumerate() {
                    let at = (4 * pair + side + axis) * self.block + start;
                    sums.iter_mut().zip(&self.forces[at..at + end - start]).for_each(|(sum, &f)| *sum += f64::from(f));
                }
            }
            for (out, sums) in [&mut *fx, &mut *fy].into_iter().zip(&sums) {
                out[start..end].iter_mut().zip(sums).for_each(|(out, sum)| *out = (sum / (SCALE * SCALE)) as f32);
            }
        }
    }
}

/// Computes every pair of blocks, on any threads.
fn each_pair(isa: Isa, at: [&[f32]; 2], block: usize, pairs: &[(u32, u32)], forces: &mut [f32], totals: &mut [f64]) {
    match pairs {
        [] => {}
        &[(a, b)] => {
            let range = |block_at: u32| {
                let start = block_at as usize * block;
                start..at[0].len().min(start + block)
            };
            totals[0] = f32::dispatch(isa, Pair { at, rows: range(a), columns: range(b), forces, block });
        }
        _ => {
            let middle = pairs.len() / 2;
            let (pairs_now, pairs_later) = pairs.split_at(middle);
            let (now, later) = forces.split_at_mut(middle * 4 * block);
            let (totals_now, totals_later) = totals.split_at_mut(middle);
            spin::join(
                || each_pair(isa, at, block, pairs_now, now, totals_now),
                || each_pair(isa, at, block, pairs_later, later, totals_later),
            );
        }
    }
}

/// Two blocks, or one with itself; Σ q over its pairs, scaled.
struct Pair<'a> {
    at: [&'a [f32]; 2],
    rows: Range<usize>,
    columns: Range<usize>,
    forces: &'a mut [f32],
    block: usize,
}

impl Kernel<f32> for Pair<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd<f32>>(self, simd: S) -> f64 {
        let Pair { at: [x, y], rows, columns, forces, block } = self;
        let (on_rows, on_columns) = forces.split_at_mut(2 * block);
        let (fx, fy) = on_rows.split_at_mut(block);
        let mut totals = Totals { sum: 0.0 };
        if rows == columns {
            within(simd, [&x[rows.clone()], &y[rows]], [fx, fy], &mut totals);
            return totals.sum;
        }
        let mut lanes = [[0.0; 2 * LANES]; COLUMNS];
        fx.fill(0.0);
        fy.fill(0.0);
        for start in columns.clone().step_by(COLUMNS) {
            let end = columns.end.min(start + COLUMNS);
            let lanes = &mut lanes[..end - start];
            lanes.iter_mut().for_each(|lanes| lanes.fill(0.0));
            let panel = 2 * S::LANES;
            for row in (0..block).step_by(panel) {
                let own = rows.start + row..rows.start + row + panel;
                let points = [&x[own.clone()], &y[own]];
                let out = [&mut fx[row..row + panel], &mut fy[row..row + panel]];
                between::<S, 2>(simd, row, points, [&x[start..end], &y[start..end]], out, lanes, &mut totals);
            }
            let (gx, gy) = on_columns.split_at_mut(block);
            for (at, lanes) in lanes.iter().enumerate() {
                let at = start - columns.start + at;
                [gx[at], gy[at]] = fold(lanes);
            }
        }
        totals.sum
    }
}

/// Sums q over lanes, one lane after the other.
struct Totals {
    sum: f64,
}

impl Totals {
    #[inline(always)]
    fn add<S: Simd<f32>>(&mut self, simd: S, q: S::V, count: usize) {
        let mut lanes = [0.0; LANES];
        simd.store_partial(&mut lanes[..S::LANES], q);
        lanes[..count].iter().for_each(|&q| self.sum += f64::from(q));
    }
}

/// Forces within a block.
#[inline(always)]
fn within<S: Simd<f32>>(simd: S, [x, y]: [&[f32]; 2], [fx, fy]: [&mut [f32]; 2], totals: &mut Totals) {
    let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
    let numbers: [f32; LANES] = std::array::from_fn(|lane| lane as f32);
    for start in (0..x.len()).step_by(S::LANES) {
        let end = x.len().min(start + S::LANES);
        let own = simd.add(simd.load(&numbers), simd.splat(start as f32));
        let (xi, yi) = (simd.load_partial(&x[start..end]), simd.load_partial(&y[start..end]));
        let (mut sx, mut sy, mut z) = (zero, zero, zero);
        for (j, (&xj, &yj)) in x.iter().zip(y).enumerate() {
            let (dx, dy) = (simd.sub(xi, simd.splat(xj)), simd.sub(yi, simd.splat(yj)));
            let q = scaled_reciprocal(simd, simd.fma(dy, dy, simd.fma(dx, dx, one)));
            let q = simd.select(simd.eq(own, simd.splat(j as f32)), zero, q);
            let square = simd.mul(q, q);
            z = simd.add(z, q);
            (sx, sy) = (simd.fma(square, dx, sx), simd.fma(square, dy, sy));
        }
        simd.store_partial(&mut fx[start..end], sx);
        simd.store_partial(&mut fy[start..end], sy);
        totals.add(simd, z, end - start);
    }
}

/// Forces between R vectors of points from `row` of their block on, and some points of a later block, whose virtual lanes are
/// x and y of [points, 2, 16].
#[inline(always)]
fn between<S: Simd<f32>, const R: usize>(
    simd: S,
    row: usize,
    [x, y]: [&[f32]; 2],
    [xs, ys]: [&[f32]; 2],
    [fx, fy]: [&mut [f32]; 2],
    lanes: &mut [[f32; 2 * LANES]],
    totals: &mut Totals,
) {
    let (zero, one) = (simd.splat(0.0), simd.splat(1.0));
    // A panel covers all virtual lanes once or more, or some of them.
    let groups = R.min(LANES / S::LANES);
    let lane = if R * S::LANES >= LANES { 0 } else { row % LANES };
    let [mut xi, mut yi, mut sx, mut sy, mut z] = [[zero; R]; 5];
    for v in 0..R {
        let at = v * S::LANES;
        (xi[v], yi[v]) = (simd.load(&x[at..]), simd.load(&y[at..]));
        (sx[v], sy[v]) = (simd.load(&fx[at..]), simd.load(&fy[at..]));
    }
    for ((&xj, &yj), lanes) in xs.iter().zip(ys).zip(lanes) {
        let (xj, yj) = (simd.splat(xj), simd.splat(yj));
        let [mut tx, mut ty] = [[zero; R]; 2];
        for group in 0..groups {
            let at = lane + group * S::LANES;
            (tx[group], ty[group]) = (simd.load(&lanes[at..]), simd.load(&lanes[LANES + at..]));
        }
        for v in 0..R {
            let (dx, dy) = (simd.sub(xi[v], xj), simd.sub(yi[v], yj));
            let q = scaled_reciprocal(simd, simd.fma(dy, dy, simd.fma(dx, dx, one)));
            let square = simd.mul(q, q);
            z[v] = simd.add(z[v], q);
            (sx[v], sy[v]) = (simd.fma(square, dx, sx[v]), simd.fma(square, dy, sy[v]));
            let group = v % groups;
            (tx[group], ty[group]) = (simd.fnma(square, dx, tx[group]), simd.fnma(square, dy, ty[group]));
        }
        for group in 0..groups {
            let at = lane + group * S::LANES;
            simd.store(&mut lanes[at..], tx[group]);
            simd.store(&mut lanes[LANES + at..], ty[group]);
        }
    }
    for v in 0..R {
        let at = v * S::LANES;
        simd.store(&mut fx[at..], sx[v]);
        simd.store(&mut fy[at..], sy[v]);
        totals.add(simd, z[v], S::LANES);
    }
}

/// The sums of the virtual lanes of x and of y, folded in halves.
#[inline(always)]
fn fold(lanes: &[f32; 2 * LANES]) -> [f32; 2] {
    let mut lanes = *lanes;
    let mut half = LANES / 2;
    while half > 0 {
        for i in 0..half {
            lanes[i] += lanes[i + half];
            lanes[LANES + i] += lanes[LANES + i + half];
        }
        half /= 2;
    }
    [lanes[0], lanes[LANES]]
}

//! The loops around the micro-kernel, on one thread.
//!
//! ```text
//! for each block of nc columns of rhs
//!   for each block of kc of the depth            rhs block → panels
//!     for each block of mc rows of lhs           lhs block → tiles
//!       for each panel                           kc · (2 vectors) of rhs stay in the L1 cache
//!         for each tile                          rows · (2 vectors) of out in registers
//! ```
//!
//! The tiles of the second and later blocks of the depth start from what the block before left in `out`, so that the chain
//! of an element is the same whatever kc is.

use std::ops::Range;

use super::pack::Pack;
use super::plan::Plan;
use super::product::{Product, Source};
use super::scratch::with_scratch;
use super::tile::{Finish, TileColumn, TileShape};
use crate::activation::activate_in_place;
use crate::{Accumulate, Isa, Real};

/// Splits 0..len into ranges of nearly equal length, none longer than `longest`; one empty range when `len` is 0.
fn balanced(len: usize, longest: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = len.div_ceil(longest).max(1);
    (0..parts).map(move |part| len * part / parts..len * (part + 1) / parts)
}

/// Splits 0..len into ranges of `step`, the last one shorter.
fn steps(len: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..len).step_by(step).map(move |start| start..(start + step).min(len))
}

/// The tiles of a block of rows, nearly equal in height: `(tiles, rows of each)` from top to bottom. A tile of few rows
/// would leave the multipliers waiting for its few chains.
pub(crate) fn tile_heights(rows: usize, tallest: usize) -> [(usize, usize); 2] {
    let tiles = rows.div_ceil(tallest);
    let height = rows / tiles;
    [(rows % tiles, height + 1), (tiles - rows % tiles, height)]
}

/// Computes `product`, with both dimensions of out at least 1.
pub(super) fn run<T: Real>(isa: Isa, shape: TileShape, plan: &Plan, product: Product<T>) {
    let panel_cols = shape.cols();
    let nc = plan.nc.next_multiple_of(panel_cols);
    let (mc, kc) = (plan.mc.max(1).min(product.m), plan.kc.max(1).min(product.k.max(1)));
    let rhs_len =
        if plan.pack_rhs { (kc * nc.min(product.n).next_multiple_of(shape.lanes)).next_multiple_of(16) } else { 0 };
    let lhs_len =
        if plan.pack_lhs { mc.div_ceil(shape.rows) * shape.rows.next_multiple_of(shape.lanes) * kc } else { 0 };
    with_scratch(rhs_len + lhs_len, |scratch| {
        let (rhs_scratch, lhs_scratch) = scratch.split_at_mut(rhs_len);
        for cols in steps(product.n, nc) {
            for depth in balanced(product.k, kc) {
                let block = DepthBlock { isa, shape, plan, product, cols: cols.clone(), depth };
                if plan.pack_rhs {
                    block.pack_rhs(rhs_scratch);
                }
                for rows in balanced(product.m, mc) {
                    if plan.pack_lhs {
                        block.pack_lhs(rows.clone(), lhs_scratch);
                    }
                    block.multiply(rows.clone(), rhs_scratch.as_ptr(), lhs_scratch.as_ptr());
                    if block.is_last() {
                        activate(isa, product.part(rows, cols.clone()));
                    }
                }
            }
        }
    });
}

/// A block of the depth of a block of columns.
struct DepthBlock<'a, T> {
    isa: Isa,
    shape: TileShape,
    plan: &'a Plan,
    product: Product<T>,
    cols: Range<usize>,
    depth: Range<usize>,
}

impl<T: Real> DepthBlock<'_, T> {
    fn is_first(&self) -> bool {
        self.depth.start == 0
    }

    fn is_last(&self) -> bool {
        self.depth.end == self.product.k
    }

    /// Packs the block of rhs: whole panels, then the narrower last one.
    fn pack_rhs(&self, packed: &mut [T]) {
        let whole = self.shape.cols();
        let strips = [(self.cols.len() / whole, whole), (1, self.cols.len() % whole)];
        self.pack(self.product.rhs.transposed(), self.cols.start, strips, packed);
    }

    fn pack_lhs(&self, rows: Range<usize>, packed: &mut [T]) {
        self.pack(self.product.lhs, rows.start, tile_heights(rows.len(), self.shape.rows), packed);
    }

    /// Packs `strips` (how many, height of each) of `source`, which start at `row` and follow each other.
    fn pack(&self, source: Source<T>, row: usize, strips: [(usize, usize); 2], packed: &mut [T]) {
        let depth = self.depth.len();
        let (mut row, mut packed) = (row, packed);
        for (strips, height) in strips {
            if strips * height == 0 {
                continue;
            }
            let stride = height.next_multiple_of(self.shape.lanes);
            let (target, rest) = packed.split_at_mut(strips * stride * depth);
            let source = Source { ptr: source.at(row, self.depth.start), ..source };
            T::dispatch(self.isa, Pack { source, strips, height, depth, stride, target: target.as_mut_ptr() });
            row += strips * height;
            packed = rest;
        }
    }

    /// Computes `rows` of the block of columns from operands that are packed, or in place where the plan says so.
    fn multiply(&self, rows: Range<usize>, rhs_packed: *const T, lhs_packed: *const T) {
        let Self { isa, shape, plan, product, cols, depth } = self;
        let from_out = !self.is_first() || product.accumulate == Accumulate::Add;
        let heights = tile_heights(rows.len(), shape.rows);
        let tallest = rows.len().div_ceil(rows.len().div_ceil(shape.rows));
        let mut panel = 0..0;
        while panel.end < cols.len() {
            let left = cols.len() - panel.end;
            let next = if plan.pack_rhs { left.min(shape.cols()) } else { shape.wide_cols(tallest, left) };
            panel = panel.end..panel.end + next;
            let width = panel.len().next_multiple_of(shape.lanes);
            let col = cols.start + panel.start;
            let (rhs, rhs_stride) = if plan.pack_rhs {
                (rhs_packed.wrapping_add(panel.start * depth.len()), width)
            } else {
                (product.rhs.at(depth.start, col), product.rhs.row_stride)
            };
            let (mut done, mut lhs_packed) = (0, lhs_packed);
            for (tiles, height) in heights {
                if tiles == 0 {
                    continue;
                }
                let row = rows.start + done;
                let (lhs, lhs_tile_stride) = if plan.pack_lhs {
                    let col_stride = height.next_multiple_of(shape.lanes);
                    let tile_stride = col_stride * depth.len();
                    let ptr = lhs_packed;
                    lhs_packed = ptr.wrapping_add(tiles * tile_stride);
                    (Source { ptr, row_stride: 1, col_stride }, tile_stride)
                } else {
                    let ptr = product.lhs.at(row, depth.start);
                    (Source { ptr, ..product.lhs }, height * product.lhs.row_stride)
                };
                let part = product.part(row..row + tiles * height, col..col + panel.len());
                let column = TileColumn {
                    tiles,
                    k: depth.len(),
                    lhs,
                    lhs_tile_stride,
                    rhs,
                    rhs_stride,
                    rhs_padded: plan.pack_rhs,
                    cols: panel.len(),
                    out: part.out,
                    from_out,
                    finish: self.is_last().then_some(Finish { bias: part.bias, activation: part.activation }),
                };
                // SAFETY: `product` is valid for all its elements, which hold the part; packed operands hold this block of
                // rows, depth and columns; `out` is borrowed uniquely and each part of it is given to one thread.
                unsafe { column.run(*isa, height, shape.lanes) };
                done += tiles * height;
            }
        }
    }
}

/// Applies the activations that tiles leave out to `part.out`.
fn activate<T: Real>(isa: Isa, part: Product<T>) {
    if part.activation.is_piecewise_linear() {
        return;
    }
    let (runs, len, stride) = match (part.out.row_stride, part.out.col_stride) {
        (row_stride, 1) => (part.m, part.n, row_stride),
        (1, col_stride) => (part.n, part.m, col_stride),
        _ => {
            for i in 0..part.m {
                for j in 0..part.n {
                    // SAFETY: element (i, j) of the part, which this thread alone accesses.
                    activate_in_place(isa, part.activation, unsafe { std::slice::from_mut(&mut *part.out.at(i, j)) });
                }
            }
            return;
        }
    };
    for run in 0..runs {
        // SAFETY: a row (or column) of the part, whose elements are adjacent and which this thread alone accesses.
        let run = unsafe { std::slice::from_raw_parts_mut(part.out.ptr.wrapping_add(run * stride), len) };
        activate_in_place(isa, part.activation, run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_cover_the_length_in_order() {
        for len in 0..40 {
            for longest in 1..12 {
                let ranges: Vec<_> = balanced(len, longest).collect();
                assert_eq!(ranges.iter().cloned().flatten().collect::<Vec<_>>(), (0..len).collect::<Vec<_>>());
                let lengths = || ranges.iter().map(Range::len);
                assert!(
                    lengths().max().unwrap() <= longest && lengths().max().unwrap() <= lengths().min().unwrap() + 1
                );
            }
        }
    }

    #[test]
    fn tiles_cover_the_rows_and_differ_by_one() {
        for rows in 1..100 {
            let [(many, tall), (more, short)] = tile_heights(rows, 14);
            assert_eq!(many * tall + more * short, rows);
            assert!((many == 0 || tall <= 14) && (1..=14).contains(&short) && tall == short + 1);
        }
    }
}

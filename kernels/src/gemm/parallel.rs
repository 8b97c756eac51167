//! Parts of a product on the threads of a pool.

use super::blocked;
use super::plan::Plan;
use super::product::Product;
use super::tile::TileShape;
use crate::{Isa, Real};

/// Computes `product` in `row_parts` · `col_parts` rectangles of out. The depth is never split, so an element is the same
/// chain in any rectangle.
pub(super) fn run<T: Real>(isa: Isa, shape: TileShape, plan: &Plan, product: Product<T>) {
    let part = |index: usize| {
        // Multiples of whole panels, so that only the last part has a panel that is not full.
        let panels = product.n.div_ceil(shape.cols());
        let col = |part: usize| (panels * part / plan.col_parts * shape.cols()).min(product.n);
        let row = |part: usize| product.m * part / plan.row_parts;
        let (i, j) = (index / plan.col_parts, index % plan.col_parts);
        let (rows, cols) = (row(i)..row(i + 1), col(j)..col(j + 1));
        if !rows.is_empty() && !cols.is_empty() {
            blocked::run(isa, shape, plan, product.part(rows, cols));
        }
    };
    each(0, plan.row_parts * plan.col_parts, &part);
}

/// Multiply-adds of the smallest part: about 2 µs of them.
const WORK_OF_A_PART: usize = 1 << 17;
/// Parts for each thread, so that a thread whose core is slower, or used by others too, leaves some to the rest.
const PARTS_OF_A_THREAD: usize = 8;

/// In how many parts to compute so many multiply-adds.
pub(crate) fn parts(work: usize) -> usize {
    match crate::spin::threads() {
        1 => 1,
        threads => (work / WORK_OF_A_PART).clamp(1, PARTS_OF_A_THREAD * threads),
    }
}

/// `f` of each of start..end, on any threads.
pub(crate) fn each(start: usize, end: usize, f: &(impl Fn(usize) + Sync)) {
    if end - start > 1 {
        let middle = start + (end - start) / 2;
        crate::spin::join(|| each(start, middle, f), || each(middle, end, f));
    } else if end > start {
        f(start);
    }
}

//! Decisions that change how fast a product is computed, and no bit of it.

use super::product::Product;
use super::tile::TileShape;
use crate::{Real, spin};

/// How to compute one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Compute outᵀ = rhsᵀ · lhsᵀ instead.
    pub transpose: bool,
    /// Copy lhs into tiles; otherwise it is read in place, which takes rows or columns that are contiguous.
    pub pack_lhs: bool,
    /// Copy rhs into panels; otherwise it is read in place, which takes rows that are contiguous.
    pub pack_rhs: bool,
    /// Rows of a block of lhs.
    pub mc: usize,
    /// Depth of a block of either operand.
    pub kc: usize,
    /// Columns of a block of rhs.
    pub nc: usize,
    /// Parts of the rows that may be computed at the same time.
    pub row_parts: usize,
    /// Parts of the columns that may be computed at the same time.
    pub col_parts: usize,
}

/// Bytes of a row of a panel of rhs times the depth of a block. Deep blocks load and store out less often, which in sizes
/// that leave the caches costs more than panels that leave the L1 cache: 2048³ in f32 went from 78 % of the peak with blocks
/// of 256 to 90 % with 1024; 12544 × 1152 × 256 from 75 % to 95 % with all 1152 at once.
const PANEL_BYTES: usize = 192 << 10;
/// Rows of a block of lhs, a few tiles: 70 · 1536 f32 are 420 KiB, less than half of the L2 cache. Measured: 14 to 140 differ
/// by no more than 2 %.
const BLOCK_ROWS: usize = 72;
/// Bytes of a block of rhs, which stays in the L3 cache.
const RHS_BLOCK_BYTES: usize = 8 << 20;
/// rhs is read in place while all of it fits into the L2 cache.
const RHS_IN_PLACE_BYTES: usize = 1 << 20;
/// Addresses this far apart share a set of the L1 cache.
const ALIAS_BYTES: usize = 4096;
/// Pages whose addresses the first-level TLB holds. Each column of a transposed lhs may lie on one of its own; packing more of them
/// made 392 · 1000 · 196 4 to 12 % faster, packing the 32 of 784 · 32 · 256 1 to 5 % slower (Zen 3, f32, one core).
const PAGES_AT_HAND: usize = 64;
/// Rows of rhs this far apart are found in an eighth of the sets of the L1 cache, which hold no panel; rows that do not begin with
/// a line of it have vectors in two lines. Packing such a rhs made 256 · 784 · 256 6 to 11 % faster and 6272 · 576 · 128 8 %; 256 ·
/// 256 · 784, whose rows are whole lines and odd in number, it made 4 to 6 % slower (Zen 3, f32, one core).
const FEW_SETS_BYTES: usize = 512;
const LINE_BYTES: usize = 64;
/// Cycles of packing an element of rhs, or of a transposed copy of it.
const PACK_CYCLES: f64 = 0.3;
/// Multiply-adds for each cycle of packing from which on a rhs that reads badly is packed.
const PACKING_PAYS: f64 = 16.0;

impl Plan {
    pub(super) fn choose<T: Real>(product: &Product<T>, shape: TileShape, threads: usize) -> Plan {
        let transpose = cost(&product.transposed(), shape) < cost(product, shape);
        let product = if transpose { product.transposed() } else { *product };
        let Product { m, n, k, lhs, rhs, .. } = product;
        let element = size_of::<T>();
        let kc = k.div_ceil(k.div_ceil(PANEL_BYTES / (shape.cols() * element)).max(1));
        let aliased = (lhs.row_stride.max(lhs.col_stride) * element).is_multiple_of(ALIAS_BYTES);
        let on_many_pages = lhs.row_stride == 1 && k > PAGES_AT_HAND;
        let pack_lhs = (aliased || on_many_pages) && n >= 8 * shape.cols();
        let row_bytes = rhs.row_stride * element;
        let reads_badly = !row_bytes.is_multiple_of(LINE_BYTES) || row_bytes.is_multiple_of(FEW_SETS_BYTES);
        let pays = multiply_cycles(m, n, k, shape) > PACKING_PAYS * PACK_CYCLES * (n * k) as f64;
        let pack_rhs = rhs.col_stride != 1
            || (k * n * element > RHS_IN_PLACE_BYTES && m >= 4 * BLOCK_ROWS)
            || (reads_badly && pays);
        let (row_parts, col_parts) = parts([m, n, k], [pack_lhs, pack_rhs], shape, threads);
        Plan {
            transpose,
            pack_lhs,
            pack_rhs,
            mc: BLOCK_ROWS / shape.rows * shape.rows,
            kc,
            nc: RHS_BLOCK_BYTES / (kc.max(1) * element),
            row_parts,
            col_parts,
        }
    }
}

/// Cycles of the multiply-adds of [m, k] · [k, n]: two vectors each.
fn multiply_cycles(m: usize, n: usize, k: usize, shape: TileShape) -> f64 {
    m as f64 * n.div_ceil(shape.lanes) as f64 * k as f64 / 2.0
}

/// Estimated cycles of a product computed as it stands: multiply-adds, and transposed copies of what is not contiguous.
fn cost<T: Real>(product: &Product<T>, shape: TileShape) -> f64 {
    let (m, n, k) = (product.m as f64, product.n as f64, product.k as f64);
    let pack = if product.rhs.col_stride == 1 { 0.0 } else { PACK_CYCLES * n * k };
    let scatter = if product.out.col_stride == 1 { 0.0 } else { 0.5 * m * n };
    multiply_cycles(product.m, product.n, product.k, shape) + pack + scatter
}

/// Cycles of work below which a second thread is not asked, where threads sleep: 23 µs, since waking one costs 10 µs (256 · 256 ·
/// 50: 0.9 times as fast on two sleeping threads, 784 · 32 · 256: 1.1 times).
const WORK_FOR_SLEEPING_THREADS: f64 = 94e3;
/// The same where they are awake ([`crate::with_spinning_threads`]) and work is handed on in 90 ns: 2 µs.
const WORK_FOR_AWAKE_THREADS: f64 = 8e3;
/// What starting a part costs, 0.3 µs.
const PART_CYCLES: f64 = 1200.0;
/// What packing an element of rhs once more costs: large blocks of it go through memory.
const REPACK_RHS_CYCLES: f64 = 2.0;
/// The same for lhs, whose blocks stay in the L2 cache.
const REPACK_LHS_CYCLES: f64 = 0.5;
/// What reading an element of an operand costs a thread for the first time. Estimated: it chooses among cuts that cost the same
/// otherwise, by columns rather than rows for 32 · 784 · 256 (137 → 155 GFLOP/s on two threads; Zen 3, f32).
const READ_CYCLES: f64 = 0.25;
/// How much later a thread is done that has a single part, when others can take nothing over from it.
const DISTURBED: f64 = 1.03;

/// Into how many (rows, columns) to cut out [m, n] for `threads` threads: the grid whose slowest thread is done first.
fn parts([m, n, k]: [usize; 3], [pack_lhs, pack_rhs]: [bool; 2], shape: TileShape, threads: usize) -> (usize, usize) {
    let least = if spin::is_awake() { WORK_FOR_AWAKE_THREADS } else { WORK_FOR_SLEEPING_THREADS };
    if threads < 2 || multiply_cycles(m, n, k, shape) < least {
        return (1, 1);
    }
    let panels = n.div_ceil(shape.cols());
    let mut best = (f64::INFINITY, (1, 1));
    let mut cols = 1;
    while cols <= panels.min(2 * threads) {
        // One part for each thread, or two, of which a thread that was late or disturbed may leave one to another.
        for total in [threads, 2 * threads] {
            let rows = total.div_ceil(cols).min(m.div_ceil(shape.rows));
            let (part_m, part_n) = (m.div_ceil(rows), (panels.div_ceil(cols) * shape.cols()).min(n));
            let repack = if pack_lhs { part_m as f64 * REPACK_LHS_CYCLES } else { 0.0 }
                + if pack_rhs { part_n as f64 * REPACK_RHS_CYCLES } else { 0.0 };
            let read = READ_CYCLES * (part_m + part_n) as f64;
            let part = multiply_cycles(part_m, part_n, k, shape) + (repack + read) * k as f64 + PART_CYCLES;
            let rounds = (rows * cols).div_ceil(threads);
            let time = rounds as f64 * part * if rounds < 2 { DISTURBED } else { 1.0 };
            if time < best.0 {
                best = (time, (rows, cols));
            }
        }
        cols = if cols < threads && 2 * cols > threads { threads } else { 2 * cols };
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: TileShape = TileShape { rows: 14, lanes: 16 };

    #[test]
    fn a_small_product_stays_on_one_thread() {
        assert_eq!(parts([32, 50, 256], [false; 2], SHAPE, 8), (1, 1));
        assert_eq!(parts([2048, 2048, 2048], [false; 2], SHAPE, 1), (1, 1));
    }

    #[test]
    fn every_thread_gets_work_where_there_is_enough() {
        for threads in [2, 3, 4, 8, 12, 64] {
            for size in [[4096, 4096, 4096], [100_000, 64, 512], [64, 100_000, 512]] {
                for packs in [[false, false], [false, true], [true, false]] {
                    let (rows, cols) = parts(size, packs, SHAPE, threads);
                    assert!(rows * cols >= threads, "{rows} x {cols} for {threads} threads and {size:?}");
                }
            }
        }
    }

    #[test]
    fn a_packed_operand_is_packed_once() {
        assert_eq!(parts([2048, 2048, 2048], [false, true], SHAPE, 2).0, 1);
    }
}

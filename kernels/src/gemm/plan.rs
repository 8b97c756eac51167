//! Decisions that change how fast a product is computed, and no bit of it.

use super::product::Product;
use super::tile::TileShape;
use crate::Real;

/// How to compute one product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Compute outᵀ = rhsᵀ · lhsᵀ instead.
    pub transpose: bool,
    /// Copy lhs into tiles; otherwise it is read in place.
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

impl Plan {
    pub(super) fn choose<T: Real>(product: &Product<T>, shape: TileShape, threads: usize) -> Plan {
        let transpose = cost(&product.transposed(), shape) < cost(product, shape);
        let product = if transpose { product.transposed() } else { *product };
        let Product { m, n, k, lhs, rhs, .. } = product;
        let element = size_of::<T>();
        let kc = k.div_ceil(k.div_ceil(PANEL_BYTES / (shape.cols() * element)).max(1));
        let aliased = (lhs.row_stride.max(lhs.col_stride) * element).is_multiple_of(ALIAS_BYTES);
        let work = m as f64 * n as f64 * k as f64;
        let parts = if work < 2e6 { 1 } else { threads };
        Plan {
            transpose,
            pack_lhs: aliased && n >= 8 * shape.cols(),
            pack_rhs: rhs.col_stride != 1 || (k * n * element > RHS_IN_PLACE_BYTES && m >= 4 * BLOCK_ROWS),
            mc: BLOCK_ROWS / shape.rows * shape.rows,
            kc,
            nc: RHS_BLOCK_BYTES / (kc.max(1) * element),
            row_parts: if m >= n { parts } else { 1 },
            col_parts: if m >= n { 1 } else { parts },
        }
    }
}

/// Estimated cycles of a product computed as it stands: multiply-adds, and transposed copies of what is not contiguous.
fn cost<T: Real>(product: &Product<T>, shape: TileShape) -> f64 {
    let (m, n, k) = (product.m as f64, product.n as f64, product.k as f64);
    let multiply = m * product.n.div_ceil(shape.lanes) as f64 * k / 2.0;
    let pack = if product.rhs.col_stride == 1 { 0.0 } else { 0.3 * n * k };
    let scatter = if product.out.col_stride == 1 { 0.0 } else { 0.5 * m * n };
    multiply + pack + scatter
}

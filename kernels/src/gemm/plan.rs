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

/// Bytes of a panel of rhs, which stays in the L1 cache (48 KiB) while tiles of lhs pass by.
const PANEL_BYTES: usize = 32 << 10;
/// Bytes of a block of lhs, which stays in the L2 cache (1 MiB) while panels of rhs pass by.
const LHS_BLOCK_BYTES: usize = 512 << 10;
/// Bytes of a block of rhs, which stays in the core's share of the L3 cache.
const RHS_BLOCK_BYTES: usize = 8 << 20;

impl Plan {
    pub(super) fn choose<T: Real>(product: &Product<T>, shape: TileShape, threads: usize) -> Plan {
        let transpose = cost(&product.transposed(), shape) < cost(product, shape);
        let product = if transpose { product.transposed() } else { *product };
        let kc = PANEL_BYTES / (shape.cols() * size_of::<T>());
        let work = product.m as f64 * product.n as f64 * product.k as f64;
        let parts = if work < 2e6 { 1 } else { threads };
        Plan {
            transpose,
            pack_lhs: product.n > 8 * shape.cols(),
            pack_rhs: product.rhs.col_stride != 1 || product.m > 8 * shape.rows,
            mc: LHS_BLOCK_BYTES / (kc * size_of::<T>()),
            kc,
            nc: RHS_BLOCK_BYTES / (kc * size_of::<T>()),
            row_parts: if product.m >= product.n { parts } else { 1 },
            col_parts: if product.m >= product.n { 1 } else { parts },
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

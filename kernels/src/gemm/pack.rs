//! Copies of operands in the order in which tiles read them.
//!
//! rhs goes into panels as wide as a tile, padded with zeros to whole vectors; lhs into tiles:
//!
//! ```text
//! rhs [k, n]         panel 0: row 0, row 1, … row k−1    panel 1: …        each row `tile cols` elements
//! lhs [m, k]         tile 0: column 0, column 1, …       tile 1: …         each column `rows of the tile` elements
//! ```

use super::product::Source;
use crate::{Kernel, Real, Simd};

/// Packs the panel of `cols` ≤ `width` columns that starts at `rhs` into [k, width] at `panel`.
pub(super) struct PackPanel<T> {
    pub rhs: Source<T>,
    pub k: usize,
    pub cols: usize,
    /// A multiple of the vector length.
    pub width: usize,
    pub panel: *mut T,
}

impl<T: Real> Kernel<T> for PackPanel<T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let PackPanel { rhs, k, cols, width, panel } = self;
        // SAFETY: `blocked` makes this only for rhs [k, cols] that may be read and panels of k · width elements that are
        // its own; width is a multiple of LANES, so that every vector stored lies inside.
        unsafe {
            if rhs.col_stride == 1 {
                for p in 0..k {
                    for v in (0..width).step_by(S::LANES) {
                        let lanes = cols.saturating_sub(v).min(S::LANES);
                        let source = rhs.at(p, v);
                        let row = if lanes == S::LANES {
                            simd.load_ptr(source)
                        } else {
                            simd.load_ptr_partial(source, lanes)
                        };
                        simd.store_ptr(panel.add(p * width + v), row);
                    }
                }
            } else if rhs.row_stride == 1 {
                for p in (0..k).step_by(S::LANES) {
                    for v in (0..width).step_by(S::LANES) {
                        let block = (cols.saturating_sub(v).min(S::LANES), (k - p).min(S::LANES));
                        let target = panel.add(p * width + v);
                        simd.transpose_ptr(rhs.at(p, v), rhs.col_stride, block, target, width, S::LANES);
                    }
                }
            } else {
                for p in 0..k {
                    for j in 0..width {
                        *panel.add(p * width + j) = if j < cols { *rhs.at(p, j) } else { T::ZERO };
                    }
                }
            }
        }
    }
}

/// Packs `tiles` tiles of `rows` rows each, [tiles · rows, k] at `lhs`, into `target`, which has room for one vector more.
pub(super) struct PackTiles<T> {
    pub lhs: Source<T>,
    pub tiles: usize,
    pub rows: usize,
    pub k: usize,
    pub target: *mut T,
}

impl<T: Real> Kernel<T> for PackTiles<T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let PackTiles { lhs, tiles, rows, k, target } = self;
        for tile in 0..tiles {
            // SAFETY: `blocked` makes this only for lhs [tiles · rows, k] that may be read and for a target of
            // tiles · rows · k elements and one vector, which is its own.
            unsafe {
                let target = target.add(tile * rows * k);
                let lhs = Source { ptr: lhs.at(tile * rows, 0), ..lhs };
                if lhs.row_stride == 1 {
                    for p in 0..k {
                        for i in (0..rows).step_by(S::LANES) {
                            let lanes = (rows - i).min(S::LANES);
                            simd.store_ptr_partial(
                                target.add(p * rows + i),
                                simd.load_ptr_partial(lhs.at(i, p), lanes),
                                lanes,
                            );
                        }
                    }
                } else if lhs.col_stride == 1 {
                    for p in (0..k).step_by(S::LANES) {
                        // Whole vectors are stored: what spills over the end of a column is overwritten by what comes
                        // next, the part of lower rows or the next column.
                        for part in (0..rows.div_ceil(S::LANES)).rev() {
                            let i = part * S::LANES;
                            let block = ((rows - i).min(S::LANES), (k - p).min(S::LANES));
                            let target = target.add(p * rows + i);
                            simd.transpose_ptr(lhs.at(i, p), lhs.row_stride, block, target, rows, S::LANES);
                        }
                    }
                } else {
                    for p in 0..k {
                        for i in 0..rows {
                            *target.add(p * rows + i) = *lhs.at(i, p);
                        }
                    }
                }
            }
        }
    }
}

//! Copies of operands in the order in which tiles read them.
//!
//! An operand is cut into strips along the depth: panels of rhs, as wide as a tile, and the rows of lhs that make one tile.
//! A strip holds its elements of depth 0, then those of depth 1, and so on, each time padded to whole vectors:
//!
//! ```text
//! depth        0 1 2 3 …                                 strip 0                    strip 1
//! strip 0    ┌ a0 a1 a2 a3
//!            └ b0 b1 b2 b3         →     a0 b0 ‥ ‥  a1 b1 ‥ ‥  a2 b2 ‥ ‥ …    c0 d0 ‥ ‥  c1 d1 ‥ ‥ …
//! strip 1    ┌ c0 c1 c2 c3
//!            └ d0 d1 d2 d3
//! ```

use super::product::Source;
use crate::{Kernel, Real, Simd};

/// Strips that are copied side by side where the source is contiguous across them: enough to read whole pages in order,
/// few enough not to write to more places than the L1 cache has ways.
const STRIPS_AT_ONCE: usize = 8;

/// Packs `strips` strips of `height` rows each, [strips · height, depth] at `source`, into `target`.
#[derive(Clone, Copy)]
pub(crate) struct Pack<T> {
    pub source: Source<T>,
    pub strips: usize,
    pub height: usize,
    pub depth: usize,
    /// Elements from one depth of a strip to the next: a multiple of the vector length, at least `height`.
    pub stride: usize,
    pub target: *mut T,
}

impl<T: Real> Kernel<T> for Pack<T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        // SAFETY: `blocked` makes this only for a source that may be read and for a target of strips · stride · depth
        // elements, which is its own; stride is a multiple of LANES, so that every vector stored lies inside.
        unsafe {
            if self.source.row_stride == 1 {
                for first in (0..self.strips).step_by(STRIPS_AT_ONCE) {
                    self.copy(simd, first, (first + STRIPS_AT_ONCE).min(self.strips));
                }
            } else if self.source.col_stride == 1 {
                self.transpose(simd);
            } else {
                self.gather();
            }
        }
    }
}

impl<T: Real> Pack<T> {
    #[inline(always)]
    fn target(&self, strip: usize, p: usize) -> *mut T {
        self.target.wrapping_add((strip * self.depth + p) * self.stride)
    }

    /// # Safety
    /// As the whole, with rows of the source adjacent, for strips first..end.
    #[inline(always)]
    unsafe fn copy<S: Simd<T>>(&self, simd: S, first: usize, end: usize) {
        for p in 0..self.depth {
            for strip in first..end {
                for i in (0..self.height).step_by(S::LANES) {
                    let row = strip * self.height + i;
                    let rest = self.strips * self.height - row;
                    let source = self.source.at(row, p);
                    // SAFETY: `rest` rows of the source remain; they may belong to the next strip.
                    unsafe {
                        let rows =
                            if rest >= S::LANES { simd.load_ptr(source) } else { simd.load_ptr_partial(source, rest) };
                        simd.store_ptr(self.target(strip, p).add(i), rows);
                    }
                }
            }
        }
    }

    /// # Safety
    /// As the whole, with the depth of the source adjacent.
    #[inline(always)]
    unsafe fn transpose<S: Simd<T>>(&self, simd: S) {
        for strip in 0..self.strips {
            for p in (0..self.depth).step_by(S::LANES) {
                for i in (0..self.height).step_by(S::LANES) {
                    let block = ((self.height - i).min(S::LANES), (self.depth - p).min(S::LANES));
                    let source = self.source.at(strip * self.height + i, p);
                    // SAFETY: the block lies inside source and strip.
                    unsafe {
                        let target = self.target(strip, p).add(i);
                        simd.transpose_ptr(source, self.source.row_stride, block, target, self.stride, S::LANES);
                    }
                }
            }
        }
    }

    /// # Safety
    /// As the whole.
    #[inline(always)]
    unsafe fn gather(&self) {
        for strip in 0..self.strips {
            for p in 0..self.depth {
                for i in 0..self.height {
                    // SAFETY: the element lies inside source and strip.
                    unsafe { *self.target(strip, p).add(i) = *self.source.at(strip * self.height + i, p) };
                }
            }
        }
    }
}

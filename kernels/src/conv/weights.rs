//! The derivative of a convolution by its weights.
//!
//! ```text
//! for each block of pixels of the output                a table of addresses, one for each tap and pixel
//!   for each tap
//!     for each panel of output channels
//!       for each tile of image channels                 rows · (2 vectors) of the derivative in registers
//! ```
//!
//! Tiles of the second and later blocks start from what the block before left, so that a chain runs over all pixels.

use std::ops::Range;

use super::Convolution;
use super::axis::{Axis, Bordered, Grid};
use super::tile::{Rows, Tiles};
use crate::gemm::blocked::tile_heights;
use crate::gemm::parallel::each;
use crate::gemm::scratch::{with_addresses, with_scratch};
use crate::gemm::tile::TileShape;
use crate::{Accumulate, Isa, Real, spin};

/// Bytes of images and outputs that a block of pixels reads: half of an L2 cache of 1 MiB.
const BLOCK_BYTES: usize = 512 << 10;
/// Channels below which images are copied with their borders, for taller tiles.
const FEW_CHANNELS: usize = 5;
/// Multiply-adds below which a second thread is not asked: about 2 µs of them.
const WORK_FOR_A_THREAD: usize = 1 << 17;

#[derive(Clone, Copy)]
pub(super) struct WeightGradient<T> {
    grid: Grid<T>,
    /// Elements of the image that a tap reads: rows of the derivative.
    run: usize,
    y: *const T,
    /// Pixels of all outputs.
    pixels: usize,
    weight: *mut T,
    cols: usize,
    accumulate: Accumulate,
}

// SAFETY: the pointers stem from slices of `Send + Sync` numbers; parts given to different threads write disjoint elements.
unsafe impl<T: Real> Send for WeightGradient<T> {}
// SAFETY: as above.
unsafe impl<T: Real> Sync for WeightGradient<T> {}

impl<T: Real> WeightGradient<T> {
    pub fn compute(isa: Isa, of: &Convolution, x: &[T], y: &[T], weight: &mut [T], accumulate: Accumulate) {
        let samples = of.samples(x.len(), weight.len(), y.len());
        if y.is_empty() && accumulate == Accumulate::Overwrite {
            weight.fill(T::ZERO);
        }
        let axes = [0, 1].map(|dim| Axis::forward(of, dim));
        let gradient = WeightGradient {
            grid: Grid { axes, source: x.as_ptr(), stride: of.image_channels },
            run: of.image_channels,
            y: y.as_ptr(),
            pixels: samples * of.output[0] * of.output[1],
            weight: weight.as_mut_ptr(),
            cols: of.output_channels,
            accumulate,
        };
        match Bordered::of(of, samples, FEW_CHANNELS) {
            None => gradient.run(isa),
            Some(bordered) => with_scratch(bordered.len(), |copy| {
                bordered.copy(x, copy);
                let grid = Grid { axes: bordered.axes(of), source: copy.as_ptr(), ..gradient.grid };
                WeightGradient { grid, run: of.kernel[1] * of.image_channels, ..gradient }.run(isa);
            }),
        }
    }

    fn run(self, isa: Isa) {
        let rows = self.grid.taps() * self.run;
        if rows * self.cols * self.pixels == 0 {
            return;
        }
        let shape = TileShape::of::<T>(isa);
        let panels = self.cols.div_ceil(shape.cols());
        let threads = if self.pixels * rows * self.cols < WORK_FOR_A_THREAD { 1 } else { spin::threads() };
        // Two parts for each thread, so that one that is late leaves some to the others.
        let parts = if threads > 1 { 2 * threads } else { 1 };
        // Pairs of a tap and a panel, the panels of a tap one after the other.
        let pairs = self.grid.taps() * panels;
        let parts = parts.min(pairs);
        each(0, parts, &|part: usize| {
            self.part(isa, shape, panels, pairs * part / parts..pairs * (part + 1) / parts);
        });
    }

    fn part(&self, isa: Isa, shape: TileShape, panels: usize, pairs: Range<usize>) {
        let block = (BLOCK_BYTES / ((self.grid.stride + self.cols) * size_of::<T>())).clamp(64, 1024).min(self.pixels);
        with_scratch(self.run, |zeros: &mut [T]| {
            zeros.fill(T::ZERO);
            with_addresses(block + self.run, |addresses: &mut [*const T]| {
                let (table, out) = addresses.split_at_mut(block);
                for start in (0..self.pixels).step_by(block) {
                    let table = &mut table[..block.min(self.pixels - start)];
                    for tap in pairs.start / panels..pairs.end.div_ceil(panels) {
                        self.grid.addresses(start, tap, zeros.as_ptr(), table);
                        for (row, out) in (tap * self.run..).zip(out.iter_mut()) {
                            *out = self.weight.wrapping_add(row * self.cols).cast_const();
                        }
                        let first = pairs.start.saturating_sub(tap * panels);
                        let end = (pairs.end - tap * panels).min(panels);
                        let cols = first * shape.cols()..(end * shape.cols()).min(self.cols);
                        self.multiply(isa, shape, start, &cols, table, out);
                    }
                }
            });
        });
    }

    /// Adds what the pixels from `start` on give to the rows of a tap, read at the addresses of `table`.
    fn multiply(
        &self,
        isa: Isa,
        shape: TileShape,
        start: usize,
        cols: &Range<usize>,
        table: &[*const T],
        out: &[*const T],
    ) {
        for col in cols.clone().step_by(shape.cols()) {
            let mut done = 0;
            for (tiles, height) in tile_heights(self.run, shape.rows) {
                if tiles == 0 {
                    continue;
                }
                let column = Tiles {
                    tiles,
                    steps: table.len(),
                    run: 1,
                    rows: Rows::Adjacent { skip: done },
                    lhs: table.as_ptr(),
                    lhs_stride: 1,
                    rhs: self.y.wrapping_add(start * self.cols + col),
                    rhs_stride: self.cols,
                    cols: shape.cols().min(cols.end - col),
                    out: out.as_ptr().wrapping_add(done).cast(),
                    col,
                    from_out: start > 0 || self.accumulate == Accumulate::Add,
                    finish: None,
                };
                // SAFETY: the table has an address of `run` elements for each pixel; the outputs have `cols` elements for each
                // of them; the rows lie in the derivative, which is borrowed uniquely, and each of their elements is given to
                // one thread.
                unsafe { column.run(isa, height, shape.lanes) };
                done += tiles * height;
            }
        }
    }
}

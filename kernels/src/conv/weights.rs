//! The derivative of a convolution by its weights.
//!
//! ```text
//! for each block of pixels of the output                a table of addresses, one for each tap and pixel
//!   for each panel of output channels
//!     for each tile of rows (tap, image channel)        rows · (2 vectors) of the derivative in registers
//! ```
//!
//! Tiles of the second and later blocks start from what the block before left, so that a chain runs over all pixels.

use std::ops::Range;

use super::Convolution;
use super::axis::{Axis, Pixels};
use super::tile::{Rows, Tiles};
use crate::gemm::blocked::tile_heights;
use crate::gemm::parallel::each;
use crate::gemm::scratch::{with_addresses, with_scratch};
use crate::gemm::tile::TileShape;
use crate::{Accumulate, Isa, Real, team};

/// Bytes of images and outputs that a block of pixels reads: half of an L2 cache of 1 MiB.
const BLOCK_BYTES: usize = 512 << 10;
/// Multiply-adds below which a second thread is not asked: about 2 µs of them.
const WORK_FOR_A_THREAD: usize = 1 << 17;

#[derive(Clone, Copy)]
pub(super) struct WeightGradient<T> {
    axes: [Axis; 2],
    x: *const T,
    image_channels: usize,
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
    pub fn new(of: &Convolution, samples: usize, x: &[T], y: &[T], weight: &mut [T], accumulate: Accumulate) -> Self {
        if samples * of.output[0] * of.output[1] == 0 && accumulate == Accumulate::Overwrite {
            weight.fill(T::ZERO);
        }
        WeightGradient {
            axes: [0, 1].map(|dim| Axis::forward(of, dim)),
            x: x.as_ptr(),
            image_channels: of.image_channels,
            y: y.as_ptr(),
            pixels: samples * of.output[0] * of.output[1],
            weight: weight.as_mut_ptr(),
            cols: of.output_channels,
            accumulate,
        }
    }

    fn taps(&self) -> usize {
        self.axes[0].taps * self.axes[1].taps
    }

    pub fn run(self, isa: Isa) {
        let rows = self.taps() * self.image_channels;
        if rows * self.cols * self.pixels == 0 {
            return;
        }
        let shape = TileShape::of::<T>(isa);
        let panels = self.cols.div_ceil(shape.cols());
        let work = self.pixels * rows * self.cols;
        let threads = if work < WORK_FOR_A_THREAD { 1 } else { team::threads() };
        let parts = if threads > 1 { 2 * threads } else { 1 };
        let (groups, size) = self.groups(shape);
        let row_parts = parts.min(groups);
        let col_parts = (parts / row_parts).clamp(1, panels);
        each(0, row_parts * col_parts, &|part: usize| {
            let (i, j) = (part / col_parts, part % col_parts);
            let groups = groups * i / row_parts..groups * (i + 1) / row_parts;
            let panels = panels * j / col_parts..panels * (j + 1) / col_parts;
            let cols = panels.start * shape.cols()..(panels.end * shape.cols()).min(self.cols);
            self.part(isa, shape, (groups, size), cols);
        });
    }

    /// Rows are computed in groups: where a pixel has the channels for a tile, the channels of one tap; otherwise as many rows
    /// as a tile has, of any taps. How many groups there are, and the rows of each.
    fn groups(&self, shape: TileShape) -> (usize, usize) {
        if self.image_channels >= shape.rows {
            (self.taps(), self.image_channels)
        } else {
            ((self.taps() * self.image_channels).div_ceil(shape.rows), shape.rows)
        }
    }

    fn part(&self, isa: Isa, shape: TileShape, (groups, size): (Range<usize>, usize), cols: Range<usize>) {
        let channels = self.image_channels;
        let block = (BLOCK_BYTES / ((channels + self.cols) * size_of::<T>())).clamp(64, 1024).min(self.pixels);
        let adjacent = channels >= shape.rows;
        // Addresses for each pixel: the tap's, or those of all rows of a tile; then those of the rows of the result.
        let width = if adjacent { 1 } else { size };
        with_scratch(channels, |zeros: &mut [T]| {
            zeros.fill(T::ZERO);
            with_addresses(block * width + size, |addresses: &mut [*const T]| {
                let (table, out) = addresses.split_at_mut(block * width);
                for start in (0..self.pixels).step_by(block) {
                    let pixels = start..(start + block).min(self.pixels);
                    for group in groups.clone() {
                        let rows = group * size..((group + 1) * size).min(self.taps() * channels);
                        for (out, row) in out.iter_mut().zip(rows.clone()) {
                            *out = self.weight.wrapping_add(row * self.cols);
                        }
                        self.addresses(&pixels, rows.clone(), width, zeros.as_ptr(), table);
                        self.multiply(isa, shape, &pixels, rows.len(), &cols, (table, width), out);
                    }
                }
            });
        });
    }

    /// Where `rows` are read for each of `pixels`: the first of them alone, or each.
    fn addresses(&self, pixels: &Range<usize>, rows: Range<usize>, width: usize, zeros: *const T, table: &mut [*const T]) {
        let [lines, columns] = &self.axes;
        let channels = self.image_channels;
        for (column, row) in rows.take(width).enumerate() {
            let (tap, channel) = (row / channels, row % channels);
            let (t, u) = (tap / columns.taps, tap % columns.taps);
            let mut at = Pixels::from(pixels.start, [lines.count, columns.count]);
            for entry in table.iter_mut().skip(column).step_by(width).take(pixels.len()) {
                let address = match (lines.source(at.row, t), columns.source(at.col, u)) {
                    (Some(line), Some(col)) => {
                        let pixel = (at.sample * lines.source + line) * columns.source + col;
                        self.x.wrapping_add(pixel * channels)
                    }
                    _ => zeros,
                };
                *entry = address.wrapping_add(channel);
                at.advance();
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        isa: Isa,
        shape: TileShape,
        pixels: &Range<usize>,
        rows: usize,
        cols: &Range<usize>,
        (table, width): (&[*const T], usize),
        out: &[*const T],
    ) {
        for col in cols.clone().step_by(shape.cols()) {
            let mut done = 0;
            for (tiles, height) in tile_heights(rows, shape.rows) {
                if tiles == 0 {
                    continue;
                }
                let column = Tiles {
                    tiles,
                    steps: pixels.len(),
                    run: 1,
                    rows: if width == 1 { Rows::Adjacent { skip: done } } else { Rows::Apart },
                    lhs: table.as_ptr().wrapping_add(if width == 1 { 0 } else { done }),
                    lhs_stride: width,
                    rhs: self.y.wrapping_add(pixels.start * self.cols + col),
                    rhs_stride: self.cols,
                    rhs_padded: false,
                    cols: shape.cols().min(cols.end - col),
                    out: out.as_ptr().wrapping_add(done).cast(),
                    col,
                    from_out: pixels.start > 0 || self.accumulate == Accumulate::Add,
                    finish: None,
                };
                // SAFETY: the table has addresses for each of `pixels`, of the elements of all rows; the outputs have `cols`
                // elements for each of them; the rows lie in the derivative, which is borrowed uniquely, and each of their
                // elements is given to one thread.
                unsafe { column.run(isa, height, shape.lanes) };
                done += tiles * height;
            }
        }
    }
}

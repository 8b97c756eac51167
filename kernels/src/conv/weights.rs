//! The derivative of a convolution by its weights.
//!
//! ```text
//! for each block of pixels of the output          images into strips of channels, outputs into panels: the L2 cache
//!   for each panel of output channels             pixels · (2 vectors), in the L1 cache or the next
//!     for each strip of image channels            pixels · rows, in the L1 cache too
//!       for each tap                              rows · (2 vectors) of the derivative in registers
//! ```
//!
//! Tiles of the second and later blocks start from what the block before left, so that a chain runs over all pixels.

use std::ops::Range;

use super::Convolution;
use super::strips::Strips;
use super::tile::{Rows, Tiles};
use crate::gemm::pack::Pack;
use crate::gemm::parallel::{each, parts};
use crate::gemm::product::Source;
use crate::gemm::scratch::{with_addresses, with_scratch};
use crate::gemm::tile::TileShape;
use crate::{Accumulate, Isa, Real, spin};

/// Bytes of a panel of a block of pixels, an L1 cache of 32 KiB: of 16, 24 and 32 KiB the last was the fastest at five of six
/// layers, by 1 to 5 % (Zen 3).
const PANEL_BYTES: usize = 32 << 10;

#[derive(Clone, Copy)]
pub(super) struct WeightGradient<'a, T> {
    of: &'a Convolution,
    x: &'a [T],
    y: &'a [T],
    samples: usize,
    weight: *mut T,
    accumulate: Accumulate,
}

// SAFETY: the pointer stems from a slice of `Send + Sync` numbers; parts given to different threads write disjoint elements.
unsafe impl<T: Real> Send for WeightGradient<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Real> Sync for WeightGradient<'_, T> {}

/// Pixels of the output: `rows` of each of `samples`.
struct Block {
    samples: Range<usize>,
    rows: Range<usize>,
}

/// The derivative cut by panels and by pairs of a strip and a row of the kernel. Pieces are numbered by pairs first, so that a thread, which
/// takes consecutive ones, writes rows of the derivative of its own: of two that write columns of one row each fetches the other's, likely
/// ahead of need (28×28, 64 → 64 on two threads: 56 and 78 % of the peak by panels, 73 and 84 % by pairs; Zen 4, f32). Where one strip is all
/// of an image, copying it twice costs less than packing outputs twice.
struct Pieces {
    pairs: usize,
    panels: usize,
    by_panels: bool,
}

impl Pieces {
    fn count(&self) -> usize {
        self.pairs * self.panels
    }

    fn number(&self, pair: usize, panel: usize) -> usize {
        if self.by_panels { panel * self.pairs + pair } else { pair * self.panels + panel }
    }

    /// The pairs and the panels that pieces with such numbers have.
    fn ranges(&self, numbers: &Range<usize>) -> [Range<usize>; 2] {
        let inner = if self.by_panels { self.pairs } else { self.panels };
        let outer = numbers.start / inner..numbers.end.div_ceil(inner);
        let inner = if outer.len() == 1 { numbers.start % inner..(numbers.end - 1) % inner + 1 } else { 0..inner };
        if self.by_panels { [inner, outer] } else { [outer, inner] }
    }
}

impl<'a, T: Real> WeightGradient<'a, T> {
    pub fn compute(isa: Isa, of: &'a Convolution, x: &'a [T], y: &'a [T], weight: &mut [T], accumulate: Accumulate) {
        let samples = of.samples(x.len(), weight.len(), y.len());
        if y.is_empty() && accumulate == Accumulate::Overwrite {
            weight.fill(T::ZERO);
        }
        if weight.is_empty() || y.is_empty() {
            return;
        }
        let gradient = WeightGradient { of, x, y, samples, weight: weight.as_mut_ptr(), accumulate };
        let shape = TileShape::of::<T>(isa);
        // One part for each thread: each copies what its pieces read, so that more parts copy more.
        let pieces = gradient.pieces(shape).count();
        let parts = parts(y.len() * of.weights() / of.output_channels).min(spin::threads()).min(pieces);
        each(0, parts, &|part: usize| {
            gradient.part(isa, shape, pieces * part / parts..pieces * (part + 1) / parts);
        });
    }

    fn pieces(&self, shape: TileShape) -> Pieces {
        let strips = Strips::of(self.of, shape.rows).count();
        Pieces {
            pairs: strips * self.of.kernel[0],
            panels: self.of.output_channels.div_ceil(shape.cols()),
            by_panels: strips == 1,
        }
    }

    /// The blocks of about so many pixels in order: several samples, or rows of one. None is larger than the first.
    fn blocks(&self, pixels: usize) -> impl Iterator<Item = Block> {
        let [height, width] = self.of.output;
        let rows = (pixels / width).clamp(1, height);
        let samples = if rows < height { 1 } else { (pixels / (height * width)).clamp(1, self.samples) };
        (0..self.samples).step_by(samples).flat_map(move |sample| {
            (0..height).step_by(rows).map(move |row| Block {
                samples: sample..(sample + samples).min(self.samples),
                rows: row..(row + rows).min(height),
            })
        })
    }

    /// Computes the pieces with these numbers.
    fn part(&self, isa: Isa, shape: TileShape, numbers: Range<usize>) {
        let of = self.of;
        let strips = Strips::of(of, shape.rows);
        let pieces = self.pieces(shape);
        let [pairs, panels] = pieces.ranges(&numbers);
        let mine = pairs.start / of.kernel[0]..pairs.end.div_ceil(of.kernel[0]);
        let cols = panels.start * shape.cols()..(panels.end * shape.cols()).min(of.output_channels);
        let target = PANEL_BYTES / (shape.cols() * size_of::<T>());
        let largest = self.blocks(target).next().expect("there are pixels");
        let pixels = largest.samples.len() * largest.rows.len() * of.output[1];
        let copied = strips.len(largest.samples.len(), largest.rows.len(), shape.lanes).next_multiple_of(16);
        with_scratch(copied + pixels * cols.len().next_multiple_of(shape.lanes), |scratch: &mut [T]| {
            let (copy, packed) = scratch.split_at_mut(copied);
            with_addresses(2 * pixels + of.kernel[1] * shape.rows, |addresses: &mut [*const T]| {
                let (tables, out) = addresses.split_at_mut(2 * pixels);
                let (tall, short) = tables.split_at_mut(pixels);
                let mut tables_of = (0, 0);
                for (index, block) in self.blocks(target).enumerate() {
                    let pixels = block.samples.len() * block.rows.len() * of.output[1];
                    let copy_of = strips.at(block.samples.clone(), block.rows.clone(), shape.lanes);
                    copy_of.fill(isa, self.x, mine.clone(), copy);
                    // Most blocks are of one size.
                    let size = (block.samples.len(), block.rows.len());
                    if size != tables_of {
                        for (table, height) in [(&mut *tall, strips.heights()[0]), (&mut *short, strips.heights()[1])] {
                            copy_of.addresses(copy.as_ptr(), height, &mut table[..pixels]);
                        }
                        tables_of = size;
                    }
                    let first = (block.samples.start * of.output[0] + block.rows.start) * of.output[1];
                    let rhs = self.panels(isa, shape, first, pixels, cols.clone(), packed);
                    let order = panels.clone().flat_map(|panel| pairs.clone().map(move |pair| (panel, pair)));
                    for (panel, pair) in order.filter(|&(panel, pair)| numbers.contains(&pieces.number(pair, panel))) {
                        let (strip, row) = (strips.strip(pair / of.kernel[0]), pair % of.kernel[0]);
                        let col = panel * shape.cols();
                        let table = if strip.height == strips.heights()[0] { &*tall } else { &*short };
                        let taps = strips.taps();
                        let rows = strips.rows(&strip);
                        for (tap, out) in (row * of.kernel[1]..).zip(out.chunks_exact_mut(rows).take(taps)) {
                            let weight = tap * of.image_channels + strip.first;
                            for (at, out) in (weight..).zip(out) {
                                *out = self.weight.wrapping_add(at * of.output_channels).cast_const();
                            }
                        }
                        let panel_cols = shape.cols().min(of.output_channels - col);
                        let tiles = Tiles {
                            tiles: taps,
                            steps: pixels,
                            run: 1,
                            rows: Rows::Adjacent { skip: copy_of.skip(&strip, row), apart: strip.height },
                            lhs: table.as_ptr(),
                            lhs_stride: 1,
                            rhs: rhs.wrapping_add((col - cols.start) * pixels),
                            cols: panel_cols,
                            out: out.as_ptr().cast(),
                            col,
                            from_out: index > 0 || self.accumulate == Accumulate::Add,
                            finish: None,
                        };
                        // SAFETY: behind each address of the table, at the strip's row and its columns of the kernel, the
                        // strip holds the rows of a tile; the panel is packed for all pixels; the rows at `out` lie in the
                        // derivative, which is borrowed uniquely, and each of their elements is given to one thread.
                        unsafe { tiles.run(isa, rows, shape.lanes) };
                    }
                }
            });
        });
    }

    /// Panels of the columns `cols` of `pixels` pixels of the output, from number `first` on: packed, unless all channels make one panel
    /// as they are.
    fn panels(
        &self,
        isa: Isa,
        shape: TileShape,
        first: usize,
        pixels: usize,
        cols: Range<usize>,
        packed: &mut [T],
    ) -> *const T {
        let channels = self.of.output_channels;
        let y = &self.y[first * channels..][..pixels * channels];
        if channels <= shape.cols() && channels.is_multiple_of(shape.lanes) {
            return y.as_ptr();
        }
        let whole = cols.len() / shape.cols();
        let mut done = 0;
        for (strips, height) in [(whole, shape.cols()), (1, cols.len() % shape.cols())] {
            if strips * height > 0 {
                let stride = height.next_multiple_of(shape.lanes);
                let target = packed[done * pixels..][..strips * stride * pixels].as_mut_ptr();
                let ptr = y.as_ptr().wrapping_add(cols.start + done);
                let source = Source { ptr, row_stride: 1, col_stride: channels };
                T::dispatch(isa, Pack { source, strips, height, depth: pixels, stride, target });
                done += strips * height;
            }
        }
        packed.as_ptr()
    }
}

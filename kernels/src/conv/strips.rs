//! Copies of images in the order in which the derivative by the weights reads them: strips of as many channels as a tile has rows,
//! with the zeros around them that windows reach.
//!
//! ```text
//! strip 0   channels 0 … 5 of pixel 0, of pixel 1, …, of a row; then the next row
//! strip 1   channels 6 … 11 of the same pixels
//! ```
//!
//! Where all that a row of the kernel reads of a pixel's neighbours is no more than a tile, it is one strip, and one tile takes
//! what those neighbours hold.

use std::ops::Range;

use super::Convolution;
use crate::gemm::blocked::tile_heights;
use crate::{Isa, Kernel, Real, Simd};

/// How the channels of images are cut.
#[derive(Clone, Copy)]
pub(super) struct Strips<'a> {
    of: &'a Convolution,
    /// Rows of a tile.
    tallest: usize,
}

/// Channels `first` to `first + height`.
pub(super) struct Strip {
    pub first: usize,
    pub height: usize,
    index: usize,
}

impl<'a> Strips<'a> {
    pub fn of(of: &'a Convolution, tallest: usize) -> Self {
        Strips { of, tallest }
    }

    /// Whether one tile takes a whole row of the kernel.
    fn is_whole_row(&self) -> bool {
        self.of.kernel[1] * self.of.image_channels <= self.tallest
    }

    fn cuts(&self) -> [(usize, usize); 2] {
        tile_heights(self.of.image_channels, self.tallest)
    }

    pub fn count(&self) -> usize {
        self.of.image_channels.div_ceil(self.tallest)
    }

    /// Channels of the strips: the first ones have more.
    pub fn heights(&self) -> [usize; 2] {
        self.cuts().map(|(_, height)| height)
    }

    pub fn strip(&self, index: usize) -> Strip {
        let [(many, tall), (_, short)] = self.cuts();
        let first = index.min(many) * tall + index.saturating_sub(many) * short;
        Strip { first, height: if index < many { tall } else { short }, index }
    }

    /// Tiles that a row of the kernel makes of a strip.
    pub fn taps(&self) -> usize {
        if self.is_whole_row() { 1 } else { self.of.kernel[1] }
    }

    /// Rows of such a tile.
    pub fn rows(&self, strip: &Strip) -> usize {
        if self.is_whole_row() { self.of.kernel[1] * strip.height } else { strip.height }
    }

    /// Elements of the copies of all that `rows` rows of the output of each of `samples` samples read.
    pub fn len(&self, samples: usize, rows: usize, lanes: usize) -> usize {
        let copy = self.at(0..samples, 0..rows, lanes);
        self.of.image_channels * copy.pixels() + self.count() * lanes
    }

    /// The copies of what `rows` of the output of each of `samples` read.
    pub fn at(self, samples: Range<usize>, rows: Range<usize>, lanes: usize) -> Copies<'a> {
        let (stride, kernel) = (self.of.stride, self.of.kernel);
        let [_, width] = self.of.bordered();
        let image_rows = rows.start * stride[0]..(rows.end - 1) * stride[0] + kernel[0];
        Copies { strips: self, samples, rows: image_rows, width, lanes }
    }
}

/// Strips of some rows of some images.
pub(super) struct Copies<'a> {
    strips: Strips<'a>,
    samples: Range<usize>,
    /// Rows, counted from the top of the border.
    rows: Range<usize>,
    /// Pixels of a row with its border.
    width: usize,
    /// Elements between strips, so that whole vectors can be written up to the end of each.
    lanes: usize,
}

impl Copies<'_> {
    fn pixels(&self) -> usize {
        self.samples.len() * self.rows.len() * self.width
    }

    /// Elements before a strip.
    fn start(&self, strip: &Strip) -> usize {
        strip.first * self.pixels() + strip.index * self.lanes
    }

    /// Elements from the address of a pixel of the output, see [`addresses`](Self::addresses), to what the first column of a
    /// row of the kernel reads in a strip.
    pub fn skip(&self, strip: &Strip, kernel_row: usize) -> usize {
        self.start(strip) + kernel_row * self.width * strip.height
    }

    /// Writes where the pixels of the output begin to read in a strip of so many channels that begins at `copy`.
    pub fn addresses<T>(&self, copy: *const T, height: usize, table: &mut [*const T]) {
        let (of, rows) = (self.strips.of, self.rows.len());
        let output_rows = (rows - of.kernel[0]) / of.stride[0] + 1;
        for (line, entries) in table.chunks_exact_mut(of.output[1]).enumerate() {
            let row = line / output_rows * rows + line % output_rows * of.stride[0];
            for (col, entry) in entries.iter_mut().enumerate() {
                *entry = copy.wrapping_add((row * self.width + col * of.stride[1]) * height);
            }
        }
    }

    /// Copies the channels of `strips` of `x`, all images, to `out`.
    pub fn fill<T: Real>(&self, isa: Isa, x: &[T], strips: Range<usize>, out: &mut [T]) {
        let of = self.strips.of;
        let before = of.padding[1].min(self.width);
        let inside = of.image[1].min(self.width - before);
        // Row after row, so that one stays in the L1 cache until all strips have their part of it.
        for line in 0..self.samples.len() * self.rows.len() {
            let (sample, row) = (self.samples.start + line / self.rows.len(), line % self.rows.len());
            let row = (self.rows.start + row).checked_sub(of.padding[0]).filter(|&row| row < of.image[0]);
            for strip in strips.clone().map(|index| self.strips.strip(index)) {
                let (stride, height) = (of.image_channels, strip.height);
                let start = self.start(&strip) + line * self.width * height;
                let out = &mut out[start..][..self.width * height + self.lanes];
                let Some(row) = row else {
                    out[..self.width * height].fill(T::ZERO);
                    continue;
                };
                let x = &x[(sample * of.image[0] + row) * of.image[1] * stride + strip.first..];
                out[..before * height].fill(T::ZERO);
                T::dispatch(isa, Cut { x, stride, height, pixels: inside, out: &mut out[before * height..] });
                out[(before + inside) * height..self.width * height].fill(T::ZERO);
            }
        }
    }
}

/// Copies the first `height` of every `stride` elements of `x`. Up to a vector behind the last of them is overwritten.
struct Cut<'a, T> {
    x: &'a [T],
    stride: usize,
    height: usize,
    pixels: usize,
    out: &'a mut [T],
}

impl<T: Real> Kernel<T> for Cut<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        for pixel in 0..self.pixels {
            for channel in (0..self.height).step_by(S::LANES) {
                let x = &self.x[pixel * self.stride + channel..];
                let out = &mut self.out[pixel * self.height + channel..];
                let channels = if x.len() < S::LANES { simd.load_partial(x) } else { simd.load(x) };
                simd.store(out, channels);
            }
        }
    }
}

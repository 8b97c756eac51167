//! A convolution of which only the maxima over windows are wanted: its elements never travel through memory.

use std::ops::Range;

use super::Convolution;
use super::gather::{BLOCK_TILES, Gather};
use super::pool::{Pooling, max_pool};
use crate::gemm::scratch::with_scratch;
use crate::{Isa, Real, spin};

impl Pooling {
    /// The rows of the images that the windows of `rows` of the output reach: the first one, and the pooling of them alone.
    fn rows(&self, rows: Range<usize>) -> (usize, Pooling) {
        let first = rows.start * self.stride[0];
        let start = first.saturating_sub(self.padding[0]).min(self.image[0]);
        let end = ((rows.end - 1) * self.stride[0] + self.window[0]).saturating_sub(self.padding[0]).min(self.image[0]);
        let part = Pooling {
            image: [end.max(start) - start, self.image[1]],
            output: [rows.len(), self.output[1]],
            padding: [self.padding[0].saturating_sub(first), self.padding[1]],
            ..*self
        };
        (start, part)
    }
}

/// Writes the maxima of the convolution of x and where they stood, a few rows at a time, and calls `finish` with each few.
#[allow(clippy::too_many_arguments)]
pub(super) fn compute<T: Real>(
    isa: Isa,
    of: &Convolution,
    pool: &Pooling,
    x: &[T],
    weight: &[T],
    y: &mut [T],
    offsets: &mut [u8],
    finish: &(impl Fn(&mut [T]) + Sync),
) {
    let samples = of.samples(x.len(), weight.len(), x.len().checked_div(of.image_len()).unwrap_or(0) * of.output_len());
    assert!(
        pool.image == of.output && pool.channels == of.output_channels,
        "{pool:?} cannot be that of the output of {of:?}"
    );
    pool.check_maxima(samples * of.output_len(), y.len(), offsets.len());
    if y.is_empty() {
        return;
    }
    Gather::bordered(of, samples, x, weight, |gather| {
        gather.with_packed(isa, 1, &|_| gather.grid.axes, |shape, packed, parts| {
            let row_pixels = of.output[1] * pool.stride[0];
            // As many rows as make a block of pixels, which stay in the cache until their maxima are taken.
            let rows = (BLOCK_TILES * shape.rows).div_ceil(row_pixels.max(1)).clamp(1, pool.output[0]);
            let longest = ((rows - 1) * pool.stride[0] + pool.window[0]).min(of.output[0]);
            let row_len = of.output[1] * of.output_channels;
            let groups = pool.output[0].div_ceil(rows);
            let part = |units: Range<usize>, y: &mut [T], offsets: &mut [u8]| {
                with_scratch(longest * row_len, |scratch: &mut [T]| {
                    let (mut y, mut offsets) = (y, offsets);
                    for unit in units {
                        let (sample, first) = (unit / groups, unit % groups * rows);
                        let (start, part) = pool.rows(first..(first + rows).min(pool.output[0]));
                        let image = &mut scratch[..part.image[0] * row_len];
                        gather.rows(isa, shape, packed(0), sample, start..start + part.image[0], image);
                        let (here, rest) = y.split_at_mut(part.output_len());
                        let (places, others) = offsets.split_at_mut(part.output_len());
                        max_pool(isa, &part, image, here, places);
                        finish(here);
                        (y, offsets) = (rest, others);
                    }
                });
            };
            let pooled_row = pool.output[1] * pool.channels;
            let position = |unit: usize| (unit / groups * pool.output[0] + unit % groups * rows) * pooled_row;
            split(0..samples * groups, parts, y, offsets, &position, &part);
        });
    });
}

/// Calls `part` with the units in `parts` parts, on any threads. The elements of unit i begin at `position(i)`.
fn split<T: Real>(
    units: Range<usize>,
    parts: usize,
    y: &mut [T],
    offsets: &mut [u8],
    position: &(impl Fn(usize) -> usize + Sync),
    part: &(impl Fn(Range<usize>, &mut [T], &mut [u8]) + Sync),
) {
    if parts < 2 || units.len() < 2 {
        return part(units, y, offsets);
    }
    let middle = units.start + units.len() / 2;
    let at = position(middle) - position(units.start);
    let ((y, later), (offsets, offsets_later)) = (y.split_at_mut(at), offsets.split_at_mut(at));
    spin::join(
        || split(units.start..middle, parts / 2, y, offsets, position, part),
        || split(middle..units.end, parts - parts / 2, later, offsets_later, position, part),
    );
}

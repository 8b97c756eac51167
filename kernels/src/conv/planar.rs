//! Convolution and transposed convolution to few channels. A vector of a tile holds channels of the result, and most of it would
//! be empty; here it holds pixels side by side.
//!
//! ```text
//! for some rows of each sample                     what they read, channels apart, with zeros around: planes, in the L2 cache
//!   for each phase and each channel of the result
//!     for each run of pixels                       12 vectors of the result in registers, one weight after the other
//! ```
//!
//! Rows of a plane follow each other, so that a run goes on from one row to the next; what it computes of the zeros between them
//! is not kept.

use std::ops::Range;

use super::axis::Axis;
use super::gather::Gather;
use crate::gemm::parallel::{each, parts};
use crate::gemm::product::Bias;
use crate::gemm::scratch::with_scratch;
use crate::gemm::tile::{Finish, TileShape, finish_chains};
use crate::{Accumulate, Isa, Kernel, Real, Simd};

/// Vectors of the longest run: with one weight and what is loaded they fill the 16 registers of AVX2.
const VECTORS: usize = 12;
/// Elements of the longest run of any instruction set.
const LONGEST: usize = VECTORS * 16;
/// Bytes of the planes of a few rows: a quarter of an L2 cache of 512 KiB.
const PLANES_BYTES: usize = 128 << 10;
/// Bytes of a line of a cache.
const LINE: usize = 64;

/// The planes that some rows of a result read.
#[derive(Clone, Copy)]
struct Planes {
    /// Rows of the result, of each phase.
    result_rows: usize,
    /// Rows and columns of a plane.
    size: [usize; 2],
    /// Elements from a plane to the next.
    len: usize,
    /// The row and the column of the source, counted from the first ones of the result, that a plane begins with.
    first: [isize; 2],
}

/// The first and the last position of the source that a position of the result reads, counted from that position.
fn reach(axes: impl Iterator<Item = Axis>) -> (isize, isize) {
    let ends = axes.filter(|axis| axis.taps > 0).map(|axis| {
        let last = axis.offset + axis.offset_step * (axis.taps as isize - 1);
        (axis.offset.min(last), axis.offset.max(last))
    });
    ends.reduce(|(least, most), (low, high)| (least.min(low), most.max(high))).unwrap_or((0, 0))
}

impl Planes {
    /// Of all phases, for a result of so many channels of the source.
    fn of<T>(lanes: usize, channels: usize, phases: usize, axes: &impl Fn(usize) -> [Axis; 2]) -> Self {
        let along = |dim: usize| (0..phases).map(move |phase| axes(phase)[dim]);
        let longest = |dim: usize| along(dim).map(|axis| axis.count).max().unwrap_or(0);
        let [(top, bottom), (left, right)] = [reach(along(0)), reach(along(1))];
        let (around, width) = ((bottom - top) as usize, longest(1) + (right - left) as usize);
        let a_row = channels * width * size_of::<T>();
        let result_rows = (PLANES_BYTES / a_row).saturating_sub(around).clamp(1, longest(0).max(1));
        let size = [result_rows + around, width];
        // An odd number of lines, so that planes do not fall on the same sets of a cache; a run may read past the last row.
        let lines = (size[0] * size[1] + VECTORS * lanes).div_ceil(LINE / size_of::<T>()) | 1;
        Planes { result_rows, size, len: lines * (LINE / size_of::<T>()), first: [top, left] }
    }
}

/// Whether a vector of `lanes` channels would be at most half full (`cols` of them), and neighbours read side by side.
pub(super) fn suits(lanes: usize, cols: usize, axes: [Axis; 2]) -> bool {
    2 * cols <= lanes && axes.iter().all(|axis| axis.advance == 1)
}

/// Computes all phases of a result; `axes` gives the grid of each.
pub(super) fn run<T: Real>(isa: Isa, gather: Gather<T>, phases: usize, axes: &(impl Fn(usize) -> [Axis; 2] + Sync)) {
    if gather.samples * gather.size[0] * gather.size[1] == 0 {
        return;
    }
    let lanes = TileShape::of::<T>(isa).lanes;
    let planes = Planes::of::<T>(lanes, gather.run, phases, axes);
    let rows = (0..phases).map(|phase| axes(phase)[0].count).max().unwrap_or(0);
    let strips = rows.div_ceil(planes.result_rows);
    let units = gather.samples * strips;
    let work = units * planes.result_rows * planes.size[1] * gather.run * gather.cols;
    let parts = parts(work).min(units);
    each(0, parts, &|part: usize| {
        with_scratch(gather.run * planes.len, |scratch: &mut [T]| {
            scratch.fill(T::ZERO);
            for unit in units * part / parts..units * (part + 1) / parts {
                let (sample, first) = (unit / strips, unit % strips * planes.result_rows);
                T::dispatch(
                    isa,
                    Fill { gather: &gather, source: axes(0), planes, sample, first, scratch: &mut *scratch },
                );
                for phase in 0..phases {
                    let axes = axes(phase);
                    let rows = first..(first + planes.result_rows).min(axes[0].count);
                    if !rows.is_empty() && axes[1].count > 0 {
                        let rows = Rows { gather: &gather, axes, planes, sample, rows, scratch };
                        T::dispatch(isa, rows);
                    }
                }
            }
        });
    });
}

/// Writes the planes that the rows from `first` on read. Columns that are not in the source are zero already.
struct Fill<'a, T> {
    gather: &'a Gather<T>,
    /// Any axes of the source.
    source: [Axis; 2],
    planes: Planes,
    sample: usize,
    first: usize,
    scratch: &'a mut [T],
}

impl<T: Real> Kernel<T> for Fill<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let Fill { gather, source: [rows, cols], planes, sample, first, scratch } = self;
        let ([top, left], channels) = (planes.first, gather.run);
        let before = (-left).clamp(0, planes.size[1] as isize) as usize;
        let skipped = left.clamp(0, cols.source as isize) as usize;
        let inside = (cols.source - skipped).min(planes.size[1] - before);
        for row in 0..planes.size[0] {
            let line = row * planes.size[1] + before;
            let at = first as isize + top + row as isize;
            if at < 0 || at as usize >= rows.source {
                for channel in 0..channels {
                    scratch[channel * planes.len + line..][..inside].fill(T::ZERO);
                }
                continue;
            }
            let pixel = (sample * rows.source + at as usize) * cols.source + skipped;
            // SAFETY: the source has these pixels, each of `channels` elements.
            let source =
                unsafe { std::slice::from_raw_parts(gather.grid.source.add(pixel * channels), inside * channels) };
            if channels == 1 {
                scratch[line..][..inside].copy_from_slice(source);
                continue;
            }
            for channel in (0..channels).step_by(S::LANES) {
                let width = (channels - channel).min(S::LANES);
                let target =
                    &mut scratch[channel * planes.len + line..(channel + width - 1) * planes.len + line + inside];
                for pixel in (0..inside).step_by(S::LANES) {
                    // The last block begins earlier where it can: a part of a vector takes longer to store than a whole one.
                    let pixel = pixel.min(inside.saturating_sub(S::LANES));
                    let height = (inside - pixel).min(S::LANES);
                    let (from, to) = (source[pixel * channels + channel..].as_ptr(), target[pixel..].as_mut_ptr());
                    // SAFETY: `height` pixels of the source have `width` channels from this one on; as many planes have
                    // `height` elements from this pixel on.
                    unsafe { simd.transpose_ptr(from, channels, (height, width), to, planes.len, height) };
                }
            }
        }
    }
}

/// Some rows of one phase of a result.
struct Rows<'a, T> {
    gather: &'a Gather<T>,
    axes: [Axis; 2],
    planes: Planes,
    sample: usize,
    rows: Range<usize>,
    scratch: &'a [T],
}

impl<T: Real> Kernel<T> for Rows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, simd: S) {
        let len = (self.rows.len() - 1) * self.planes.size[1] + self.axes[1].count;
        for channel in 0..self.gather.cols {
            let mut start = 0;
            while start < len {
                start += match (len - start).div_ceil(S::LANES) {
                    0..=4 => self.run_of::<S, 4>(simd, channel, start),
                    5..=8 => self.run_of::<S, 8>(simd, channel, start),
                    _ => self.run_of::<S, VECTORS>(simd, channel, start),
                };
            }
        }
    }
}

impl<T: Real> Rows<'_, T> {
    /// Computes so many vectors of pixels, the first of which is number `start`, and returns how many pixels these are.
    #[inline(always)]
    fn run_of<S: Simd<T>, const COUNT: usize>(&self, simd: S, channel: usize, start: usize) -> usize {
        const { assert!(COUNT * S::LANES <= LONGEST) };
        let (gather, pixels) = (self.gather, COUNT * S::LANES);
        let mut kept = [T::ZERO; LONGEST];
        let mut chains = [[simd.splat(T::ZERO); COUNT]];
        if gather.accumulate == Accumulate::Add {
            // SAFETY: the elements lie in the result, which no other thread accesses.
            self.each(channel, start..start + pixels, |at, element| kept[at] = unsafe { *element });
            for (chain, kept) in chains[0].iter_mut().zip(kept.chunks_exact(S::LANES)) {
                *chain = simd.load(kept);
            }
        }
        let [rows, cols] = &self.axes;
        for t in 0..rows.taps {
            for u in 0..cols.taps {
                let [down, right] = [(rows, t, 0), (cols, u, 1)].map(|(axis, tap, dim)| {
                    (axis.offset + axis.offset_step * tap as isize - self.planes.first[dim]) as usize
                });
                let first = down * self.planes.size[1] + right + start;
                let mut from = self.scratch[first..(gather.run - 1) * self.planes.len + first + pixels].as_ptr();
                let mut weight = gather.tap(&self.axes, t, u).wrapping_add(channel * gather.weight_col_stride);
                for _ in 0..gather.run {
                    // SAFETY: the weights have an element for each tap, channel of the source and channel of the result; every
                    // plane has the pixels of the run.
                    unsafe {
                        let element = simd.splat(*weight);
                        for (v, chain) in chains[0].iter_mut().enumerate() {
                            *chain = simd.fma(simd.load_ptr(from.add(v * S::LANES)), element, *chain);
                        }
                    }
                    weight = weight.wrapping_add(gather.weight_row_stride);
                    from = from.wrapping_add(self.planes.len);
                }
            }
        }
        let bias = gather.bias.map_or(Bias::None, |bias| Bias::Rows(bias.wrapping_add(channel)));
        // SAFETY: the bias has an element for each channel.
        unsafe { finish_chains(simd, &mut chains, Finish { bias, activation: gather.activation }, S::LANES) };
        for (chain, kept) in chains[0].iter().zip(kept.chunks_exact_mut(S::LANES)) {
            simd.store(kept, *chain);
        }
        // SAFETY: as above.
        self.each(channel, start..start + pixels, |at, element| unsafe { *element = kept[at] });
        pixels
    }

    /// Calls `f` with those pixels of a run that are pixels of the result, counted from the first of the run, and their elements.
    #[inline(always)]
    fn each(&self, channel: usize, run: Range<usize>, mut f: impl FnMut(usize, *mut T)) {
        let ([rows, cols], gather, width) = (&self.axes, self.gather, self.planes.size[1]);
        for row in run.start / width..run.end.div_ceil(width).min(self.rows.len()) {
            let line = self.sample * gather.size[0] + rows.first + rows.step * (self.rows.start + row);
            let first = row * width;
            let from = first.max(run.start);
            let pixel = line * gather.size[1] + cols.first + cols.step * (from - first);
            let mut element = gather.out.wrapping_add(pixel * gather.cols + channel);
            for at in from..(first + cols.count).min(run.end) {
                f(at - run.start, element);
                element = element.wrapping_add(cols.step * gather.cols);
            }
        }
    }
}

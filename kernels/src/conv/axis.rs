//! Which pixels meet in a convolution, along one dimension.

use super::Convolution;

/// The positions of a result along one dimension, and what each reads: position `first + step · i` reads, for tap `t`, position
/// `advance · i + offset + offset_step · t` of the source, times the kernel's element `tap + tap_step · t`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    /// How many positions there are.
    pub count: usize,
    pub first: usize,
    pub step: usize,
    /// How many positions the source has; those outside read zeros.
    pub source: usize,
    pub advance: usize,
    pub offset: isize,
    pub offset_step: isize,
    /// How many elements of the kernel a position meets.
    pub taps: usize,
    pub tap: usize,
    pub tap_step: usize,
}

impl Axis {
    /// All positions of the output, reading the image.
    pub fn forward(of: &Convolution, dim: usize) -> Axis {
        Axis {
            count: of.output[dim],
            first: 0,
            step: 1,
            source: of.image[dim],
            advance: of.stride[dim],
            offset: -(of.padding[dim] as isize),
            offset_step: 1,
            taps: of.kernel[dim],
            tap: 0,
            tap_step: 1,
        }
    }

    /// The positions `phase`, `phase` + stride, … of the image, reading the output: those elements k of the kernel by which
    /// position + padding − k is a multiple of the stride.
    pub fn transposed(of: &Convolution, dim: usize, phase: usize) -> Axis {
        let (stride, kernel) = (of.stride[dim], of.kernel[dim]);
        let tap = (phase + of.padding[dim]) % stride;
        Axis {
            count: of.image[dim].saturating_sub(phase).div_ceil(stride),
            first: phase,
            step: stride,
            source: of.output[dim],
            advance: 1,
            offset: ((phase + of.padding[dim] - tap) / stride) as isize,
            offset_step: -1,
            taps: kernel.saturating_sub(tap).div_ceil(stride),
            tap,
            tap_step: stride,
        }
    }

    /// The position of the source that position `i` reads for tap `t`, if it is inside.
    #[inline(always)]
    pub fn source(&self, i: usize, t: usize) -> Option<usize> {
        let at = (self.advance * i) as isize + self.offset + self.offset_step * t as isize;
        ((at as usize) < self.source).then_some(at as usize)
    }
}

/// A grid of pixels of a result, [samples, rows, columns], and where they read.
#[derive(Clone, Copy)]
pub(super) struct Grid<T> {
    /// Rows and columns.
    pub axes: [Axis; 2],
    /// The first element of the source.
    pub source: *const T,
    /// Elements from a pixel of the source to the next.
    pub stride: usize,
}

impl<T> Grid<T> {
    pub fn taps(&self) -> usize {
        self.axes[0].taps * self.axes[1].taps
    }

    /// Pixels of a sample.
    pub fn pixels(&self) -> usize {
        self.axes[0].count * self.axes[1].count
    }

    /// Writes to `table` where the pixels from number `start` on, counted through the samples, read for tap number `tap`; `zeros`
    /// for what is outside of the source.
    #[inline(always)]
    pub fn addresses(&self, start: usize, tap: usize, zeros: *const T, table: &mut [*const T]) {
        let [rows, cols] = &self.axes;
        let (t, u) = (tap / cols.taps, tap % cols.taps);
        let mut table = table;
        for line in lines(start, table.len(), self.axes) {
            let (entries, rest) = std::mem::take(&mut table).split_at_mut(line.count);
            table = rest;
            let Some(row) = rows.source(line.row, t) else {
                entries.fill(zeros);
                continue;
            };
            let first = self.source.wrapping_add((line.sample * rows.source + row) * cols.source * self.stride);
            let mut col = (cols.advance * line.col) as isize + cols.offset + cols.offset_step * u as isize;
            for entry in entries {
                let address = first.wrapping_offset(col * self.stride as isize);
                *entry = if (col as usize) < cols.source { address } else { zeros };
                col += cols.advance as isize;
            }
        }
    }
}

/// Pixels side by side in a row.
pub(super) struct Line {
    pub sample: usize,
    pub row: usize,
    /// The first one.
    pub col: usize,
    pub count: usize,
}

/// The lines of `count` pixels from number `start` on.
pub(super) fn lines(start: usize, count: usize, [rows, cols]: [Axis; 2]) -> impl Iterator<Item = Line> {
    let (mut at, end) = (start, start + count);
    std::iter::from_fn(move || {
        let (line, col) = (at / cols.count, at % cols.count);
        let line =
            Line { sample: line / rows.count, row: line % rows.count, col, count: (cols.count - col).min(end - at) };
        at += line.count;
        (line.count > 0).then_some(line)
    })
}

/// Images with all zeros around them that a convolution reads, so that the elements it reads of a row follow each other.
#[derive(Clone, Copy)]
pub(super) struct Bordered {
    channels: usize,
    /// Of the images as they are, rows and columns.
    from: [usize; 2],
    /// With their borders.
    to: [usize; 2],
    padding: [usize; 2],
}

impl Bordered {
    pub fn of(of: &Convolution) -> Bordered {
        Bordered { channels: of.image_channels, from: of.image, to: of.bordered(), padding: of.padding }
    }

    /// The convolution that reads whole copies: one tap for each row of the kernel, of as many channels as that row has elements.
    pub fn axes(&self, of: &Convolution) -> [Axis; 2] {
        let [rows, cols] = [0, 1].map(|dim| Axis { source: self.to[dim], offset: 0, ..Axis::forward(of, dim) });
        [rows, Axis { taps: 1, ..cols }]
    }

    /// Rows of a copy.
    pub fn rows(&self) -> usize {
        self.to[0]
    }

    /// Elements of a row of a copy.
    pub fn row_len(&self) -> usize {
        self.to[1] * self.channels
    }

    /// Writes the copies of the images `x` to `out`, [samples, rows, row length].
    pub fn copy<T: crate::Real>(&self, x: &[T], out: &mut [T]) {
        let (width, line) = (self.from[1] * self.channels, self.row_len());
        let before = (self.padding[1] * self.channels).min(line);
        let inside = width.min(line - before);
        for (index, out) in out.chunks_exact_mut(line).enumerate() {
            let (sample, row) = (index / self.rows(), index % self.rows());
            match row.checked_sub(self.padding[0]).filter(|&row| row < self.from[0]) {
                None => out.fill(T::ZERO),
                Some(row) => {
                    let from = (sample * self.from[0] + row) * width;
                    out[..before].fill(T::ZERO);
                    out[before..before + inside].copy_from_slice(&x[from..from + inside]);
                    out[before + inside..].fill(T::ZERO);
                }
            }
        }
    }
}

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

/// Pixels of images in order, from any of them on: sample, row and column.
#[derive(Clone, Copy)]
pub(super) struct Pixels {
    pub sample: usize,
    pub row: usize,
    pub col: usize,
    size: [usize; 2],
}

impl Pixels {
    /// From pixel `start` of images of `size` on, which is not empty.
    pub fn from(start: usize, size: [usize; 2]) -> Pixels {
        let (sample, pixel) = (start / (size[0] * size[1]), start % (size[0] * size[1]));
        Pixels { sample, row: pixel / size[1], col: pixel % size[1], size }
    }

    #[inline(always)]
    pub fn advance(&mut self) {
        self.col += 1;
        if self.col == self.size[1] {
            (self.col, self.row) = (0, self.row + 1);
            if self.row == self.size[0] {
                (self.row, self.sample) = (0, self.sample + 1);
            }
        }
    }
}

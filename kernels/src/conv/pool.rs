//! Pooling of images [samples, height, width, channels]: maxima and sums over windows, and the linear maps that are their
//! derivatives.
//!
//! A window's positions are numbered (kh, kw) in ascending order. Those outside of the image are left out: they are no zeros.

use super::Convolution;
use super::axis::Axis;
use crate::once::once;
use crate::{Isa, Kernel, Real, Simd, spin};

/// The extents of a pooling. Pairs are height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// Pixels of an image.
    pub image: [usize; 2],
    /// Pixels of a pooled image.
    pub output: [usize; 2],
    /// Channels of both.
    pub channels: usize,
    /// Pixels of a window; of one whose maximum is taken at most 256.
    pub window: [usize; 2],
    /// Pixels from one window to the next.
    pub stride: [usize; 2],
    /// Rows above and columns to the left of the image that windows reach over.
    pub padding: [usize; 2],
}

impl Pooling {
    fn as_convolution(&self) -> Convolution {
        Convolution {
            image: self.image,
            image_channels: self.channels,
            output: self.output,
            output_channels: self.channels,
            kernel: self.window,
            stride: self.stride,
            padding: self.padding,
        }
    }

    fn image_len(&self) -> usize {
        self.as_convolution().image_len()
    }

    pub(super) fn output_len(&self) -> usize {
        self.as_convolution().output_len()
    }

    /// Rows and columns of the image up to the last that a window reaches.
    pub fn reach(&self) -> [usize; 2] {
        [0, 1].map(|dim| {
            let windows = self.output[dim].saturating_sub(1) * self.stride[dim] + self.window[dim];
            windows.saturating_sub(self.padding[dim]).min(self.image[dim])
        })
    }

    #[track_caller]
    fn check(&self, images: usize, outputs: usize) {
        let least = [self.window, self.stride].into_iter().flatten().min();
        assert!(least > Some(0), "a window and a stride are at least 1, in {self:?}");
        assert!(
            self.as_convolution().images(images, outputs).is_some(),
            "images of {images} and {outputs} elements do not fit {self:?}: they must be samples times {} and {}",
            self.image_len(),
            self.output_len()
        );
    }

    /// The same for maxima, whose positions are bytes.
    #[track_caller]
    pub(super) fn check_maxima(&self, images: usize, outputs: usize, offsets: usize) {
        self.check(images, outputs);
        let positions = self.window[0].saturating_mul(self.window[1]);
        assert!(positions <= 256, "a window of maxima has at most 256 positions, in {self:?}");
        assert_eq!(offsets, outputs, "a position for each maximum");
    }
}

once! {
    /// y = the largest element of each window, and `offsets` which of its positions that is: the first one of several, and the
    /// first NaN where there is one. A window outside of the image gives −∞ and position 0.
    ///
    /// x [n, image, channels], y and offsets [n, output, channels].
    ///
    /// # Panics
    /// When the lengths do not fit, a window or a stride is 0, or a window has more than 256 positions.
    pub fn max_pool<T: Real>(isa: Isa, of: &Pooling, x: &[T], y: &mut [T], offsets: &mut [u8]) {
        of.check_maxima(x.len(), y.len(), offsets.len());
        split(of, [x, &[]], y, &[], offsets, &|[x, _], y, _, offsets| T::dispatch(isa, Max { of, x, y, offsets }));
    }

    /// y = the element of each window at the position in `offsets`, or 0 where that is outside: the derivative of [`max_pool`] in
    /// the direction x, and that of [`max_pool_transposed`] by its first input. Lengths as there.
    pub fn max_pool_at<T: Real>(isa: Isa, of: &Pooling, x: &[T], offsets: &[u8], y: &mut [T]) {
        of.check_maxima(x.len(), y.len(), offsets.len());
        split(of, [x, &[]], y, offsets, &mut [], &|[x, _], y, offsets, _| T::dispatch(isa, At { of, x, y, offsets }));
    }

    /// x = the sum of the elements of `y` that stand at their window's position in `offsets`, positions in ascending order:
    /// the gradient of [`max_pool`] for the gradient y. Every element of x is written.
    pub fn max_pool_transposed<T: Real>(isa: Isa, of: &Pooling, y: &[T], offsets: &[u8], x: &mut [T]) {
        of.check_maxima(x.len(), y.len(), offsets.len());
        split(of, [&[], y], x, offsets, &mut [], &|[_, y], x, offsets, _| {
            T::dispatch(isa, Spread { of, y, x, offsets: Some(offsets), scale: T::ONE });
        });
    }

    /// y = scale · the sum over each window, positions in ascending order.
    pub fn sum_pool<T: Real>(isa: Isa, of: &Pooling, scale: f64, x: &[T], y: &mut [T]) {
        of.check(x.len(), y.len());
        let scale = T::from_f64(scale);
        split(of, [x, &[]], y, &[], &mut [], &|[x, _], y, _, _| T::dispatch(isa, Sums { of, x, y, scale }));
    }

    /// x = scale · the sum of the elements of y whose windows hold it, positions in ascending order: the gradient of
    /// [`sum_pool`]. Every element of x is written.
    pub fn sum_pool_transposed<T: Real>(isa: Isa, of: &Pooling, scale: f64, y: &[T], x: &mut [T]) {
        of.check(x.len(), y.len());
        let scale = T::from_f64(scale);
        split(of, [&[], y], x, &[], &mut [], &|[_, y], x, _, _| {
            T::dispatch(isa, Spread { of, y, x, offsets: None, scale });
        });
    }
}

/// Calls `f` with the samples of images and outputs that `inputs` = [images, outputs] and `out` hold (one of the inputs is empty,
/// `out` stands for it), and with the positions of their maxima that are `read` or `written`, if any; on several threads where
/// there are many samples.
fn split<T: Real>(
    of: &Pooling,
    inputs: [&[T]; 2],
    out: &mut [T],
    read: &[u8],
    written: &mut [u8],
    f: &(impl Fn([&[T]; 2], &mut [T], &[u8], &mut [u8]) + Sync),
) {
    let lengths = [of.image_len(), of.output_len()];
    let samples =
        if inputs[0].is_empty() { inputs[1].len() / lengths[1].max(1) } else { inputs[0].len() / lengths[0].max(1) };
    if samples < 2 || samples * lengths[0] < 2 * crate::elementwise::drive::grain(samples * lengths[0]) {
        return f(inputs, out, read, written);
    }
    let half = samples / 2;
    let [image, output] = lengths.map(|len| half * len);
    let (x, x_later) = inputs[0].split_at(image.min(inputs[0].len()));
    let (y, y_later) = inputs[1].split_at(output.min(inputs[1].len()));
    let (out, out_later) = out.split_at_mut(if inputs[0].is_empty() { image } else { output });
    let (read, read_later) = read.split_at(output.min(read.len()));
    let (written, written_later) = written.split_at_mut(output.min(written.len()));
    spin::join(
        || split(of, [x, y], out, read, written, f),
        || split(of, [x_later, y_later], out_later, read_later, written_later, f),
    );
}

impl Pooling {
    /// Calls `f` for every pixel of the outputs with its number, and with the positions of its window that are inside:
    /// (number, pixel of the images).
    #[inline(always)]
    fn windows(&self, samples: usize, mut f: impl FnMut(usize, &mut dyn Iterator<Item = (usize, usize)>)) {
        let of = self.as_convolution();
        let axes = [0, 1].map(|dim| Axis::forward(&of, dim));
        let mut pixel = 0;
        for sample in 0..samples {
            for i in 0..self.output[0] {
                for j in 0..self.output[1] {
                    let rows = (0..self.window[0]).filter_map(|t| Some((t, axes[0].source(i, t)?)));
                    let mut positions = rows.flat_map(|(t, row)| {
                        let first = (sample * self.image[0] + row) * self.image[1];
                        let cols = (0..self.window[1]).filter_map(move |u| Some((u, axes[1].source(j, u)?)));
                        cols.map(move |(u, col)| (t * self.window[1] + u, first + col))
                    });
                    f(pixel, &mut positions);
                    pixel += 1;
                }
            }
        }
    }
}

struct Max<'a, T> {
    of: &'a Pooling,
    x: &'a [T],
    y: &'a mut [T],
    offsets: &'a mut [u8],
}

impl<T: Real> Kernel<T> for Max<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let channels = self.of.channels;
        self.of.windows(self.y.len() / self.of.output_len().max(1), |pixel, positions| {
            let y = &mut self.y[pixel * channels..][..channels];
            let offsets = &mut self.offsets[pixel * channels..][..channels];
            y.fill(-T::ONE / T::ZERO);
            offsets.fill(0);
            for (nth, (position, from)) in positions.enumerate() {
                let x = &self.x[from * channels..][..channels];
                for ((y, offset), &x) in y.iter_mut().zip(offsets.iter_mut()).zip(x) {
                    // A NaN is no smaller than anything, and stays; the first one is taken even where it is −∞.
                    let takes = (nth == 0) | (!(x <= *y) & T::partial_cmp(y, y).is_some());
                    *y = if takes { x } else { *y };
                    *offset = if takes { position as u8 } else { *offset };
                }
            }
        });
    }
}

struct At<'a, T> {
    of: &'a Pooling,
    x: &'a [T],
    offsets: &'a [u8],
    y: &'a mut [T],
}

impl<T: Real> Kernel<T> for At<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let channels = self.of.channels;
        self.of.windows(self.y.len() / self.of.output_len().max(1), |pixel, positions| {
            let y = &mut self.y[pixel * channels..][..channels];
            let offsets = &self.offsets[pixel * channels..][..channels];
            y.fill(T::ZERO);
            for (position, from) in positions {
                let x = &self.x[from * channels..][..channels];
                for ((y, &offset), &x) in y.iter_mut().zip(offsets).zip(x) {
                    *y = if offset == position as u8 { x } else { *y };
                }
            }
        });
    }
}

struct Sums<'a, T> {
    of: &'a Pooling,
    x: &'a [T],
    y: &'a mut [T],
    scale: T,
}

impl<T: Real> Kernel<T> for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let channels = self.of.channels;
        self.of.windows(self.y.len() / self.of.output_len().max(1), |pixel, positions| {
            let y = &mut self.y[pixel * channels..][..channels];
            y.fill(T::ZERO);
            for (_, from) in positions {
                let x = &self.x[from * channels..][..channels];
                y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
            }
            y.iter_mut().for_each(|y| *y = *y * self.scale);
        });
    }
}

/// Sums of outputs into the pixels of their windows: all of them, or those at the offsets.
struct Spread<'a, T> {
    of: &'a Pooling,
    y: &'a [T],
    offsets: Option<&'a [u8]>,
    x: &'a mut [T],
    scale: T,
}

impl<T: Real> Kernel<T> for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd<T>>(self, _: S) {
        let Spread { of, y, offsets, x, scale } = self;
        let (channels, convolution) = (of.channels, of.as_convolution());
        for sample in 0..x.len() / of.image_len().max(1) {
            for row in 0..of.image[0] {
                let rows = Axis::transposed(&convolution, 0, row % of.stride[0]);
                for col in 0..of.image[1] {
                    let cols = Axis::transposed(&convolution, 1, col % of.stride[1]);
                    let pixel = (sample * of.image[0] + row) * of.image[1] + col;
                    let x = &mut x[pixel * channels..][..channels];
                    // The first window that holds the pixel overwrites it.
                    let mut is_first = true;
                    for t in 0..rows.taps {
                        let Some(i) = rows.source(row / of.stride[0], t) else { continue };
                        for u in 0..cols.taps {
                            let Some(j) = cols.source(col / of.stride[1], u) else { continue };
                            let position = (rows.tap + rows.tap_step * t) * of.window[1] + cols.tap + cols.tap_step * u;
                            let from = ((sample * of.output[0] + i) * of.output[1] + j) * channels;
                            let y = &y[from..][..channels];
                            match (offsets.map(|offsets| &offsets[from..][..channels]), is_first) {
                                (Some(offsets), true) => {
                                    for ((x, &y), &offset) in x.iter_mut().zip(y).zip(offsets) {
                                        *x = if offset == position as u8 { y } else { T::ZERO };
                                    }
                                }
                                (Some(offsets), false) => {
                                    for ((x, &y), &offset) in x.iter_mut().zip(y).zip(offsets) {
                                        *x += if offset == position as u8 { y } else { T::ZERO };
                                    }
                                }
                                (None, true) => x.copy_from_slice(y),
                                (None, false) => x.iter_mut().zip(y).for_each(|(x, &y)| *x += y),
                            }
                            is_first = false;
                        }
                    }
                    if is_first {
                        x.fill(T::ZERO);
                    }
                    if scale != T::ONE {
                        x.iter_mut().for_each(|x| *x = *x * scale);
                    }
                }
            }
        }
    }
}

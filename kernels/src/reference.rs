//! The definitions that the fast code is compared with, bit for bit.

use crate::activation::activate_in_place;
use crate::conv::Convolution;
use crate::gemm::assert_shapes;
use crate::{Accumulate, Epilogue, Isa, MatMut, MatRef, Real};

/// [`crate::gemm`] as three nested loops.
#[track_caller]
pub fn gemm<T: Real>(
    mut out: MatMut<'_, T>,
    accumulate: Accumulate,
    lhs: MatRef<'_, T>,
    rhs: MatRef<'_, T>,
    epilogue: Epilogue<'_, T>,
) {
    assert_shapes(&out, &lhs, &rhs, &epilogue);
    for i in 0..out.rows() {
        for j in 0..out.cols() {
            let mut chain = start(out.get(i, j), accumulate);
            for p in 0..lhs.cols() {
                chain = lhs.get(i, p).mul_add(rhs.get(p, j), chain);
            }
            out.set(i, j, finished(chain, &epilogue, j));
        }
    }
}

/// [`crate::conv::convolve`] as six nested loops around a pixel and a channel.
pub fn convolve<T: Real>(
    of: &Convolution,
    x: &[T],
    weight: &[T],
    epilogue: Epilogue<'_, T>,
    y: &mut [T],
    accumulate: Accumulate,
) {
    let samples = of.samples(x.len(), weight.len(), y.len());
    let [reads, writes] = [of.image_channels, of.output_channels];
    for (n, i, j) in pixels(samples, of.output) {
        for o in 0..writes {
            let element = &mut y[((n * of.output[0] + i) * of.output[1] + j) * writes + o];
            let mut chain = start(*element, accumulate);
            for kh in 0..of.kernel[0] {
                for kw in 0..of.kernel[1] {
                    let inside = of.image_pixel([i, j], [kh, kw]);
                    for c in 0..reads {
                        let at = |[h, w]: [usize; 2]| x[((n * of.image[0] + h) * of.image[1] + w) * reads + c];
                        let w = weight[((kh * of.kernel[1] + kw) * reads + c) * writes + o];
                        chain = inside.map_or(T::ZERO, at).mul_add(w, chain);
                    }
                }
            }
            *element = finished(chain, &epilogue, o);
        }
    }
}

/// [`crate::conv::convolve_transposed`] as six nested loops around a pixel and a channel.
pub fn convolve_transposed<T: Real>(
    of: &Convolution,
    y: &[T],
    weight: &[T],
    epilogue: Epilogue<'_, T>,
    x: &mut [T],
    accumulate: Accumulate,
) {
    let samples = of.samples(x.len(), weight.len(), y.len());
    let [reads, writes] = [of.image_channels, of.output_channels];
    for (n, h, w) in pixels(samples, of.image) {
        for c in 0..reads {
            let element = &mut x[((n * of.image[0] + h) * of.image[1] + w) * reads + c];
            let mut chain = start(*element, accumulate);
            for kh in 0..of.kernel[0] {
                for kw in 0..of.kernel[1] {
                    let [i, j] = [h + of.padding[0], w + of.padding[1]];
                    // (i − kh) / stride, where that is a whole number, be it outside of the output.
                    let meets = |i: usize, k: usize, stride: usize| i % stride == k % stride;
                    if !meets(i, kh, of.stride[0]) || !meets(j, kw, of.stride[1]) {
                        continue;
                    }
                    let position = |i: usize, k: usize, dim: usize| {
                        Some(i.checked_sub(k)? / of.stride[dim]).filter(|&i| i < of.output[dim])
                    };
                    let inside = position(i, kh, 0).zip(position(j, kw, 1));
                    for o in 0..writes {
                        let at = |(i, j)| y[((n * of.output[0] + i) * of.output[1] + j) * writes + o];
                        let w = weight[((kh * of.kernel[1] + kw) * reads + c) * writes + o];
                        chain = inside.map_or(T::ZERO, at).mul_add(w, chain);
                    }
                }
            }
            *element = finished(chain, &epilogue, c);
        }
    }
}

/// [`crate::conv::weight_gradient`] as three nested loops around an element of the kernel.
pub fn weight_gradient<T: Real>(of: &Convolution, x: &[T], y: &[T], weight: &mut [T], accumulate: Accumulate) {
    let samples = of.samples(x.len(), weight.len(), y.len());
    let [reads, writes] = [of.image_channels, of.output_channels];
    for (index, element) in weight.iter_mut().enumerate() {
        let (tap, c, o) = (index / writes / reads, index / writes % reads, index % writes);
        let mut chain = start(*element, accumulate);
        for (n, i, j) in pixels(samples, of.output) {
            let inside = of.image_pixel([i, j], [tap / of.kernel[1], tap % of.kernel[1]]);
            let at = |[h, w]: [usize; 2]| x[((n * of.image[0] + h) * of.image[1] + w) * reads + c];
            let y = y[((n * of.output[0] + i) * of.output[1] + j) * writes + o];
            chain = inside.map_or(T::ZERO, at).mul_add(y, chain);
        }
        *element = chain;
    }
}

/// Samples, rows and columns in ascending order.
fn pixels(samples: usize, [rows, cols]: [usize; 2]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..samples).flat_map(move |n| (0..rows).flat_map(move |i| (0..cols).map(move |j| (n, i, j))))
}

impl Convolution {
    /// The pixel of the image that pixel `at` of the output reads through the kernel's element `tap`, if it is inside.
    fn image_pixel(&self, at: [usize; 2], tap: [usize; 2]) -> Option<[usize; 2]> {
        let inside = |dim: usize| {
            let position = (self.stride[dim] * at[dim] + tap[dim]).checked_sub(self.padding[dim]);
            position.filter(|&position| position < self.image[dim])
        };
        Some([inside(0)?, inside(1)?])
    }
}

fn start<T: Real>(old: T, accumulate: Accumulate) -> T {
    if accumulate == Accumulate::Add { old } else { T::ZERO }
}

fn finished<T: Real>(chain: T, epilogue: &Epilogue<'_, T>, channel: usize) -> T {
    let mut element = [epilogue.bias.map_or(chain, |bias| chain + bias[channel])];
    activate_in_place(Isa::SCALAR, epilogue.activation, &mut element);
    element[0]
}

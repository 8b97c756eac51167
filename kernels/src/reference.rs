//! The definitions that the fast code is compared with, bit for bit.

use std::ops::Range;

use crate::activation::activate_in_place;
use crate::conv::Convolution;
use crate::gemm::assert_shapes;
use crate::simd::Scalar;
use crate::tsne::{Affinities, SCALE, scaled_reciprocal};
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

/// [`crate::tsne::Repulsion::compute`] in blocks of `block` points, pair by pair: the forces, x and y, and Σ q.
pub fn repulsion([x, y]: [&[f32]; 2], block: usize) -> ([Vec<f32>; 2], f64) {
    let of = |i: usize, j: usize| {
        let (dx, dy) = (x[i] - x[j], y[i] - y[j]);
        let q = scaled_reciprocal(Scalar, dy.mul_add(dy, dx.mul_add(dx, 1.0)));
        (q, q * q, [dx, dy])
    };
    let blocks: Vec<Range<usize>> =
        (0..x.len()).step_by(block).map(|start| start..x.len().min(start + block)).collect();
    let mut total = 0.0;
    for (a, rows) in blocks.iter().enumerate() {
        for (b, columns) in blocks.iter().enumerate().skip(a) {
            let mut pair = 0.0;
            // Blocks of columns: sums of q are handed on after each, but not within a block of points.
            let step = if a == b { block } else { 128 };
            for start in columns.clone().step_by(step) {
                for i in rows.clone() {
                    let columns = (start..columns.end.min(start + step)).filter(|&j| j != i);
                    pair += f64::from(columns.fold(0.0f32, |sum, j| sum + of(i, j).0));
                }
            }
            total += if a == b { pair } else { 2.0 * pair };
        }
    }
    let force = |i: usize, axis: usize| {
        let mut sum = 0.0;
        for others in &blocks {
            sum += f64::from(if others.start > i || others.contains(&i) {
                let chain = |sum, j| if j == i { sum } else { of(i, j).1.mul_add(of(i, j).2[axis], sum) };
                others.clone().fold(0.0f32, chain)
            } else {
                let mut lanes = [0.0f32; 16];
                others.clone().for_each(|j| lanes[j % 16] = (-of(j, i).1).mul_add(of(j, i).2[axis], lanes[j % 16]));
                for half in [8, 4, 2, 1] {
                    (0..half).for_each(|lane| lanes[lane] += lanes[lane + half]);
                }
                lanes[0]
            });
        }
        (sum / (SCALE * SCALE)) as f32
    };
    ([0, 1].map(|axis| (0..x.len()).map(|i| force(i, axis)).collect()), total / SCALE)
}

/// [`crate::tsne::attraction`], x and y.
pub fn attraction(of: Affinities<'_>, [x, y]: [&[f32]; 2]) -> [Vec<f32>; 2] {
    let force = |i: usize, axis: usize| {
        let mut lanes = [0.0f32; 4];
        for (k, at) in (of.starts[i]..of.starts[i + 1]).enumerate() {
            let j = of.columns[at] as usize;
            let d = [x[i] - x[j], y[i] - y[j]];
            let weight = of.values[at] / d[1].mul_add(d[1], d[0].mul_add(d[0], 1.0));
            lanes[k % 4] = weight.mul_add(d[axis], lanes[k % 4]);
        }
        (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
    };
    [0, 1].map(|axis| (0..x.len()).map(|i| force(i, axis)).collect())
}

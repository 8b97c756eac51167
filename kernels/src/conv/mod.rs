//! Convolutions of images, as matrix products that read the images in place.
//!
//! Images are [samples, height, width, channels], the last contiguous. Weights are [kernel height, kernel width, channels read,
//! channels written]. With stride s and padding p, and with x zero outside of the image,
//!
//! ```text
//! y[n, i, j, o] = Σ over (kh, kw, c) of x[n, s·i + kh − p, s·j + kw − p, c] · w[kh, kw, c, o]
//! ```
//!
//! which is a correlation: what frameworks call a convolution (Goodfellow, Bengio and Courville, Deep Learning, equation 9.6).
//! An element of a result is one chain of fused multiply-adds, from zero or from the old element, over:
//!
//! * [`convolve`]: (kh, kw, c) ascending; positions outside of the image enter as zeros;
//! * [`convolve_transposed`], the derivative by x: the (kh, kw) ascending that divide by the stride, and o; positions outside of y
//!   enter as zeros;
//! * [`weight_gradient`], the derivative by w: (n, i, j) ascending; positions outside of x enter as zeros.
//!
//! No patches are copied: a table gives for every row of a tile and every step the address of a contiguous run of channels,
//! which outside of the image is a run of zeros. Weights are packed; images of few channels are copied with a border of zeros, so
//! that a row of the kernel is one run. Where few channels are written, what a few rows read is copied channel by channel, so that
//! a vector holds pixels.

mod axis;
mod gather;
mod planar;
pub mod pool;
mod pooled;
mod strips;
mod tile;
mod weights;

use crate::activation::activate_in_place;
use crate::elementwise::broadcast_row;
use crate::gemm::tile::TileShape;
use crate::once::once;
use crate::{Accumulate, Activation, Epilogue, Isa, Real};
use axis::Axis;
use gather::Gather;
use pool::Pooling;
use weights::WeightGradient;

/// Elements of images or weights at most: a vector for each, of 64 bytes, still has an address.
const MOST_ELEMENTS: usize = isize::MAX as usize / 64;

/// The extents of a convolution. Pairs are height and width.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convolution {
    /// Pixels of an image that it reads.
    pub image: [usize; 2],
    /// Channels of such a pixel.
    pub image_channels: usize,
    /// Pixels of an image that it writes.
    pub output: [usize; 2],
    /// Channels of such a pixel.
    pub output_channels: usize,
    /// Pixels of the kernel.
    pub kernel: [usize; 2],
    /// Pixels of the image from one pixel of the output to the next.
    pub stride: [usize; 2],
    /// Rows above and columns to the left of the image that count as zeros. Below and to the right there are as many as the
    /// output asks for.
    pub padding: [usize; 2],
}

impl Convolution {
    /// Elements of the weights.
    ///
    /// # Panics
    /// When no memory has room for them.
    pub fn weights(&self) -> usize {
        self.product(&[self.kernel[0], self.kernel[1], self.image_channels, self.output_channels])
    }

    /// Elements of an image that it reads.
    ///
    /// # Panics
    /// When no memory has room for them.
    pub fn image_len(&self) -> usize {
        self.product(&[self.image[0], self.image[1], self.image_channels])
    }

    /// Elements of an image that it writes.
    ///
    /// # Panics
    /// When no memory has room for them.
    pub fn output_len(&self) -> usize {
        self.product(&[self.output[0], self.output[1], self.output_channels])
    }

    /// Rows and columns of an image with its border, as far as the kernel reaches.
    fn bordered(&self) -> [usize; 2] {
        [0, 1].map(|dim| self.product(&[self.output[dim].max(1) - 1, self.stride[dim]]) + self.kernel[dim])
    }

    #[track_caller]
    fn product(&self, extents: &[usize]) -> usize {
        let product = extents.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
        product
            .filter(|&product| product <= MOST_ELEMENTS)
            .unwrap_or_else(|| panic!("no memory has room for {extents:?} elements, in {self:?}"))
    }

    /// The number of images, when there are as many outputs.
    fn images(&self, image: usize, output: usize) -> Option<usize> {
        let [reads, writes] = [self.image_len(), self.output_len()];
        let samples = image.checked_div(reads).unwrap_or_else(|| output / writes.max(1));
        (samples.checked_mul(reads) == Some(image) && samples.checked_mul(writes) == Some(output)).then_some(samples)
    }

    /// The number of images, when all three have the lengths they must have.
    #[track_caller]
    pub(crate) fn samples(&self, image: usize, weights: usize, output: usize) -> usize {
        let least = [self.kernel, self.stride, [self.image_channels, self.output_channels]].into_iter().flatten().min();
        assert!(least > Some(0), "a kernel, a stride and channels are at least 1, in {self:?}");
        let samples = self.images(image, output).filter(|_| weights == self.weights()).unwrap_or_else(|| {
            panic!(
                "images of {image} elements, weights of {weights} and outputs of {output} do not fit {self:?}: they must be \
                 samples times {}, {}, and samples times {}",
                self.image_len(),
                self.weights(),
                self.output_len()
            )
        });
        // Copies of images with their borders take so much.
        let [rows, cols] = self.bordered();
        self.product(&[samples, rows, cols, self.image_channels]);
        samples
    }
}

once! {
    /// y (+)= activation(x ∗ w + bias): x [n, image, image channels], w [kernel, image channels, output channels], bias
    /// [output channels], y [n, output, output channels]; see the module for the order of the sums.
    ///
    /// # Panics
    /// When the lengths do not fit, or a kernel, a stride or channels are 0.
    pub fn convolve<T: Real>(
        isa: Isa,
        of: &Convolution,
        x: &[T],
        weight: &[T],
        epilogue: Epilogue<'_, T>,
        y: &mut [T],
        accumulate: Accumulate,
    ) {
        let samples = of.samples(x.len(), weight.len(), y.len());
        let gather = Gather::forward(of, samples, x, weight);
        if planar::suits(TileShape::of::<T>(isa).lanes, of.output_channels, gather.grid.axes) {
            planar::run(isa, gather.into(&epilogue, y, accumulate), 1, &|_| gather.grid.axes);
        } else {
            Gather::bordered(of, samples, x, weight, |gather| gather.into(&epilogue, y, accumulate).run(isa));
        }
        finish(isa, epilogue.activation, y);
    }

    /// y = activation(the largest element of each window of x ∗ w, + bias), and `offsets` which of its positions that is, as
    /// [`max_pool`](pool::max_pool) gives them. The elements of x ∗ w are kept a few rows at a time.
    ///
    /// x [n, image, image channels], w [kernel, image channels, output channels], bias [output channels], y and offsets
    /// [n, pooled output, output channels].
    ///
    /// # Panics
    /// When the lengths do not fit, the image of the pooling is not the output of the convolution, a window has more than 256
    /// positions, or a kernel, a window, a stride or channels are 0.
    #[allow(clippy::too_many_arguments)]
    pub fn convolve_max_pool<T: Real>(
        isa: Isa,
        of: &Convolution,
        pool: &Pooling,
        x: &[T],
        weight: &[T],
        epilogue: Epilogue<'_, T>,
        y: &mut [T],
        offsets: &mut [u8],
    ) {
        pooled::compute(isa, of, pool, x, weight, y, offsets, &|y: &mut [T]| {
            if let Some(bias) = epilogue.bias {
                assert_eq!(bias.len(), of.output_channels, "a bias for each channel");
                broadcast_row(isa, bias, y, Accumulate::Add);
            }
            activate_in_place(isa, epilogue.activation, y);
        });
    }

    /// x (+)= activation(transposed convolution of y with w + bias): the derivative of [`convolve`] by its images, and the
    /// layer of that name. y [n, output, output channels], w [kernel, image channels, output channels], bias [image channels],
    /// x [n, image, image channels].
    ///
    /// # Panics
    /// When the lengths do not fit, or a kernel, a stride or channels are 0.
    pub fn convolve_transposed<T: Real>(
        isa: Isa,
        of: &Convolution,
        y: &[T],
        weight: &[T],
        epilogue: Epilogue<'_, T>,
        x: &mut [T],
        accumulate: Accumulate,
    ) {
        let samples = of.samples(x.len(), weight.len(), y.len());
        let phases = of.stride[0] * of.stride[1];
        let axes = |phase: usize| {
            [Axis::transposed(of, 0, phase / of.stride[1]), Axis::transposed(of, 1, phase % of.stride[1])]
        };
        let gather = Gather::transposed(of, samples, axes(0), y, weight).into(&epilogue, x, accumulate);
        if planar::suits(TileShape::of::<T>(isa).lanes, of.image_channels, axes(0)) {
            planar::run(isa, gather, phases, &axes);
        } else {
            gather.run_phases(isa, phases, &axes);
        }
        finish(isa, epilogue.activation, x);
    }

    /// w (+)= the derivative of Σ y ∘ (x ∗ w) by w: x [n, image, image channels], y [n, output, output channels],
    /// w [kernel, image channels, output channels].
    ///
    /// # Panics
    /// When the lengths do not fit, or a kernel, a stride or channels are 0.
    pub fn weight_gradient<T: Real>(
        isa: Isa,
        of: &Convolution,
        x: &[T],
        y: &[T],
        weight: &mut [T],
        accumulate: Accumulate,
    ) {
        WeightGradient::compute(isa, of, x, y, weight, accumulate);
    }
}

/// Applies the activations that tiles leave out.
fn finish<T: Real>(isa: Isa, activation: Activation, out: &mut [T]) {
    if !activation.is_piecewise_linear() {
        activate_in_place(isa, activation, out);
    }
}

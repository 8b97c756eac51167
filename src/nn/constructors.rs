//! Layers in a few words, with the usual settings.

use super::layer::{Layer, Units};
use super::window::{Dims, Padding};
use super::{Activation, BatchNorm};

/// A dense layer: `dense(256, Activation::Relu)`.
pub fn dense(units: impl Into<Units>, activation: Activation) -> Layer {
    Layer::Dense { units: units.into(), activation }
}

/// A dropout layer with this probability of zero, in [0, 1).
pub fn dropout(rate: f64) -> Layer {
    Layer::Dropout { rate, by_channel: false }
}

/// A convolution with a square kernel, stride 1 and padding that keeps the size: `conv(64, 3, Activation::Relu)`.
pub fn conv(filters: usize, kernel: usize, activation: Activation) -> Layer {
    Layer::Conv { filters, kernel, stride: 1, padding: Padding::Same, activation }
}

/// A transposed convolution that makes images `stride` times as large.
pub fn conv_transpose(filters: usize, kernel: usize, stride: usize, activation: Activation) -> Layer {
    Layer::ConvTranspose { filters, kernel, stride, padding: Padding::Same, output_padding: 0, activation }
}

/// The largest value of each window, `window` pixels high and wide (at most 16), windows side by side.
pub fn max_pool(window: usize) -> Layer {
    Layer::MaxPool { window, stride: None, padding: Padding::Valid }
}

/// A border of zeros of this width.
pub fn zero_pad(pixels: usize) -> Layer {
    Layer::ZeroPad { pixels }
}

/// Each channel normalised over the batch, then the activation.
pub fn batch_norm(edition: BatchNorm, activation: Activation) -> Layer {
    Layer::BatchNorm { edition, activation }
}

/// The same values in another shape, [height, width, channels] or fewer dimensions.
///
/// # Panics
/// Unless there are one to three dimensions.
pub fn reshape(dims: &[usize]) -> Layer {
    Layer::Reshape { dims: Dims::new(dims) }
}

/// A layer that adds normal noise of this standard deviation.
pub fn noise(std: f64) -> Layer {
    Layer::Noise { std }
}

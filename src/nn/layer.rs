//! One layer: what it is, and what it becomes at its place in a model.

use narrows_kernels::Real;
use narrows_kernels::conv::Convolution;
use narrows_kernels::conv::pool::Pooling;

use super::batch_norm::{self as norm, BatchNorm};
use super::error::ModelError;
use super::init::init_tensors;
use super::window::{Dims, MOST_PIXELS, Padding, Place};
use super::{Activation, Init, Layout, Param, Pass};
use crate::rng::{Purpose, stream};
use crate::settings::{About, Counts, Length, Range, Setting, Visitor, at_least, settings};
use crate::tape::{Shape, Tape, Var};

/// Layers of an encoder or a decoder at most: deeper than any network of these layers can be trained.
pub const MOST_LAYERS: usize = 256;

/// Values of a sample between two layers at most.
const MOST_VALUES: usize = 1 << 31;

/// Values of a matrix or a kernel at most.
const MOST_WEIGHTS: usize = 1 << 40;

/// The most that a window of maxima may be high or wide: their positions are bytes.
const MOST_WINDOW: usize = 16;

const PIXELS: Counts = Counts { noun: "pixels", ..Counts::new(1, MOST_PIXELS as u64) };
const FILTERS: Counts = Counts { noun: "a number of filters", ..Counts::new(1, 1 << 16) };
const DIMS: Length = Length { least: 1, most: 3, accepted: "one to three dimensions, such as [3, 3, 256]" };

settings! {
    /// What a layer is, wherever it stands.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Layer tagged {
        /// Images become rows of values.
        Flatten = "flatten",
        /// The mean of each channel over all pixels.
        GlobalAverage = "global-average",
        /// y = activation(x·W + b): every output depends on every input. Takes samples of any shape as rows of values.
        Dense = "dense" {
            /// The number of outputs; "input" is as many as the data has values.
            units("dense"): Units = Units::Input;
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// A convolution of images [height, width, channels], activation(x ∗ W + b), with a square kernel.
        Conv = "conv" {
            /// The number of filters: channels of the output.
            filters("conv"): usize = 1, in FILTERS;
            /// Height and width of the kernel in pixels.
            kernel: usize = 3, in PIXELS;
            /// Pixels from one position of the kernel to the next.
            stride: usize = 1, in PIXELS;
            /// What is assumed around the image.
            padding: Padding = Padding::Same;
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// A transposed convolution, the derivative of a convolution by its images, with bias and activation: with a stride it
        /// makes images larger.
        ConvTranspose = "conv-transpose" {
            /// The number of filters: channels of the output.
            filters("conv-transpose"): usize = 1, in FILTERS;
            /// Height and width of the kernel in pixels.
            kernel: usize = 3, in PIXELS;
            /// Pixels of the output for a pixel of the input.
            stride: usize = 1, in PIXELS;
            /// What the convolution in the other direction assumes around the output.
            padding: Padding = Padding::Same;
            /// Rows and columns more, below and to the right.
            output_padding: usize = 0, in Counts::new(0, MOST_PIXELS as u64);
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// The largest value of each window.
        MaxPool = "max-pool" {
            /// Height and width of the window in pixels.
            window("max-pool"): usize = 2, in Counts { noun: "pixels", ..Counts::new(1, MOST_WINDOW as u64) };
            /// Pixels from one window to the next; the window's own where absent.
            stride: Option<usize> = None, in PIXELS;
            /// How far windows reach over the edges; what is outside never is the largest.
            padding: Padding = Padding::Valid;
        },
        /// The mean of each window; windows stay inside of the image.
        AveragePool = "average-pool" {
            /// Height and width of the window in pixels.
            window("average-pool"): usize = 2, in PIXELS;
            /// Pixels from one window to the next; the window's own where absent.
            stride: Option<usize> = None, in PIXELS;
        },
        /// Each pixel is repeated in a square block.
        Upsample = "upsample" {
            /// Height and width of the block.
            factor("upsample"): usize = 2, in PIXELS;
        },
        /// A border of zeros.
        ZeroPad = "zero-pad" {
            /// Its width on each of the four sides, in pixels.
            pixels("zero-pad"): usize = 1, in PIXELS;
        },
        /// The same values in another shape.
        Reshape = "reshape" {
            /// The shape: [height, width, channels], or fewer dimensions.
            dims("reshape"): Dims = Dims::default(), in (DIMS, at_least(1));
        },
        /// Each channel normalised to mean 0 and variance 1 over the batch, then scaled and shifted by parameters.
        BatchNorm = "batch-norm" {
            /// Whose definition: what is added to the variance, and how running statistics move.
            edition("batch-norm"): BatchNorm = BatchNorm::Keras;
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// Inverted dropout, while training only: each value is zero with this probability, the others are divided by 1 − rate.
        Dropout = "dropout" {
            /// The probability of zero while training.
            rate("dropout"): f64 = 0.0, in Range::BELOW_ONE;
            /// Whether all pixels of a channel are dropped together.
            by_channel: bool = false;
        },
        /// Additive normal noise, while training only.
        Noise = "noise" {
            /// Standard deviation of the normal noise that is added while training.
            std("noise"): f64 = 0.0, in Range::NOT_NEGATIVE;
        },
    }
}

/// How many outputs a dense layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// So many, 1 to 1,048,576.
    Count(usize),
    /// As many as the data has values.
    Input,
}

impl From<usize> for Units {
    fn from(count: usize) -> Self {
        Units::Count(count)
    }
}

impl Setting for Units {
    type Form = ();

    fn show(&mut self, about: &About, (): (), visitor: &mut dyn Visitor) {
        let form = Counts { noun: "a number of units", word: Some(("input", 0)), ..Counts::new(1, 1 << 20) };
        let mut count = match *self {
            Units::Count(count) => count as u64,
            Units::Input => 0,
        };
        visitor.count(about, &mut count, form);
        *self = if count == 0 { Units::Input } else { Units::Count(count as usize) };
    }
}

/// A layer at its place in a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What it is.
    pub layer: Layer,
    /// The number that its scope on a tape and its random streams carry.
    pub number: u32,
    /// Its tensors: W [in, out] and b [1, out] of a dense layer; W [kernel, kernel, image channels, output channels] of the
    /// convolution that it is or transposes, and b [1, filters]; weight γ, bias β, running mean and running variance of a batch
    /// normalisation, [1, channels] each.
    pub params: Vec<Param>,
    /// The shape of a sample that it gives.
    pub output: Shape,
    /// How its windows lie on the images.
    pub windows: Windows,
}

/// How the windows of a layer lie on images.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Windows {
    /// It has none.
    None,
    /// Those of the convolution that it is or transposes.
    Convolution(Convolution),
    /// Those of a pool, or of what is written as one.
    Pooling(Pooling),
}

/// The tensors of a dense layer and its activation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense<'a> {
    /// W [in, out].
    pub weight: &'a Param,
    /// b [1, out].
    pub bias: &'a Param,
    /// Applied to each output.
    pub activation: Activation,
}

impl Layer {
    /// What is accepted as a layer, by example.
    pub const ACCEPTED: &'static str = "one layer, such as { dense = 256, activation = \"relu\" }, { conv = 64, kernel = 3 }, \
        { max-pool = 2 } or { dropout = 0.2 }";

    /// What is applied to each output, where it is a layer with weights.
    pub fn activation(&self) -> Option<Activation> {
        match *self {
            Layer::Dense { activation, .. }
            | Layer::Conv { activation, .. }
            | Layer::ConvTranspose { activation, .. } => Some(activation),
            _ => None,
        }
    }

    /// What is applied to each output, where there is anything: also by a batch normalisation, whose weights are no matrix.
    pub fn applied(&self) -> Option<Activation> {
        match *self {
            Layer::BatchNorm { activation, .. } => {
                Some(activation).filter(|&activation| activation != Activation::Linear)
            }
            _ => self.activation(),
        }
    }

    /// Whether it takes samples of shape [height, width, channels] alone.
    pub fn reads_images(&self) -> bool {
        match self {
            Layer::Dense { .. }
            | Layer::Flatten
            | Layer::Reshape { .. }
            | Layer::Noise { .. }
            | Layer::BatchNorm { .. } => false,
            Layer::Dropout { by_channel, .. } => *by_channel,
            Layer::Conv { .. }
            | Layer::ConvTranspose { .. }
            | Layer::MaxPool { .. }
            | Layer::AveragePool { .. }
            | Layer::GlobalAverage
            | Layer::Upsample { .. }
            | Layer::ZeroPad { .. } => true,
        }
    }

    /// What a summary says of it beside its kind: kernel, stride and activation, the rate, the standard deviation.
    pub fn detail(&self) -> String {
        match self {
            Layer::Dense { activation, .. } => activation.to_string(),
            Layer::Conv { kernel, stride, padding, activation, .. }
            | Layer::ConvTranspose { kernel, stride, padding, activation, .. } => {
                let stride = if *stride > 1 { format!(" /{stride}") } else { String::new() };
                format!("{kernel}×{kernel}{stride} {}, {activation}", padding.word())
            }
            Layer::MaxPool { window, .. } | Layer::AveragePool { window, .. } => format!("{window}×{window}"),
            Layer::Upsample { factor } => format!("{factor}×{factor}"),
            Layer::ZeroPad { pixels } => pixels.to_string(),
            Layer::Reshape { dims } => dims.shape().to_string(),
            Layer::Dropout { rate: number, .. } | Layer::Noise { std: number } => number.to_string(),
            Layer::BatchNorm { edition, activation: Activation::Linear } => edition.name().to_owned(),
            Layer::BatchNorm { edition, activation } => format!("{}, {activation}", edition.name()),
            Layer::Flatten | Layer::GlobalAverage => String::new(),
        }
    }

    /// Places the layer behind samples of shape `input`: its tensors are appended to `layout` under `name`.
    pub(super) fn place(
        &self,
        name: &str,
        number: u32,
        input: Shape,
        layout: &mut Layout,
    ) -> Result<Placed, ModelError> {
        let place = Place { name, kind: self.name(), input };
        let mut weights = |shape: Shape, outputs: usize| -> Result<Vec<Param>, ModelError> {
            place.at_most(MOST_WEIGHTS, "weight", shape)?;
            Ok(vec![layout.param(format!("{name}.weight"), shape), layout.param(format!("{name}.bias"), [1, outputs])])
        };
        let mut windows = Windows::None;
        let mut pooled = |of: Pooling, size: [usize; 2]| {
            windows = Windows::Pooling(of);
            (Vec::new(), Shape::from([size[0], size[1], of.channels]))
        };
        let (params, output) = match *self {
            Layer::Dense { units, .. } => {
                let outputs = match units {
                    Units::Count(count) => count,
                    Units::Input => input.len(),
                };
                (weights([input.len(), outputs].into(), outputs)?, Shape::from([outputs]))
            }
            Layer::Conv { filters, kernel, stride, padding, .. } => {
                let of = place.convolution(filters, kernel, stride, padding)?;
                windows = Windows::Convolution(of);
                let params = weights([kernel, kernel, of.image_channels, filters].into(), filters)?;
                (params, Shape::from([of.output[0], of.output[1], filters]))
            }
            Layer::ConvTranspose { filters, kernel, stride, padding, output_padding, .. } => {
                let of = place.transposed(filters, kernel, stride, padding, output_padding)?;
                windows = Windows::Convolution(of);
                let params = weights([kernel, kernel, filters, of.output_channels].into(), filters)?;
                (params, Shape::from([of.image[0], of.image[1], filters]))
            }
            Layer::MaxPool { window, .. } if window > MOST_WINDOW => {
                return Err(place.refuse(format!("windows at most {MOST_WINDOW} pixels high and wide")));
            }
            Layer::MaxPool { window, stride, padding } => {
                let of = place.pooling(window, stride.unwrap_or(window), padding)?;
                pooled(of, of.output)
            }
            Layer::AveragePool { window, stride } => {
                let of = place.pooling(window, stride.unwrap_or(window), Padding::Valid)?;
                pooled(of, of.output)
            }
            Layer::GlobalAverage => {
                let [height, width, channels] = place.image()?;
                let (image, stride, padding) = ([height, width], [1; 2], [0; 2]);
                let of = Pooling { image, output: [1; 2], channels, window: image, stride, padding };
                let (params, _) = pooled(of, of.output);
                (params, Shape::from([channels]))
            }
            Layer::Upsample { factor } => {
                let of = place.blocks(factor)?;
                pooled(of, of.image)
            }
            Layer::ZeroPad { pixels } => {
                let of = place.border(pixels)?;
                pooled(of, of.output)
            }
            Layer::Reshape { dims } => {
                if dims.shape().len() != input.len() {
                    let accepted = format!("samples of {} values, to make them {}", dims.shape().len(), dims.shape());
                    return Err(place.refuse(accepted));
                }
                (Vec::new(), dims.shape())
            }
            Layer::Flatten => (Vec::new(), Shape::from([input.len()])),
            Layer::BatchNorm { .. } => (norm::lay_out(name, input.cols(), layout), input),
            Layer::Dropout { by_channel: true, .. } => {
                place.image()?;
                (Vec::new(), input)
            }
            Layer::Dropout { .. } | Layer::Noise { .. } => (Vec::new(), input),
        };
        place.at_most(MOST_VALUES, "output", output)?;
        Ok(Placed { layer: *self, number, params, output, windows })
    }
}

impl Placed {
    /// Its tensors, if it is a dense layer.
    pub fn dense(&self) -> Option<Dense<'_>> {
        match (&self.layer, &self.params[..]) {
            (Layer::Dense { activation, .. }, [weight, bias]) => Some(Dense { weight, bias, activation: *activation }),
            _ => None,
        }
    }

    /// Its matrix or kernel, if it has one.
    pub fn weight(&self) -> Option<&Param> {
        self.params.first().filter(|_| self.layer.activation().is_some())
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// Multiplications and additions of a sample: those of its matrix, or of its kernel for every pixel.
    pub fn multiply_adds(&self) -> usize {
        match self.windows {
            Windows::Convolution(of) => of.weights() * of.output[0] * of.output[1],
            _ => self.weight().map_or(0, Param::len),
        }
    }

    /// Writes fresh parameters into the flat buffer, drawn from a stream of its own.
    pub(super) fn init<T: Real>(&self, init: Init, seed: u64, flat: &mut [T]) {
        match &self.params[..] {
            [weight, bias] => init_layer(init, seed, self.number, weight, bias, flat),
            params => norm::init(params, flat),
        }
    }

    /// The windows of `pool`, where it takes the maxima of what this convolution gives and the activation is linear on either side
    /// of zero: then the two may be computed in one, see [`Placed::record_pooled`].
    pub(super) fn pooled_by(&self, pool: &Placed) -> Option<Pooling> {
        match (&self.layer, &pool.layer, pool.windows) {
            (Layer::Conv { activation, .. }, Layer::MaxPool { .. }, Windows::Pooling(of)) => {
                activation.is_piecewise_linear().then_some(of)
            }
            _ => None,
        }
    }

    /// Applies the convolution and the maximum pooling `pool` of it to x in one, so that what is not a maximum never leaves the
    /// cache.
    pub(super) fn record_pooled<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pool: &Placed, of: Pooling) -> Var {
        let Windows::Convolution(convolution) = self.windows else { unreachable!("a convolution has its windows") };
        tape.set_scope(pool.number);
        let (samples, [height, width]) = (tape.shape(x).samples(), convolution.image);
        let x = tape.reshape(x, [samples, height, width, convolution.image_channels]);
        let (weight, bias) = (self.params[0].on(tape), self.params[1].on(tape));
        let activation = self.layer.activation().unwrap_or(Activation::Linear);
        tape.convolve_max_pool([x, weight, bias], convolution, of, activation)
    }

    /// Applies the layer to x [batch, …]. With `is_linear` a dense layer or a convolution leaves its activation out.
    pub(super) fn record<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass, is_linear: bool) -> Var {
        tape.set_scope(self.number);
        let samples = tape.shape(x).samples();
        let activation = self.layer.activation().filter(|_| !is_linear).unwrap_or(Activation::Linear);
        match (&self.layer, self.windows, pass) {
            (Layer::Dense { .. }, ..) => {
                let x = rows(tape, x);
                let (weight, bias) = (self.params[0].on(tape), self.params[1].on(tape));
                tape.dense(x, weight, bias, activation)
            }
            (layer, Windows::Convolution(of), _) => {
                let (weight, bias) = (self.params[0].on(tape), self.params[1].on(tape));
                if let Layer::ConvTranspose { .. } = layer {
                    let x = tape.reshape(x, [samples, of.output[0], of.output[1], of.output_channels]);
                    tape.convolve_transposed(x, weight, bias, of, activation)
                } else {
                    let x = tape.reshape(x, [samples, of.image[0], of.image[1], of.image_channels]);
                    tape.convolve(x, weight, bias, of, activation)
                }
            }
            (Layer::Upsample { .. }, Windows::Pooling(of), _) => {
                let x = tape.reshape(x, [samples, of.output[0], of.output[1], of.channels]);
                tape.sum_pool_transposed(x, of, 1.0)
            }
            (layer, Windows::Pooling(of), _) => {
                let x = tape.reshape(x, [samples, of.image[0], of.image[1], of.channels]);
                match layer {
                    Layer::MaxPool { .. } => tape.max_pool(x, of),
                    // A border: windows of one pixel.
                    Layer::ZeroPad { .. } => tape.sum_pool(x, of, 1.0),
                    _ => {
                        let means = tape.sum_pool(x, of, 1.0 / (of.window[0] * of.window[1]) as f64);
                        if self.output.rank() == 1 { rows(tape, means) } else { means }
                    }
                }
            }
            (Layer::Reshape { dims }, ..) => match *dims.shape().dims() {
                [cols] => tape.reshape(x, [samples, cols]),
                [height, width] => tape.reshape(x, [samples, height, width]),
                [height, width, channels] => tape.reshape(x, [samples, height, width, channels]),
                _ => x,
            },
            (Layer::BatchNorm { edition, activation }, ..) => edition.record(&self.params, *activation, tape, x, pass),
            (Layer::Flatten, ..) => rows(tape, x),
            (Layer::Dropout { rate, by_channel }, _, Pass::Train(draws)) => {
                let streams = draws.streams(Purpose::Noise, self.number);
                if *by_channel { tape.dropout_channels(x, *rate, streams) } else { tape.dropout(x, *rate, streams) }
            }
            (Layer::Noise { std }, _, Pass::Train(draws)) => {
                tape.noise(x, *std, draws.streams(Purpose::Noise, self.number))
            }
            _ => x,
        }
    }
}

/// Samples as rows of values.
pub(super) fn rows<T: Real>(tape: &mut Tape<'_, T>, x: Var) -> Var {
    let shape = tape.shape(x);
    if shape.rank() > 2 { tape.reshape(x, [shape.samples(), shape.features()]) } else { x }
}

/// Fresh numbers for a weight and the bias that lies beside it.
pub(super) fn init_layer<T: Real>(init: Init, seed: u64, number: u32, weight: &Param, bias: &Param, flat: &mut [T]) {
    let both = &mut flat[weight.offset..bias.offset + bias.len()];
    let (w, b) = both.split_at_mut(weight.len());
    // Rows are kernel pixels · channels: what one output sums, of a dense layer or a convolution.
    let (rows, cols) = (weight.shape.rows(), weight.shape.cols());
    let kernel = if let [height, width, _, _] = *weight.shape.dims() { height * width } else { 1 };
    init_tensors(init, [rows, kernel * cols], w, b, &mut stream(seed, Purpose::Init, number.into()));
}

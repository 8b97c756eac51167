//! One layer: what it is, and what it becomes at its place in a model.

use narrows_kernels::Real;

use super::{Activation, Init, Layout, Param, Pass, init_dense};
use crate::rng::{Purpose, stream};
use crate::settings::{About, Counts, Range, Setting, Visitor, settings};
use crate::tape::{Shape, Tape, Var};

/// Layers of an encoder or a decoder at most: deeper than any network that dense layers can be trained in.
pub const MOST_LAYERS: usize = 256;

settings! {
    /// What a layer is, wherever it stands.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Layer tagged {
        /// y = activation(x·W + b): every output depends on every input. Takes samples of any shape as rows of values.
        Dense = "dense" {
            /// The number of outputs; "input" is as many as the data has values.
            units("dense"): Units = Units::Input;
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// Inverted dropout, while training only: each value is zero with this probability, the others are divided by 1 − rate.
        Dropout = "dropout" {
            /// The probability of zero while training.
            rate("dropout"): f64 = 0.0, in Range::BELOW_ONE;
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

/// A dense layer: `dense(256, Activation::Relu)`.
pub fn dense(units: impl Into<Units>, activation: Activation) -> Layer {
    Layer::Dense { units: units.into(), activation }
}

/// A dropout layer with this probability of zero, in [0, 1).
pub fn dropout(rate: f64) -> Layer {
    Layer::Dropout { rate }
}

/// A layer that adds normal noise of this standard deviation.
pub fn noise(std: f64) -> Layer {
    Layer::Noise { std }
}

/// A model whose layers do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The decoder's last layer does not give back the data's shape.
    #[error("the decoder ends in {found} values, but an image has {expected}; end it with {{ dense = \"input\" }}")]
    OutputSize {
        /// Values of an image.
        expected: usize,
        /// Outputs of the last layer.
        found: usize,
    },
    /// A part has no dense layer.
    #[error("the {part} has no dense layer; give it at least one, such as {{ dense = 50 }}")]
    NoDense {
        /// "encoder" or "decoder".
        part: &'static str,
    },
    /// The mean of a variational model's code does not come from a dense layer without activation.
    #[error(
        "a variational encoder must end in a dense layer without activation, such as {{ dense = 20 }}, which gives the mean; \
         this one ends in {found}"
    )]
    NoMean {
        /// The last layer.
        found: String,
    },
}

/// A layer at its place in a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// What it is.
    pub layer: Layer,
    /// The number that its scope on a tape and its random streams carry.
    pub number: u32,
    /// Its tensors: W [in, out] and b [1, out] of a dense layer.
    pub params: Vec<Param>,
    /// The shape of a sample that it gives.
    pub output: Shape,
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
    pub const ACCEPTED: &'static str =
        "one layer: { dense = 256, activation = \"relu\" }, { dropout = 0.2 } or { noise = 0.1 }";

    /// What a summary says of it beside its kind: the activation, the rate, the standard deviation.
    pub fn detail(&self) -> String {
        match self {
            Layer::Dense { activation, .. } => activation.to_string(),
            Layer::Dropout { rate: number } | Layer::Noise { std: number } => number.to_string(),
        }
    }

    /// Places the layer behind samples of shape `input`: its tensors are appended to `layout` under `name`.
    pub(super) fn place(&self, name: &str, number: u32, input: Shape, layout: &mut Layout) -> Placed {
        let (params, output) = match *self {
            Layer::Dense { units, .. } => {
                let outputs = match units {
                    Units::Count(count) => count,
                    Units::Input => input.len(),
                };
                let weight = layout.param(format!("{name}.weight"), [input.len(), outputs]);
                let bias = layout.param(format!("{name}.bias"), [1, outputs]);
                (vec![weight, bias], Shape::from([outputs]))
            }
            Layer::Dropout { .. } | Layer::Noise { .. } => (Vec::new(), input),
        };
        Placed { layer: *self, number, params, output }
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

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.params.iter().map(Param::len).sum()
    }

    /// Writes fresh parameters into the flat buffer, drawn from a stream of its own.
    pub(super) fn init<T: Real>(&self, init: Init, seed: u64, flat: &mut [T]) {
        if let Some(Dense { weight, bias, .. }) = self.dense() {
            init_layer(init, seed, self.number, weight, bias, flat);
        }
    }

    /// Applies the layer to x [batch, …]. With `is_linear` a dense layer leaves its activation out.
    pub(super) fn record<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, pass: Pass, is_linear: bool) -> Var {
        tape.set_scope(self.number);
        match (&self.layer, pass) {
            (Layer::Dense { activation, .. }, _) => {
                let activation = if is_linear { Activation::Linear } else { *activation };
                let shape = tape.shape(x);
                let x = if shape.rank() > 2 {
                    tape.reshape(x, [shape.samples(), shape.len() / shape.samples().max(1)])
                } else {
                    x
                };
                let (weight, bias) = (self.params[0].on(tape), self.params[1].on(tape));
                tape.dense(x, weight, bias, activation)
            }
            (Layer::Dropout { rate }, Pass::Train(draws)) => {
                tape.dropout(x, *rate, draws.streams(Purpose::Noise, self.number))
            }
            (Layer::Noise { std }, Pass::Train(draws)) => {
                tape.noise(x, *std, draws.streams(Purpose::Noise, self.number))
            }
            (Layer::Dropout { .. } | Layer::Noise { .. }, Pass::Infer) => x,
        }
    }
}

/// Fresh numbers for a weight and the bias that lies beside it.
pub(super) fn init_layer<T: Real>(init: Init, seed: u64, number: u32, weight: &Param, bias: &Param, flat: &mut [T]) {
    let both = &mut flat[weight.offset..bias.offset + bias.len()];
    let (w, b) = both.split_at_mut(weight.len());
    init_dense(init, weight.shape.rows(), w, b, &mut stream(seed, Purpose::Init, number.into()));
}

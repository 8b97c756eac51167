//! What a network is built from: layers, activations, and how parameters begin.

use std::ops::Bound::{Excluded, Included};

use crate::settings::{About, Counts, Range, Setting, Visitor, settings};

/// Layers of an encoder or a decoder at most: deeper than any network that dense layers can be trained in.
pub const MOST_LAYERS: usize = 256;

settings! {
    /// A layer.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum LayerSpec tagged {
        /// Every output depends on every input.
        Dense = "dense" {
            /// The number of outputs; "input" is as many as the data has values.
            units("dense"): Units = Units::Input;
            /// What is applied to each output.
            activation: Activation = Activation::Linear;
        },
        /// Each value is zero with this probability while training.
        Dropout = "dropout" {
            /// The probability of zero while training.
            rate("dropout"): f64 = 0.0, in Range::BELOW_ONE;
        },
        /// Normal noise is added while training.
        Noise = "noise" {
            /// Standard deviation of the normal noise that is added while training.
            std("noise"): f64 = 0.0, in Range::NOT_NEGATIVE;
        },
    }
}

impl LayerSpec {
    /// What is accepted as a layer, by example.
    pub const ACCEPTED: &'static str =
        "one layer: { dense = 256, activation = \"relu\" }, { dropout = 0.2 } or { noise = 0.1 }";
}

/// How many outputs a dense layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// So many, 1 to 1,048,576.
    Count(usize),
    /// As many as the data has values.
    Input,
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

const SLOPE: Range = Range {
    from: Excluded(0.0),
    to: Included(1.0),
    accepted: "a number above 0 and at most 1 (for 0 there is \"relu\")",
};

settings! {
    /// A function of one value.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Activation {
        /// x
        Linear = "linear",
        /// max(x, 0)
        Relu = "relu",
        /// x for x ≥ 0, slope · x below
        LeakyRelu = "leaky-relu" {
            /// The slope below 0.
            slope: f64 = 0.01, in SLOPE;
        },
        /// x for x ≥ 0, alpha · (exp(x) − 1) below
        Elu = "elu" {
            /// What is approached far below 0, with its sign changed.
            alpha: f64 = 1.0, in Range::ABOVE_ZERO;
        },
        /// tanh(x)
        Tanh = "tanh",
        /// 1 / (1 + exp(−x))
        Sigmoid = "sigmoid",
        /// ln(1 + exp(x))
        Softplus = "softplus",
    }
}

impl std::fmt::Display for Activation {
    /// The name, and the number that goes with it: "relu", "leaky-relu 0.5".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => {
                write!(f, "{} {number}", self.name())
            }
            _ => f.write_str(self.name()),
        }
    }
}

settings! {
    /// How weights and biases begin. Biases begin at zero unless stated.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Init tagged {
        /// Uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010).
        GlorotUniform = "glorot-uniform",
        /// Normal with variance 2 / (fan in + fan out).
        GlorotNormal = "glorot-normal",
        /// Uniform within ±sqrt(6 / fan in) (He et al. 2015).
        HeUniform = "he-uniform",
        /// Normal with variance 2 / fan in.
        HeNormal = "he-normal",
        /// Uniform within ±1 / sqrt(fan in), weights and biases, as `torch.nn.Linear` begins.
        PytorchLinear = "pytorch-linear",
        /// Normal around zero.
        Normal = "normal" {
            /// Standard deviation of weights drawn from a normal distribution around zero.
            std("normal"): f64 = 0.05, in Range::ABOVE_ZERO, required "a standard deviation, as in normal = 0.05";
            /// Whether the biases are drawn too.
            biases: bool = false;
        },
    }
}

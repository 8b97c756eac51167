//! One layer of an encoder or a decoder.

use narrows_kernels::Real;

use super::{Mode, Param};
use crate::config;
use crate::rng::{Purpose, Stream, stream};
use crate::tape::{Activation, NOISE_ROWS, Tape, Var};

/// A layer: what it computes, and where its parameters lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
    /// y = activation(x·W + b).
    Dense {
        /// W [in, out].
        weight: Param,
        /// b [1, out].
        bias: Param,
        /// Applied to each output.
        activation: config::Activation,
    },
    /// Inverted dropout, while training only.
    Dropout {
        /// The probability of zero, in [0, 1).
        rate: f64,
    },
    /// Additive normal noise, while training only.
    Noise {
        /// Its standard deviation.
        std: f64,
    },
}

impl Layer {
    /// "dense", "dropout" or "noise".
    pub fn kind(&self) -> &'static str {
        match self {
            Layer::Dense { .. } => "dense",
            Layer::Dropout { .. } => "dropout",
            Layer::Noise { .. } => "noise",
        }
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        match self {
            Layer::Dense { weight, bias, .. } => weight.len() + bias.len(),
            Layer::Dropout { .. } | Layer::Noise { .. } => 0,
        }
    }

    /// Applies the layer to x [batch, in]. `number` tells the layers of a model apart. With `linear` a dense layer leaves
    /// its activation out.
    pub(super) fn apply<T: Real>(&self, tape: &mut Tape<'_, T>, x: Var, number: u32, mode: Mode, linear: bool) -> Var {
        tape.set_scope(number);
        match (self, mode) {
            (Layer::Dense { weight, bias, activation }, _) => {
                let activation = if linear { Activation::Linear } else { activation_of(*activation) };
                let (weight, bias) = (weight.on(tape), bias.on(tape));
                tape.dense(x, weight, bias, activation)
            }
            (Layer::Dropout { rate }, Mode::Train { seed, step, first_row }) => {
                tape.dropout(x, *rate, |block| noise_stream(seed, step, first_row, block, number))
            }
            (Layer::Noise { std }, Mode::Train { seed, step, first_row }) => {
                tape.noise(x, *std, |block| noise_stream(seed, step, first_row, block, number))
            }
            (Layer::Dropout { .. } | Layer::Noise { .. }, Mode::Infer) => x,
        }
    }
}

fn noise_stream(seed: u64, step: u64, first_row: usize, block: u64, layer: u32) -> Stream {
    step_stream(seed, Purpose::Noise, step, first_row, block, layer)
}

/// The stream of a layer, or whatever else `number` tells apart, for a block of rows of the slice at hand. `number` has the low
/// 16 bits of the index, blocks the next 16 (16 million rows), steps the others.
pub(crate) fn step_stream(seed: u64, purpose: Purpose, step: u64, first_row: usize, block: u64, number: u32) -> Stream {
    let block = block + (first_row / NOISE_ROWS) as u64;
    stream(seed, purpose, (step << 32) | ((block & 0xffff) << 16) | u64::from(number & 0xffff))
}

/// The kernel's activation for the configured one.
pub(crate) fn activation_of(activation: config::Activation) -> Activation {
    match activation {
        config::Activation::Linear => Activation::Linear,
        config::Activation::Relu => Activation::Relu,
        config::Activation::LeakyRelu { slope } => Activation::LeakyRelu { slope },
        config::Activation::Elu { alpha } => Activation::Elu { alpha },
        config::Activation::Tanh => Activation::Tanh,
        config::Activation::Sigmoid => Activation::Sigmoid,
        config::Activation::Softplus => Activation::Softplus,
    }
}

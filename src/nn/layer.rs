//! One layer of an encoder or a decoder.

use narrows_kernels::Real;

use super::{Mode, Param};
use crate::config;
use crate::rng::{Purpose, stream};
use crate::tape::{Activation, Tape, Var};

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
                let activation = if linear { Activation::Identity } else { activation_of(*activation) };
                let (weight, bias) = (weight.on(tape), bias.on(tape));
                tape.dense(x, weight, bias, activation)
            }
            (Layer::Dropout { rate }, Mode::Train { seed, step }) => {
                tape.dropout(x, *rate, &mut stream(seed, Purpose::Noise, noise_index(step, number)))
            }
            (Layer::Noise { std }, Mode::Train { seed, step }) => {
                tape.noise(x, *std, &mut stream(seed, Purpose::Noise, noise_index(step, number)))
            }
            (Layer::Dropout { .. } | Layer::Noise { .. }, Mode::Infer) => x,
        }
    }
}

/// Layers of one model are told apart by the low 16 bits, steps by the others.
fn noise_index(step: u64, layer: u32) -> u64 {
    (step << 16) | u64::from(layer & 0xffff)
}

/// The kernel's activation for the configured one.
pub(crate) fn activation_of<T: Real>(activation: config::Activation) -> Activation<T> {
    match activation {
        config::Activation::Linear => Activation::Identity,
        config::Activation::Relu => Activation::Relu,
        config::Activation::LeakyRelu { slope } => Activation::LeakyRelu(T::from_f64(slope)),
        config::Activation::Elu { alpha } => Activation::Elu(T::from_f64(alpha)),
        config::Activation::Tanh => Activation::Tanh,
        config::Activation::Sigmoid => Activation::Sigmoid,
        config::Activation::Softplus => Activation::Softplus,
    }
}

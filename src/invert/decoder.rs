//! The decoder as the inversion sees it: dense layers, in any precision.

use narrows_kernels::activation::activate_in_place;
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, Real, gemm};

use super::InvertError;
use crate::loss::Loss;
use crate::nn::{Autoencoder, Layer};

/// y = activation(x·W + b).
#[derive(Clone, Debug, PartialEq)]
pub struct Dense<T> {
    /// "decoder.0": its place among the decoder's layers.
    pub name: String,
    /// W [inputs, outputs], row-major.
    pub weight: Vec<T>,
    /// b \[outputs\].
    pub bias: Vec<T>,
    /// Values of a row of x.
    pub inputs: usize,
    /// Values of a row of y.
    pub outputs: usize,
    /// Applied to each output.
    pub activation: Activation,
}

/// A decoder of dense layers whose widths never fall, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoder<T> {
    layers: Vec<Dense<T>>,
    output: Activation,
}

impl<T: Real> Decoder<T> {
    /// The decoder of `model`; dropout and noise, which act while training only, pass, and so does what only changes the shape.
    /// With a loss on logits the sigmoid that turns them into an image follows the last layer. (With the KL divergence, which
    /// knows images but for a factor, the output is taken as it is.)
    ///
    /// Refuses layers that are not dense, and layers with fewer outputs than inputs.
    pub fn of(model: &Autoencoder, params: &[f32], loss: Loss) -> Result<Self, InvertError> {
        let mut layers = Vec::new();
        for placed in model.decoder().layers() {
            let name = model.layout().layer_name(placed.number).to_owned();
            if let Some(dense) = placed.dense() {
                let (inputs, outputs) = (dense.weight.shape.rows(), dense.weight.shape.cols());
                let convert = |values: &[f32]| values.iter().map(|&w| T::from_f64(f64::from(w))).collect::<Vec<T>>();
                layers.push(Dense {
                    name,
                    weight: convert(dense.weight.of(params)),
                    bias: convert(dense.bias.of(params)),
                    inputs,
                    outputs,
                    activation: dense.activation,
                });
            } else if !matches!(
                placed.layer,
                Layer::Dropout { .. } | Layer::Noise { .. } | Layer::Flatten | Layer::Reshape { .. }
            ) {
                return Err(InvertError::NotDense { layer: name, kind: placed.layer.name().to_owned() });
            }
        }
        Self::new(layers, if loss == Loss::BceLogits { Activation::Sigmoid } else { Activation::Linear })
    }

    /// A decoder of these layers, which must fit together, and an activation `output` of what the last one gives.
    ///
    /// Refuses layers with fewer outputs than inputs.
    ///
    /// # Panics
    /// When there is no layer, one does not take what the one before it gives, or `output` is relu, which has no inverse.
    pub fn new(layers: Vec<Dense<T>>, output: Activation) -> Result<Self, InvertError> {
        assert!(!layers.is_empty() && output != Activation::Relu, "a decoder of {} layers and {output}", layers.len());
        for (number, dense) in layers.iter().enumerate() {
            let (inputs, outputs) = (dense.inputs, dense.outputs);
            assert!(number == 0 || layers[number - 1].outputs == inputs, "{} takes {inputs} values", dense.name);
            assert_eq!(dense.weight.len(), inputs * outputs, "the weight of {}", dense.name);
            assert_eq!(dense.bias.len(), outputs, "the bias of {}", dense.name);
            if outputs < inputs {
                return Err(InvertError::Narrows { layer: dense.name.clone(), inputs, outputs });
            }
        }
        Ok(Decoder { layers, output })
    }

    /// The layers, from code to image.
    pub fn layers(&self) -> &[Dense<T>] {
        &self.layers
    }

    /// What follows the last layer: the sigmoid of a loss on logits, else the identity.
    pub fn output(&self) -> Activation {
        self.output
    }

    /// Values of a code.
    pub fn code_size(&self) -> usize {
        self.layers[0].inputs
    }

    /// Values of an image.
    pub fn features(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }

    /// The outputs [count, features] for codes [count, code].
    ///
    /// # Panics
    /// When `codes` is not whole codes.
    pub fn decode(&self, context: Context, codes: &[T]) -> Vec<T> {
        let mut outputs = Vec::new();
        self.decode_layers(context, codes, &mut outputs);
        outputs.pop().unwrap_or_default()
    }

    /// What each layer gives for codes [count, code], and last the images where an activation follows: `outputs`, whose memory
    /// is used again, has one [count, width] for each.
    pub(super) fn decode_layers(&self, context: Context, codes: &[T], outputs: &mut Vec<Vec<T>>) {
        let code = self.code_size();
        assert!(codes.len().is_multiple_of(code), "{} values are no codes [{code}]", codes.len());
        let count = codes.len() / code;
        outputs.resize(self.layers.len() + usize::from(self.output != Activation::Linear), Vec::new());
        for (number, dense) in self.layers.iter().enumerate() {
            let (before, after) = outputs.split_at_mut(number);
            let (x, y) = (before.last().map_or(codes, Vec::as_slice), &mut after[0]);
            y.resize(count * dense.outputs, T::ZERO);
            gemm(
                context,
                MatMut::new(y, count, dense.outputs),
                Accumulate::Overwrite,
                MatRef::new(x, count, dense.inputs),
                MatRef::new(&dense.weight, dense.inputs, dense.outputs),
                Epilogue { bias: Some(&dense.bias), activation: dense.activation },
            );
        }
        if let [y, images] = &mut outputs[self.layers.len() - 1..] {
            images.clone_from(y);
            activate_in_place(context.isa, self.output, images);
        }
    }
}

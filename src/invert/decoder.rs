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

/// One step from code to image.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage<T> {
    /// A dense layer.
    Dense(Dense<T>),
    /// The sigmoid that belongs to the loss, after a last layer that gives logits.
    Activation(Activation),
}

/// A decoder of dense layers whose widths never fall, with its numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoder<T> {
    stages: Vec<Stage<T>>,
    code: usize,
    features: usize,
}

impl<T: Real> Decoder<T> {
    /// The decoder of `model`; dropout and noise, which act while training only, pass. With a loss on logits the sigmoid that
    /// turns them into an image is the last stage. (With the KL divergence, which knows images but for a factor, the stages are
    /// those of the model: the output is taken as it is.)
    ///
    /// Refuses layers that are not dense, and layers with fewer outputs than inputs.
    pub fn of(model: &Autoencoder, params: &[f32], loss: Loss) -> Result<Self, InvertError> {
        let mut stages = Vec::new();
        for placed in model.decoder().layers() {
            let name = model.layout().layer_name(placed.number).to_owned();
            if let Some(dense) = placed.dense() {
                let (inputs, outputs) = (dense.weight.shape.rows(), dense.weight.shape.cols());
                let convert = |values: &[f32]| values.iter().map(|&w| T::from_f64(f64::from(w))).collect::<Vec<T>>();
                stages.push(Stage::Dense(Dense {
                    name,
                    weight: convert(dense.weight.of(params)),
                    bias: convert(dense.bias.of(params)),
                    inputs,
                    outputs,
                    activation: dense.activation,
                }));
            } else if !matches!(placed.layer, Layer::Dropout { .. } | Layer::Noise { .. } | Layer::Flatten) {
                return Err(InvertError::NotDense { layer: name, kind: placed.layer.name().to_owned() });
            }
        }
        if loss == Loss::BceLogits {
            stages.push(Stage::Activation(Activation::Sigmoid));
        }
        Self::new(stages)
    }

    /// A decoder of these stages, which must fit together.
    ///
    /// Refuses layers with fewer outputs than inputs.
    ///
    /// # Panics
    /// When there is no dense layer, or one does not take what the one before it gives.
    pub fn new(stages: Vec<Stage<T>>) -> Result<Self, InvertError> {
        let (mut code, mut width) = (None, None);
        for stage in &stages {
            let Stage::Dense(dense) = stage else { continue };
            let (inputs, outputs) = (dense.inputs, dense.outputs);
            assert!(width.is_none_or(|width| width == inputs), "{} takes {inputs} values", dense.name);
            assert_eq!(dense.weight.len(), inputs * outputs, "the weight of {}", dense.name);
            assert_eq!(dense.bias.len(), outputs, "the bias of {}", dense.name);
            if outputs < inputs {
                return Err(InvertError::Narrows { layer: dense.name.clone(), inputs, outputs });
            }
            code.get_or_insert(inputs);
            width = Some(outputs);
        }
        let (Some(code), Some(features)) = (code, width) else { panic!("a decoder without a dense layer") };
        Ok(Decoder { stages, code, features })
    }

    /// From code to image.
    pub fn stages(&self) -> &[Stage<T>] {
        &self.stages
    }

    /// The dense layers, from code to image.
    pub fn dense(&self) -> impl Iterator<Item = &Dense<T>> {
        self.stages.iter().filter_map(|stage| match stage {
            Stage::Dense(dense) => Some(dense),
            Stage::Activation(_) => None,
        })
    }

    /// Values of a code.
    pub fn code_size(&self) -> usize {
        self.code
    }

    /// Values of an image.
    pub fn features(&self) -> usize {
        self.features
    }

    /// The outputs [count, features] for codes [count, code].
    ///
    /// # Panics
    /// When `codes` is not whole codes.
    pub fn decode(&self, context: Context, codes: &[T]) -> Vec<T> {
        let mut outputs = Vec::new();
        self.decode_stages(context, codes, &mut outputs);
        outputs.pop().unwrap_or_default()
    }

    /// What each stage gives for codes [count, code]: `outputs`, whose memory is used again, has one [count, width] for each.
    pub(super) fn decode_stages(&self, context: Context, codes: &[T], outputs: &mut Vec<Vec<T>>) {
        assert!(codes.len().is_multiple_of(self.code), "{} values are no codes [{}]", codes.len(), self.code);
        let count = codes.len() / self.code;
        outputs.resize(self.stages.len(), Vec::new());
        for (number, stage) in self.stages.iter().enumerate() {
            let (before, after) = outputs.split_at_mut(number);
            let x = before.last().map_or(codes, Vec::as_slice);
            let y = &mut after[0];
            match stage {
                Stage::Dense(dense) => {
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
                Stage::Activation(activation) => {
                    y.clear();
                    y.extend_from_slice(x);
                    activate_in_place(context.isa, *activation, y);
                }
            }
        }
    }
}

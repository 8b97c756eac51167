//! The decoder's Jacobian, forwards.
//!
//! For a code z the columns ∂decoder/∂z_j pass through a layer y = a(x·W + b) as Ẏ_j = (Ẋ_j·W) ⊙ a′(y), a′ expressed through the
//! output. All columns of all samples lie in one matrix [code · samples, width], column after column, so that a layer is one
//! product with W and one elementwise pass. A backward pass of the tape gives a row of the Jacobian for each of the *features*
//! outputs; forwards it is a column for each of the few code units.
//!
//! At a kink of relu, leaky relu and elu the derivative is that of the negative side, as on the tape. What the units of such a
//! layer would change beyond their kinks takes their inputs, the columns before a′, and one pass backwards for the residuals.

use narrows_kernels::activation::activation_derivative;
use narrows_kernels::elementwise::{Binary, binary};
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, Real, gemm};

use super::decoder::Decoder;
use super::kinks::Kinks;

/// Buffers that one pass after the other uses.
#[derive(Debug)]
pub struct Tangents<T> {
    outputs: Vec<Vec<T>>,
    columns: Vec<T>,
    moved: Vec<T>,
    kinked: Vec<KinkedLayer<T>>,
}

/// A layer whose derivative jumps where the input of its activation passes 0.
#[derive(Debug)]
struct KinkedLayer<T> {
    layer: usize,
    /// By how much it jumps.
    jump: f64,
    /// Inputs of the activation [count, width].
    inputs: Vec<T>,
    /// Their derivatives by the code [code, count, width].
    columns: Vec<T>,
    /// The derivatives of ½‖r‖² by the outputs [count, width].
    signals: Vec<T>,
}

/// By how much the derivative jumps at 0.
fn jump(activation: Activation) -> f64 {
    match activation {
        Activation::Relu => 1.0,
        Activation::LeakyRelu { slope } => 1.0 - slope,
        Activation::Elu { alpha } => 1.0 - alpha,
        _ => 0.0,
    }
}

/// Takes planes u through an activation that gives `y`: u ⊙ a′(y). `moved` is the buffer for it.
fn pass<T: Real>(context: Context, activation: Activation, y: &[T], planes: &mut Vec<T>, moved: &mut Vec<T>) {
    if activation == Activation::Linear {
        return;
    }
    moved.resize(planes.len(), T::ZERO);
    let len = y.len().max(1);
    for (u, out) in planes.chunks_exact(len).zip(moved.chunks_exact_mut(len)) {
        activation_derivative(context.isa, activation, 0, y, u, out, Accumulate::Overwrite);
    }
    std::mem::swap(planes, moved);
}

impl<T> Default for Tangents<T> {
    fn default() -> Self {
        Tangents { outputs: Vec::new(), columns: Vec::new(), moved: Vec::new(), kinked: Vec::new() }
    }
}

impl<T: Real> Tangents<T> {
    /// Decodes codes [count, code] and gives the columns of their Jacobians, [code, count, features]: element (j, s, i) is
    /// ∂decoder(z_s)_i / ∂z_sj.
    pub fn jacobian(&mut self, context: Context, decoder: &Decoder<T>, codes: &[T]) -> &[T] {
        decoder.decode_layers(context, codes, &mut self.outputs);
        let (code, count) = (decoder.code_size(), codes.len() / decoder.code_size());
        self.kinked.clear();
        for (number, (dense, y)) in decoder.layers().iter().zip(&self.outputs).enumerate() {
            self.moved.resize(code * count * dense.outputs, T::ZERO);
            if number == 0 {
                // The columns of the identity, moved by W: column j is row j of W, for every sample.
                let planes = self.moved.chunks_exact_mut((count * dense.outputs).max(1));
                for (plane, row) in planes.zip(dense.weight.chunks_exact(dense.outputs)) {
                    plane.chunks_exact_mut(dense.outputs).for_each(|to| to.copy_from_slice(row));
                }
            } else {
                gemm(
                    context,
                    MatMut::new(&mut self.moved, code * count, dense.outputs),
                    Accumulate::Overwrite,
                    MatRef::new(&self.columns, code * count, dense.inputs),
                    MatRef::new(&dense.weight, dense.inputs, dense.outputs),
                    Epilogue::NONE,
                );
            }
            std::mem::swap(&mut self.columns, &mut self.moved);
            if jump(dense.activation) != 0.0 {
                let mut inputs = vec![T::ZERO; count * dense.outputs];
                let x = if number == 0 { codes } else { &self.outputs[number - 1] };
                gemm(
                    context,
                    MatMut::new(&mut inputs, count, dense.outputs),
                    Accumulate::Overwrite,
                    MatRef::new(x, count, dense.inputs),
                    MatRef::new(&dense.weight, dense.inputs, dense.outputs),
                    Epilogue { bias: Some(&dense.bias), activation: Activation::Linear },
                );
                let (jump, columns) = (jump(dense.activation), self.columns.clone());
                self.kinked.push(KinkedLayer { layer: number, jump, inputs, columns, signals: Vec::new() });
            }
            pass(context, dense.activation, y, &mut self.columns, &mut self.moved);
        }
        let images = self.outputs.last().expect("a decoder has layers");
        pass(context, decoder.output(), images, &mut self.columns, &mut self.moved);
        &self.columns
    }

    /// After [`Tangents::jacobian`]: appends r = decoder(z) − `targets` [count, features] as one more plane to its columns,
    /// [code + 1, count, features], and finds what kinks change.
    pub(super) fn add_residuals(&mut self, context: Context, decoder: &Decoder<T>, targets: &[T]) {
        let len = self.columns.len();
        self.columns.resize(len + targets.len(), T::ZERO);
        let images = self.outputs.last().expect("a decoder has layers");
        binary(context.isa, Binary::Sub, images, targets, &mut self.columns[len..], Accumulate::Overwrite);
        let Some(first) = self.kinked.first().map(|kinked| kinked.layer) else { return };
        let count = targets.len() / decoder.features();
        let mut signal = self.columns[len..].to_vec();
        pass(context, decoder.output(), images, &mut signal, &mut self.moved);
        for (number, dense) in decoder.layers().iter().enumerate().skip(first).rev() {
            if let Some(kinked) = self.kinked.iter_mut().find(|kinked| kinked.layer == number) {
                kinked.signals.clone_from(&signal);
            }
            pass(context, dense.activation, &self.outputs[number], &mut signal, &mut self.moved);
            self.moved.resize(count * dense.inputs, T::ZERO);
            gemm(
                context,
                MatMut::new(&mut self.moved, count, dense.inputs),
                Accumulate::Overwrite,
                MatRef::new(&signal, count, dense.outputs),
                MatRef::new(&dense.weight, dense.inputs, dense.outputs).transposed(),
                Epilogue::NONE,
            );
            std::mem::swap(&mut signal, &mut self.moved);
        }
    }

    /// After [`Tangents::add_residuals`]: the columns and the residuals [code + 1, count, features].
    pub(super) fn planes(&self) -> &[T] {
        &self.columns
    }

    /// After [`Tangents::add_residuals`]: the kinks around one of `count` samples, for codes of `code` values.
    pub(super) fn kinks(&self, code: usize, count: usize, sample: usize) -> Kinks {
        let mut kinks = Kinks::default();
        for layer in &self.kinked {
            let width = layer.inputs.len() / count;
            for unit in sample * width..(sample + 1) * width {
                let (input, weight) = (layer.inputs[unit].to_f64(), layer.jump * layer.signals[unit].to_f64());
                if weight != 0.0 {
                    let towards = if input > 0.0 { -1.0 } else { 1.0 };
                    let column = |j: usize| towards * layer.columns[j * count * width + unit].to_f64();
                    kinks.normals.extend((0..code).map(column));
                    kinks.distances.push(input.abs());
                    kinks.weights.push(weight);
                }
            }
        }
        kinks
    }
}

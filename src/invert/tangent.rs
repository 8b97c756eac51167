//! The decoder's Jacobian, forwards.
//!
//! For a code z the columns ∂decoder/∂z_j pass through a layer y = a(x·W + b) as Ẏ_j = (Ẋ_j·W) ⊙ a′(y), a′ expressed through the
//! output. All columns of all samples lie in one matrix [code · samples, width], column after column, so that a layer is one
//! product with W and one elementwise pass. A backward pass of the tape gives a row of the Jacobian for each of the *features*
//! outputs; forwards it is a column for each of the few code units.
//!
//! At a kink of relu, leaky relu and elu the derivative is that of the negative side, as on the tape.

use narrows_kernels::activation::activation_derivative;
use narrows_kernels::elementwise::{Binary, binary};
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, Real, gemm};

use super::decoder::{Decoder, Stage};

/// Buffers that one pass after the other uses.
#[derive(Debug)]
pub struct Tangents<T> {
    outputs: Vec<Vec<T>>,
    columns: Vec<T>,
    moved: Vec<T>,
}

impl<T> Default for Tangents<T> {
    fn default() -> Self {
        Tangents { outputs: Vec::new(), columns: Vec::new(), moved: Vec::new() }
    }
}

impl<T: Real> Tangents<T> {
    /// Decodes codes [count, code] and gives the columns of their Jacobians, [code, count, features]: element (j, s, i) is
    /// ∂decoder(z_s)_i / ∂z_sj.
    pub fn jacobian(&mut self, context: Context, decoder: &Decoder<T>, codes: &[T]) -> &[T] {
        decoder.decode_stages(context, codes, &mut self.outputs);
        let (code, count) = (decoder.code_size(), codes.len() / decoder.code_size());
        let mut width = code;
        for (number, (stage, y)) in decoder.stages().iter().zip(&self.outputs).enumerate() {
            let activation = match stage {
                Stage::Activation(activation) => *activation,
                Stage::Dense(dense) => {
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
                            MatRef::new(&self.columns, code * count, width),
                            MatRef::new(&dense.weight, width, dense.outputs),
                            Epilogue::NONE,
                        );
                    }
                    width = dense.outputs;
                    std::mem::swap(&mut self.columns, &mut self.moved);
                    dense.activation
                }
            };
            if activation == Activation::Linear {
                continue;
            }
            self.moved.resize(self.columns.len(), T::ZERO);
            let planes = self.columns.chunks_exact(y.len().max(1)).zip(self.moved.chunks_exact_mut(y.len().max(1)));
            for (u, out) in planes {
                activation_derivative(context.isa, activation, 0, y, u, out, Accumulate::Overwrite);
            }
            std::mem::swap(&mut self.columns, &mut self.moved);
        }
        &self.columns
    }

    /// After [`Tangents::jacobian`]: the outputs [count, features].
    pub fn outputs(&self) -> &[T] {
        self.outputs.last().map_or(&[], Vec::as_slice)
    }

    /// After [`Tangents::jacobian`]: appends r = decoder(z) − `targets` [count, features] as one more plane, and gives all of
    /// it: [code + 1, count, features].
    pub(super) fn with_residuals(&mut self, context: Context, targets: &[T]) -> &[T] {
        let len = self.columns.len();
        self.columns.resize(len + targets.len(), T::ZERO);
        let outputs = self.outputs.last().map_or(&[][..], Vec::as_slice);
        binary(context.isa, Binary::Sub, outputs, targets, &mut self.columns[len..], Accumulate::Overwrite);
        &self.columns
    }
}

//! What an operation is.

use narrows_kernels::{Accumulate, Context, Real};

use super::{Backward, Shape, Var};

/// An input of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a, T> {
    /// Its numbers, last dimension contiguous.
    pub data: &'a [T],
    /// Its shape.
    pub shape: Shape,
}

impl<T> Operand<'_, T> {
    /// The rows of the value as a matrix.
    pub fn rows(&self) -> usize {
        self.shape.rows()
    }

    /// The columns of the value as a matrix.
    pub fn cols(&self) -> usize {
        self.shape.cols()
    }
}

/// Where an operation writes.
pub(super) struct Target<'a, T> {
    pub data: &'a mut [T],
    pub shape: Shape,
    pub accumulate: Accumulate,
}

/// One application of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    /// What it was applied to.
    pub inputs: &'a [Var],
    /// What it gave.
    pub output: Var,
}

/// An operation: equation, forward and vector–Jacobian product in one place.
pub(super) trait Operation<T: Real>: Copy {
    /// As messages name it, where that depends on nothing.
    const NAME: &'static str = "";
    /// Whether `evaluate` can add to its target.
    const ACCUMULATES: bool = true;

    /// As messages name it.
    fn name(&self) -> &'static str {
        Self::NAME
    }

    /// The shape of the output.
    ///
    /// # Panics
    /// When the shapes of the inputs do not fit the operation; the message carries them.
    fn output_shape(&self, inputs: &[Shape]) -> Shape;

    /// Computes the output, or adds it to the target where [`Operation::ACCUMULATES`] holds. An operation whose gradients are
    /// computed together with its value is computed where it is recorded instead.
    fn evaluate(&self, _: Context, _: &[Operand<'_, T>], _: Target<'_, T>) {
        unreachable!("{} is computed where it is recorded", self.name())
    }

    /// Given the gradient of the output, gives each input that wants it its gradient, in terms of other operations.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>);
}

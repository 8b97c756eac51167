//! Matrix products and the dense layer.

use narrows_kernels::{Epilogue, MatMut, MatRef, gemm};

use super::*;

/// Whether a factor of a product is transposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transpose {
    /// As it is stored.
    No,
    /// Rows and columns exchanged.
    Yes,
}

impl Transpose {
    fn of(self, shape: Shape) -> Shape {
        match self {
            Transpose::No => shape,
            Transpose::Yes => [shape.cols(), shape.rows()].into(),
        }
    }

    fn flipped(self) -> Transpose {
        match self {
            Transpose::No => Transpose::Yes,
            Transpose::Yes => Transpose::No,
        }
    }
}

fn view<'a, T: Real>(operand: &Operand<'a, T>, transpose: Transpose) -> MatRef<'a, T> {
    let matrix = MatRef::new(operand.data, operand.rows(), operand.cols());
    match transpose {
        Transpose::No => matrix,
        Transpose::Yes => matrix.transposed(),
    }
}

/// C = op(A) · op(B), where op transposes or not.
#[derive(Clone, Copy)]
pub(in crate::tape) struct MatMul {
    pub lhs: Transpose,
    pub rhs: Transpose,
}

impl<T: Real> Operation<T> for MatMul {
    const NAME: &'static str = "matmul";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (lhs, rhs) = (self.lhs.of(inputs[0]), self.rhs.of(inputs[1]));
        assert!(
            lhs.cols() == rhs.rows(),
            "matmul of {lhs} and {rhs}: columns of the first must equal rows of the second"
        );
        lhs.with_cols(rhs.cols())
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let out = MatMut::new(target.data, target.shape.rows(), target.shape.cols());
        let (lhs, rhs) = (view(&inputs[0], self.lhs), view(&inputs[1], self.rhs));
        gemm(context, out, target.accumulate, lhs, rhs, Epilogue::NONE);
    }

    /// With A′ = op(A), B′ = op(B): dA′ = G·B′ᵀ, dB′ = A′ᵀ·G; a transposed factor takes the transpose of that.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [lhs, rhs] = [call.inputs[0], call.inputs[1]];
        match self.lhs {
            Transpose::No => backward.give(lhs, MatMul { lhs: Transpose::No, rhs: self.rhs.flipped() }, &[grad, rhs]),
            Transpose::Yes => backward.give(lhs, MatMul { lhs: self.rhs, rhs: Transpose::Yes }, &[rhs, grad]),
        }
        match self.rhs {
            Transpose::No => backward.give(rhs, MatMul { lhs: self.lhs.flipped(), rhs: Transpose::No }, &[lhs, grad]),
            Transpose::Yes => backward.give(rhs, MatMul { lhs: Transpose::Yes, rhs: self.lhs }, &[grad, lhs]),
        }
    }
}

/// A dense layer, y = activation(x·W + b): x [batch, in], W [in, out], b [1, out], y [batch, out].
#[derive(Clone, Copy)]
pub(in crate::tape) struct Dense {
    pub activation: Activation,
}

impl<T: Real> Operation<T> for Dense {
    const NAME: &'static str = "dense";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (x, weight, bias) = (inputs[0], inputs[1], inputs[2]);
        let (takes, gives) = (weight.rows(), weight.cols());
        assert!(x.cols() == takes, "dense layer with weight {weight} applied to {x}: it takes [batch, {takes}]");
        assert!(
            bias.is_row_of(gives),
            "dense layer with weight {weight} and bias {bias}: the bias must be [1, {gives}]"
        );
        x.with_cols(gives)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let out = MatMut::new(target.data, target.shape.rows(), target.shape.cols());
        let (x, weight) = (view(&inputs[0], Transpose::No), view(&inputs[1], Transpose::No));
        let epilogue = Epilogue { bias: Some(inputs[2].data), activation: self.activation };
        gemm(context, out, target.accumulate, x, weight, epilogue);
    }

    /// dz = G ∘ f(y); dx = dz·Wᵀ, dW = xᵀ·dz, db = column sums of dz.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, weight, bias] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        let dz = backward.activation_and_bias(self.activation, call.output, grad, bias);
        backward.give(weight, MatMul { lhs: Transpose::Yes, rhs: Transpose::No }, &[x, dz]);
        backward.give(x, MatMul { lhs: Transpose::No, rhs: Transpose::Yes }, &[dz, weight]);
    }
}

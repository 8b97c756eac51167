//! Operations that treat each element alike.

use narrows_kernels::activation::{activate, activation_derivative};
use narrows_kernels::elementwise::{Binary, Unary, add_row, binary, mul_scalar, unary};
use narrows_kernels::{Activation, Context, Real};

use super::{ColumnSum, Sum, same_shape};
use crate::tape::backward::Backward;
use crate::tape::operation::{Call, Operand, Operation, Target};
use crate::tape::{Shape, Var};

/// y = activation(x).
#[derive(Clone, Copy)]
pub(in crate::tape) struct Activate<T> {
    pub activation: Activation<T>,
}

impl<T: Real> Operation<T> for Activate<T> {
    const NAME: &'static str = "activation";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        activate(context.isa, self.activation, inputs[0].data, target.data);
    }

    /// dx = G ∘ f(y), f the derivative of the activation through its output.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let derivative = ActivationDerivative { activation: self.activation, order: 0 };
        backward.give(call.inputs[0], derivative, &[call.output, grad]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

/// u ∘ f⁽ᵒʳᵈᵉʳ⁾(y), where f(y) is the derivative of an activation expressed through its output y: tanh has f = 1 − y²,
/// sigmoid y(1 − y), ELU 1 or y + α, softplus 1 − e⁻ʸ, the piecewise linear ones a constant.
/// f has a closed form of every order, so gradients of gradients need nothing further.
#[derive(Clone, Copy)]
pub(in crate::tape) struct ActivationDerivative<T> {
    pub activation: Activation<T>,
    pub order: u32,
}

impl<T: Real> Operation<T> for ActivationDerivative<T> {
    const NAME: &'static str = "activation derivative";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        same_shape("activation derivative", inputs[0], inputs[1])
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let (y, u) = (inputs[0].data, inputs[1].data);
        activation_derivative(context.isa, self.activation, self.order, y, u, target.data, target.accumulate);
    }

    /// du = G ∘ f⁽ᵏ⁾(y); dy = G ∘ u ∘ f⁽ᵏ⁺¹⁾(y).
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [y, u] = [call.inputs[0], call.inputs[1]];
        backward.give(u, *self, &[y, grad]);
        let curved = !matches!(self.activation, Activation::Identity | Activation::Relu | Activation::LeakyRelu(_));
        if curved && backward.wants(y) {
            let weighted = backward.apply(Combine::Mul, &[grad, u]);
            let next = ActivationDerivative { activation: self.activation, order: self.order + 1 };
            backward.give(y, next, &[y, weighted]);
        }
    }
}

/// One function of each element.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Elementwise<T>(pub Unary<T>);

impl<T: Real> Elementwise<T> {
    /// y = x.
    pub fn copy() -> Self {
        Elementwise(Unary::Scale(T::ONE))
    }
}

impl<T: Real> Operation<T> for Elementwise<T> {
    const NAME: &'static str = "elementwise function";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        unary(context.isa, self.0, inputs[0].data, target.data, target.accumulate);
    }

    /// The table of derivatives:
    ///
    /// | y | dx |
    /// |---|---|
    /// | eˣ | G ∘ y |
    /// | ln x | G ∘ 1/x |
    /// | x² | 2 G ∘ x |
    /// | \|x\| | G ∘ sign x |
    /// | sign x | 0 |
    /// | 1/x | −G ∘ y² |
    /// | c·x | c·G |
    /// | x + c | G |
    /// | x within (a, b) | G where a < x < b, else 0 |
    /// | 1 where a < x < b | 0 |
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let (x, y) = (call.inputs[0], call.output);
        if !backward.wants(x) {
            return;
        }
        match self.0 {
            Unary::Exp => backward.give(x, Combine::Mul, &[grad, y]),
            Unary::Ln => {
                let reciprocal = backward.apply(Elementwise(Unary::Reciprocal), &[x]);
                backward.give(x, Combine::Mul, &[grad, reciprocal]);
            }
            Unary::Square => {
                let twice = backward.apply(Elementwise(Unary::Scale(T::from_f64(2.0))), &[x]);
                backward.give(x, Combine::Mul, &[grad, twice]);
            }
            Unary::Abs => {
                let sign = backward.apply(Elementwise(Unary::Sign), &[x]);
                backward.give(x, Combine::Mul, &[grad, sign]);
            }
            Unary::Clamp(low, high) => {
                let inside = backward.apply(Elementwise(Unary::Between(low, high)), &[x]);
                backward.give(x, Combine::Mul, &[grad, inside]);
            }
            // Flat almost everywhere.
            Unary::Sign | Unary::Between(..) => backward.give(x, Elementwise(Unary::Scale(T::ZERO)), &[grad]),
            Unary::Reciprocal => {
                let square = backward.apply(Elementwise(Unary::Square), &[y]);
                let negated = backward.apply(Elementwise(Unary::Scale(-T::ONE)), &[square]);
                backward.give(x, Combine::Mul, &[grad, negated]);
            }
            Unary::Scale(factor) => backward.give(x, Elementwise(Unary::Scale(factor)), &[grad]),
            Unary::Offset(_) => backward.pass(x, grad),
        }
    }
}

/// Two matrices of one shape, element by element.
#[derive(Clone, Copy)]
pub(in crate::tape) enum Combine {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a ∘ b.
    Mul,
}

impl<T: Real> Operation<T> for Combine {
    const NAME: &'static str = "elementwise combination";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let name = match self {
            Combine::Add => "sum",
            Combine::Sub => "difference",
            Combine::Mul => "elementwise product",
        };
        same_shape(name, inputs[0], inputs[1])
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let op = match self {
            Combine::Add => Binary::Add,
            Combine::Sub => Binary::Sub,
            Combine::Mul => Binary::Mul,
        };
        binary(context.isa, op, inputs[0].data, inputs[1].data, target.data, target.accumulate);
    }

    /// Sum: G, G. Difference: G, −G. Product: G ∘ b, G ∘ a.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [a, b] = [call.inputs[0], call.inputs[1]];
        match self {
            Combine::Add => {
                backward.pass(a, grad);
                backward.pass(b, grad);
            }
            Combine::Sub => {
                backward.pass(a, grad);
                backward.give(b, Elementwise(Unary::Scale(-T::ONE)), &[grad]);
            }
            Combine::Mul => {
                backward.give(a, Combine::Mul, &[grad, b]);
                backward.give(b, Combine::Mul, &[grad, a]);
            }
        }
    }
}

/// x [rows, cols] + row [1, cols], the row added to each row.
#[derive(Clone, Copy)]
pub(in crate::tape) struct AddRow;

impl<T: Real> Operation<T> for AddRow {
    const NAME: &'static str = "broadcast bias";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (x, row) = (inputs[0], inputs[1]);
        assert!(row.is_row_of(x.cols()), "bias {row} added to {x}: it must be [1, {}]", x.cols());
        x
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        add_row(context.isa, inputs[0].data, inputs[1].data, target.data);
    }

    /// dx = G; drow = column sums of G.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.pass(call.inputs[0], grad);
        backward.give(call.inputs[1], ColumnSum, &[grad]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

/// x [rows, cols] · s [1, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct MulScalar;

impl<T: Real> Operation<T> for MulScalar {
    const NAME: &'static str = "product with a scalar";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        assert!(inputs[1].len() == 1, "product of {} with the scalar {}: it must be [1, 1]", inputs[0], inputs[1]);
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        mul_scalar(context.isa, inputs[0].data, inputs[1].data[0], target.data, target.accumulate);
    }

    /// dx = G · s; ds = Σ G ∘ x.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, s] = [call.inputs[0], call.inputs[1]];
        backward.give(x, MulScalar, &[grad, s]);
        if backward.wants(s) {
            let product = backward.apply(Combine::Mul, &[grad, x]);
            backward.give(s, Sum { scale: 1.0 }, &[product]);
        }
    }
}

/// x² with the derivative of x³: what the gradient checker must catch.
#[cfg(test)]
#[derive(Clone, Copy)]
pub(in crate::tape) struct WrongSquare;

#[cfg(test)]
impl<T: Real> Operation<T> for WrongSquare {
    const NAME: &'static str = "wrong square";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        unary(context.isa, Unary::Square, inputs[0].data, target.data, target.accumulate);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let thrice = backward.apply(Elementwise(Unary::Scale(T::from_f64(3.0))), &[call.inputs[0]]);
        backward.give(call.inputs[0], Combine::Mul, &[grad, thrice]);
    }
}

//! Operations that treat each element alike.

use narrows_kernels::activation::{activate, activation_derivative};
use narrows_kernels::elementwise::{Binary, add_row, binary, mul_scalar, unary};

use super::*;

/// y = activation(x).
#[derive(Clone, Copy)]
pub(in crate::tape) struct Activate {
    pub activation: Activation,
}

impl<T: Real> Operation<T> for Activate {
    const NAME: &'static str = "activation";
    const ACCUMULATES: bool = false;

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
}

/// u ∘ f⁽ᵒʳᵈᵉʳ⁾(y), where f(y) is the derivative of an activation expressed through its output y: tanh has f = 1 − y²,
/// sigmoid y(1 − y), ELU 1 or y + α, softplus 1 − e⁻ʸ, the piecewise linear ones a constant.
/// f has a closed form of every order, so gradients of gradients need nothing further.
#[derive(Clone, Copy)]
pub(in crate::tape) struct ActivationDerivative {
    pub activation: Activation,
    pub order: u32,
}

impl<T: Real> Operation<T> for ActivationDerivative {
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
        let curved = !self.activation.is_piecewise_linear();
        if curved && backward.wants(y) {
            let weighted = backward.apply(Combine::MUL, &[grad, u]);
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
    fn name(&self) -> &'static str {
        match self.0 {
            Unary::Exp => "exp",
            Unary::Ln => "ln",
            Unary::Square => "square",
            Unary::Abs => "absolute value",
            Unary::Sign => "sign",
            Unary::Reciprocal => "reciprocal",
            Unary::Scale(_) => "product with a number",
            Unary::Offset(_) => "sum with a number",
            Unary::Clamp(..) => "clamp",
            Unary::Between(..) => "derivative of a clamp",
        }
    }

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
        let mut apply = |function, x| backward.apply(Elementwise(function), &[x]);
        let derivative = match self.0 {
            Unary::Exp => y,
            Unary::Ln => apply(Unary::Reciprocal, x),
            Unary::Square => apply(Unary::Scale(T::from_f64(2.0)), x),
            Unary::Abs => apply(Unary::Sign, x),
            Unary::Clamp(low, high) => apply(Unary::Between(low, high), x),
            Unary::Reciprocal => {
                let square = apply(Unary::Square, y);
                apply(Unary::Scale(-T::ONE), square)
            }
            // Flat almost everywhere.
            Unary::Sign | Unary::Between(..) => return backward.give(x, Elementwise(Unary::Scale(T::ZERO)), &[grad]),
            Unary::Scale(_) => return backward.give(x, *self, &[grad]),
            Unary::Offset(_) => return backward.pass(x, grad),
        };
        backward.give(x, Combine::MUL, &[grad, derivative]);
    }
}

/// Two values of one shape, element by element.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Combine(Binary);

impl Combine {
    /// a + b.
    pub const ADD: Self = Combine(Binary::Add);
    /// a − b.
    pub const SUB: Self = Combine(Binary::Sub);
    /// a ∘ b.
    pub const MUL: Self = Combine(Binary::Mul);
}

impl<T: Real> Operation<T> for Combine {
    fn name(&self) -> &'static str {
        match self.0 {
            Binary::Add => "sum",
            Binary::Sub => "difference",
            Binary::Mul => "elementwise product",
        }
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        same_shape(Operation::<T>::name(self), inputs[0], inputs[1])
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        binary(context.isa, self.0, inputs[0].data, inputs[1].data, target.data, target.accumulate);
    }

    /// Sum: G, G. Difference: G, −G. Product: G ∘ b, G ∘ a.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [a, b] = [call.inputs[0], call.inputs[1]];
        match self.0 {
            Binary::Add => {
                backward.pass(a, grad);
                backward.pass(b, grad);
            }
            Binary::Sub => {
                backward.pass(a, grad);
                backward.give(b, Elementwise(Unary::Scale(-T::ONE)), &[grad]);
            }
            Binary::Mul => {
                backward.give(a, Combine::MUL, &[grad, b]);
                backward.give(b, Combine::MUL, &[grad, a]);
            }
        }
    }
}

/// x [rows, cols] + row [1, cols], the row added to each row.
#[derive(Clone, Copy)]
pub(in crate::tape) struct AddRow;

impl<T: Real> Operation<T> for AddRow {
    const NAME: &'static str = "broadcast bias";
    const ACCUMULATES: bool = false;

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
            let product = backward.apply(Combine::MUL, &[grad, x]);
            backward.give(s, Sum { scale: 1.0 }, &[product]);
        }
    }
}

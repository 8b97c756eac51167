//! Losses as one operation each, with the gradient as another, so that both can be differentiated again.
//!
//! A loss and its gradient are computed in one pass over prediction and target: the loss takes the gradient's node as its
//! third input, and its own product hands that on.

use narrows_kernels::elementwise::Unary;
use narrows_kernels::losses::{
    bce_with_logits, bce_with_logits_and_gradient, bce_with_logits_gradient, squared_error, squared_error_and_gradient,
    squared_error_gradient,
};
use narrows_kernels::{Activation, Context, Real};

use super::reduce::put_scalar;
use super::{Activate, ActivationDerivative, Combine, Elementwise, MulScalar, Sum, same_shape};
use crate::tape::backward::Backward;
use crate::tape::operation::{Call, Op, Operand, Operation, Target};
use crate::tape::{Tape, Var};

/// A loss [rows, cols] twice → [1, 1] that is computed together with its gradient.
pub(in crate::tape) trait FusedLoss<T: Real>: Into<Op<T>> {
    /// The gradient as an operation on prediction, target and the gradient of the loss.
    type Gradient: Into<Op<T>>;

    /// That operation.
    fn gradient(&self) -> Self::Gradient;

    /// What the sum is multiplied by.
    fn scale(&self) -> f64;

    /// Writes the gradient for a loss that is itself the root, and returns the sum over its rows, from `above` on.
    fn evaluate_both(
        &self,
        context: Context,
        above: f64,
        x: Operand<'_, T>,
        target: Operand<'_, T>,
        gradient: &mut [T],
    ) -> f64;
}

impl<T: Real> Tape<'_, T> {
    /// Records `loss` of x against target, and its gradient, in one pass.
    pub(in crate::tape) fn fused_loss<L: FusedLoss<T>>(&mut self, loss: L, above: f64, x: Var, target: Var) -> Var {
        let (rows, cols) = same_shape("a loss", self.shape(x), self.shape(target));
        let one = self.constant_with(1, 1, |value| value[0] = T::ONE);
        let gradient = self.append(loss.gradient().into(), &[x, target, one], rows, cols);
        let mut buffer = std::mem::take(&mut self.arena.nodes[gradient.index()].value);
        let (prediction, wanted) = (self.operand(x), self.operand(target));
        let sum = loss.evaluate_both(self.context, above, prediction, wanted, &mut buffer[..rows * cols]);
        let value = T::from_f64(loss.scale() * (sum - above));
        self.arena.nodes[gradient.index()].value = buffer;
        let var = self.append(loss.into(), &[x, target, gradient], 1, 1);
        let node = &mut self.arena.nodes[var.index()];
        (node.value[0], node.sum) = (value, sum);
        var
    }
}

/// scale · Σ (x − t)², [rows, cols] twice → [1, 1]. Its third input is [`SquaredErrorGradient`] of twice the scale.
#[derive(Clone, Copy)]
pub(in crate::tape) struct SquaredError {
    pub scale: f64,
}

impl<T: Real> FusedLoss<T> for SquaredError {
    type Gradient = SquaredErrorGradient;

    fn gradient(&self) -> SquaredErrorGradient {
        SquaredErrorGradient { scale: 2.0 * self.scale }
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn evaluate_both(
        &self,
        context: Context,
        above: f64,
        x: Operand<'_, T>,
        target: Operand<'_, T>,
        gradient: &mut [T],
    ) -> f64 {
        let scale = T::from_f64(2.0 * self.scale);
        squared_error_and_gradient(context.isa, x.data, target.data, x.cols, scale, above, gradient)
    }
}

impl<T: Real> Operation<T> for SquaredError {
    const NAME: &'static str = "mean squared error";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        same_shape("mean squared error", inputs[0], inputs[1]);
        (1, 1)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let total = squared_error(context.isa, inputs[0].data, inputs[1].data, inputs[0].cols, 0.0);
        put_scalar(T::from_f64(self.scale * total), target);
    }

    /// dx = G·(2·scale·(x − t)), dt = −dx.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, t, gradient] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        backward.give_multiple(x, gradient, grad);
        if backward.wants(t) {
            let dx = backward.apply(MulScalar, &[gradient, grad]);
            backward.give(t, Elementwise(Unary::Scale(-T::ONE)), &[dx]);
        }
    }
}

/// scale · s · (x − t), s [1, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct SquaredErrorGradient {
    pub scale: f64,
}

impl<T: Real> Operation<T> for SquaredErrorGradient {
    const NAME: &'static str = "gradient of the mean squared error";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let scale = T::from_f64(self.scale) * inputs[2].data[0];
        squared_error_gradient(context.isa, inputs[0].data, inputs[1].data, scale, target.data, target.accumulate);
    }

    /// dx = scale·s·G, dt = −dx, ds = scale · Σ G ∘ (x − t).
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, t, s] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        if backward.wants(x) || backward.wants(t) {
            let scaled = backward.apply(Elementwise(Unary::Scale(T::from_f64(self.scale))), &[grad]);
            let dx = backward.apply(MulScalar, &[scaled, s]);
            backward.pass(x, dx);
            backward.give(t, Elementwise(Unary::Scale(-T::ONE)), &[dx]);
        }
        if backward.wants(s) {
            let difference = backward.apply(Combine::Sub, &[x, t]);
            let product = backward.apply(Combine::Mul, &[grad, difference]);
            backward.give(s, Sum { scale: self.scale }, &[product]);
        }
    }
}

/// scale · Σ [max(z, 0) − z·t + ln(1 + e^−|z|)], the binary cross-entropy of targets t in [0, 1] against σ(z), from the
/// logits z: [rows, cols] twice → [1, 1]. Its third input is [`BceWithLogitsGradient`] of the same scale.
#[derive(Clone, Copy)]
pub(in crate::tape) struct BceWithLogits {
    pub scale: f64,
}

impl<T: Real> FusedLoss<T> for BceWithLogits {
    type Gradient = BceWithLogitsGradient;

    fn gradient(&self) -> BceWithLogitsGradient {
        BceWithLogitsGradient { scale: self.scale }
    }

    fn scale(&self) -> f64 {
        self.scale
    }

    fn evaluate_both(
        &self,
        context: Context,
        above: f64,
        x: Operand<'_, T>,
        target: Operand<'_, T>,
        gradient: &mut [T],
    ) -> f64 {
        let scale = T::from_f64(self.scale);
        bce_with_logits_and_gradient(context.isa, x.data, target.data, x.cols, scale, above, gradient)
    }
}

impl<T: Real> Operation<T> for BceWithLogits {
    const NAME: &'static str = "binary cross-entropy";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        same_shape("binary cross-entropy", inputs[0], inputs[1]);
        (1, 1)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let total = bce_with_logits(context.isa, inputs[0].data, inputs[1].data, inputs[0].cols, 0.0);
        put_scalar(T::from_f64(self.scale * total), target);
    }

    /// dz = G·(scale·(σ(z) − t)), dt = −scale·G·z.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [z, t, gradient] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        backward.give_multiple(z, gradient, grad);
        if backward.wants(t) {
            let scaled = backward.apply(Elementwise(Unary::Scale(T::from_f64(-self.scale))), &[z]);
            backward.give(t, MulScalar, &[scaled, grad]);
        }
    }
}

/// scale · s · (σ(z) − t), s [1, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct BceWithLogitsGradient {
    pub scale: f64,
}

impl<T: Real> Operation<T> for BceWithLogitsGradient {
    const NAME: &'static str = "gradient of the binary cross-entropy";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let scale = T::from_f64(self.scale) * inputs[2].data[0];
        bce_with_logits_gradient(context.isa, inputs[0].data, inputs[1].data, scale, target.data, target.accumulate);
    }

    /// dz = scale·s·G ∘ σ′(z), dt = −scale·s·G, ds = scale · Σ G ∘ (σ(z) − t).
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [z, t, s] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        let sigmoid = backward.apply(Activate { activation: Activation::Sigmoid }, &[z]);
        if backward.wants(z) || backward.wants(t) {
            let scaled = backward.apply(Elementwise(Unary::Scale(T::from_f64(self.scale))), &[grad]);
            let weighted = backward.apply(MulScalar, &[scaled, s]);
            let slope = ActivationDerivative { activation: Activation::Sigmoid, order: 0 };
            backward.give(z, slope, &[sigmoid, weighted]);
            backward.give(t, Elementwise(Unary::Scale(-T::ONE)), &[weighted]);
        }
        if backward.wants(s) {
            let difference = backward.apply(Combine::Sub, &[sigmoid, t]);
            let product = backward.apply(Combine::Mul, &[grad, difference]);
            backward.give(s, Sum { scale: self.scale }, &[product]);
        }
    }
}

//! Losses as one operation each, with the gradient as another, so that both can be differentiated again.

use narrows_kernels::elementwise::Unary;
use narrows_kernels::losses::{bce_with_logits, bce_with_logits_gradient, squared_error, squared_error_gradient};
use narrows_kernels::{Activation, Context, Real};

use super::reduce::put_scalar;
use super::{Activate, ActivationDerivative, Combine, Elementwise, MulScalar, Sum, same_shape};
use crate::tape::Var;
use crate::tape::backward::Backward;
use crate::tape::operation::{Call, Operand, Operation, Target};

/// scale · Σ (x − t)², [rows, cols] twice → [1, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct SquaredError {
    pub scale: f64,
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

    /// dx = 2·scale·G·(x − t), dt = −dx.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, t] = [call.inputs[0], call.inputs[1]];
        backward.give(x, SquaredErrorGradient { scale: 2.0 * self.scale }, &[x, t, grad]);
        backward.give(t, SquaredErrorGradient { scale: -2.0 * self.scale }, &[x, t, grad]);
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
/// logits z: [rows, cols] twice → [1, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct BceWithLogits {
    pub scale: f64,
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

    /// dz = scale·G·(σ(z) − t), dt = −scale·G·z.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [z, t] = [call.inputs[0], call.inputs[1]];
        backward.give(z, BceWithLogitsGradient { scale: self.scale }, &[z, t, grad]);
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

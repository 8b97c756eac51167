//! Losses as one operation, with the gradient as another, so that both can be differentiated again.
//!
//! A loss and its gradient are computed in one pass over prediction and target: the loss takes the gradient's node as its
//! third input, and its own product hands that on.

use narrows_kernels::losses::{bce_with_logits_and_gradient, squared_error_and_gradient};
use narrows_kernels::softmax::{softmax, softmax_cross_entropy_and_gradient};

use super::*;

/// What is summed over all elements of a prediction x and a target t.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tape) enum Criterion {
    /// (x − t)², gradient 2(x − t).
    SquaredError,
    /// max(x, 0) − x·t + ln(1 + e^−|x|), the binary cross-entropy of targets in [0, 1] against σ(x), from the logits x;
    /// gradient σ(x) − t.
    BceWithLogits,
    /// ln Σ e^x − Σ t·x of every row: for targets that sum to one the cross-entropy −Σ t ln softmax(x), from the logits x; gradient
    /// softmax(x) − t.
    SoftmaxCrossEntropy,
}

impl Criterion {
    /// What the difference, x − t, σ(x) − t or softmax(x) − t, is multiplied by in the gradient.
    fn factor(self) -> f64 {
        match self {
            Criterion::SquaredError => 2.0,
            Criterion::BceWithLogits | Criterion::SoftmaxCrossEntropy => 1.0,
        }
    }

    /// Parts of a sample that the mean is taken over: its elements, or one row.
    pub fn parts(self, sample: Shape) -> usize {
        match self {
            Criterion::SquaredError | Criterion::BceWithLogits => sample.features(),
            Criterion::SoftmaxCrossEntropy => sample.features() / sample.cols(),
        }
    }
}

/// scale · Σ criterion(x, t), x and t of one shape → [1, 1]. Samples are reduced in the element type, then chained in f64. The
/// third input is [`LossGradient`] of the same scale.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Loss {
    pub criterion: Criterion,
    pub scale: f64,
}

impl<T: Real> Tape<'_, T> {
    /// Records the part that these samples have in the mean of `criterion` over the whole batch, and its gradient, in one pass.
    pub(in crate::tape) fn loss(&mut self, criterion: Criterion, whole: WholeBatch, x: Var, target: Var) -> Var {
        let shape = same_shape("a loss", self.shape(x), self.shape(target));
        let scale = 1.0 / (whole.samples * criterion.parts(shape)) as f64;
        let gradient = self.append(LossGradient { criterion, scale }.into(), &[x, target], shape);
        let both = match criterion {
            Criterion::SquaredError => squared_error_and_gradient,
            Criterion::BceWithLogits => bce_with_logits_and_gradient,
            Criterion::SoftmaxCrossEntropy => softmax_cross_entropy_and_gradient,
        };
        let factor = T::from_f64(criterion.factor() * scale);
        let row = if criterion == Criterion::SoftmaxCrossEntropy { shape.cols() } else { shape.features() };
        let sum = self.lend(gradient, |tape, gradient| {
            both(tape.context.isa, tape.value(x), tape.value(target), row, factor, whole.sum_before, gradient)
        });
        let var = self.append(Loss { criterion, scale }.into(), &[x, target, gradient], Shape::SCALAR);
        let node = &mut self.arena.nodes[var.index()];
        (node.value[0], node.sum) = (T::from_f64(scale * (sum - whole.sum_before)), sum);
        var
    }
}

impl<T: Real> Operation<T> for Loss {
    const NAME: &'static str = "loss";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        same_shape("a loss", inputs[0], inputs[1]);
        Shape::SCALAR
    }

    /// dx = G · gradient. Squared error: dt = −dx. Cross-entropies: dt = −scale·G·x.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, t, gradient] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        backward.give_multiple(x, gradient, grad);
        if backward.wants(t) {
            let (value, factor) = match self.criterion {
                Criterion::SquaredError => (gradient, -1.0),
                Criterion::BceWithLogits | Criterion::SoftmaxCrossEntropy => (x, -self.scale),
            };
            let scaled = backward.apply(Elementwise(Unary::Scale(T::from_f64(factor))), &[value]);
            backward.give(t, MulScalar, &[scaled, grad]);
        }
    }
}

/// scale · 2(x − t), scale · (σ(x) − t) or scale · (softmax(x) − t).
#[derive(Clone, Copy)]
pub(in crate::tape) struct LossGradient {
    pub criterion: Criterion,
    pub scale: f64,
}

impl<T: Real> Operation<T> for LossGradient {
    const NAME: &'static str = "gradient of the loss";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    /// With c = factor · scale: dx = c·G, through σ or the softmax for the cross-entropies; dt = −c·G.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, t] = [call.inputs[0], call.inputs[1]];
        let factor = T::from_f64(self.criterion.factor() * self.scale);
        let scaled = backward.apply(Elementwise(Unary::Scale(factor)), &[grad]);
        match self.criterion {
            Criterion::SquaredError => backward.pass(x, scaled),
            Criterion::BceWithLogits => {
                let predicted = backward.apply(Activate { activation: Activation::Sigmoid }, &[x]);
                let derivative = ActivationDerivative { activation: Activation::Sigmoid, order: 0 };
                backward.give(x, derivative, &[predicted, scaled]);
            }
            Criterion::SoftmaxCrossEntropy => {
                let predicted = backward.apply(Softmax, &[x]);
                through_softmax(backward, x, predicted, scaled);
            }
        }
        backward.give(t, Elementwise(Unary::Scale(-T::ONE)), &[scaled]);
    }
}

/// e^xₖ / Σ e^x along each row.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Softmax;

impl<T: Real> Operation<T> for Softmax {
    const NAME: &'static str = "softmax";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        softmax(context.isa, inputs[0].data, inputs[0].cols(), target.data);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        through_softmax(backward, call.inputs[0], call.output, grad);
    }
}

/// dx = p ∘ G − p · Σ p ∘ G along each row, p the softmax of x.
fn through_softmax<T: Real>(backward: &mut Backward<'_, '_, T>, x: Var, p: Var, grad: Var) {
    if backward.wants(x) {
        let product = backward.apply(Combine::MUL, &[p, grad]);
        let total = backward.apply(RowSum, &[product]);
        let cols = backward.shape(p).cols();
        let total = backward.apply(BroadcastColumn { cols }, &[total]);
        let share = backward.apply(Combine::MUL, &[p, total]);
        backward.give(x, Combine::SUB, &[product, share]);
    }
}

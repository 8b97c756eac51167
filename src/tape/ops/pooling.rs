//! Pooling of images, and the linear maps that are its derivatives.

use narrows_kernels::conv::pool::{Pooling, max_pool, max_pool_at, max_pool_transposed, sum_pool, sum_pool_transposed};
use narrows_kernels::{bytes, bytes_mut};

use super::*;

fn images(of: &Pooling, samples: usize) -> Shape {
    Shape::from([samples, of.image[0], of.image[1], of.channels])
}

fn pooled(of: &Pooling, samples: usize) -> Shape {
    Shape::from([samples, of.output[0], of.output[1], of.channels])
}

fn checked(name: &str, found: Shape, expected: Shape, gives: Shape) -> Shape {
    assert!(found == expected, "{name} of {found}: it must be {expected}");
    gives
}

/// The largest element of each window: x [batch, image, channels], and the node that holds the positions → [batch, output,
/// channels]. The positions are bytes in the memory of numbers, written when the operation is recorded.
#[derive(Clone, Copy)]
pub(in crate::tape) struct MaxPool {
    of: Pooling,
}

/// The element of each window at the position noted: the derivative of [`MaxPool`] in a direction.
#[derive(Clone, Copy)]
pub(in crate::tape) struct MaxPoolAt {
    of: Pooling,
}

/// The gradient of [`MaxPool`]: each element goes back to where the maximum stood.
#[derive(Clone, Copy)]
pub(in crate::tape) struct MaxPoolTransposed {
    of: Pooling,
}

/// scale · the sum over each window, or the transpose of that.
#[derive(Clone, Copy)]
pub(in crate::tape) struct SumPool {
    pub of: Pooling,
    pub scale: f64,
    pub is_transposed: bool,
}

impl<T: Real> Tape<'_, T> {
    /// The largest element of each window, the first of several, NaN where there is one: x [batch, image, channels] →
    /// [batch, output, channels].
    pub fn max_pool(&mut self, x: Var, of: Pooling) -> Var {
        let shape = self.shape(x);
        let output = checked("maximum pooling", shape, images(&of, shape.samples()), pooled(&of, shape.samples()));
        let positions = self.constant_with([output.len().div_ceil(size_of::<T>())], |_| {});
        let var = self.append(MaxPool { of }.into(), &[x, positions], output);
        let [mut value, mut kept] =
            [var, positions].map(|var| std::mem::take(&mut self.arena.nodes[var.index()].value));
        max_pool(
            self.context.isa,
            &of,
            self.value(x),
            &mut value[..output.len()],
            &mut bytes_mut(&mut kept)[..output.len()],
        );
        self.arena.nodes[var.index()].value = value;
        self.arena.nodes[positions.index()].value = kept;
        var
    }
}

impl<T: Real> Operation<T> for MaxPool {
    const NAME: &'static str = "maximum pooling";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        pooled(&self.of, inputs[0].samples())
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], MaxPoolTransposed { of: self.of }, &[grad, call.inputs[1]]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

impl<T: Real> Operation<T> for MaxPoolAt {
    const NAME: &'static str = "elements at maxima";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let samples = inputs[0].samples();
        checked("elements at maxima", inputs[0], images(&self.of, samples), pooled(&self.of, samples))
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let positions = &bytes(inputs[1].data)[..target.data.len()];
        max_pool_at(context.isa, &self.of, inputs[0].data, positions, target.data);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], MaxPoolTransposed { of: self.of }, &[grad, call.inputs[1]]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

impl<T: Real> Operation<T> for MaxPoolTransposed {
    const NAME: &'static str = "gradient of maximum pooling";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let samples = inputs[0].samples();
        checked("gradient of maximum pooling", inputs[0], pooled(&self.of, samples), images(&self.of, samples))
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let positions = &bytes(inputs[1].data)[..inputs[0].data.len()];
        max_pool_transposed(context.isa, &self.of, inputs[0].data, positions, target.data);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], MaxPoolAt { of: self.of }, &[grad, call.inputs[1]]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

impl<T: Real> Operation<T> for SumPool {
    const NAME: &'static str = "sum over windows";

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let samples = inputs[0].samples();
        let (image, output) = (images(&self.of, samples), pooled(&self.of, samples));
        let (takes, gives) = if self.is_transposed { (output, image) } else { (image, output) };
        checked("sum over windows", inputs[0], takes, gives)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        if self.is_transposed {
            sum_pool_transposed(context.isa, &self.of, self.scale, inputs[0].data, target.data);
        } else {
            sum_pool(context.isa, &self.of, self.scale, inputs[0].data, target.data);
        }
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], SumPool { is_transposed: !self.is_transposed, ..*self }, &[grad]);
    }

    fn accumulates(&self) -> bool {
        false
    }
}

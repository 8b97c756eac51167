//! Pooling of images, and the linear maps that are its derivatives.

use narrows_kernels::conv::pool::{Pooling, max_pool, max_pool_at, max_pool_transposed, sum_pool, sum_pool_transposed};
use narrows_kernels::conv::{Convolution, convolve_max_pool};
use narrows_kernels::{Epilogue, bytes, bytes_mut};

use super::*;
use crate::tape::table::Op;

fn pooled(of: &Pooling, samples: usize) -> Shape {
    Shape::from([samples, of.output[0], of.output[1], of.channels])
}

/// What `found` becomes by a pooling, or by the transpose of one.
fn checked(name: &str, of: &Pooling, is_transposed: bool, found: Shape) -> Shape {
    let samples = found.samples();
    let (image, output) = (Shape::from([samples, of.image[0], of.image[1], of.channels]), pooled(of, samples));
    let (expected, gives) = if is_transposed { (output, image) } else { (image, output) };
    assert!(found == expected, "{name} of {found}: it must be {expected}");
    gives
}

/// The largest element of each window: x [batch, image, channels], and the node that holds the positions → [batch, output,
/// channels]. The positions are bytes in the memory of numbers, written when the operation is recorded.
#[derive(Clone, Copy)]
pub(in crate::tape) struct MaxPool {
    of: Pooling,
}

/// A convolutional layer of which only the largest element of each window is wanted: x [batch, image, image channels],
/// w [kernel, image channels, output channels], b [1, output channels], and the node that holds the positions → [batch, pooled
/// output, output channels]. A bias and a rising function commute with a maximum, bit by bit: both are applied to the maxima.
#[derive(Clone, Copy)]
pub(in crate::tape) struct ConvolvePool {
    convolve: Convolve,
    pool: Pooling,
    activation: Activation,
}

/// The element of each window at the position noted, the derivative of [`MaxPool`] in a direction, or the transpose of that: each
/// element goes back to where the maximum stood.
#[derive(Clone, Copy)]
pub(in crate::tape) struct AtMaxima {
    of: Pooling,
    is_transposed: bool,
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
        let output = checked("maximum pooling", &of, false, self.shape(x));
        self.append_with_positions(MaxPool { of }.into(), &[x], output, |context, [x, ..], y, positions| {
            max_pool(context.isa, &of, x, y, positions);
        })
    }

    /// The largest element of each window of a convolutional layer with an activation that is linear on either side of zero:
    /// x [batch, image, image channels], `weight` [kernel, image channels, output channels], `bias` [1, output channels] →
    /// [batch, pooled output, output channels]. What no window reaches is not computed.
    ///
    /// # Panics
    /// When the shapes do not fit, or the windows are not those of the convolution's output.
    pub fn convolve_max_pool(
        &mut self,
        [x, weight, bias]: [Var; 3],
        of: Convolution,
        pool: Pooling,
        activation: Activation,
    ) -> Var {
        assert!(of.output == pool.image, "{pool:?} cannot be that of the output of {of:?}");
        assert!(activation.is_piecewise_linear(), "{activation:?} does not commute with a maximum bit by bit");
        let (of, pool) = (Convolution { output: pool.reach(), ..of }, Pooling { image: pool.reach(), ..pool });
        let convolve = Convolve { of, product: Product::Forward };
        let inputs = [x, weight, bias].map(|var| self.shape(var));
        let whole = Operation::<T>::output_shape(&ConvolveLayer { convolve, activation }, &inputs);
        let output = checked("maximum pooling", &pool, false, whole);
        let op = ConvolvePool { convolve, pool, activation }.into();
        self.append_with_positions(op, &[x, weight, bias], output, |context, [x, weight, bias], y, positions| {
            let epilogue = Epilogue { bias: Some(bias), activation };
            convolve_max_pool(context.isa, &of, &pool, x, weight, epilogue, y, positions);
        })
    }

    /// Appends an operation whose last input is the node that holds the positions of its maxima, and computes both.
    fn append_with_positions(
        &mut self,
        op: Op<T>,
        inputs: &[Var],
        output: Shape,
        compute: impl FnOnce(Context, [&[T]; 3], &mut [T], &mut [u8]),
    ) -> Var {
        let positions = self.append(Op::Positions, &[], [output.len().div_ceil(size_of::<T>())].into());
        let mut all = [positions; MOST_INPUTS];
        all[..inputs.len()].copy_from_slice(inputs);
        let var = self.append(op, &all[..=inputs.len()], output);
        let [mut value, mut kept] =
            [var, positions].map(|var| std::mem::take(&mut self.arena.nodes[var.index()].value));
        let data = std::array::from_fn(|index| inputs.get(index).map_or(&[][..], |&input| self.value(input)));
        compute(self.context, data, &mut value[..output.len()], &mut bytes_mut(&mut kept)[..output.len()]);
        self.arena.nodes[var.index()].value = value;
        self.arena.nodes[positions.index()].value = kept;
        var
    }
}

impl<T: Real> Operation<T> for ConvolvePool {
    const NAME: &'static str = "maxima of a convolution";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        pooled(&self.pool, inputs[0].samples())
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, weight, bias, positions] = [0, 1, 2, 3].map(|index| call.inputs[index]);
        let dz = backward.activation_and_bias(self.activation, call.output, grad, bias);
        let spread = backward.apply(AtMaxima { of: self.pool, is_transposed: true }, &[dz, positions]);
        self.convolve.give([x, weight], spread, backward);
    }
}

impl<T: Real> Operation<T> for MaxPool {
    const NAME: &'static str = "maximum pooling";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        pooled(&self.of, inputs[0].samples())
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], AtMaxima { of: self.of, is_transposed: true }, &[grad, call.inputs[1]]);
    }
}

impl<T: Real> Operation<T> for AtMaxima {
    const NAME: &'static str = "elements at maxima";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        checked("elements at maxima", &self.of, self.is_transposed, inputs[0])
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let (x, positions) = (inputs[0].data, bytes(inputs[1].data));
        if self.is_transposed {
            max_pool_transposed(context.isa, &self.of, x, &positions[..x.len()], target.data);
        } else {
            max_pool_at(context.isa, &self.of, x, &positions[..target.data.len()], target.data);
        }
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let transposed = AtMaxima { is_transposed: !self.is_transposed, ..*self };
        backward.give(call.inputs[0], transposed, &[grad, call.inputs[1]]);
    }
}

impl<T: Real> Operation<T> for SumPool {
    const NAME: &'static str = "sum over windows";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        checked("sum over windows", &self.of, self.is_transposed, inputs[0])
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
}

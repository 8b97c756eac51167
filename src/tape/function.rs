//! Operations of one's own.

use narrows_kernels::{Context, Real};

use super::operation::{Call, Operand, Operation, Target};
use super::{Backward, Shape, Tape, Var};

/// An operation that the tape does not have, for [`Tape::apply`]: its value on slices, and its vector–Jacobian product in
/// operations of the tape, so that its gradient can be differentiated again.
/// [`check_gradients`](super::check::check_gradients) holds the two against each other.
///
/// ```
/// use narrows::rng::{Purpose, stream};
/// use narrows::tape::check::{Input, check_gradients};
/// use narrows::tape::{Activation, Call, Function, Operand, Shape, Tape, Var};
/// use narrows::{Context, Real};
///
/// /// y = x·σ(x).
/// struct Swish;
///
/// impl<T: Real> Function<T> for Swish {
///     fn name(&self) -> &'static str {
///         "swish"
///     }
///
///     fn output_shape(&self, inputs: &[Shape]) -> Shape {
///         inputs[0]
///     }
///
///     fn forward(&self, _: Context, inputs: &[Operand<'_, T>], output: &mut [T]) {
///         for (y, x) in output.iter_mut().zip(inputs[0].data) {
///             *y = T::from_f64(x.to_f64() / (1.0 + libm::exp(-x.to_f64())));
///         }
///     }
///
///     /// dx = G ∘ (s + y ∘ (1 − s)), s = σ(x).
///     fn vjp(&self, tape: &mut Tape<'_, T>, call: Call<'_>, grad: Var, _: usize) -> Var {
///         let s = tape.activate(call.inputs[0], Activation::Sigmoid);
///         let product = tape.mul(call.output, s);
///         let rest = tape.sub(call.output, product);
///         let derivative = tape.add(s, rest);
///         tape.mul(grad, derivative)
///     }
/// }
///
/// let x = Input::random([2, 3], 0.1, 2.0, &mut stream(1, Purpose::Init, 0));
/// check_gradients(Context::detect(), &[x], |tape, x| tape.apply(&Swish, x))?;
/// # Ok::<(), narrows::tape::check::Mismatch>(())
/// ```
pub trait Function<T: Real>: Sync {
    /// As messages name it.
    fn name(&self) -> &'static str;

    /// The shape of the output. It should panic, with a message that carries the shapes, when those of the inputs do not fit.
    fn output_shape(&self, inputs: &[Shape]) -> Shape;

    /// Writes every element of `output`, whose old content is undefined (not unsafe: old numbers). For bits that do not depend
    /// on the machine, use the kernels or `libm`, never the functions of the standard library such as `f64::exp`.
    fn forward(&self, context: Context, inputs: &[Operand<'_, T>], output: &mut [T]);

    /// Given the gradient `grad` of the output, the gradient of the input of that number, in its shape; asked for only where
    /// somebody reads it. No [`Tape::gradient`] may be taken here.
    fn vjp(&self, tape: &mut Tape<'_, T>, call: Call<'_>, grad: Var, input: usize) -> Var;
}

/// A [`Function`] as an operation of the tape.
#[derive(Clone, Copy)]
pub(super) struct Apply<T: Real>(pub &'static dyn Function<T>);

impl<T: Real> Operation<T> for Apply<T> {
    const ACCUMULATES: bool = false;

    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        self.0.output_shape(inputs)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        self.0.forward(context, inputs, target.data);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        for (number, &input) in call.inputs.iter().enumerate() {
            if backward.wants(input) {
                let given = self.0.vjp(backward.tape(), call, grad, number);
                let (found, shape) = (backward.shape(given), backward.shape(input));
                let name = self.name();
                assert!(
                    found == shape,
                    "{name} gives its input {number}, of shape {shape}, a gradient of shape {found}"
                );
                backward.pass(input, given);
            }
        }
    }
}

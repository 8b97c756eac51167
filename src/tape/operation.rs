//! What an operation is, and the table of all of them.

use narrows_kernels::{Accumulate, Context, Real};

use super::backward::Backward;
use super::function::Apply;
use super::ops::*;
use super::{Shape, Var};

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
    /// As messages name it.
    fn name(&self) -> &'static str;

    /// The shape of the output.
    ///
    /// # Panics
    /// When the shapes of the inputs do not fit the operation; the message carries them.
    fn output_shape(&self, inputs: &[Shape]) -> Shape;

    /// Computes the output, or adds it to the target where [`Operation::accumulates`] holds. An operation whose gradients are
    /// computed together with its value is computed where it is recorded instead.
    fn evaluate(&self, _: Context, _: &[Operand<'_, T>], _: Target<'_, T>) {
        unreachable!("{} is computed where it is recorded", self.name())
    }

    /// Given the gradient of the output, gives each input that wants it its gradient, in terms of other operations.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>);

    /// Whether `evaluate` can add to its target.
    fn accumulates(&self) -> bool {
        true
    }
}

/// Makes the enum of all operations and sends each call to the unit concerned.
macro_rules! operations {
    ($($name:ident $(<$param:ident>)?,)*) => {
        /// Any operation, or a leaf.
        #[derive(Clone, Copy)]
        pub(super) enum Op<T: Real> {
            /// A value that the caller gave.
            Constant,
            /// A parameter, at this offset of the flat buffer.
            Parameter { offset: usize },
            /// The value of another node, through which no gradient flows.
            Detach { of: Var },
            /// The value of its input in another shape.
            Reshape,
            $($name($name $(<$param>)?),)*
        }

        impl<T: Real> Op<T> {
            pub fn name(&self) -> &'static str {
                match self {
                    Op::Constant => "input",
                    Op::Parameter { .. } => "parameter",
                    Op::Detach { .. } => "detach",
                    Op::Reshape => "reshape",
                    $(Op::$name(op) => Operation::<T>::name(op),)*
                }
            }

            /// Whether the numbers lie in the node itself.
            pub fn owns_value(&self) -> bool {
                !matches!(self, Op::Parameter { .. } | Op::Detach { .. } | Op::Reshape)
            }

            pub fn output_shape(&self, inputs: &[Shape]) -> Shape {
                match self {
                    $(Op::$name(op) => Operation::<T>::output_shape(op, inputs),)*
                    _ => unreachable!("{} is appended with its shape", self.name()),
                }
            }

            pub fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
                match self {
                    $(Op::$name(op) => op.evaluate(context, inputs, target),)*
                    _ => unreachable!("{} is not computed", self.name()),
                }
            }

            pub fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
                match self {
                    Op::Constant | Op::Parameter { .. } | Op::Detach { .. } => {}
                    Op::Reshape => backward.pass(call.inputs[0], grad),
                    $(Op::$name(op) => op.vjp(call, grad, backward),)*
                }
            }

            pub fn accumulates(&self) -> bool {
                match self {
                    $(Op::$name(op) => Operation::<T>::accumulates(op),)*
                    _ => false,
                }
            }
        }

        $(impl<T: Real> From<$name $(<$param>)?> for Op<T> {
            fn from(op: $name $(<$param>)?) -> Self {
                Op::$name(op)
            }
        })*
    };
}

operations! {
    Dense,
    MatMul,
    Activate,
    ActivationDerivative,
    Elementwise<T>,
    Combine,
    AddRow,
    MulScalar,
    Sum,
    RowSum,
    ColumnSum,
    Fill,
    BroadcastRow,
    BroadcastColumn,
    SliceColumns,
    PadColumns,
    ConcatenateColumns,
    Loss,
    LossGradient,
    JacobianNorm,
    Apply<T>,
}

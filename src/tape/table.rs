//! The table of all operations.

use narrows_kernels::{Context, Real};

use super::function::Apply;
use super::operation::{Call, Operand, Operation, Target};
use super::ops::*;
use super::{Backward, Shape, Var};

/// Makes the enum of all operations and sends each call to the unit concerned.
macro_rules! operations {
    ($($name:ident $(<$param:ident>)?,)*) => {
        /// Any operation, or a leaf.
        #[derive(Clone, Copy)]
        pub(super) enum Op<T: Real> {
            /// A value that the caller gave.
            Constant,
            /// Where maxima stood: bytes in the memory of numbers.
            Positions,
            /// A parameter, at this offset of the flat buffer.
            Parameter { offset: usize },
            /// The value of its input in another shape.
            Reshape,
            $($name($name $(<$param>)?),)*
        }

        impl<T: Real> Op<T> {
            pub fn name(&self) -> &'static str {
                match self {
                    Op::Constant => "input",
                    Op::Positions => "positions of maxima",
                    Op::Parameter { .. } => "parameter",
                    Op::Reshape => "reshape",
                    $(Op::$name(op) => Operation::<T>::name(op),)*
                }
            }

            /// Whether the numbers lie in the node itself.
            pub fn owns_value(&self) -> bool {
                !matches!(self, Op::Parameter { .. } | Op::Reshape)
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
                    Op::Constant | Op::Positions | Op::Parameter { .. } => {}
                    Op::Reshape => backward.pass(call.inputs[0], grad),
                    $(Op::$name(op) => op.vjp(call, grad, backward),)*
                }
            }

            pub fn accumulates(&self) -> bool {
                match self {
                    $(Op::$name(_) => <$name $(<$param>)? as Operation<T>>::ACCUMULATES,)*
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
    Convolve,
    ConvolveLayer,
    ConvolvePool,
    MaxPool,
    AtMaxima,
    BatchNormalise,
    Normalise,
    SumPool,
    Loss,
    LossGradient,
    Softmax,
    JacobianNorm,
    Apply<T>,
}

//! What an operation is, and the table of all of them.

use narrows_kernels::{Accumulate, Context, Real};

use super::Var;
use super::backward::Backward;
use super::ops::*;

/// An input of an operation: a row-major matrix [rows, cols].
#[derive(Clone, Copy)]
pub(super) struct Operand<'a, T> {
    pub data: &'a [T],
    pub rows: usize,
    pub cols: usize,
}

/// Where an operation writes: a row-major matrix [rows, cols].
pub(super) struct Target<'a, T> {
    pub data: &'a mut [T],
    pub rows: usize,
    pub cols: usize,
    pub accumulate: Accumulate,
}

/// One application of an operation: its inputs and its output.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub inputs: &'a [Var],
    pub output: Var,
}

/// An operation: equation, forward and vector–Jacobian product in one place.
pub(super) trait Operation<T: Real>: Copy {
    /// As messages name it.
    const NAME: &'static str;

    /// The shape of the output.
    ///
    /// # Panics
    /// When the shapes of the inputs do not fit the operation; the message carries both.
    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize);

    /// Computes the output, or adds it to the target where [`Operation::accumulates`] holds.
    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>);

    /// Given the gradient of the output, gives each input that wants it its gradient, in terms of other operations.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>);

    /// Whether `evaluate` can add to its target.
    fn accumulates(&self) -> bool {
        true
    }

    /// Whether its gradient can be differentiated again.
    fn is_recordable(&self) -> bool {
        true
    }
}

/// Makes the enum of all operations and sends each call to the unit concerned.
macro_rules! operations {
    ($($(#[$attribute:meta])* $name:ident $(<$param:ident>)?,)*) => {
        /// Any operation, or a leaf.
        #[derive(Clone, Copy)]
        pub(super) enum Op<T> {
            /// A value that the caller gave.
            Constant,
            /// A parameter, at this offset of the flat buffer.
            Parameter { offset: usize },
            $($(#[$attribute])* $name($name $(<$param>)?),)*
        }

        impl<T: Real> Op<T> {
            pub fn name(&self) -> &'static str {
                match self {
                    Op::Constant => "input",
                    Op::Parameter { .. } => "parameter",
                    $($(#[$attribute])* Op::$name(_) => <$name $(<$param>)? as Operation<T>>::NAME,)*
                }
            }

            pub fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
                match self {
                    Op::Constant | Op::Parameter { .. } => unreachable!("leaves are appended with their shape"),
                    $($(#[$attribute])* Op::$name(op) => Operation::<T>::output_shape(op, inputs),)*
                }
            }

            pub fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
                match self {
                    Op::Constant | Op::Parameter { .. } => unreachable!("leaves are not computed"),
                    $($(#[$attribute])* Op::$name(op) => op.evaluate(context, inputs, target),)*
                }
            }

            pub fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
                match self {
                    Op::Constant | Op::Parameter { .. } => {}
                    $($(#[$attribute])* Op::$name(op) => op.vjp(call, grad, backward),)*
                }
            }

            pub fn accumulates(&self) -> bool {
                match self {
                    Op::Constant | Op::Parameter { .. } => false,
                    $($(#[$attribute])* Op::$name(op) => Operation::<T>::accumulates(op),)*
                }
            }

            pub fn is_recordable(&self) -> bool {
                match self {
                    Op::Constant | Op::Parameter { .. } => true,
                    $($(#[$attribute])* Op::$name(op) => Operation::<T>::is_recordable(op),)*
                }
            }
        }

        $($(#[$attribute])* impl<T> From<$name $(<$param>)?> for Op<T> {
            fn from(op: $name $(<$param>)?) -> Self {
                Op::$name(op)
            }
        })*
    };
}

operations! {
    Dense<T>,
    MatMul,
    Activate<T>,
    ActivationDerivative<T>,
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
    #[cfg(test)]
    WrongSquare,
}

//! The operations, by family.

mod columns;
mod elementwise;
mod jacobian;
mod linear;
mod losses;
mod reduce;

use narrows_kernels::elementwise::Unary;
use narrows_kernels::{Accumulate, Activation, Context, Real};

use super::backward::Backward;
use super::operation::{Call, Op, Operand, Operation, Target};
use super::{Shape, Tape, Var};

pub(super) use columns::{ConcatenateColumns, PadColumns, SliceColumns};
pub(super) use elementwise::{Activate, ActivationDerivative, AddRow, Combine, Elementwise, MulScalar};
pub(super) use jacobian::JacobianNorm;
pub use linear::Transpose;
pub(super) use linear::{Dense, MatMul};
pub(super) use losses::{Criterion, Loss, LossGradient};
pub(super) use reduce::{BroadcastColumn, BroadcastRow, ColumnSum, Fill, RowSum, Sum};

/// Fails unless `lhs` and `rhs` are equal.
fn same_shape(operation: &str, lhs: Shape, rhs: Shape) -> Shape {
    assert!(lhs == rhs, "{operation} of {lhs} and {rhs}: the shapes must be equal");
    lhs
}

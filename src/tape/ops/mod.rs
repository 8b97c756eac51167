//! The operations, by family.

mod columns;
mod convolution;
mod elementwise;
mod jacobian;
mod linear;
mod losses;
mod normalise;
mod pooling;
mod reduce;

use narrows_kernels::elementwise::Unary;
use narrows_kernels::{Accumulate, Activation, Context, Real};

use super::operation::{Call, Operand, Operation, Target};
use super::{Backward, MOST_INPUTS, Shape, Tape, Var, WholeBatch};

pub(super) use columns::{PadColumns, SliceColumns};
pub(super) use convolution::{Convolve, ConvolveLayer, Product};
pub(super) use elementwise::{Activate, ActivationDerivative, AddRow, Combine, Elementwise, MulScalar};
pub(super) use jacobian::JacobianNorm;
pub use linear::Transpose;
pub(super) use linear::{Dense, MatMul};
pub(super) use losses::{Criterion, Loss, LossGradient, Softmax};
pub use normalise::Normalised;
pub(super) use normalise::{BatchNormalise, Normalise};
pub(super) use pooling::{AtMaxima, ConvolvePool, MaxPool, SumPool};
pub(super) use reduce::{BroadcastColumn, BroadcastRow, ColumnSum, Fill, RowSum, Sum};

/// Fails unless `lhs` and `rhs` are equal.
fn same_shape(operation: &str, lhs: Shape, rhs: Shape) -> Shape {
    assert!(lhs == rhs, "{operation} of {lhs} and {rhs}: the shapes must be equal");
    lhs
}

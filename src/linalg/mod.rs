//! Least squares by orthogonal factorisations, in f32 and f64, on the kernels' matrix products.
//!
//! [`PivotedQr`] factors a matrix once and then solves min ‖A·x − b‖₂ for any number of right-hand sides, with the solution
//! of least norm where the rank is short. Nothing here forms AᵀA, whose condition number is the square of A's.
//!
//! All bits are a function of the input: matrix products are the kernels' chains, sums their fixed lanes, and every other
//! loop has one order. Neither threads nor the instruction set nor the number of right-hand sides solved together change one.

mod cholesky;
mod householder;
mod jacobi;
mod matrix;
mod pivoted;
mod triangular;

pub use cholesky::{cholesky_factor, cholesky_substitute};
pub use jacobi::{singular_values, symmetric_eigen};
pub use matrix::Matrix;
pub use pivoted::PivotedQr;

/// A matrix that cannot be factored.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FactorError {
    /// There is nothing to factor.
    #[error("cannot factor a [{rows}, {cols}] matrix: at least one row and one column are needed")]
    Empty {
        /// Its rows.
        rows: usize,
        /// Its columns.
        cols: usize,
    },
    /// An element is infinite or not a number.
    #[error("cannot factor a [{rows}, {cols}] matrix: element ({row}, {col}) is {value}, and all must be finite")]
    NotFinite {
        /// Rows of the matrix.
        rows: usize,
        /// Columns of the matrix.
        cols: usize,
        /// The element's row.
        row: usize,
        /// The element's column.
        col: usize,
        /// The element.
        value: f64,
    },
}

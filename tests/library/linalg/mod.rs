//! Promises of `linalg`.

mod cholesky;
mod jacobi;
mod matrix;

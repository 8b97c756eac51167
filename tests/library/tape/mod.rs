//! Promises of `tape`.

mod check;
mod shape;
mod values;

//! Promises of `tape`.

mod shape;
mod values;

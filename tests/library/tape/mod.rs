//! Promises of `tape`.

mod shape;
mod tape;

//! Promises of `invert`.

mod floor;
mod undo;

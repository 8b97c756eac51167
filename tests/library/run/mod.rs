//! Promises of `run`.

mod checkpoint_format;
mod lock;

//! Promises of `nn`.

mod init;
mod params;
mod pass;
mod weights;

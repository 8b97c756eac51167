//! Promises of `nn`.

mod init;
mod params;
mod pass;
mod summary;
mod weights;

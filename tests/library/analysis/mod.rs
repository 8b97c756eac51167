//! What codes are worth.

mod pairs;
mod regression;
mod traversal;

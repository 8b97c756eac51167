//! What codes are worth.

mod generated;
mod pairs;
mod regression;
mod traversal;

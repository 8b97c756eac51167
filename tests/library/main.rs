//! The promises of the library, one module each.

#[path = "../support/mod.rs"]
mod support;

mod config;
mod data_files;
mod early_stopping;
mod fetch;
mod fused;
mod gradients;
mod inversion;
mod kinds;
mod least_squares;
mod linear_floor;
mod matlab;
mod optimizers;
mod slices;
mod structure;
mod tape;

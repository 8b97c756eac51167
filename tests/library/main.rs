//! The promises of the library, one module each.

#[path = "../support/mod.rs"]
mod support;

mod analysis;
mod charts;
mod config;
mod contractive;
mod convolutions;
mod data_files;
mod early_stopping;
mod fetch;
mod files;
mod folds;
mod fused;
mod gradients;
mod history;
mod inversion;
mod invert;
mod kinds;
mod lbfgs;
mod least_squares;
mod linalg;
mod linear_floor;
mod loss;
mod matlab;
mod nn;
mod number;
mod optim;
mod optimizers;
mod pairs_and_rivals;
mod reports;
mod rng;
mod run;
mod search;
mod settings;
mod slices;
mod spelling;
mod structure;
mod tape;
mod trainer;

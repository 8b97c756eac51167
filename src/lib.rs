//! A numerical engine that trains, inverts and studies autoencoders on CPUs.
//!
//! The modules stand in the order in which data flow; each imports only those above it.

pub mod config;
pub mod files;
pub mod rng;

pub mod data;
pub mod figures;
pub mod tape;

pub mod linalg;
pub mod loss;
pub mod nn;
pub mod optim;

pub mod train;

pub mod invert;

pub mod run;

pub mod study;

pub mod cli;

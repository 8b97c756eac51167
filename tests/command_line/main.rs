//! The promises of the program, run as a person runs it.

#[path = "../support/mod.rs"]
mod support;

mod bad_input;
mod before_computing;
mod bits;
mod classifier;
mod codes;
mod colour;
mod examples;
mod explore;
mod faults;
mod generative;
mod golden_bits;
mod gone_on_with;
mod inversion_study;
mod invert_command;
mod looking_at_runs;
mod map_command;
mod offline;
mod onnx;
mod output;
mod representations_study;
mod resume;
mod search;
mod sigmoid_study;
mod symbols;
mod tensorboard;
mod train_cli;
mod workflow;

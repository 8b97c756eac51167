//! Promises of `optim`.

mod clip;
mod schedule;
mod sgd;
mod stepper;

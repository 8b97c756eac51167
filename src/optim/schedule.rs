//! The learning rate of each epoch.
//!
//! Epochs count from 0. A schedule is a constant description; what changes from epoch to epoch is a [`Rate`], four numbers
//! that a checkpoint can hold.

use super::{Optimizer, Semantics};
use crate::settings::{Range, at_least, settings};

settings! {
    /// A figure of an epoch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Monitor {
        /// Of the validation part.
        ValLoss = "val_loss",
        /// Of the training part.
        Loss = "loss",
    }
}

settings! {
    /// How the learning rate develops from η₀.
    ///
    /// A plateau reduces it to max(η · factor, floor) when the monitored value stops falling:
    ///
    /// | | Keras (`ReduceLROnPlateau`, mode min) | PyTorch (`ReduceLROnPlateau`, mode min) |
    /// |---|---|---|
    /// | an improvement | value < best − min_delta | the same, or, with a threshold, value < best · (1 − threshold) |
    /// | reduces after | `patience` epochs without one | `patience` + 1 epochs without one |
    /// | each cooling epoch | lowers the cooldown first; the one that ends it counts as waiting | never counts as waiting |
    /// | reduces only | while η is above the floor | when that lowers η by more than 1e-8 |
    ///
    /// NaN is never an improvement, and the first value is compared with ∞. PyTorch's own default is a threshold of 1e-4,
    /// Keras's a min_delta of 1e-4; here both are 0 unless given.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub enum Schedule tagged {
        /// η₀.
        Constant = "constant",
        /// η₀ · factor^⌊epoch / every⌋.
        Step = "step" {
            /// Epochs between two reductions by `factor`.
            every("step"): usize = 10, in at_least(1), required "a number of epochs";
            /// What a reduction multiplies the learning rate by.
            factor: f64 = 0.5, in Range::ABOVE_ZERO, required "a factor, as in factor = 0.5";
        },
        /// η₀ · factor^epoch.
        Exponential = "exponential" {
            /// What each epoch multiplies the learning rate by.
            factor("exponential"): f64 = 0.95, in Range::ABOVE_ZERO;
        },
        /// floor + (η₀ − floor) · ½(1 + cos(π · min(epoch/epochs, 1))) (Loshchilov and Hutter, "SGDR", 2017, equation 5).
        Cosine = "cosine" {
            /// Epochs from η₀ down half a cosine to the floor.
            epochs("cosine"): usize = 50, in at_least(1);
            /// The smallest learning rate; at most `learning_rate`.
            floor: f64 = 0.0, in Range::NOT_NEGATIVE;
        },
        /// Reduced when the monitored value stops falling.
        Plateau = "plateau" {
            /// The figure whose fall is watched; the learning rate is reduced when it stops.
            monitor("plateau"): Monitor = Monitor::ValLoss;
            /// What a reduction multiplies the learning rate by.
            factor: f64 = 0.1, in Range::INSIDE, required "a factor, as in factor = 0.5";
            /// Epochs without improvement before a reduction.
            patience: usize = 10, required "a number of epochs, as in patience = 5";
            /// By how much an improvement must fall below the best value.
            min_delta: f64 = 0.0, in Range::NOT_NEGATIVE;
            /// By which share of the best value an improvement must fall below it; PyTorch's semantics only, in place of
            /// `min_delta`. PyTorch's default is 1e-4.
            threshold: Option<f64> = None, in Range::BELOW_ONE;
            /// Epochs after a reduction in which epochs without improvement are not counted; none where absent.
            cooldown: Option<usize> = None;
            /// The smallest learning rate; at most `learning_rate`.
            floor: f64 = 0.0, in Range::NOT_NEGATIVE;
        },
    }
}

/// The learning rate of an epoch, and what a plateau remembers: with the configuration, all that the rates to come depend on.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    /// The epoch that this is the rate of, from 0.
    pub epoch: u64,
    /// η.
    pub rate: f64,
    /// The lowest monitored value so far; ∞ before any.
    pub best: f64,
    /// Epochs since the best value or the last reduction.
    pub waited: u64,
    /// Epochs of cooldown that are left.
    pub cooling: u64,
}

impl Schedule {
    /// η₀, the learning rate of epoch 0.
    pub fn first_rate(&self, rule: &Optimizer) -> Rate {
        let rate = self.planned(rule.learning_rate(), 0);
        Rate { epoch: 0, rate, best: f64::INFINITY, waited: 0, cooling: 0 }
    }

    /// Goes on to the next epoch; `monitored` is the figure at the end of this one that [`monitor`](Self::monitor) names. A
    /// plateau is that of the rule's semantics.
    pub fn next_rate(&self, rule: &Optimizer, state: &mut Rate, monitored: f64) {
        state.epoch += 1;
        let Schedule::Plateau { factor, patience, min_delta, threshold, cooldown, floor, .. } = *self else {
            state.rate = self.planned(rule.learning_rate(), state.epoch);
            return;
        };
        let (patience, cooldown) = (patience as u64, cooldown.unwrap_or(0) as u64);
        let improves = match threshold {
            Some(share) => monitored < state.best * (1.0 - share),
            None => monitored < state.best - min_delta,
        };
        let reduced = (state.rate * factor).max(floor);
        if improves {
            state.best = monitored;
        }
        match rule.semantics() {
            Semantics::Keras => {
                if state.cooling > 0 {
                    state.cooling -= 1;
                    state.waited = 0;
                }
                if improves {
                    state.waited = 0;
                } else if state.cooling == 0 {
                    state.waited += 1;
                    if state.waited >= patience && state.rate > floor {
                        (state.rate, state.cooling, state.waited) = (reduced, cooldown, 0);
                    }
                }
            }
            Semantics::Pytorch => {
                state.waited = if improves { 0 } else { state.waited + 1 };
                if state.cooling > 0 {
                    state.cooling -= 1;
                    state.waited = 0;
                }
                if state.waited > patience {
                    if state.rate - reduced > 1e-8 {
                        state.rate = reduced;
                    }
                    (state.cooling, state.waited) = (cooldown, 0);
                }
            }
        }
    }

    /// The figure that [`next_rate`](Self::next_rate) takes; only a plateau reads it.
    pub fn monitor(&self) -> Monitor {
        match *self {
            Schedule::Plateau { monitor, .. } => monitor,
            _ => Monitor::default(),
        }
    }

    /// The rate of `epoch` where nothing monitored changes it.
    fn planned(&self, base: f64, epoch: u64) -> f64 {
        match *self {
            Schedule::Constant | Schedule::Plateau { .. } => base,
            Schedule::Step { every, factor } => base * libm::pow(factor, (epoch / every.max(1) as u64) as f64),
            Schedule::Exponential { factor } => base * libm::pow(factor, epoch as f64),
            Schedule::Cosine { epochs, floor } => {
                let done = (epoch as f64 / epochs.max(1) as f64).min(1.0);
                floor + (base - floor) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * done))
            }
        }
    }
}

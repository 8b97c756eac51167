//! Early stopping with Keras's semantics.
//!
//! At the end of each epoch from `start_from_epoch` on (epochs counted from 0 there), a counter `wait` goes up by one. The
//! monitored value improves when value + min_delta < best, strictly; then it becomes the best, and `wait` goes back to 0 if
//! there is no baseline or the value improves on that too. Training stops when `wait` reaches `patience` without an
//! improvement, but never after the very first epoch.
//!
//! Source: Keras 3.15, `callbacks/early_stopping.py`. One difference: a NaN is never an improvement, where Keras accepts it
//! as the first value and then compares with it for ever.

use crate::optim::Monitor;
use crate::settings::{Range, settings};

settings! {
    /// When training ends before its last epoch: Keras's rules. The monitored figure is better than the best so far when
    /// it is lower by more than `min_delta`; after `patience` epochs without a better one, training ends.
    #[derive(Clone, Debug, PartialEq)]
    pub struct EarlyStoppingRule {
        /// The figure that is watched.
        pub monitor: Monitor = Monitor::ValLoss;
        /// Epochs without improvement before training ends.
        pub patience: usize = 5, required "a number of epochs, as in patience = 5";
        /// Least improvement that counts.
        pub min_delta: f64 = 0.0, in Range::NOT_NEGATIVE;
        /// What the figure has to get below for patience to be renewed.
        pub baseline: Option<f64> = None;
        /// Epochs before watching begins.
        pub start_from_epoch: usize = 0;
        /// Whether the weights of the best epoch are kept instead of the last.
        pub restore_best: bool = false;
    }
}

impl EarlyStoppingRule {
    /// Watches the validation loss from the first epoch on, and keeps the last weights.
    pub fn new(patience: usize, min_delta: f64) -> Self {
        EarlyStoppingRule { patience, min_delta, ..Self::default() }
    }

    /// Takes the monitored value at the end of `epoch`, counted from 1.
    pub fn observe(&self, patience: &mut Patience, epoch: usize, value: f64) -> Verdict {
        if epoch <= self.start_from_epoch {
            return Verdict::Waiting;
        }
        patience.wait += 1;
        if self.improves_on(value, patience.best.map(|best| best.value)) {
            patience.best = Some(Best { epoch, value });
            if self.improves_on(value, self.baseline) {
                patience.wait = 0;
            }
            return Verdict::Improved;
        }
        if patience.wait >= self.patience && epoch > 1 { Verdict::Stop } else { Verdict::Waiting }
    }

    fn improves_on(&self, value: f64, reference: Option<f64>) -> bool {
        match reference {
            None => !value.is_nan(),
            Some(reference) => value + self.min_delta < reference,
        }
    }
}

/// The best epoch so far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Best {
    /// Counted from 1.
    pub epoch: usize,
    /// The monitored value at its end.
    pub value: f64,
}

/// What early stopping remembers from epoch to epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Patience {
    /// The best epoch so far.
    pub best: Option<Best>,
    /// Epochs since the last that counted.
    pub wait: usize,
}

/// What an epoch's value means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: the weights are worth keeping.
    Improved,
    /// Not better, and patience is left.
    Waiting,
    /// Not better, and patience has run out.
    Stop,
}

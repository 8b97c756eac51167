//! The learning rate of each epoch.
//!
//! Epochs count from 0. A schedule is a constant description; what changes from epoch to epoch is a [`Rate`], four numbers
//! that a checkpoint can hold.

use super::Semantics;
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
            /// The smallest learning rate.
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
            /// Epochs after a reduction in which nothing is held against the run; none where absent.
            cooldown: Option<usize> = None;
            /// The smallest learning rate.
            floor: f64 = 0.0, in Range::NOT_NEGATIVE;
        },
    }
}

/// The learning rate of an epoch, and what a plateau remembers.
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

/// The learning rate of a run, epoch after epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct LearningRate {
    base: f64,
    schedule: Schedule,
    semantics: Semantics,
    rate: Rate,
}

impl LearningRate {
    /// η₀ = `base` in epoch 0, and what `schedule` makes of it; a plateau is that of `semantics`.
    pub fn new(schedule: Schedule, base: f64, semantics: Semantics) -> Self {
        let rate = Rate { epoch: 0, rate: schedule.planned(base, 0), best: f64::INFINITY, waited: 0, cooling: 0 };
        LearningRate { base, schedule, semantics, rate }
    }

    /// η of the epoch under way.
    pub fn value(&self) -> f64 {
        self.rate.rate
    }

    /// η, and what a plateau remembers: with the configuration, all that the rates to come depend on.
    pub fn rate(&self) -> &Rate {
        &self.rate
    }

    /// Goes on from such a rate.
    pub fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// Which figure [`epoch_done`](Self::epoch_done) takes; only a plateau reads it.
    pub fn monitor(&self) -> Monitor {
        match self.schedule {
            Schedule::Plateau { monitor, .. } => monitor,
            _ => Monitor::default(),
        }
    }

    /// Goes on to the next epoch; `monitored` is the figure at the end of this one.
    pub fn epoch_done(&mut self, monitored: f64) {
        self.rate.epoch += 1;
        match self.schedule {
            Schedule::Plateau { .. } => self.observe(monitored),
            _ => self.rate.rate = self.schedule.planned(self.base, self.rate.epoch),
        }
    }

    /// A plateau's epoch.
    fn observe(&mut self, value: f64) {
        let Schedule::Plateau { factor, patience, min_delta, threshold, cooldown, floor, .. } = self.schedule else {
            return;
        };
        let (state, patience, cooldown) = (&mut self.rate, patience as u64, cooldown.unwrap_or(0) as u64);
        let improves = match threshold {
            Some(share) => value < state.best * (1.0 - share),
            None => value < state.best - min_delta,
        };
        let reduced = (state.rate * factor).max(floor);
        if improves {
            state.best = value;
        }
        match self.semantics {
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
}

impl Schedule {
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

#[cfg(test)]
mod tests {
    use super::Semantics::{Keras, Pytorch};
    use super::*;

    fn rates(schedule: Schedule, semantics: Semantics, base: f64, monitored: &[f64]) -> Vec<f64> {
        let mut rate = LearningRate::new(schedule, base, semantics);
        let mut rates = vec![rate.value()];
        for &value in monitored {
            rate.epoch_done(value);
            rates.push(rate.value());
        }
        rates
    }

    #[test]
    fn planned_schedules_follow_their_equations() {
        let rates = |schedule, base| rates(schedule, Keras, base, &[1.0; 5]);
        assert_eq!(rates(Schedule::Constant, 0.3), [0.3; 6]);
        assert_eq!(rates(Schedule::Step { every: 2, factor: 0.5 }, 8.0), [8.0, 8.0, 4.0, 4.0, 2.0, 2.0]);
        assert_eq!(rates(Schedule::Exponential { factor: 0.5 }, 8.0), [8.0, 4.0, 2.0, 1.0, 0.5, 0.25]);
        let cosine = rates(Schedule::Cosine { epochs: 4, floor: 1.0 }, 3.0);
        let half = std::f64::consts::FRAC_1_SQRT_2;
        for (got, want) in cosine.iter().zip([3.0, 2.0 + half, 2.0, 2.0 - half, 1.0, 1.0]) {
            assert!((got - want).abs() <= 1e-15, "{cosine:?}");
        }
    }

    fn plateau(patience: usize, cooldown: usize) -> Schedule {
        let (monitor, cooldown) = (Monitor::ValLoss, Some(cooldown));
        Schedule::Plateau { monitor, factor: 0.5, patience, min_delta: 1e-4, threshold: None, cooldown, floor: 0.0 }
    }

    #[test]
    fn pytorch_waits_one_epoch_more_than_keras() {
        let losses = [1.0; 6];
        assert_eq!(rates(plateau(2, 0), Keras, 8.0, &losses), [8.0, 8.0, 8.0, 4.0, 4.0, 2.0, 2.0]);
        assert_eq!(rates(plateau(2, 0), Pytorch, 8.0, &losses), [8.0, 8.0, 8.0, 8.0, 4.0, 4.0, 4.0]);
    }

    #[test]
    fn the_cooldown_ends_as_each_semantics_has_it() {
        let losses = [1.0; 8];
        // Keras: reduced after epochs 1, 3 (0-based), because the second cooling epoch counts as waiting again.
        assert_eq!(rates(plateau(1, 2), Keras, 8.0, &losses), [8.0, 8.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0, 0.5]);
        // PyTorch: two cooling epochs, then patience + 1.
        assert_eq!(rates(plateau(1, 2), Pytorch, 8.0, &losses), [8.0, 8.0, 8.0, 4.0, 4.0, 4.0, 4.0, 2.0, 2.0]);
    }

    #[test]
    fn nan_is_never_an_improvement() {
        for semantics in Semantics::all() {
            let mut rate = LearningRate::new(plateau(1, 0), 1.0, semantics);
            (0..4).for_each(|_| rate.epoch_done(f64::NAN));
            assert!(rate.value() < 1.0 && rate.rate().best == f64::INFINITY, "{rate:?}");
        }
    }

    #[test]
    fn improvements_must_exceed_the_delta_and_the_rate_stops_at_the_floor() {
        let (monitor, threshold, cooldown) = (Monitor::Loss, None, None);
        let (min_delta, floor) = (0.5, 0.2);
        let keras = Schedule::Plateau { monitor, factor: 0.1, patience: 1, min_delta, threshold, cooldown, floor };
        let losses = [10.0, 9.6, 9.4, 9.0, 9.0];
        assert_eq!(rates(keras, Keras, 1.0, &losses), [1.0, 1.0, 0.2, 0.2, 0.2, 0.2]);
    }

    /// `torch.optim.lr_scheduler.ReduceLROnPlateau(mode="min", threshold_mode="rel")` of PyTorch 2, line by line.
    struct Torch {
        factor: f64,
        patience: u64,
        threshold: f64,
        cooldown: u64,
        min_lr: f64,
        eps: f64,
        lr: f64,
        best: f64,
        num_bad_epochs: u64,
        cooldown_counter: u64,
    }

    impl Torch {
        fn step(&mut self, metrics: f64) {
            let is_better = metrics < self.best * (1.0 - self.threshold);
            if is_better {
                self.best = metrics;
                self.num_bad_epochs = 0;
            } else {
                self.num_bad_epochs += 1;
            }
            if self.cooldown_counter > 0 {
                self.cooldown_counter -= 1;
                self.num_bad_epochs = 0;
            }
            if self.num_bad_epochs > self.patience {
                let new_lr = f64::max(self.lr * self.factor, self.min_lr);
                if self.lr - new_lr > self.eps {
                    self.lr = new_lr;
                }
                self.cooldown_counter = self.cooldown;
                self.num_bad_epochs = 0;
            }
        }
    }

    #[test]
    fn a_relative_threshold_is_that_of_pytorch() {
        let (factor, patience, threshold, cooldown, floor) = (0.1, 3, 1e-4, 2, 2e-5);
        let plateau = |threshold| {
            let (monitor, cooldown, min_delta) = (Monitor::ValLoss, Some(cooldown as usize), 0.0);
            Schedule::Plateau { monitor, factor, patience, min_delta, threshold, cooldown, floor }
        };
        // A fall that comes to rest, of shares around the threshold, at two scales.
        let falls = |scale: f64| (0..80).map(move |epoch| scale * (1.0 + libm::exp2(-f64::from(epoch) / 3.0)));
        let mut differ = 0;
        for scale in [1.0, 1000.0] {
            let losses: Vec<f64> = falls(scale).collect();
            let (lr, best, patience) = (0.1, f64::INFINITY, patience as u64);
            let (min_lr, eps, num_bad_epochs, cooldown_counter) = (floor, 1e-8, 0, 0);
            let mut torch = Torch {
                factor,
                patience,
                threshold,
                cooldown,
                min_lr,
                eps,
                lr,
                best,
                num_bad_epochs,
                cooldown_counter,
            };
            let step = |&loss: &f64| {
                torch.step(loss);
                torch.lr
            };
            let expected: Vec<f64> = std::iter::once(lr).chain(losses.iter().map(step)).collect();
            assert!(expected.contains(&floor), "the rate never reached its floor: {expected:?}");
            assert_eq!(rates(plateau(Some(threshold)), Pytorch, lr, &losses), expected);
            differ += usize::from(rates(plateau(None), Pytorch, lr, &losses) != expected);
        }
        assert_eq!(differ, 2, "a difference of 0 gives other rates than the threshold");
    }

    #[test]
    fn a_saved_rate_continues_where_it_stopped() {
        let losses = [3.0, 2.0, 2.0, 2.0, 1.9999, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];
        for (schedule, semantics) in [(plateau(2, 1), Keras), (plateau(1, 1), Pytorch)] {
            let whole = rates(schedule, semantics, 1.0, &losses);
            let mut rate = LearningRate::new(schedule, 1.0, semantics);
            for (epoch, &loss) in losses.iter().enumerate() {
                let mut fresh = LearningRate::new(schedule, 1.0, semantics);
                fresh.set_rate(rate.rate().clone());
                rate = fresh;
                rate.epoch_done(loss);
                assert_eq!(rate.value(), whole[epoch + 1]);
            }
        }
    }
}

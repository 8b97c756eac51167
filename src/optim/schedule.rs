//! The learning rate of each epoch.
//!
//! Epochs count from 0. A schedule is a constant description; what changes from epoch to epoch is a [`Rate`], four numbers
//! that a checkpoint can hold.

use super::config::{self, Dialect, Monitor, OptimizerConfig};

/// How the learning rate develops from η₀.
#[derive(Clone, Debug, PartialEq)]
pub enum Schedule {
    /// η₀.
    Constant,
    /// η₀ · factor^⌊epoch / every⌋.
    Step {
        /// Epochs between two reductions, ≥ 1.
        every: u64,
        /// What each multiplies by.
        factor: f64,
    },
    /// η₀ · factor^epoch.
    Exponential {
        /// What each epoch multiplies by.
        factor: f64,
    },
    /// floor + (η₀ − floor) · ½(1 + cos(π · min(epoch/epochs, 1))) (Loshchilov and Hutter, "SGDR", 2017, equation 5).
    Cosine {
        /// Epochs from η₀ down to the floor, ≥ 1.
        epochs: u64,
        /// The last learning rate.
        floor: f64,
    },
    /// Reduced when the monitored value stops falling.
    Plateau(Plateau),
}

/// Reduces the learning rate to max(η · factor, floor) when the monitored value stops falling.
///
/// | | Keras (`ReduceLROnPlateau`, mode min) | PyTorch (`ReduceLROnPlateau`, mode min) |
/// |---|---|---|
/// | an improvement | value < best − min_delta | the same, or, `relative`, value < best · (1 − min_delta) |
/// | reduces after | `patience` epochs without one | `patience` + 1 epochs without one |
/// | each cooling epoch | lowers the cooldown first; the one that ends it counts as waiting | never counts as waiting |
/// | reduces only | while η is above the floor | when that lowers η by more than 1e-8 |
///
/// NaN is never an improvement, and the first value that is none is compared with ∞.
#[derive(Clone, Debug, PartialEq)]
pub struct Plateau {
    /// Whose definition.
    pub dialect: Dialect,
    /// What a reduction multiplies by, in (0, 1). Default 0.1 in both.
    pub factor: f64,
    /// Epochs without improvement that are borne. Default 10 in both.
    pub patience: u64,
    /// By how much an improvement must fall below the best value, ≥ 0. Default 1e-4 in both.
    pub min_delta: f64,
    /// Whether `min_delta` is a fraction of the best value, as PyTorch's default is; Keras knows no such thing.
    pub relative: bool,
    /// Epochs after a reduction in which nothing is held against the run. Default 0 in both.
    pub cooldown: u64,
    /// The smallest learning rate. Default 0 in both.
    pub floor: f64,
}

impl Plateau {
    /// The framework's own defaults.
    pub fn defaults(dialect: Dialect) -> Self {
        let relative = dialect == Dialect::Pytorch;
        Plateau { dialect, factor: 0.1, patience: 10, min_delta: 1e-4, relative, cooldown: 0, floor: 0.0 }
    }

    fn improves(&self, value: f64, best: f64) -> bool {
        if self.relative { value < best * (1.0 - self.min_delta) } else { value < best - self.min_delta }
    }

    fn observe(&self, state: &mut Rate, value: f64) {
        match self.dialect {
            Dialect::Keras => self.observe_as_keras(state, value),
            Dialect::Pytorch => self.observe_as_pytorch(state, value),
        }
    }

    fn observe_as_keras(&self, state: &mut Rate, value: f64) {
        if state.cooling > 0 {
            state.cooling -= 1;
            state.waited = 0;
        }
        if self.improves(value, state.best) {
            state.best = value;
            state.waited = 0;
        } else if state.cooling == 0 {
            state.waited += 1;
            if state.waited >= self.patience && state.rate > self.floor {
                state.rate = (state.rate * self.factor).max(self.floor);
                state.cooling = self.cooldown;
                state.waited = 0;
            }
        }
    }

    fn observe_as_pytorch(&self, state: &mut Rate, value: f64) {
        if self.improves(value, state.best) {
            state.best = value;
            state.waited = 0;
        } else {
            state.waited += 1;
        }
        if state.cooling > 0 {
            state.cooling -= 1;
            state.waited = 0;
        }
        if state.waited > self.patience {
            let reduced = (state.rate * self.factor).max(self.floor);
            if state.rate - reduced > 1e-8 {
                state.rate = reduced;
            }
            state.cooling = self.cooldown;
            state.waited = 0;
        }
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
    monitor: Monitor,
    rate: Rate,
}

impl LearningRate {
    /// What a configuration asks for, from `base` on.
    pub fn from_config(config: &OptimizerConfig, base: f64) -> Self {
        let mut monitor = Monitor::ValLoss;
        let schedule = match config.schedule {
            config::Schedule::Constant => Schedule::Constant,
            config::Schedule::Step { every, factor } => Schedule::Step { every: every as u64, factor },
            config::Schedule::Exponential { factor } => Schedule::Exponential { factor },
            config::Schedule::Cosine { epochs, floor } => Schedule::Cosine { epochs: epochs as u64, floor },
            config::Schedule::Plateau { monitor: watched, factor, patience, min_delta, floor } => {
                monitor = watched;
                let (dialect, patience) = (config.dialect, patience as u64);
                Schedule::Plateau(Plateau { dialect, factor, patience, min_delta, relative: false, cooldown: 0, floor })
            }
        };
        let rate = schedule.start(base);
        LearningRate { base, schedule, monitor, rate }
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

    /// Which figure [`epoch_done`](Self::epoch_done) takes.
    pub fn monitor(&self) -> Monitor {
        self.monitor
    }

    /// Goes on to the next epoch; `monitored` is the figure at the end of this one.
    pub fn epoch_done(&mut self, monitored: f64) {
        self.schedule.advance(self.base, &mut self.rate, monitored);
    }
}

impl Schedule {
    /// The rate of epoch 0 from η₀ = `base`.
    pub fn start(&self, base: f64) -> Rate {
        Rate { epoch: 0, rate: self.planned(base, 0), best: f64::INFINITY, waited: 0, cooling: 0 }
    }

    /// Goes from one epoch to the next; `monitored` is the value at the end of the one, which only a plateau reads.
    pub fn advance(&self, base: f64, state: &mut Rate, monitored: f64) {
        state.epoch += 1;
        match self {
            Schedule::Plateau(plateau) => plateau.observe(state, monitored),
            _ => state.rate = self.planned(base, state.epoch),
        }
    }

    /// The rate of `epoch` where nothing monitored changes it.
    fn planned(&self, base: f64, epoch: u64) -> f64 {
        match *self {
            Schedule::Constant | Schedule::Plateau(_) => base,
            Schedule::Step { every, factor } => base * libm::pow(factor, (epoch / every.max(1)) as f64),
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
    use super::*;

    fn rates(schedule: &Schedule, base: f64, monitored: &[f64]) -> Vec<f64> {
        let mut state = schedule.start(base);
        let mut rates = vec![state.rate];
        for &value in monitored {
            schedule.advance(base, &mut state, value);
            rates.push(state.rate);
        }
        rates
    }

    #[test]
    fn planned_schedules_follow_their_equations() {
        let losses = [1.0; 5];
        assert_eq!(rates(&Schedule::Constant, 0.3, &losses), [0.3; 6]);
        assert_eq!(rates(&Schedule::Step { every: 2, factor: 0.5 }, 8.0, &losses), [8.0, 8.0, 4.0, 4.0, 2.0, 2.0]);
        assert_eq!(rates(&Schedule::Exponential { factor: 0.5 }, 8.0, &losses), [8.0, 4.0, 2.0, 1.0, 0.5, 0.25]);
        let cosine = rates(&Schedule::Cosine { epochs: 4, floor: 1.0 }, 3.0, &losses);
        let half = std::f64::consts::FRAC_1_SQRT_2;
        for (got, want) in cosine.iter().zip([3.0, 2.0 + half, 2.0, 2.0 - half, 1.0, 1.0]) {
            assert!((got - want).abs() <= 1e-15, "{cosine:?}");
        }
    }

    fn plateau(dialect: Dialect, patience: u64, cooldown: u64) -> Schedule {
        let plateau = Plateau { factor: 0.5, patience, cooldown, ..Plateau::defaults(dialect) };
        Schedule::Plateau(plateau)
    }

    #[test]
    fn pytorch_bears_one_epoch_more_than_keras() {
        let losses = [1.0; 6];
        assert_eq!(rates(&plateau(Dialect::Keras, 2, 0), 8.0, &losses), [8.0, 8.0, 8.0, 4.0, 4.0, 2.0, 2.0]);
        assert_eq!(rates(&plateau(Dialect::Pytorch, 2, 0), 8.0, &losses), [8.0, 8.0, 8.0, 8.0, 4.0, 4.0, 4.0]);
    }

    #[test]
    fn the_cooldown_ends_as_each_dialect_has_it() {
        let losses = [1.0; 8];
        // Keras: reduced after epochs 1, 3 (0-based), because the second cooling epoch counts as waiting again.
        assert_eq!(rates(&plateau(Dialect::Keras, 1, 2), 8.0, &losses), [8.0, 8.0, 4.0, 4.0, 2.0, 2.0, 1.0, 1.0, 0.5],);
        // PyTorch: two cooling epochs, then patience + 1.
        assert_eq!(
            rates(&plateau(Dialect::Pytorch, 1, 2), 8.0, &losses),
            [8.0, 8.0, 8.0, 4.0, 4.0, 4.0, 4.0, 2.0, 2.0],
        );
    }

    #[test]
    fn nan_is_never_an_improvement() {
        for dialect in Dialect::ALL {
            let schedule = plateau(dialect, 1, 0);
            let mut state = schedule.start(1.0);
            for value in [f64::NAN, f64::NAN, f64::NAN, f64::NAN] {
                schedule.advance(1.0, &mut state, value);
            }
            assert!(state.rate < 1.0 && state.best == f64::INFINITY, "{dialect:?}: {state:?}");
        }
    }

    #[test]
    fn improvements_must_exceed_the_delta_and_the_rate_stops_at_the_floor() {
        let keras =
            Plateau { factor: 0.1, patience: 1, min_delta: 0.5, floor: 0.2, ..Plateau::defaults(Dialect::Keras) };
        let losses = [10.0, 9.6, 9.4, 9.0, 9.0];
        assert_eq!(rates(&Schedule::Plateau(keras), 1.0, &losses), [1.0, 1.0, 0.2, 0.2, 0.2, 0.2]);
        let relative = Plateau { factor: 0.5, patience: 0, min_delta: 0.1, ..Plateau::defaults(Dialect::Pytorch) };
        assert_eq!(rates(&Schedule::Plateau(relative), 1.0, &[10.0, 9.1, 8.9, 8.9]), [1.0, 1.0, 0.5, 0.5, 0.25]);
    }

    #[test]
    fn a_saved_rate_continues_where_it_stopped() {
        let losses = [3.0, 2.0, 2.0, 2.0, 1.9999, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0];
        for schedule in [plateau(Dialect::Keras, 2, 1), plateau(Dialect::Pytorch, 1, 1)] {
            let whole = rates(&schedule, 1.0, &losses);
            let mut state = schedule.start(1.0);
            for (epoch, &loss) in losses.iter().enumerate() {
                state = state.clone();
                schedule.advance(1.0, &mut state, loss);
                assert_eq!(state.rate, whole[epoch + 1]);
            }
        }
    }
}

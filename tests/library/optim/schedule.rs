//! The learning rate of each epoch.

use narrows::optim::Semantics::{Keras, Pytorch};
use narrows::optim::schedule::*;
use narrows::optim::{Optimizer, Semantics, Sgd};

fn rates(schedule: Schedule, semantics: Semantics, base: f64, monitored: &[f64]) -> Vec<f64> {
    let rule = rule(semantics, base);
    let mut rate = schedule.first_rate(&rule);
    let mut rates = vec![rate.rate];
    for &value in monitored {
        schedule.next_rate(&rule, &mut rate, value);
        rates.push(rate.rate);
    }
    rates
}

fn rule(semantics: Semantics, learning_rate: f64) -> Optimizer {
    Sgd { learning_rate, ..Sgd::defaults(semantics) }.into()
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
        let (schedule, rule) = (plateau(1, 0), rule(semantics, 1.0));
        let mut rate = schedule.first_rate(&rule);
        (0..4).for_each(|_| schedule.next_rate(&rule, &mut rate, f64::NAN));
        assert!(rate.rate < 1.0 && rate.best == f64::INFINITY, "{rate:?}");
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
        let mut torch =
            Torch { factor, patience, threshold, cooldown, min_lr, eps, lr, best, num_bad_epochs, cooldown_counter };
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

//! Which trials are pruned.
//!
//! Steps are counted from 1. The rules are those of Optuna 5.0's `MedianPruner` and `SuccessiveHalvingPruner` (L. Li et al.,
//! "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020), for trials that report after every step.

use super::trial::{End, Outcome};
use crate::settings::{Counts, at_least, settings};

settings! {
    /// Who decides which trials are pruned.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum PrunerKind {
        /// Nobody: every trial is brought to its end.
        None = "none",
        /// A trial whose best objective so far is worse than the median of the others' at the same step.
        Median = "median",
        /// A trial that is not among the best of those that came to the same rung: asynchronous successive halving.
        Asha = "asha",
    }
}

settings! {
    /// When the median decides.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct MedianSettings {
        /// Complete trials before the first is pruned.
        pub startup: usize = 5;
        /// Steps of each trial in which it is not pruned.
        pub warmup: usize = 0;
        /// A decision after the first step behind the warm-up, and then every so many.
        pub interval: usize = 1, in at_least(1);
    }
}

settings! {
    /// The rungs of successive halving.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AshaSettings {
        /// The step of the first rung.
        pub first: usize = 1, in at_least(1);
        /// Each rung is so many times as far as the one before, and one of so many trials goes on from it.
        pub factor: usize = 4, in Counts::new(2, 1000);
    }
}

/// A kind of pruner with its settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pruner {
    /// Brings every trial to its end.
    None,
    /// By the median.
    Median(MedianSettings),
    /// By successive halving.
    Asha(AshaSettings),
}

impl Pruner {
    /// Whether a trial is pruned that has reported `reports`, the last just now, beside `others`. Objectives are multiplied by
    /// `sign` to be minimised.
    pub(super) fn gives_up<'a>(&self, reports: &[f64], others: impl Iterator<Item = &'a Outcome>, sign: f64) -> bool {
        match self {
            Pruner::None => false,
            Pruner::Median(settings) => settings.gives_up(reports, others, sign),
            Pruner::Asha(settings) => settings.gives_up(reports, others, sign),
        }
    }
}

impl MedianSettings {
    fn gives_up<'a>(&self, reports: &[f64], others: impl Iterator<Item = &'a Outcome>, sign: f64) -> bool {
        let complete: Vec<&Outcome> = others.filter(|other| matches!(other.end, End::Complete(_))).collect();
        let step = reports.len();
        if complete.is_empty() || complete.len() < self.startup || step <= self.warmup {
            return false;
        }
        if !(step - self.warmup - 1).is_multiple_of(self.interval) {
            return false;
        }
        let signed = reports.iter().map(|report| sign * report).filter(|report| !report.is_nan());
        let best = signed.fold(f64::INFINITY, f64::min);
        if best == f64::INFINITY {
            return true;
        }
        let there = complete.iter().filter_map(|other| other.reports.get(step - 1)).map(|report| sign * report);
        let mut there: Vec<f64> = there.filter(|report| !report.is_nan()).collect();
        if there.is_empty() {
            return false;
        }
        there.sort_by(f64::total_cmp);
        let middle = there.len() / 2;
        let median = if there.len() % 2 == 1 {
            there[middle]
        } else {
            there[middle - 1] + 0.5 * (there[middle] - there[middle - 1])
        };
        best > median
    }
}

impl AshaSettings {
    fn gives_up<'a>(&self, reports: &[f64], others: impl Iterator<Item = &'a Outcome>, sign: f64) -> bool {
        let step = reports.len();
        if !self.rungs().take_while(|rung| *rung <= step).any(|rung| rung == step) {
            return false;
        }
        let value = sign * reports[step - 1];
        if value.is_nan() {
            return true;
        }
        let there = others.filter_map(|other| other.reports.get(step - 1)).map(|report| sign * report);
        // Who came with NaN was pruned there and competes with nobody.
        let mut there: Vec<f64> = there.filter(|report| !report.is_nan()).chain([value]).collect();
        there.sort_by(f64::total_cmp);
        value > there[(there.len() / self.factor).saturating_sub(1)]
    }

    fn rungs(&self) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(self.first), |rung| rung.checked_mul(self.factor))
    }
}

//! `[search]`: what is searched for, by whom, and how long.

use super::pruner::{AshaSettings, MedianSettings, Pruner, PrunerKind};
use super::sampler::{Sampler, SamplerKind};
use super::tpe::TpeSettings;
use crate::settings::{Counts, Fault, Length, TableForm, Text, settings};

const SAMPLERS: Length =
    Length { least: 1, most: 4, accepted: "a list of samplers, such as [\"tpe\"] or [\"grid\", \"random\", \"tpe\"]" };
const PRUNERS: Length =
    Length { least: 1, most: 3, accepted: "a list of pruners, such as [\"none\"] or [\"none\", \"median\"]" };
const OBJECTIVE: Text = Text::not_empty("the name of a column of the history, such as \"val_loss\"");

settings! {
    /// Which objective is better.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Direction {
        /// The lower.
        Minimize = "minimize",
        /// The higher.
        Maximize = "maximize",
    }
}

impl Direction {
    /// What objectives are multiplied by to be minimised.
    pub fn sign(self) -> f64 {
        match self {
            Direction::Minimize => 1.0,
            Direction::Maximize => -1.0,
        }
    }
}

settings! {
    /// What is searched for, by whom, and how long.
    #[derive(Clone, Debug, PartialEq)]
    pub struct SearchSettings {
        /// The column of the history that is the objective: its value after the epoch whose weights a run keeps.
        pub objective: String = "val_loss".to_owned(), in OBJECTIVE;
        /// Trains every fold of data.folds for a trial, one after the other. The objective is the mean over them, and what
        /// pruners see after each is the mean so far.
        pub over_folds: bool = false;
        /// Which objective is better.
        pub direction: Direction = Direction::Minimize;
        /// Trials of each sampler with each pruner.
        pub trials: usize = 50, in Counts::new(1, 1_000_000);
        /// Who suggests the points, one after the other with the same number of trials.
        pub samplers: Vec<SamplerKind> = vec![SamplerKind::Tpe], in (SAMPLERS, ());
        /// Who gives trials up, each with every sampler.
        pub pruners: Vec<PrunerKind> = vec![PrunerKind::None], in (PRUNERS, ());
        /// Trials that may run side by side: trial n is made from the trials 0 to n − window alone. The table of trials
        /// depends on it, and not on how many do run.
        pub window: usize = 4, in Counts::new(1, 1024);
        /// Seed of the suggestions; that of training is the configuration's own, the same for all trials.
        pub seed: u64 = 0, in Counts::new(0, i64::MAX as u64);
        /// Values of each range in a grid, its ends included.
        pub levels: usize = 3, in Counts::new(1, 1000);
        /// The tree-structured Parzen estimator.
        pub tpe: TpeSettings = TpeSettings::default(), in TableForm::new("a table such as { startup = 10, candidates = 24 }");
        /// Pruning by the median.
        pub median: MedianSettings = MedianSettings::default(),
            in TableForm::new("a table such as { startup = 5, warmup = 0, interval = 1 }");
        /// Pruning by asynchronous successive halving.
        pub asha: AshaSettings = AshaSettings::default(), in TableForm::new("a table such as { first = 1, factor = 4 }");
    }
    settle settle;
}

impl SearchSettings {
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        let is_accuracy = self.objective.ends_with("accuracy");
        let wrong = if is_accuracy { Direction::Minimize } else { Direction::Maximize };
        let is_known = is_accuracy || self.objective.ends_with("loss");
        if is_known && self.direction == wrong {
            let found = format!("{:?} for the objective {:?}", wrong.name(), self.objective);
            let right = if is_accuracy { "\"maximize\"" } else { "\"minimize\"" };
            return Err(Fault::new("direction", found, right));
        }
        Ok(())
    }

    /// A trial reports its objective after each of these: epoch or fold.
    pub fn step(&self) -> &'static str {
        if self.over_folds { "fold" } else { "epoch" }
    }

    /// Every sampler with every pruner.
    pub fn arms(&self) -> Vec<(SamplerKind, PrunerKind)> {
        self.samplers.iter().flat_map(|sampler| self.pruners.iter().map(|pruner| (*sampler, *pruner))).collect()
    }

    /// The sampler of this kind with its settings.
    pub fn sampler(&self, kind: SamplerKind) -> Sampler {
        match kind {
            SamplerKind::Tpe => Sampler::Tpe(self.tpe),
            SamplerKind::Random => Sampler::Random,
            SamplerKind::Quasi => Sampler::Quasi,
            SamplerKind::Grid => Sampler::Grid(self.levels),
        }
    }

    /// The pruner of this kind with its settings.
    pub fn pruner(&self, kind: PrunerKind) -> Pruner {
        match kind {
            PrunerKind::None => Pruner::None,
            PrunerKind::Median => Pruner::Median(self.median),
            PrunerKind::Asha => Pruner::Asha(self.asha),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, SearchSettings};
    use crate::settings::check;

    #[test]
    fn accuracies_are_maximised_and_losses_minimised() {
        let refused = |objective: &str, direction| {
            let objective = objective.to_owned();
            check(&mut SearchSettings { objective, direction, ..SearchSettings::default() })
                .err()
                .map(|fault| fault.to_string())
        };
        let said = "\"direction\" is \"minimize\" for the objective \"val_accuracy\"; accepted: \"maximize\"";
        assert_eq!(refused("val_accuracy", Direction::Minimize).as_deref(), Some(said));
        assert!(refused("loss", Direction::Maximize).is_some());
        for (objective, direction) in
            [("accuracy", Direction::Maximize), ("val_loss", Direction::Minimize), ("d_real", Direction::Maximize)]
        {
            assert_eq!(refused(objective, direction), None);
        }
    }
}

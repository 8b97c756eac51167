//! The figures of a study's runs, apart from weights and images: all that tables and commentary are made from.

use std::sync::Arc;

use super::axes::AxisWords;
use crate::data::{Samples, Splits};
use crate::loss::{CodePenalty, Loss};
use crate::optim::Monitor;
use crate::study::{Study, StudyRun};
use crate::tasks::Evaluation;
use crate::train::EarlyStoppingRule;
use crate::train::{Best, EpochRecord, Stop};

/// Epochs that a trend is taken over where no early stopping says how many.
const TREND_EPOCHS: usize = 5;

/// A study's figures.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// What varies; only axes of more than one value.
    pub axes: Vec<AxisWords>,
    /// In the order of the grid.
    pub runs: Vec<RunFacts>,
    /// The part that models are judged by: "test", or what there is in its place.
    pub judged: &'static str,
    /// Runs side by side.
    pub jobs: usize,
}

/// A run's figures.
#[derive(Clone, Debug)]
pub(super) struct RunFacts {
    pub name: String,
    /// The name of its data set.
    pub images: String,
    /// The number of its value on each axis of [`Facts::axes`].
    pub place: Vec<usize>,
    pub loss: Loss,
    pub code_size: usize,
    pub steps_per_epoch: usize,
    pub max_epochs: usize,
    pub epochs: Vec<EpochRecord>,
    pub stop: Stop,
    pub best: Option<Best>,
    pub restored_best: bool,
    pub early_stopping: Option<EarlyStoppingRule>,
    pub is_penalised: bool,
    /// Measured with the weights that were kept.
    pub train: Option<Evaluation>,
    pub validation: Option<Evaluation>,
    pub test: Option<Evaluation>,
    /// On the part that is judged, of the mean training image in place of every reconstruction.
    pub mean_image_mse: f64,
}

/// Where a loss went at the end of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Trend {
    /// Epochs it is taken over.
    pub epochs: usize,
    /// Least-squares slope, per epoch.
    pub slope: f64,
    /// The slope over all those epochs, as a share of the loss.
    pub share: f64,
}

impl Facts {
    pub fn of(study: &Study) -> Facts {
        let parts = ["test", "validation", "train"];
        let has = |part: &&str| study.runs.iter().any(|run| run.executed.evaluation(part).is_some());
        let judged = parts.into_iter().find(has).unwrap_or("test");
        let names: Vec<String> = study.config.runs().into_iter().map(|(name, _)| name).collect();
        let mut means: Vec<(&Arc<Splits>, f64)> = Vec::new();
        let runs = study.runs.iter().map(|run| {
            let number = names.iter().position(|name| *name == run.name).unwrap_or(0);
            let loaded = &run.prepared.loaded;
            let known = means.iter().find(|(other, _)| Arc::ptr_eq(other, loaded)).map(|(_, mse)| *mse);
            let mean_image_mse = known.unwrap_or_else(|| {
                let mse = mean_image_mse(loaded, judged);
                means.push((loaded, mse));
                mse
            });
            RunFacts::of(run, place(study, number), mean_image_mse)
        });
        let runs = runs.collect();
        let axes = study.config.grid.iter().filter(|axis| axis.values.len() > 1).map(AxisWords::of).collect();
        Facts { axes, runs, judged, jobs: study.jobs }
    }

    /// The runs whose training was not interrupted.
    pub fn finished(&self) -> impl Iterator<Item = &RunFacts> {
        self.runs.iter().filter(|run| !run.is_interrupted())
    }

    /// The finished runs whose errors mean the same: those on the images of the first.
    pub fn comparable(&self) -> impl Iterator<Item = &RunFacts> {
        self.finished().filter(|run| run.images == self.runs[0].images)
    }

    /// The loss of all runs, if it is the same.
    pub fn common_loss(&self) -> Option<Loss> {
        let first = self.runs.first()?.loss;
        self.runs.iter().all(|run| run.loss == first).then_some(first)
    }

    /// "test", "validation" or "training", as a person says it.
    pub fn judged_word(&self) -> &'static str {
        if self.judged == "train" { "training" } else { self.judged }
    }
}

/// The numbers of a run's values on the axes of more than one value; the first axis varies fastest.
fn place(study: &Study, number: usize) -> Vec<usize> {
    let mut digits = number;
    let mut place = Vec::new();
    for axis in &study.config.grid {
        if axis.values.len() > 1 {
            place.push(digits % axis.values.len());
        }
        digits /= axis.values.len();
    }
    place
}

impl RunFacts {
    fn of(run: &StudyRun, place: Vec<usize>, mean_image_mse: f64) -> RunFacts {
        let (outcome, config) = (&run.executed.outcome, &run.config);
        let evaluation = |part| run.executed.evaluation(part).copied();
        let penalty = config.model.code_penalty;
        RunFacts {
            name: run.name.clone(),
            images: config.data.set.clone(),
            place,
            loss: config.model.loss,
            code_size: run.prepared.model().code_size(),
            steps_per_epoch: run.prepared.loaded.split.train.len().div_ceil(config.train.batch_size),
            max_epochs: config.train.max_epochs,
            epochs: outcome.history.epochs.clone(),
            stop: outcome.stop,
            best: outcome.best,
            restored_best: outcome.restored_best,
            early_stopping: config.train.early_stopping.clone(),
            is_penalised: penalty != CodePenalty::default()
                || config.model.weight_penalty.l2 != 0.0
                || config.model.contractive.is_some(),
            train: evaluation("train"),
            validation: evaluation("validation"),
            test: evaluation("test"),
            mean_image_mse,
        }
    }

    pub fn is_interrupted(&self) -> bool {
        matches!(self.stop, Stop::Interrupted { .. })
    }

    /// The figures of a part.
    pub fn part(&self, part: &str) -> Option<&Evaluation> {
        match part {
            "test" => self.test.as_ref(),
            "validation" => self.validation.as_ref(),
            _ => self.train.as_ref(),
        }
    }

    /// The mean loss of the last epoch's steps; NaN without an epoch.
    pub fn last_loss(&self) -> f64 {
        self.epochs.last().map_or(f64::NAN, |epoch| epoch.loss)
    }

    /// The validation loss after the last epoch; NaN without one.
    pub fn last_val_loss(&self) -> f64 {
        self.epochs.last().map_or(f64::NAN, |epoch| epoch.val_loss)
    }

    /// What penalties added to the loss in the last epoch; NaN without an epoch.
    pub fn last_penalty(&self) -> f64 {
        self.epochs.last().map_or(f64::NAN, |epoch| epoch.penalty)
    }

    /// Training and validation of all epochs.
    pub fn seconds(&self) -> f64 {
        self.epochs.iter().map(|epoch| epoch.seconds).sum()
    }

    /// The median epoch; NaN without an epoch.
    pub fn seconds_per_epoch(&self) -> f64 {
        quantile(&self.sorted_seconds(), 0.5)
    }

    /// Half the interquartile range of the epochs' times as a share of their median: how far one timing can be trusted.
    pub fn time_spread(&self) -> f64 {
        let seconds = self.sorted_seconds();
        let spread = 0.5 * (quantile(&seconds, 0.75) - quantile(&seconds, 0.25)) / quantile(&seconds, 0.5);
        if spread.is_finite() { spread } else { 0.0 }
    }

    fn sorted_seconds(&self) -> Vec<f64> {
        let mut seconds: Vec<f64> = self.epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    /// Optimizer steps of the finished epochs, and of the one that was interrupted.
    pub fn steps(&self) -> usize {
        let begun = match self.stop {
            Stop::Interrupted { epoch, step } if epoch > self.epochs.len() => step,
            _ => 0,
        };
        self.epochs.len() * self.steps_per_epoch + begun
    }

    /// The loss that early stopping watches, or would.
    pub fn watched(&self) -> Monitor {
        match &self.early_stopping {
            Some(rule) => rule.monitor,
            None if self.epochs.iter().any(|epoch| !epoch.val_loss.is_nan()) => Monitor::ValLoss,
            None => Monitor::Loss,
        }
    }

    /// That loss of each epoch.
    pub fn watched_losses(&self) -> Vec<f64> {
        let watched = self.watched();
        let loss = |epoch: &EpochRecord| match watched {
            Monitor::ValLoss => epoch.val_loss,
            Monitor::Loss => epoch.loss,
        };
        self.epochs.iter().map(loss).collect()
    }

    /// Where that loss went over the last epochs, as many as early stopping is patient for. `None` for fewer than two
    /// epochs, or where one is not finite.
    pub fn trend(&self) -> Option<Trend> {
        let patience = self.early_stopping.as_ref().map_or(TREND_EPOCHS, |rule| rule.patience.max(1));
        let losses = self.watched_losses();
        let last = &losses[losses.len().saturating_sub(patience.saturating_add(1))..];
        if last.len() < 2 || last.iter().any(|loss| !loss.is_finite()) {
            return None;
        }
        let n = last.len() as f64;
        let (middle, mean) = ((n - 1.0) / 2.0, last.iter().sum::<f64>() / n);
        let products = last.iter().enumerate().map(|(x, y)| (x as f64 - middle) * (y - mean));
        let squares = (0..last.len()).map(|x| (x as f64 - middle) * (x as f64 - middle));
        let slope = products.sum::<f64>() / squares.sum::<f64>();
        let share = if mean == 0.0 { 0.0 } else { slope * (n - 1.0) / mean.abs() };
        Some(Trend { epochs: last.len() - 1, slope, share })
    }
}

/// Of sorted values, between which it is interpolated.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let at = share * last as f64;
    let (below, rest) = (at as usize, at.fract());
    sorted[below] + rest * (sorted[(below + 1).min(last)] - sorted[below])
}

/// The mean over images and pixels of `part` of (pixel − mean training image)²; NaN for no images.
fn mean_image_mse(loaded: &Splits, part: &str) -> f64 {
    let sums = |samples: Samples<'_>| {
        let mut sums = vec![(0.0, 0.0); samples.features()];
        for chunk in samples.chunks(500) {
            for image in chunk.to_array::<f64>().outer_iter() {
                for ((sum, squares), &value) in sums.iter_mut().zip(image) {
                    *sum += value;
                    *squares += value * value;
                }
            }
        }
        sums
    };
    let Some(part) = loaded.part(part) else { return f64::NAN };
    let (train, count) = (loaded.train().len() as f64, part.len() as f64);
    let (of_train, of_part) = (sums(loaded.train()), sums(part));
    let error = of_train.iter().zip(&of_part).map(|(&(total, _), &(sum, squares))| {
        let mean = total / train;
        squares / count - 2.0 * mean * sum / count + mean * mean
    });
    error.sum::<f64>() / loaded.data.features() as f64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of `losses.len()` epochs of a second each, whose training and validation losses are the same.
    pub fn run(name: &str, place: &[usize], losses: &[f64]) -> RunFacts {
        let record = |(index, &loss): (usize, &f64)| EpochRecord {
            epoch: index + 1,
            loss,
            val_loss: loss,
            seconds: 1.0,
            checkpoint_seconds: 0.0,
            penalty: 0.0,
            learning_rate: 0.1,
            scalars: Vec::new(),
        };
        let last = losses.last().copied().unwrap_or(f64::NAN);
        let evaluation =
            Evaluation { images: 9, loss: last, mse: last / 8.0, nrmse: 0.1, active_code_units: 4.0, code_l1: 8.0 };
        RunFacts {
            name: name.into(),
            images: "toys".into(),
            place: place.into(),
            loss: Loss::Bce,
            code_size: 8,
            steps_per_epoch: 10,
            max_epochs: 50,
            epochs: losses.iter().enumerate().map(record).collect(),
            stop: Stop::LastEpoch,
            best: None,
            restored_best: false,
            early_stopping: None,
            is_penalised: false,
            train: Some(evaluation),
            validation: Some(evaluation),
            test: Some(evaluation),
            mean_image_mse: 0.1,
        }
    }

    #[test]
    fn a_trend_is_the_least_squares_slope_of_the_last_epochs() {
        let run_of = |losses: &[f64]| run("a", &[], losses);
        let trend = run_of(&[9.0, 8.0, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]).trend().unwrap();
        assert_eq!(trend.epochs, 5);
        assert!((trend.slope + 0.1).abs() < 1e-12 && (trend.share + 0.5 / 0.35).abs() < 1e-12, "{trend:?}");
        assert!(run_of(&[0.1, 0.2]).trend().unwrap().slope > 0.0);
        assert_eq!(run_of(&[0.1]).trend(), None);
        assert_eq!(run_of(&[0.1, f64::NAN, 0.1]).trend(), None);
    }

    #[test]
    fn the_median_epoch_and_its_spread_are_quartiles() {
        let mut run = run("a", &[], &[0.1; 5]);
        for (epoch, seconds) in run.epochs.iter_mut().zip([4.0, 1.0, 2.0, 3.0, 90.0]) {
            epoch.seconds = seconds;
        }
        assert_eq!(run.seconds_per_epoch(), 3.0);
        assert_eq!(run.time_spread(), 0.5 * 2.0 / 3.0);
        run.epochs.clear();
        assert!(run.seconds_per_epoch().is_nan() && run.time_spread() == 0.0);
    }
}

//! What a run left in its folder: configuration, metrics, history.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::RunError;
use crate::figures::number::median;
use crate::files::read_whole;
use crate::study::StudyRun;
use crate::study::figure::number;
use crate::train::{History, Stop};

/// The columns of `history.csv` by their names; NaN where a cell is empty.
pub(super) type Columns = BTreeMap<String, Vec<f64>>;

/// Epochs that the course of a loss is looked at over, where no early stopping says how many.
const LAST_EPOCHS: usize = 5;

/// The files of one run.
#[derive(Clone, Debug)]
pub(super) struct Record {
    /// `config.toml`.
    pub config: Value,
    /// `metrics.json`, and what [`add_course`](Self::add_course) adds to it.
    pub metrics: Value,
    /// `history.csv`.
    pub history: Columns,
    /// The revision of the program that made it.
    revision: String,
}

impl Record {
    /// Of a run that is finished or interrupted; `common_epoch` is the last that every finished run of the study made.
    pub fn read(run: &StudyRun, common_epoch: usize) -> Result<Record, RunError> {
        let mut config: Value = toml::from_str(&run.plan.config.to_toml()).unwrap_or_default();
        // What a configuration leaves out is none, so that whoever asks for it finds that.
        for key in ["contractive", "corruption", "variational", "code_penalty"] {
            let absent = if key == "code_penalty" { json!({}) } else { Value::Null };
            if let Some(model) = config["model"].as_object_mut() {
                model.entry(key).or_insert(absent);
            }
        }
        let read = |name: &str| -> Result<Value, RunError> {
            let file = run.folder.join(name);
            serde_json::from_slice(&read_whole(&file)?).map_err(|error| RunError::unreadable(&file, error))
        };
        let metrics = read("metrics.json")?;
        let revision = read("environment.json")?["git_revision"].as_str().unwrap_or_default().to_owned();
        let History { names, epochs } = &run.executed.outcome.history;
        let names = History::COLUMNS.into_iter().chain(names.iter().map(String::as_str)).enumerate();
        let column = |at: usize| epochs.iter().map(|epoch| epoch.numbers()[at]).collect();
        let history = names.map(|(at, name)| (name.to_owned(), column(at))).collect();
        let mut record = Record { config, metrics, history, revision };
        record.add_course(run, common_epoch);
        Ok(record)
    }

    /// A column of the history; empty where it has none of that name.
    pub fn column(&self, name: &str) -> &[f64] {
        self.history.get(name).map_or(&[], Vec::as_slice)
    }

    /// The epochs that were finished.
    pub fn epochs(&self) -> usize {
        self.column("epoch").len()
    }

    /// Adds to the metrics what the history says: `last` (figures of the last epoch), `at` (losses after epochs 1, 5 and 10),
    /// `at_common_epoch` (the validation loss after `common_epoch`, or else the training loss), `course` (of the loss that early stopping
    /// watches, or would; `watched` says which), `steps`, `seconds_per_epoch` (the median), `fastest_epoch` and `revision`.
    fn add_course(&mut self, run: &StudyRun, common_epoch: usize) {
        let at = |column: &[f64], epoch: usize| column.get(epoch.wrapping_sub(1)).copied().unwrap_or(f64::NAN);
        let (loss, val_loss, penalty) = (self.column("loss"), self.column("val_loss"), self.column("penalty"));
        let last = self.epochs();
        let total = at(loss, last) + at(penalty, last);
        let last_epoch = json!({
            "loss": at(loss, last),
            "val_loss": at(val_loss, last),
            "penalty": at(penalty, last),
            "penalty_share": at(penalty, last) / total,
            "mean_activation": at(self.column("mean_activation"), last),
            "active_share": at(self.column("active_share"), last),
        });
        let epochs = [1, 5, 10].into_iter().filter(|&epoch| epoch <= last);
        let losses = epochs.map(|epoch| {
            json!({ "epoch": epoch.to_string(), "loss": at(loss, epoch), "minimised": at(loss, epoch) + at(penalty, epoch) })
        });
        let losses: Vec<Value> = losses.collect();
        let stopping = &self.config["train"]["early_stopping"];
        let is_validated = val_loss.iter().any(|loss| !loss.is_nan());
        let judged = if is_validated { val_loss } else { loss };
        let is_of_validation = is_validated && stopping["monitor"] != "loss";
        let (watched, word) = if is_of_validation { (val_loss, "validation") } else { (loss, "training") };
        let patience = stopping["patience"].as_u64().map_or(LAST_EPOCHS, |patience| patience.max(1) as usize);
        let course = course(watched, patience);
        let seconds = self.column("seconds");
        let steps_per_epoch = run.plan.prepared.steps(&run.plan.config.train);
        let begun = match run.executed.outcome.stop {
            Stop::Interrupted { epoch, step } if epoch > last => step,
            _ => 0,
        };
        let more = json!({
            "last": last_epoch,
            "at": losses,
            "at_common_epoch": at(judged, common_epoch),
            "first_mean_activation": at(self.column("mean_activation"), 1),
            "course": course,
            "watched": word,
            "steps": last * steps_per_epoch + begun,
            "seconds_per_epoch": median(seconds),
            "fastest_epoch": seconds.iter().copied().reduce(f64::min),
            "revision": self.revision,
        });
        if let (Value::Object(metrics), Value::Object(more)) = (&mut self.metrics, more) {
            metrics.extend(more);
        }
    }
}

/// Where a loss went: the epoch of its lowest value, how far it has risen since, as a share, and over the last `epochs` epochs
/// how many times it fell and its change as a share of where it began.
fn course(losses: &[f64], epochs: usize) -> Value {
    let finite = losses.iter().enumerate().filter(|(_, loss)| loss.is_finite());
    let Some((lowest, least)) = finite.min_by(|a, b| a.1.total_cmp(b.1)) else { return Value::Object(Map::new()) };
    let end = losses.last().copied().unwrap_or(f64::NAN);
    let over = epochs.min(losses.len() - 1);
    let tail = &losses[losses.len() - 1 - over..];
    json!({
        "epochs": over,
        "fell": tail.windows(2).filter(|pair| pair[1] < pair[0]).count(),
        "change": number((end - tail[0]) / tail[0].abs()),
        "lowest_epoch": lowest + 1,
        "risen": number((end - least) / least.abs()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_course_of_a_loss_is_counted_over_its_last_epochs() {
        let falling = course(&[9.0, 0.5, 0.4, 0.3], 2);
        assert_eq!((&falling["epochs"], &falling["fell"], &falling["lowest_epoch"]), (&json!(2), &json!(2), &json!(4)));
        assert!((falling["change"].as_f64().unwrap() + 0.4).abs() < 1e-12, "{falling}");
        let rising = course(&[0.4, 0.2, 0.3], 5);
        assert_eq!((&rising["epochs"], &rising["fell"], &rising["lowest_epoch"]), (&json!(2), &json!(1), &json!(2)));
        assert!((rising["risen"].as_f64().unwrap() - 0.5).abs() < 1e-12, "{rising}");
        assert_eq!(course(&[f64::NAN], 5), json!({}));
        assert_eq!(course(&[0.1], 5)["fell"], 0);
    }
}

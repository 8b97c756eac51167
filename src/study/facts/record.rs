//! What a run left in its folder: configuration, metrics, history.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::RunError;
use crate::files::read_whole;
use crate::study::StudyRun;
use crate::study::figure::number;

/// The columns of `history.csv` by their names; an empty cell is NaN.
pub(in crate::study) type Columns = BTreeMap<String, Vec<f64>>;

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
}

impl Record {
    /// Reads the folder of a run that is finished or interrupted.
    pub fn read(run: &StudyRun) -> Result<Record, RunError> {
        let text = |name: &str| -> Result<String, RunError> {
            Ok(String::from_utf8_lossy(&read_whole(&run.folder.join(name))?).into_owned())
        };
        let unreadable = |name: &str, reason: String| RunError::unreadable(&run.folder.join(name), reason);
        let config = text("config.toml")?;
        let mut config: Value =
            toml::from_str(&config).map_err(|error| unreadable("config.toml", error.to_string()))?;
        // What a configuration leaves out is none, so that whoever asks for it finds that.
        for key in ["contractive", "corruption", "variational", "code_penalty"] {
            let absent = if key == "code_penalty" { json!({}) } else { Value::Null };
            if let Some(model) = config["model"].as_object_mut() {
                model.entry(key).or_insert(absent);
            }
        }
        let metrics = text("metrics.json")?;
        let metrics = serde_json::from_str(&metrics).map_err(|error| unreadable("metrics.json", error.to_string()))?;
        let history = columns(&text("history.csv")?);
        let mut record = Record { config, metrics, history };
        let steps_per_epoch = run.plan.prepared.loaded.split.train.len().div_ceil(run.plan.config.train.batch_size);
        record.add_course(steps_per_epoch);
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
    /// `course` (of the loss that early stopping watches, or would), `steps` and `seconds_per_epoch`.
    fn add_course(&mut self, steps_per_epoch: usize) {
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
        let watched =
            if val_loss.iter().any(|loss| !loss.is_nan()) && stopping["monitor"] != "loss" { val_loss } else { loss };
        let patience = stopping["patience"].as_u64().map_or(LAST_EPOCHS, |patience| patience.max(1) as usize);
        let course = course(watched, patience);
        let mut seconds = self.column("seconds").to_vec();
        seconds.sort_by(f64::total_cmp);
        let stopped_in = self.metrics["stop"]["interrupted"]["step"].as_u64().map_or(0, |step| step as usize);
        let begun_in = self.metrics["stop"]["interrupted"]["epoch"].as_u64().map_or(0, |epoch| epoch as usize);
        let begun = if begun_in > last { stopped_in } else { 0 };
        let more = json!({
            "last": last_epoch,
            "at": losses,
            "first_mean_activation": at(self.column("mean_activation"), 1),
            "course": course,
            "steps": last * steps_per_epoch + begun,
            "seconds_per_epoch": seconds.get(seconds.len() / 2),
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

fn columns(text: &str) -> Columns {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let mut columns: Columns = names.iter().map(|name| ((*name).to_owned(), Vec::new())).collect();
    for line in lines {
        for (name, field) in names.iter().zip(line.split(',')) {
            columns.entry((*name).to_owned()).or_default().push(field.parse().unwrap_or(f64::NAN));
        }
    }
    columns
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

    #[test]
    fn columns_are_found_by_name() {
        let columns = columns("epoch,loss,val_loss\n1,0.5,\n2,0.25,1e-3\n");
        assert_eq!(columns["loss"], [0.5, 0.25]);
        assert!(columns["val_loss"][0].is_nan() && columns["val_loss"][1] == 1e-3);
    }
}

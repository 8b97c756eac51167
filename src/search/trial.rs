//! Trials: what was tried, and what came of it.

use serde::{Deserialize, Deserializer, Serialize};

use super::space::Point;

/// A point that is tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Counted from 0.
    pub number: usize,
    /// Its values.
    pub point: Point,
    /// What came of it; none while it is under way.
    pub result: Option<Outcome>,
}

/// What came of a trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// The objective after each step, from the first on; NaN where it was not finite.
    #[serde(deserialize_with = "null_is_nan")]
    pub reports: Vec<f64>,
    /// How long it took. No decision depends on it.
    pub seconds: f64,
}

/// JSON has null for NaN.
fn null_is_nan<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<f64>, D::Error> {
    let reports = Vec::<Option<f64>>::deserialize(from)?;
    Ok(reports.into_iter().map(|report| report.unwrap_or(f64::NAN)).collect())
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum End {
    /// With this objective, a finite number.
    Complete(f64),
    /// Given up by the pruner after the last report.
    Pruned,
    /// Without an objective, for this reason.
    Failed(String),
}

impl End {
    /// An end with this objective; one that is not finite is a failure.
    pub fn of(value: f64) -> Self {
        if value.is_finite() { End::Complete(value) } else { End::Failed(format!("the objective is {value}")) }
    }
}

impl Outcome {
    /// A trial without reports that ended with this objective; with one that is not finite it failed.
    pub fn complete(value: f64) -> Self {
        Outcome { end: End::of(value), reports: Vec::new(), seconds: 0.0 }
    }

    /// The objective of a trial that was neither pruned nor failed.
    pub fn value(&self) -> Option<f64> {
        match self.end {
            End::Complete(value) => Some(value),
            End::Pruned | End::Failed(_) => None,
        }
    }

    /// "complete", "pruned" or "failed".
    pub fn state(&self) -> &'static str {
        match self.end {
            End::Complete(_) => "complete",
            End::Pruned => "pruned",
            End::Failed(_) => "failed",
        }
    }
}

impl Trial {
    /// The objective of a trial that was neither pruned nor failed.
    pub fn value(&self) -> Option<f64> {
        self.result.as_ref()?.value()
    }
}

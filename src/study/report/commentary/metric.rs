//! The figures that runs are compared by, and from which difference on.

use super::verdict::percent;
use crate::figures::number::significant;
use crate::loss::Loss;
use crate::nn::grouped;
use crate::study::report::facts::{Facts, RunFacts};
use crate::tasks::Evaluation;

/// Two seeds of one setting of the footwear study differ by up to 0.4 % in their losses, and by up to 2.0 % in their mean
/// squared error (Keras 3.15, four settings): differences must exceed that to be the setting's.
pub(crate) const LOSS_FLOOR: f64 = 0.005;
/// See [`LOSS_FLOOR`].
pub(crate) const ERROR_FLOOR: f64 = 0.02;
/// Of times, where the epochs of a run do not themselves differ by more.
pub(crate) const TIME_FLOOR: f64 = 0.05;

/// Which runs a figure compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All.
    Any,
    /// Those with the same loss.
    Loss,
    /// Of runs with equally many steps to the epoch it says no more than the epochs do.
    Steps,
}

/// A figure of a run.
pub(crate) struct Metric {
    /// As the subject of a sentence.
    pub name: String,
    /// The figure, NaN where there is none.
    pub value: Box<dyn Fn(&RunFacts) -> f64>,
    /// Which share of a figure two runs have to differ by.
    pub floor: fn(&RunFacts) -> f64,
    /// The figure in digits, with its unit.
    pub format: fn(f64) -> String,
    /// What it needs of runs to compare them.
    pub kind: Kind,
}

impl Metric {
    /// The share that a difference between the runs has to exceed.
    pub fn floor_of<'a>(&self, runs: impl IntoIterator<Item = &'a RunFacts>) -> f64 {
        runs.into_iter().map(self.floor).fold(0.0, f64::max)
    }
}

fn count(value: f64) -> String {
    grouped(value as usize)
}

fn four(value: f64) -> String {
    significant(value, 4)
}

/// Seconds with hundredths at most.
pub(crate) fn seconds(value: f64) -> String {
    if value < 100.0 { format!("{} s", significant(value, 3)) } else { format!("{value:.0} s") }
}

/// The metrics of a study, in the order they are talked about.
pub(crate) fn metrics(facts: &Facts) -> Vec<Metric> {
    let judged = facts.judged;
    let of_part = |get: fn(&Evaluation) -> f64| -> Box<dyn Fn(&RunFacts) -> f64> {
        Box::new(move |run| run.part(judged).map_or(f64::NAN, get))
    };
    let of_run = |get: fn(&RunFacts) -> f64| -> Box<dyn Fn(&RunFacts) -> f64> { Box::new(get) };
    let metric = |name: &str, value, floor, format| {
        let kind = match name {
            _ if name.ends_with("loss") => Kind::Loss,
            _ if name.ends_with("steps") => Kind::Steps,
            _ => Kind::Any,
        };
        Metric { name: name.to_owned(), value, floor, format, kind }
    };
    let word = facts.judged_word();
    let mut metrics = vec![
        metric("the number of epochs", of_run(|run| run.epochs.len() as f64), |_| 0.0, count),
        metric("the number of steps", of_run(|run| run.steps() as f64), |_| 0.0, count),
        metric("the final training loss", of_run(RunFacts::last_loss), |_| LOSS_FLOOR, four),
        metric("the final validation loss", of_run(RunFacts::last_val_loss), |_| LOSS_FLOOR, four),
    ];
    if judged == "test" {
        metrics.push(metric("the test loss", of_part(|part| part.loss), |_| LOSS_FLOOR, four));
    }
    if facts.common_loss() != Some(Loss::Mse) || judged != "test" {
        metrics.push(metric(&format!("the {word} MSE"), of_part(|part| part.mse), |_| ERROR_FLOOR, four));
    }
    let active = "the mean number of active code units";
    metrics.push(metric(
        active,
        of_part(|part| part.active_code_units),
        |_| ERROR_FLOOR,
        |value| significant(value, 3),
    ));
    metrics.push(metric("the L1 norm of the code", of_part(|part| part.code_l1), |_| ERROR_FLOOR, four));
    let timing = |run: &RunFacts| run.time_spread().max(TIME_FLOOR);
    metrics.push(metric("the time per epoch", of_run(RunFacts::seconds_per_epoch), timing, seconds));
    metrics.push(metric("the time to the end", of_run(RunFacts::seconds), timing, seconds));
    metrics
}

/// The rule of the floors, in words.
pub(crate) fn rule(facts: &Facts) -> String {
    let beside = match facts.jobs {
        0 | 1 => String::new(),
        jobs => format!(
            " Up to {jobs} runs shared the machine at a time, so that times also depend on which runs those were."
        ),
    };
    let chance = match facts.axes.iter().any(|axis| axis.key == "seed") {
        true => "",
        false => " Each setting was run with one seed, so how far chance alone moves these figures was not measured.",
    };
    let code =
        if facts.runs.iter().any(|run| run.part(facts.judged).is_some()) { " or a figure of the code" } else { "" };
    format!(
        "A difference counts when it exceeds {} of a loss and {} of a mean squared error (MSE){code}. A \
         difference in time counts when it exceeds {}, and also half the interquartile range of \
         the epochs' times in both runs. Smaller differences are called no difference worth naming. Percentages are of the \
         second of two figures.{chance}{beside}",
        percent_short(LOSS_FLOOR),
        percent_short(ERROR_FLOOR),
        percent_short(TIME_FLOOR),
    )
}

/// Without trailing zeros.
pub(crate) fn percent_short(share: f64) -> String {
    let text = percent(share);
    let number = text.trim_end_matches(" %");
    let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
    format!("{number} %")
}

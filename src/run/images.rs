//! The pictures of a run.

use crate::config::LossKind;
use crate::figures::curves::{Curve, LineChart};
use crate::loss;
use crate::train::History;

/// Training and validation curves of the histories given, each under its label.
pub fn loss_chart<'a>(title: &str, kind: LossKind, runs: impl Iterator<Item = (&'a str, &'a History)>) -> LineChart {
    let mut curves = Vec::new();
    for (group, (label, history)) in runs.enumerate() {
        let column =
            |value: fn(&crate::train::EpochRecord) -> f64| history.epochs.iter().map(value).collect::<Vec<_>>();
        curves.push(Curve::per_epoch(label, column(|epoch| epoch.loss), false, group));
        if history.epochs.iter().any(|epoch| !epoch.val_loss.is_nan()) {
            curves.push(Curve::per_epoch(label, column(|epoch| epoch.val_loss), true, group));
        }
    }
    LineChart::losses(title, loss::axis_label(kind), curves)
}

//! The pictures of a run.

use super::error::RunError;
use crate::data::Samples;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::grid::reconstruction_grid;
use crate::loss;
use crate::loss::Loss;
use crate::tasks::Trained;
use crate::train::History;

/// Training and validation curves of the histories given, each under its label.
pub fn loss_chart<'a>(title: &str, kind: Loss, runs: impl Iterator<Item = (&'a str, &'a History)>) -> LineChart {
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

/// The images given above their reconstructions, pixels clipped to [0, 1], as PNG.
pub fn reconstruction_picture(trained: &Trained<'_, f32>, images: Samples<'_>) -> Result<Vec<u8>, RunError> {
    let originals = images.to_array();
    let reconstructions = trained.reconstruct(originals.view())?;
    let flat = |array: &ndarray::Array2<f32>| array.iter().copied().collect::<Vec<f32>>();
    Ok(reconstruction_grid(images.data.shape(), &flat(&originals), &flat(&reconstructions))?)
}

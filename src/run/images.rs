//! The pictures of a run.

use ndarray::{Array2, ArrayView2, Axis};

use super::error::RunError;
use crate::data::{Dataset, Samples};
use crate::figures::Chart;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::grid::{GridRow, ImageGrid, reconstruction_grid};
use crate::figures::matrix::MatrixChart;
use crate::figures::png::to_pixels;
use crate::tasks::{Content, Trainable, Trained};
use crate::train::History;

/// Training and validation curves of the histories given, each under its label, and the further losses of the task.
pub fn loss_chart<'a>(
    title: &str,
    task: &dyn Trainable,
    runs: impl Iterator<Item = (&'a str, &'a History)>,
) -> LineChart {
    let mut curves = Vec::new();
    let runs: Vec<_> = runs.collect();
    // A further loss has a colour of its own, behind those of the runs.
    let mut further = runs.len()..;
    for (group, (label, history)) in runs.into_iter().enumerate() {
        let column =
            |value: fn(&crate::train::EpochRecord) -> f64| history.epochs.iter().map(value).collect::<Vec<_>>();
        curves.push(Curve::per_epoch(label, column(|epoch| epoch.loss), false, group));
        if history.epochs.iter().any(|epoch| !epoch.val_loss.is_nan()) {
            curves.push(Curve::per_epoch(label, column(|epoch| epoch.val_loss), true, group));
        }
        for name in task.further_losses() {
            let losses = history.scalar(name).map_or(Vec::new(), Iterator::collect);
            let group = further.next().unwrap_or(group);
            curves.push(Curve::per_epoch(format!("{label}, {}", name.replace('_', " ")), losses, false, group));
        }
    }
    LineChart::losses(title, task.loss_label(), curves)
}

/// The images given above their reconstructions, pixels clipped to [0, 1], as PNG.
pub fn reconstruction_picture(trained: &Trained<'_, f32>, images: Samples<'_>) -> Result<Vec<u8>, RunError> {
    let originals = images.to_array();
    let reconstructions = trained.reconstruct(originals.view())?;
    draw(&Content::Reconstructions { originals, reconstructions }, images.data)
}

/// A picture of images like those of `data`, as PNG.
pub(super) fn draw(content: &Content, data: &Dataset) -> Result<Vec<u8>, RunError> {
    let flat = |array: &Array2<f32>| array.iter().copied().collect::<Vec<f32>>();
    match content {
        Content::Reconstructions { originals, reconstructions } => {
            Ok(reconstruction_grid(data.shape(), &flat(originals), &flat(reconstructions))?)
        }
        Content::Images { images, beside, columns } => {
            let [_, _, channels] = data.shape();
            let row = |images: ArrayView2<'_, f32>| GridRow {
                label: String::new(),
                images: images.rows().into_iter().map(|image| to_pixels(image.iter().copied(), channels)).collect(),
            };
            let rows = images.axis_chunks_iter(Axis(0), *beside).map(row).collect();
            Ok(ImageGrid { columns: columns.clone(), ..ImageGrid::new(data.shape(), rows) }.to_png()?)
        }
        Content::Confusion { title, classes, counts } => {
            let chart = MatrixChart { title: title.clone(), classes: classes.clone(), counts: counts.clone() };
            Ok(chart.to_png(1200, 1100)?)
        }
    }
}

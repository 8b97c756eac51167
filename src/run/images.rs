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
use crate::train::{EpochRecord, History};

/// Training and validation curves, and the further losses of the task.
pub(super) fn loss_chart(name: &str, task: &dyn Trainable, history: &History) -> LineChart {
    let column = |value: fn(&EpochRecord) -> f64| history.epochs.iter().map(value).collect::<Vec<_>>();
    let mut curves = vec![Curve::per_epoch(name, column(|epoch| epoch.loss), false, 0)];
    if history.epochs.iter().any(|epoch| !epoch.val_loss.is_nan()) {
        curves.push(Curve::per_epoch(name, column(|epoch| epoch.val_loss), true, 0));
    }
    for (group, further) in (1..).zip(task.further_losses()) {
        let losses = history.scalar(further).map_or(Vec::new(), Iterator::collect);
        curves.push(Curve::per_epoch(format!("{name}, {}", further.replace('_', " ")), losses, false, group));
    }
    LineChart::losses(name, task.loss_label(), curves)
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

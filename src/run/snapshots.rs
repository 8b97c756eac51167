//! What a run shows of each of its epochs: a file for each, and a picture of some of them.

use std::path::PathBuf;

use ndarray::ArrayView2;

use super::error::RunError;
use super::folder::RunFolder;
use crate::data::{Dataset, npy};
use crate::figures::grid::{GridRow, ImageGrid};
use crate::figures::png::to_pixels;
use crate::files::create_child;

/// The folder of the snapshots within that of the run.
pub(super) const SNAPSHOTS: &str = "epochs";
/// Their picture.
pub const SNAPSHOTS_PICTURE: &str = "epochs.png";

/// Epochs in the picture at most.
const SHOWN: usize = 10;

fn file(folder: &RunFolder, epoch: usize) -> PathBuf {
    folder.path().join(SNAPSHOTS).join(format!("{epoch:04}.npy"))
}

/// Writes the images [n, values] of an epoch, counted from 1.
pub(super) fn write_snapshot(folder: &RunFolder, epoch: usize, images: ArrayView2<'_, f32>) -> Result<(), RunError> {
    // A run folder that was removed while the run goes on must not come back.
    create_child(&folder.path().join(SNAPSHOTS))?;
    Ok(npy::write(&file(folder, epoch), images)?)
}

/// The snapshots of `epochs` epochs, a row for each of up to ten evenly spaced ones, the first and the last among them, as PNG;
/// `None` where the task gives none. They are read from the folder, so that those made before a break are there.
pub(super) fn snapshot_picture(folder: &RunFolder, epochs: usize, data: &Dataset) -> Result<Option<Vec<u8>>, RunError> {
    let (shape, rows) = (data.shape(), SHOWN.min(epochs));
    let chosen = (0..rows).map(|row| 1 + if rows > 1 { row * (epochs - 1) / (rows - 1) } else { 0 });
    let mut grid = ImageGrid::new(shape, Vec::new());
    for epoch in chosen.filter(|&epoch| file(folder, epoch).is_file()) {
        let images = npy::read(&file(folder, epoch))?.into_f32();
        let images = images.rows().into_iter().map(|image| to_pixels(image.iter().copied(), shape[2]));
        grid.rows.push(GridRow { label: format!("epoch {epoch}"), images: images.collect() });
    }
    if grid.rows.is_empty() { Ok(None) } else { Ok(Some(grid.to_png()?)) }
}

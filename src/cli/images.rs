//! Images that are not the run's own.

use std::path::Path;

use super::CliError;
use super::args::ImagesArguments;
use narrows::data::{Dataset, load_path};
use narrows::run::OpenRun;

/// The images that the arguments name in place of the run's, for `action` (a verb); see [`load_like`].
pub fn other(run: &OpenRun, images: &ImagesArguments, action: &str) -> Result<Option<Dataset>, CliError> {
    let load = |path| load_like(run, path, images.variable.as_deref(), action);
    images.images.as_deref().map(load).transpose()
}

/// Loads images for `action` (a verb) on a run. Refused: another shape than that of the run's images.
pub fn load_like(run: &OpenRun, path: &Path, variable: Option<&str>, action: &str) -> Result<Dataset, CliError> {
    let (found, own) = (load_path(path, variable)?.0, &run.prepared.loaded.data);
    if found.shape() == own.shape() {
        return Ok(found.with_byte_values_of(own));
    }
    Err(CliError::Usage(format!(
        "cannot {action} {}: its images are {}×{} pixels, but {} was trained on {}×{}",
        path.display(),
        found.height(),
        found.width(),
        run.path.display(),
        own.height(),
        own.width()
    )))
}

//! Images that are not the run's own.

use std::path::Path;

use super::CliError;
use narrows::data::{Dataset, load_path};
use narrows::run::OpenRun;

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

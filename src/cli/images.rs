//! Images that are not the run's own.

use std::path::Path;

use super::CliError;
use super::args::ImagesArguments;
use narrows::data::{Split, Splits, image_size, load_path};
use narrows::run::OpenRun;

/// The images that the arguments name in place of the run's, for `action` (a verb); see [`load_like`].
pub fn other(run: &OpenRun, images: &ImagesArguments, action: &str) -> Result<Option<Splits>, CliError> {
    let load = |path| load_like(run, path, images.variable.as_deref(), action);
    images.images.as_deref().map(load).transpose()
}

/// Loads images to test on for `action` (a verb) on a run; colours become greys where the run's images are grey. Refused: another
/// shape than that of the run's images.
pub fn load_like(run: &OpenRun, path: &Path, variable: Option<&str>, action: &str) -> Result<Splits, CliError> {
    let (mut found, own) = (load_path(path, variable)?.0, &run.prepared.loaded.data);
    if own.shape()[2] == 1 {
        found = found.to_grey();
    }
    if found.shape() == own.shape() {
        let split = Split { train: Vec::new(), validation: Vec::new(), test: (0..found.len() as u32).collect() };
        return Ok(Splits { data: found.with_byte_values_of(own), split, origin: path.display().to_string() });
    }
    Err(CliError::Usage(format!(
        "cannot {action} {}: its images are {} pixels, but {} was trained on {}",
        path.display(),
        image_size(found.shape()),
        run.path.display(),
        image_size(own.shape())
    )))
}

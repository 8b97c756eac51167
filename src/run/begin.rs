//! The parameters that a run begins with: fresh ones, or in part those of another run.

use std::path::{Path, PathBuf};

use narrows_kernels::AlignedVec;
use serde_json::{Value, json};

use super::error::RunError;
use super::folder::{CONFIG, MODEL, check_is_run, check_weights, has_ended};
use super::prepare::Prepared;
use crate::config::RunConfig;
use crate::files::{read_whole, sha256};
use crate::nn::Params;
use crate::tasks::Origin;

/// What was taken from another run.
pub(super) struct Taken {
    run: PathBuf,
    tensors: Vec<String>,
    sha256: String,
}

impl Taken {
    pub fn sentence(&self) -> String {
        format!("taken from {}: {}", self.run.display(), self.tensors.join(", "))
    }

    /// The content of `begun_from.json`.
    pub fn to_json(&self) -> Value {
        json!({ "run": self.run.display().to_string(), "tensors": self.tensors, "model_sha256": self.sha256 })
    }
}

/// What a run of `config` begins with in the place of fresh parameters: all of another run's, or what the task takes from one.
pub fn origin<'a>(config: &'a RunConfig, prepared: &'a Prepared) -> Option<Origin<'a>> {
    let whole = config.init_from.as_deref().map(|run| Origin { run, prefix: "" });
    whole.or_else(|| prepared.task.origin())
}

/// Refuses a run of `config` whose weights cannot be taken from the run that it names; one without a folder is looked for in `beside`.
pub fn check_origin(config: &RunConfig, prepared: &Prepared, beside: &Path) -> Result<(), RunError> {
    if origin(config, prepared).is_some() {
        begin(config, prepared, beside)?;
    }
    Ok(())
}

/// Fresh parameters, in which those that are taken from another run stand as that run has them. A run that is named without
/// a folder is looked for in `beside`. Refused: no run there, one that is not finished, and tensors that are absent or of other shapes.
pub(super) fn begin(
    config: &RunConfig,
    prepared: &Prepared,
    beside: &Path,
) -> Result<(AlignedVec<f32>, Option<Taken>), RunError> {
    let values = prepared.task.init(config.seed);
    let Some(origin) = origin(config, prepared) else { return Ok((values, None)) };
    let named = Path::new(origin.run);
    let run = if named.components().count() > 1 { named.to_path_buf() } else { beside.join(named) };
    let part = if origin.prefix.is_empty() { "weights" } else { origin.prefix };
    let refuse =
        |reason: String| RunError::Folder(format!("cannot take the {part} of the run {}: {reason}", run.display()));
    for file in [CONFIG, MODEL] {
        check_is_run(&run, file).map_err(|error| refuse(error.to_string()))?;
    }
    if !has_ended(&run)? {
        let resume = format!("`narrows train --resume {}` finishes it", run.display());
        return Err(refuse(format!("it is not finished; {resume}")));
    }
    check_weights(&run)?;
    let file = run.join(MODEL);
    let mut params = Params { layout: prepared.layout().clone(), values };
    let tensors = params.load_prefix(&file, origin.prefix)?;
    let sha256 = sha256(&read_whole(&file)?);
    Ok((params.values, Some(Taken { run, tensors, sha256 })))
}

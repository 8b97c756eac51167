//! The parameters that a run begins with: fresh ones, or in part those of another run.

use std::path::{Path, PathBuf};

use narrows_kernels::AlignedVec;
use serde_json::{Value, json};

use super::error::RunError;
use super::folder::{CONFIG, MODEL, check_is_run, check_weights, has_ended, run_config};
use super::prepare::Prepared;
use crate::config::{RunConfig, differences};
use crate::files::{argument, read_whole, sha256};
use crate::nn::Params;
use crate::tasks::Origin;

/// What was taken from another run.
pub(super) struct Taken {
    run: PathBuf,
    tensors: Vec<String>,
    sha256: String,
    divided_otherwise: Vec<String>,
}

impl Taken {
    pub fn sentence(&self) -> String {
        let taken = format!("taken from {}: {}", self.run.display(), self.tensors.join(", "));
        match self.divided_otherwise.is_empty() {
            true => taken,
            false => format!(
                "{taken}; its images are divided otherwise ({} differ{}), so that it may have been trained on validation or test images of this run",
                self.divided_otherwise.join(", "),
                if self.divided_otherwise.len() == 1 { "s" } else { "" }
            ),
        }
    }

    /// The content of `begun_from.json`.
    pub fn to_json(&self) -> Value {
        json!({
            "run": self.run.display().to_string(),
            "tensors": self.tensors,
            "model_sha256": self.sha256,
            "divided_otherwise": self.divided_otherwise,
        })
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
        let resume = format!("`narrows train --resume {}` finishes it", argument(&run));
        return Err(refuse(format!("it is not finished; {resume}")));
    }
    check_weights(&run)?;
    let file = run.join(MODEL);
    let mut params = Params { layout: prepared.layout().clone(), values };
    let tensors = params.load_prefix(&file, origin.prefix)?;
    let sha256 = sha256(&read_whole(&file)?);
    let divided_otherwise = divided_otherwise(&run_config(&run)?, config);
    Ok((params.values, Some(Taken { run, tensors, sha256, divided_otherwise })))
}

/// The keys in which two runs differ that decide which images each is trained on, beyond how many of them; none for runs of different
/// data sets.
fn divided_otherwise(one: &RunConfig, other: &RunConfig) -> Vec<String> {
    const OTHER: [&str; 3] = ["data.limit", "data.scaling", "data.train_images"];
    let is_drawn = |run: &RunConfig| run.data.merge || run.data.split.validation > 0 || run.data.folds.is_some();
    let keys = differences([one, other]).into_iter().map(|(key, _)| key);
    let decides = |key: &String| match key.as_str() {
        "seed" => is_drawn(one) || is_drawn(other),
        key => key.starts_with("data.") && !OTHER.contains(&key),
    };
    if one.data.set == other.data.set { keys.filter(decides).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::divided_otherwise;
    use crate::config::preset;

    #[test]
    fn the_keys_that_divide_images_otherwise_are_named() {
        let run = |settings: &[&str]| {
            let source = preset("mnist").unwrap().source().unwrap();
            settings.iter().fold(source, |source, setting| source.set(setting).unwrap()).into_run().unwrap()
        };
        let differ = |other: &[&str]| divided_otherwise(&run(&[]), &run(other)).join(", ");
        assert_eq!(differ(&["data.train_images=100", "train.batch_size=9", "data.scaling=standard-min-max"]), "");
        assert_eq!(differ(&["data.merge=true", "data.split.test=1", "seed=3"]), "seed, data.merge, data.split.test");
        assert_eq!(differ(&["data.set=fashion-mnist", "data.merge=true"]), "");
    }
}

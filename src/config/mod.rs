//! The vocabulary of a run: what a TOML configuration can say, checked, with presets and grids.
//!
//! Text becomes a [`Source`], settings change it, and it ends as a [`RunConfig`] or a [`StudyConfig`] or as one
//! [`ConfigError`]: a sentence with the line, the key, what stands there and what could. Keys that are not known are
//! errors, so that a mistyped one cannot pass unnoticed for its default. The whole vocabulary of a run:
//!
//! | key | value | where absent |
//! |---|---|---|
//! | `name` | a name that can be a folder's | required |
//! | `seed` | 0 to 2⁶³ − 1 | 0 |
//! | `data.set` | `"fashion-mnist"`, `"mnist"`, `"footwear"` (drawn), a path, … | required |
//! | `data.classes` | names or numbers | all |
//! | `data.pool` | whether the published parts are joined before splitting | `false` |
//! | `data.split` | `{ train, validation, test, stratified }`; without pooling, `test` is 0 | 5 : 1 : 1 pooled, else 5 : 1 |
//! | `data.limit` | images of each part to keep | all |
//! | `data.scaling` | `"unit"`, `"standard-min-max"`, see [`Scaling`](crate::data::Scaling) | `"unit"` |
//! | `data.per_class` | images of each class to draw | 7000 |
//! | `model.encoder`, `model.decoder` | layers, see [`Layer`](crate::nn::Layer) | required |
//! | `model.init` | see [`Init`](crate::nn::Init); `{ normal = 0.05, biases = true }` | `"glorot-uniform"` |
//! | `model.code_penalty` | `{ l1, l2, kl, rho }`, see [`CodePenalty`](crate::loss::CodePenalty) | 0; `rho` 0.05 |
//! | `model.weight_penalty` | `{ l2 }` | 0 |
//! | `model.contractive` | `{ weight, method, probes }`, see [`Contractive`](crate::loss::Contractive) | none; method `"auto"` |
//! | `model.corruption` | one of `{ gaussian }`, `{ masking }`, `{ salt-and-pepper }`, see [`Corruption`](crate::data::Corruption) | none |
//! | `model.variational` | `{ beta, warmup_epochs }`, see [`Variational`](crate::loss::Variational) | none; 1 and 0 |
//! | `train.loss` | `"bce"`, `"bce-logits"`, `"mse"`, `"kl"` | required |
//! | `train.batch_size`, `train.max_epochs` | at least 1 | required |
//! | `train.early_stopping` | `{ monitor, patience, min_delta, baseline, start_from_epoch, restore_best }` or `false` | `false` |
//! | `train.checkpoint` | `{ every_epochs, every_steps }` or `false` | `{ every_epochs = 1 }` |
//! | `optimizer.name` | see [`OptimizerName`](crate::optim::OptimizerName) | required |
//! | `optimizer.dialect` | `"keras"`, `"pytorch"` | `"keras"` |
//! | `optimizer.schedule` | see [`Schedule`](crate::optim::Schedule) | `"constant"` |
//! | `optimizer.…` | see [`OptimizerConfig`]; an optimizer refuses the keys of others | the dialect's default |

use sha2::{Digest, Sha256};

use crate::data::DataSpec;
use crate::optim::OptimizerConfig;
use crate::tasks::AutoencoderSpec;
use crate::train::TrainSettings;

mod axes;
mod data;
mod difference;
mod document;
mod error;
mod kinds;
mod model;
mod optimizer;
mod presets;
mod read;
mod report;
mod source;
mod study;
mod train;
mod variants;
mod write;

#[cfg(test)]
mod refusals;
#[cfg(test)]
mod refused_values;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod studies;

pub use difference::Difference;
pub use error::{ConfigError, Place, Problem};
pub use presets::{Preset, PresetKind, UnknownPreset, preset, presets};
pub use report::{InversionReport, ReportConfig, ReportKind};
pub use source::Source;
pub use study::{Axis, AxisValue, StudyConfig, Variant};

/// Everything that decides the weights after training, besides the data itself and the version of the program.
///
/// What [`RunConfig::from_toml`] and [`Source`] return has passed every check.
#[derive(Clone, Debug, PartialEq)]
pub struct RunConfig {
    /// The run's name, which can be that of its folder.
    pub name: String,
    /// From 0 to `i64::MAX`, the largest integer of TOML.
    pub seed: u64,
    /// Which images.
    pub data: DataSpec,
    /// Which network.
    pub model: AutoencoderSpec,
    /// How it is trained.
    pub train: TrainSettings,
    /// With which optimizer.
    pub optimizer: OptimizerConfig,
}

impl RunConfig {
    /// Reads and checks a run; `origin` is what messages call the text. A study is refused.
    pub fn from_toml(text: &str, origin: &str) -> Result<RunConfig, ConfigError> {
        Source::parse(text, origin)?.into_run()
    }

    /// The run as TOML: every value that is decided here, one text for one configuration. It reads back as equal if the
    /// configuration would be accepted. Of the optimizer, what is left to the dialect stays left to it.
    pub fn to_toml(&self) -> String {
        write::run(self)
    }

    /// SHA-256 of [`RunConfig::to_toml`], in hexadecimal.
    pub fn digest(&self) -> String {
        Sha256::digest(self.to_toml()).iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

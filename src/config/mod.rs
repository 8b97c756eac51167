//! The vocabulary of a run: what a TOML configuration can say, checked, with presets, grids, spaces and workflows.
//!
//! Text becomes a [`Source`], settings change it, and it ends as a [`RunConfig`], a [`StudyConfig`], a [`SearchConfig`] or a
//! [`WorkflowConfig`], or as one [`ConfigError`]: a sentence with the line, the key, what stands there and what could. Keys that are not known are
//! errors, so that a mistyped one cannot pass unnoticed for its default.
//!
//! What a key means, what it accepts and what holds where it is absent stand with the field that it sets, in the types of the
//! modules that read it; here they are read, written and listed ([`vocabulary`]).

use crate::data::DataSpec;
use crate::files::sha256;
use crate::optim::OptimizerSpec;
use crate::settings::{About, Counts, Fault, Settings, TableForm, Text, Visitor, settings};
use crate::tasks::TaskSpec;
use crate::train::TrainSettings;

mod difference;
mod document;
mod error;
mod list;
mod name;
mod presets;
mod read;
mod report;
mod schema;
mod search;
mod source;
mod study;
mod vary;
mod workflow;
mod write;

pub use difference::{Difference, differences};
pub use error::{ConfigError, Place};
pub use list::{Entry, UnknownKey, find_keys, keys_of_all, vocabulary};
pub use presets::{Preset, UnknownPreset, preset, presets};
pub use report::{ClassesReport, GeneratedReport, InversionReport, ProbeReport, ReportConfig};
pub use schema::schema;
pub use search::SearchConfig;
pub use source::Source;
pub use study::{StudyConfig, Varied};
pub use workflow::WorkflowConfig;

settings! {
    /// Everything that decides the weights after training, besides the data itself and the version of the program.
    ///
    /// What [`RunConfig::from_toml`] and [`Source`] return has passed every check.
    #[derive(Clone, Debug, PartialEq)]
    pub struct RunConfig {
        /// The run's name, which can be that of its folder.
        pub name: String = String::new(), in name::NAME, required "a name for the run, as in name = \"footwear\"";
        /// Weights, split and order of the images follow from it. The largest is that of TOML's integers.
        pub seed: u64 = 0, in Counts::new(0, i64::MAX as u64);
        /// Another run that the weights are taken from, instead of fresh ones. Its model must have the same tensors.
        pub init_from: Option<String> = None, in Text::not_empty("a run folder, as in init_from = \"runs/footwear\"");
        /// Which images.
        pub data: DataSpec = DataSpec::default(), in TableForm::new("a table [data]"), required "a table [data] with set";
        /// What is trained.
        pub task: TaskSpec = TaskSpec::default();
        /// How it is trained.
        pub train: TrainSettings = TrainSettings::default(),
            in TableForm::new("a table [train]"), required "a table [train] with loss, batch_size and max_epochs",
            by show_train;
        /// With which optimizer.
        pub optimizer: OptimizerSpec = OptimizerSpec::default(),
            in TableForm::new("a table [optimizer]"), required "a table [optimizer] with name";
    }
    settle settle;
}

impl RunConfig {
    /// Reads and checks a run; `origin` is what messages call the text. A study is refused.
    pub fn from_toml(text: &str, origin: &str) -> Result<RunConfig, ConfigError> {
        Source::parse(text, origin)?.into_run()
    }

    /// The run as TOML: every value, one text for one configuration. It reads back as equal if the configuration would be
    /// accepted.
    pub fn to_toml(&self) -> String {
        write::text(&write::tree(&mut self.clone()))
    }

    fn show_train(&mut self, about: &About, form: TableForm, visitor: &mut dyn Visitor) {
        visitor.table(about, &mut Training { task: &mut self.task, settings: &mut self.train }, form);
    }

    /// Refuses parts that do not fit each other.
    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        self.task.check()?;
        let watched = self.train.validation_monitor(&self.optimizer.schedule);
        match watched.filter(|_| self.data.split.validation == 0 && self.data.folds.is_none()) {
            Some(key) => {
                let found = "\"val_loss\" while data.split has no validation part";
                Err(Fault::new(key, found, "\"loss\"; or a data.split.validation of at least 1"))
            }
            None => Ok(()),
        }
    }

    /// SHA-256 of [`RunConfig::to_toml`], in hexadecimal.
    pub fn digest(&self) -> String {
        sha256(self.to_toml().as_bytes())
    }
}

/// The table `[train]`: what the model is trained for, and in what steps.
struct Training<'a> {
    task: &'a mut TaskSpec,
    settings: &'a mut TrainSettings,
}

impl Settings for Training<'_> {
    fn visit(&mut self, visitor: &mut dyn Visitor) {
        self.task.visit_training(visitor);
        self.settings.visit(visitor);
    }

    fn reset(&mut self) {
        self.settings.reset();
    }
}

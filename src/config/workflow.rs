//! Several studies and searches, and one report about all of them.

use super::error::ConfigError;
use super::list::{joined, keys};
use super::name::NAME;
use super::read;
use super::source::Source;
use crate::settings::{Length, Text, settings};

const PARTS: Length = Length {
    least: 1,
    most: 100,
    accepted: "a table of 1 to 100 parts, such as [parts] with denoising = \"denoising\"",
};

settings! {
    /// Studies and searches that are made one after the other, and one report about all of them.
    ///
    /// ```toml
    /// name = "overview"
    /// title = "Optimizers, and noise"
    ///
    /// [parts]
    /// optimizers = "optimizers"       # a preset
    /// noise = "studies/noise.toml"    # or a file
    /// ```
    #[derive(Clone, Debug, PartialEq)]
    pub struct WorkflowConfig {
        /// Its name, which can be that of its folder.
        pub name: String = String::new(), in NAME, required "a name, as in name = \"overview\"";
        /// The heading of the report; the name where absent.
        pub title: Option<String> = None, in Text { holds: |_| true, ..Text::any("a heading, as a string") };
        /// The parts in their order: under a name, which is that of its folder, a preset or a file of a study or of a search.
        pub parts: Vec<(String, String)> = Vec::new(),
            in (PARTS, Text::any("a preset, or a file of a study or of a search, as a string")),
            required "a table [parts], such as [parts] with denoising = \"denoising\"";
    }
}

impl Source {
    /// Whether this is a workflow.
    pub fn is_workflow(&self) -> bool {
        self.table.get("parts").is_some()
    }

    /// Whether this is a search.
    pub fn is_search(&self) -> bool {
        self.table.get("search").is_some()
    }

    /// The workflow that this describes. Its parts are not read.
    pub fn into_workflow(self) -> Result<WorkflowConfig, ConfigError> {
        let mut workflow = WorkflowConfig::default();
        if let Some((path, node)) = self.settings.first() {
            let known = joined(keys(&mut workflow), "and");
            let sentence =
                format!("\"{}\" is no setting of a part; a workflow has {known}, which are not set", path.join("."));
            return Err(ConfigError::new(&node.place, sentence));
        }
        read::read(&mut workflow, &self.table, "", &self.file)?;
        if let Some((name, _)) = workflow.parts.iter().find(|(name, _)| !super::name::is_name(name)) {
            let sentence = format!(
                "\"parts\" has a part {name:?}; accepted: a name that can be a folder's: letters, digits, '-', '_', '+' and '.', beginning \
                 with a letter or a digit"
            );
            return Err(ConfigError::new(&self.file, sentence));
        }
        Ok(workflow)
    }
}

impl WorkflowConfig {
    /// As TOML, which reads back as equal.
    pub fn to_toml(&self) -> String {
        super::write::text(&super::write::tree(&mut self.clone()))
    }
}

//! Several studies and searches, and one report about all of them.

use super::name::NAME;
use super::write;
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
        pub title: Option<String> = None, in Text::not_empty("a heading, as a string that is not empty");
        /// The parts in their order: under a name, which is that of its folder, a preset or a file of a study or of a search.
        pub parts: Vec<(String, String)> = Vec::new(),
            in (PARTS, Text::not_empty("a preset, or a file of a study or of a search, as a string")),
            required "a table [parts], such as [parts] with denoising = \"denoising\"";
    }
}

impl WorkflowConfig {
    /// As TOML, which reads back as equal.
    pub fn to_toml(&self) -> String {
        write::text(&write::tree(&mut self.clone()))
    }
}

//! Several studies and searches, and one page about all of them.
//!
//! The folder of a workflow holds `study.toml`, a folder `parts/<part>/` of a study or of a search for each part, and `report.html`.

use std::path::{Path, PathBuf};

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use super::search::{SEARCH, SearchResult, facts::SearchFacts};
use super::{Measured, Study, report, take_folder};
use crate::config::{SearchConfig, StudyConfig, WorkflowConfig};
use crate::run::{REPORT, RunError};

/// What a part is.
#[derive(Clone, Debug)]
pub enum PartConfig {
    /// A study.
    Study(Box<StudyConfig>),
    /// A search.
    Search(Box<SearchConfig>),
}

/// A part that was made.
#[derive(Debug)]
pub struct Part {
    name: String,
    toml: String,
    result: PartResult,
}

#[derive(Debug)]
enum PartResult {
    Study(Box<Measured>),
    Search(Box<SearchFacts>),
}

impl Part {
    /// A study as the part `name`; `None` where no run of it was begun.
    pub fn of_study(name: &str, study: Study) -> Option<Part> {
        let toml = study.config.to_toml();
        Some(Part { name: name.to_owned(), toml, result: PartResult::Study(Box::new(study.measured?)) })
    }

    /// A search as the part `name`.
    pub fn of_search(name: &str, search: &SearchResult) -> Part {
        let toml = search.config.to_toml().to_owned();
        Part { name: name.to_owned(), toml, result: PartResult::Search(Box::new(SearchFacts::of(search))) }
    }

    fn title(&self) -> &str {
        match &self.result {
            PartResult::Study(measured) => measured.facts.study["title"].as_str().unwrap_or(&self.name),
            PartResult::Search(facts) => facts.title(),
        }
    }

    /// What the template is given of it.
    fn shown(&self) -> Value {
        let folder = folder_of(&self.name).display().to_string();
        let (command, is_search, given) = match &self.result {
            PartResult::Study(measured) => {
                let seeds = measured.facts.study["asked_seeds"].as_u64().filter(|&seeds| seeds > 1);
                let seeds = seeds.map_or(String::new(), |seeds| format!(" --seeds {seeds}"));
                let given = report::given(&measured.facts, &measured.pictures);
                (format!("narrows study {folder}/study.toml{seeds}"), false, given)
            }
            PartResult::Search(facts) => {
                let given = context! { facts => Serde(facts), pictures => (), charts => () };
                (format!("narrows search {folder}/{SEARCH}"), true, given)
            }
        };
        context! {
            title => self.title(),
            command,
            page => format!("{folder}/{REPORT}"),
            folder,
            toml => self.toml.as_str(),
            is_search,
            given,
        }
    }
}

/// The folder of a part, within that of the workflow.
pub fn folder_of(part: &str) -> PathBuf {
    Path::new("parts").join(part)
}

/// Takes the folder of a workflow: a new one, or one in which the same workflow was begun.
pub fn begin_workflow(config: &WorkflowConfig, out: &Path) -> Result<(), RunError> {
    take_folder(&config.to_toml(), out)
}

/// Writes the page about the parts that were made.
pub fn write_page(config: &WorkflowConfig, parts: &[Part], out: &Path) -> Result<(), RunError> {
    let title = config.title.as_ref().unwrap_or(&config.name);
    let is_made = |name: &str| parts.iter().any(|part| part.name == *name);
    let missing: Vec<String> =
        config.parts.iter().map(|(name, _)| name.clone()).filter(|name| !is_made(name)).collect();
    let given = context! {
        parts => parts.iter().map(Part::shown).collect::<Vec<_>>(),
        missing,
        toml => config.to_toml(),
    };
    let facts: Vec<PartFacts<'_>> = parts.iter().map(PartFacts::of).collect();
    report::write(report::render("workflow", title, &facts, given), out)
}

/// The facts of a part, as the page carries them.
#[derive(Serialize)]
struct PartFacts<'a> {
    part: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    study: Option<&'a super::facts::Facts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    search: Option<&'a SearchFacts>,
}

impl<'a> PartFacts<'a> {
    fn of(part: &'a Part) -> PartFacts<'a> {
        let (study, search) = match &part.result {
            PartResult::Study(measured) => (Some(&measured.facts), None),
            PartResult::Search(facts) => (None, Some(&**facts)),
        };
        PartFacts { part: &part.name, study, search }
    }
}

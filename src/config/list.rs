//! The visitor that lists settings: every key with what is accepted, the default and the meaning.

use super::document::{Value, float, join, string};
use super::report::ReportConfig;
use super::workflow::WorkflowConfig;
use super::{RunConfig, write};
use crate::search::SearchSettings;
use crate::settings::{About, Choice, Counts, Items, Length, Range, Setting as _, Settings, TableForm, Text, Visitor};
use crate::spelling::nearest;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Dotted, with `[]` for the items of a list and `NAME` for those that have names.
    pub key: String,
    /// What may stand there.
    pub accepted: String,
    /// What holds where it is absent, as TOML; "required" where it may not be.
    pub default: String,
    /// What it means.
    pub meaning: String,
    /// The words that it stands beside, each behind those that it depends on itself; an empty list of them where it depends on none.
    pub with: Vec<Vec<&'static str>>,
}

impl Entry {
    /// The words that it stands beside, as in `adam or sgd (pytorch)`; empty where it depends on none.
    pub fn beside(&self) -> String {
        let words = self.with.iter().filter_map(|words| match words.split_first()? {
            (word, []) => Some((*word).to_owned()),
            (word, within) => Some(format!("{word} ({})", within.join(", "))),
        });
        joined(words, "or")
    }

    /// Takes the words `names` behind `before` away, if it stands beside each of them alike.
    fn forget(&mut self, before: &[&'static str], names: &[&'static str]) {
        let at = before.len();
        let beside = |name, words: &[&'static str]| [before, &[name], &words[at + 1..]].concat();
        for words in self.with.clone() {
            let is_first = words.starts_with(before) && words.get(at) == names.first();
            if is_first && names.iter().all(|name| self.with.contains(&beside(*name, &words))) {
                self.with.retain(|other| names.iter().all(|name| *other != beside(*name, &words)));
                self.with.push([before, &words[at + 1..]].concat());
            }
        }
    }
}

/// Every key of a run, of every alternative; those of several alternatives, once for each that differs.
pub fn vocabulary() -> Vec<Entry> {
    let mut lister = Lister::default();
    RunConfig::default().visit(&mut lister);
    lister.entries
}

/// The tables of a study whose keys are those of its runs: what may stand there, and what it means.
pub(super) const STUDY: [(&str, &str, &str); 3] = [
    (
        "grid",
        "dotted keys in quotes, each with a list of values or a table label = value",
        "What varies; a run is made of every combination. Not together with variants.",
    ),
    (
        "variants",
        "names of runs, each with a table of the dotted keys that it changes, and of like = \"RUN\"",
        "Runs that each change something; one that is like another changes what that one does, too. Not together with grid.",
    ),
    (
        "quick",
        "dotted keys in quotes with values, and tables [quick.grid] or [quick.variants]",
        "What `--quick` puts in the place of what stands above it.",
    ),
];

/// The table of a study about its report.
pub(super) const REPORT: About = About { key: "report", doc: "What the report of a study shows.", required: None };

/// The table of a configuration that makes it a space.
pub(super) const SEARCH: About = About {
    key: "search",
    doc: "How the best values are searched. A value varies where a table stands in its place, with low, high and log, with int and \
          log, with choices, or with same, and with when where it has a meaning under a condition only.",
    required: None,
};

/// Every key of a configuration: those of a run ([`vocabulary`]), then those that only a study has, those of a space, and those of a workflow.
pub fn keys_of_all() -> Vec<Entry> {
    let mut entries = vocabulary();
    for (key, accepted, meaning) in STUDY {
        let [accepted, meaning] = [accepted, meaning].map(str::to_owned);
        entries.push(Entry { key: key.to_owned(), accepted, default: "none".to_owned(), meaning, with: Vec::new() });
    }
    let mut lister = Lister::default();
    ReportConfig::default().show(&REPORT, TableForm::new("a table [report]"), &mut lister);
    None::<SearchSettings>.show(&SEARCH, TableForm::new("a table [search]"), &mut lister);
    entries.extend(lister.entries);
    let mut lister = Lister::default();
    WorkflowConfig::default().visit(&mut lister);
    // A workflow has a name as a run has; its parts make it one.
    let own = lister.entries.into_iter().filter(|entry| entry.key != "name");
    entries.extend(own.map(|entry| Entry { default: "none".to_owned(), ..entry }));
    entries
}

/// The entries of `key` and of what lies in it; in the key a number stands for an item of a list and any name for one that has a
/// name, and its last part alone is enough. Refused: a key that no configuration has, by the nearest that one has.
pub fn find_keys(key: &str) -> Result<Vec<Entry>, UnknownKey> {
    let entries = keys_of_all();
    let split = |key: &str| key.replace("[]", ".[]").split('.').map(str::to_owned).collect::<Vec<_>>();
    let parts = split(key);
    let is_in = |entry: &&Entry| {
        let own = split(&entry.key);
        let fits = |(own, part): (&String, &String)| match own.as_str() {
            "[]" => part == own || part.parse::<u32>().is_ok(),
            "NAME" => true,
            _ => part == own,
        };
        own.len() >= parts.len() && own.iter().zip(&parts).all(fits)
    };
    let last = |key: &str| {
        let of_table = key.trim_end_matches("[]").trim_end_matches(".NAME");
        of_table.rsplit('.').next().unwrap_or_default().to_owned()
    };
    let mut found: Vec<Entry> = entries.iter().filter(is_in).cloned().collect();
    if found.is_empty() {
        found.extend(entries.iter().filter(|entry| last(&entry.key) == key).cloned());
    }
    if found.is_empty() {
        let near = nearest(key, entries.iter().map(|entry| entry.key.as_str()));
        let alike = || {
            let lasts: Vec<String> = entries.iter().map(|entry| last(&entry.key)).collect();
            let near = nearest(&last(key), lasts.iter().map(String::as_str))?;
            entries.iter().find(|entry| last(&entry.key) == near).map(|entry| entry.key.clone())
        };
        let nearest = near.map(str::to_owned).or_else(alike);
        return Err(UnknownKey { key: key.chars().take(100).collect(), nearest });
    }
    Ok(found)
}

/// A key that no configuration has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no configuration has the key \"{key}\"{}; `narrows config keys` lists all",
    .nearest.as_deref().map(|nearest| format!(" (did you mean \"{nearest}\"?)")).unwrap_or_default()
)]
pub struct UnknownKey {
    /// The key.
    pub key: String,
    /// The key that is nearest.
    pub nearest: Option<String>,
}

#[derive(Default)]
struct Lister {
    path: String,
    entries: Vec<Entry>,
    /// The keys of the outermost structure.
    keys: Vec<&'static str>,
    is_none: bool,
    /// Whether what is shown next is an item of a list, which has no key of its own.
    is_item: bool,
    /// The key that says which alternative a table is.
    tag: Option<&'static str>,
    /// The words of the alternatives that are visited, the outermost first.
    words: Vec<&'static str>,
}

/// The keys that stand beside the word of an alternative, or in its table.
pub(super) fn keys_of(choice: &mut dyn Choice, number: usize) -> Vec<&'static str> {
    let chosen = choice.chosen();
    let mut lister = Lister::default();
    choice.choose(number);
    choice.visit(&mut lister);
    choice.choose(chosen);
    lister.keys
}

/// The keys of a structure.
pub(super) fn keys(settings: &mut dyn Settings) -> Vec<&'static str> {
    let mut lister = Lister::default();
    settings.visit(&mut lister);
    lister.keys
}

/// `a, b or c`.
pub(super) fn joined<S: AsRef<str>>(all: impl IntoIterator<Item = S>, conjunction: &str) -> String {
    let all: Vec<String> = all.into_iter().map(|one| one.as_ref().to_owned()).collect();
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {conjunction} {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

/// `"a", "b" or "c"`.
pub(super) fn alternatives(words: &[&str]) -> String {
    joined(words.iter().map(|word| string(word)), "or")
}

impl Lister {
    fn record(&mut self, about: &About, accepted: impl ToString, default: impl ToString) {
        if self.path.is_empty() && !self.keys.contains(&about.key) {
            self.keys.push(about.key);
        }
        let default = match (about.required, std::mem::take(&mut self.is_none)) {
            _ if self.is_item || self.tag == Some(about.key) => String::new(),
            (Some(_), _) => "required".to_owned(),
            (None, true) => "none".to_owned(),
            _ => default.to_string(),
        };
        let meaning = about.doc.split_whitespace().collect::<Vec<_>>().join(" ");
        let key = if self.is_item { self.path.clone() } else { join(&self.path, about.key) };
        self.is_item = false;
        let with = vec![self.words.clone()];
        let entry = Entry { key, accepted: accepted.to_string(), default, meaning, with };
        let same = |other: &&mut Entry| Entry { with: other.with.clone(), ..entry.clone() } == **other;
        match self.entries.iter_mut().find(same) {
            Some(other) if other.with.contains(&self.words) => {}
            Some(other) => other.with.extend(entry.with),
            None => self.entries.push(entry),
        }
    }

    fn below(&mut self, key: &str, visit: impl FnOnce(&mut Self)) {
        let path = join(&self.path, key);
        let outer = std::mem::replace(&mut self.path, path);
        visit(self);
        self.path = outer;
    }
}

impl Visitor for Lister {
    fn number(&mut self, about: &About, value: &mut f64, range: Range) {
        self.record(about, range.accepted, float(*value));
    }

    fn count(&mut self, about: &About, value: &mut u64, range: Counts) {
        let word = range.word.filter(|(_, meant)| meant == value);
        self.record(about, range, word.map_or(value.to_string(), |(word, _)| string(word)));
    }

    fn flag(&mut self, about: &About, value: &mut bool) {
        self.record(about, "true or false", *value);
    }

    fn text(&mut self, about: &About, value: &mut String, form: Text) {
        self.record(about, form.accepted, string(value));
    }

    fn optional(&mut self, _: &About, is_some: bool, _: bool) -> bool {
        self.is_none = !is_some;
        true
    }

    fn list(&mut self, about: &About, items: &mut dyn Items, length: Length) {
        let key = if self.is_item { "" } else { about.key };
        self.record(about, length.accepted, write::list(about, items, length).to_toml());
        items.clear();
        items.push("");
        self.below(key, |lister| {
            lister.path += if items.is_named() { ".NAME" } else { "[]" };
            lister.is_item = true;
            items.show(0, lister);
        });
    }

    fn table(&mut self, about: &About, settings: &mut dyn Settings, form: TableForm) {
        self.record(about, form.accepted, Value::Table(write::tree(settings)).to_toml());
        settings.reset();
        self.below(about.key, |lister| settings.visit(lister));
    }

    fn word(&mut self, about: &About, choice: &mut dyn Choice) {
        let (names, chosen) = (choice.names(), choice.chosen());
        self.record(about, alternatives(names), string(names[chosen]));
        for (number, name) in names.iter().enumerate() {
            choice.choose(number);
            self.words.push(name);
            choice.visit(self);
            self.words.pop();
        }
        choice.choose(chosen);
        self.entries.iter_mut().for_each(|entry| entry.forget(&self.words, names));
    }

    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, accepted: &'static str) {
        let (names, chosen) = (choice.names(), choice.chosen());
        let key = if self.is_item { "" } else { about.key };
        self.record(about, accepted, string(names[chosen]));
        self.below(key, |lister| {
            for (number, name) in names.iter().enumerate() {
                choice.choose(number);
                lister.tag = Some(name);
                choice.visit(lister);
            }
            lister.tag = None;
        });
        choice.choose(chosen);
    }
}

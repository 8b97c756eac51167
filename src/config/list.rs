//! The visitor that lists settings: every key with what is accepted, the default and the meaning.

use super::document::{Value, float, join, string};
use super::{RunConfig, write};
use crate::settings::{About, Choice, Counts, Items, Length, Range, Settings, TableForm, Text, Visitor};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Dotted, with `[]` for the items of a list.
    pub key: String,
    /// What may stand there.
    pub accepted: String,
    /// What holds where it is absent, as TOML; "required" where it may not be.
    pub default: String,
    /// What it means.
    pub meaning: String,
}

/// Every key of a run, of every alternative; those of several alternatives, once for each that differs.
pub fn vocabulary() -> Vec<Entry> {
    let mut lister = Lister::default();
    RunConfig::default().visit(&mut lister);
    lister.entries
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
        let entry = Entry { key, accepted: accepted.to_string(), default, meaning };
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
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
        self.record(about, length.accepted, "[]");
        items.clear();
        items.push("");
        self.below(&format!("{}[]", about.key), |lister| {
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
        for number in 0..names.len() {
            choice.choose(number);
            choice.visit(self);
        }
        choice.choose(chosen);
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

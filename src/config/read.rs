//! The visitor that gives settings what a configuration says.
//!
//! It goes on after a fault, so that in the end the first of the most telling kind is reported: a key that is not known
//! before a value that is refused, since a mistyped key is often why another is missing.

use super::document::{Node, Table, Value, join};
use super::error::{ConfigError, Place, did_you_mean, refused};
use super::list::{self, alternatives, joined};
use crate::settings::{About, Choice, Counts, Fault, Items, Length, Range, Settings, TableForm, Text, Visitor};
use crate::spelling::nearest;

/// Gives `settings` what the table at `path` says; the empty path is the whole file.
pub(super) fn read(settings: &mut dyn Settings, table: &Table, path: &str, place: &Place) -> Result<(), ConfigError> {
    let mut reader = Reader::new(Some(table), path.to_owned(), place);
    reader.read(settings);
    reader.refuse_unknown_keys();
    reader.unknown.or(reader.fault).map_or(Ok(()), Err)
}

struct Reader<'a> {
    /// What is read; none for an item of a list that is no table.
    table: Option<&'a Table>,
    path: String,
    place: &'a Place,
    /// The item of a list, which is the value whatever the key.
    item: Option<&'a Node>,
    /// The keys that may stand in the table.
    known: Vec<&'static str>,
    /// Those that could with other values of these.
    elsewhere: Vec<&'static str>,
    /// Whether it is not known which keys may stand in the table.
    is_lost: bool,
    unknown: Option<ConfigError>,
    fault: Option<ConfigError>,
}

/// A value with its dotted key.
struct Field<'a> {
    node: &'a Node,
    path: String,
}

impl<'a> Reader<'a> {
    fn new(table: Option<&'a Table>, path: String, place: &'a Place) -> Self {
        let (known, elsewhere) = (Vec::new(), Vec::new());
        Reader { table, path, place, item: None, known, elsewhere, is_lost: false, unknown: None, fault: None }
    }

    /// The value at hand, if it is given.
    fn field(&mut self, about: &About) -> Option<Field<'a>> {
        if let Some(node) = self.item {
            return Some(Field { node, path: self.path.clone() });
        }
        self.know(about.key);
        let path = join(&self.path, about.key);
        let found = self.get(about.key).map(|node| Field { node, path: path.clone() });
        if let (None, Some(expected)) = (&found, about.required) {
            self.add(ConfigError::new(self.place, format!("the key \"{path}\" is missing; expected {expected}")));
        }
        found
    }

    fn know(&mut self, key: &'static str) {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
    }

    fn get(&self, key: &str) -> Option<&'a Node> {
        self.table?.get(key).map(|entry| &entry.node)
    }

    fn add(&mut self, error: ConfigError) {
        self.fault.get_or_insert(error);
    }

    fn refuse(&mut self, field: &Field<'_>, accepted: impl Into<String>) {
        self.refuse_as(field, field.node.value.describe(), accepted);
    }

    fn refuse_as(&mut self, field: &Field<'_>, found: impl Into<String>, accepted: impl Into<String>) {
        self.add(refused(&field.node.place, &field.path, found, accepted));
    }

    /// The number of the word that stands there.
    fn find(&mut self, field: &Field<'_>, words: &[&'static str], accepted: String) -> Option<usize> {
        let Value::String(text) = &field.node.value else {
            self.refuse(field, accepted);
            return None;
        };
        let found = words.iter().position(|word| word == text);
        if found.is_none() {
            self.refuse(field, accepted + &did_you_mean(nearest(text, words.iter().copied())));
        }
        found
    }

    fn read(&mut self, settings: &mut dyn Settings) {
        settings.visit(self);
        if let Err(Fault { key, found, accepted }) = settings.settle(&|key| self.get(key).is_some()) {
            let path: Vec<String> = key.split('.').map(str::to_owned).collect();
            // A value that is not given is refused where it would stand.
            let known = (1..=path.len()).rev().find_map(|len| self.table?.at(&path[..len]));
            let place = known.map_or(self.place, |node| &node.place);
            let key = path.iter().fold(self.path.clone(), |outer, part| {
                if part.parse::<usize>().is_ok() { format!("{outer}[{part}]") } else { join(&outer, part) }
            });
            self.add(refused(place, &key, found, accepted));
        }
    }

    /// Reads something within the value at hand.
    fn within(&mut self, mut inner: Reader<'a>, read: impl FnOnce(&mut Reader<'a>)) {
        read(&mut inner);
        inner.refuse_unknown_keys();
        self.unknown = self.unknown.take().or(inner.unknown);
        self.fault = self.fault.take().or(inner.fault);
    }

    fn refuse_unknown_keys(&mut self) {
        let Some(table) = self.table.filter(|_| !self.is_lost) else { return };
        if let Some(entry) = table.entries.iter().find(|entry| !self.known.contains(&entry.key.as_str())) {
            let error = unknown_key(&entry.key_place, &self.path, &entry.key, &self.known, &self.elsewhere);
            self.unknown.get_or_insert(error);
        }
    }
}

impl Visitor for Reader<'_> {
    fn number(&mut self, about: &About, value: &mut f64, range: Range) {
        let Some(field) = self.field(about) else { return };
        match field.node.value.number().filter(|number| range.accepts(*number)) {
            Some(number) => *value = number,
            None => self.refuse(&field, range.accepted),
        }
    }

    fn count(&mut self, about: &About, value: &mut u64, range: Counts) {
        let Some(field) = self.field(about) else { return };
        let found = match &field.node.value {
            Value::Integer(_, Some(number)) => u64::try_from(*number).ok().filter(|number| range.accepts(*number)),
            Value::String(text) => range.word.filter(|(word, _)| word == text).map(|(_, meant)| meant),
            _ => None,
        };
        match found {
            Some(number) => *value = number,
            None => self.refuse(&field, range.to_string()),
        }
    }

    fn flag(&mut self, about: &About, value: &mut bool) {
        let Some(field) = self.field(about) else { return };
        match field.node.value {
            Value::Boolean(flag) => *value = flag,
            _ => self.refuse(&field, "true or false"),
        }
    }

    fn text(&mut self, about: &About, value: &mut String, form: Text) {
        let Some(field) = self.field(about) else { return };
        match &field.node.value {
            Value::String(text) if (form.holds)(text) => value.clone_from(text),
            Value::Integer(_, Some(number @ 0..)) if form.or_number => *value = number.to_string(),
            _ => self.refuse(&field, form.accepted),
        }
    }

    fn optional(&mut self, about: &About, is_some: bool, or_false: bool) -> bool {
        self.know(about.key);
        match self.get(about.key).map(|node| &node.value) {
            Some(Value::Boolean(false)) if or_false => false,
            Some(_) => true,
            None => is_some,
        }
    }

    fn list(&mut self, about: &About, items: &mut dyn Items, length: Length) {
        let Some(field) = self.field(about) else { return };
        let nodes: Vec<(String, String, &Node)> = match &field.node.value {
            Value::Array(nodes) if !items.is_named() => {
                let numbered = nodes.iter().enumerate();
                numbered.map(|(number, node)| (String::new(), format!("{}[{number}]", field.path), node)).collect()
            }
            Value::Table(table) if items.is_named() => {
                let named = table.entries.iter();
                named.map(|entry| (entry.key.clone(), join(&field.path, &entry.key), &entry.node)).collect()
            }
            _ => return self.refuse(&field, length.accepted),
        };
        if nodes.len() > length.most {
            let found = format!("an array of {}", nodes.len());
            return self.refuse_as(&field, found, format!("at most {} items", length.most));
        }
        if nodes.len() < length.least {
            return self.refuse(&field, length.accepted);
        }
        items.clear();
        for (number, (name, path, node)) in nodes.into_iter().enumerate() {
            items.push(&name);
            let inner = Reader { item: Some(node), ..Reader::new(None, path, &node.place) };
            self.within(inner, |inner| items.show(number, inner));
        }
    }

    fn table(&mut self, about: &About, settings: &mut dyn Settings, form: TableForm) {
        let Some(field) = self.field(about) else { return };
        let Value::Table(table) = &field.node.value else { return self.refuse(&field, form.accepted) };
        settings.reset();
        let inner = Reader::new(Some(table), field.path, &field.node.place);
        self.within(inner, |inner| inner.read(settings));
    }

    fn word(&mut self, about: &About, choice: &mut dyn Choice) {
        let field = self.field(about);
        let (names, chosen) = (choice.names(), choice.chosen());
        let keys: Vec<Vec<&'static str>> = (0..names.len()).map(|number| list::keys_of(choice, number)).collect();
        let table = self.table;
        let is_given = |key: &&str| table.is_some_and(|table| table.get(key).is_some());
        let implied = |number: &usize| choice.is_implied(*number) && keys[*number].iter().any(is_given);
        let number = match &field {
            Some(field) => {
                let found = self.find(field, names, alternatives(names));
                self.is_lost |= found.is_none();
                found.unwrap_or(chosen)
            }
            None => (0..names.len()).find(implied).unwrap_or(chosen),
        };
        self.is_lost |= field.is_none() && about.required.is_some();
        choice.choose(number);
        choice.visit(self);
        self.elsewhere.extend(keys.iter().flatten().filter(|key| !keys[number].contains(key)));
        let strays = self.elsewhere.iter().filter(|key| !self.known.contains(key)).filter(|key| is_given(key));
        let Some(stray) = strays.copied().next() else { return };
        let owners: Vec<&str> =
            (0..names.len()).filter(|owner| keys[*owner].contains(&stray)).map(|owner| names[owner]).collect();
        let (key, name) = (about.key, names[number]);
        let mut accepted = format!("{stray} with {key} = {} only", alternatives(&owners));
        if !keys[number].is_empty() {
            accepted += &format!("; {name:?} has {}", keys[number].join(", "));
        }
        self.meaningless(stray, &format!("given while the {key} is {name:?}"), &accepted);
    }

    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, accepted: &'static str) {
        let Some(field) = self.field(about) else { return };
        let (words, names) = choice.names().split_at(choice.words());
        let Value::Table(table) = &field.node.value else {
            if let Some(number) = self.find(&field, words, accepted.to_owned()) {
                choice.choose(number);
            }
            return;
        };
        let given: Vec<usize> = (0..names.len()).filter(|&number| table.get(names[number]).is_some()).collect();
        let inner = Reader::new(Some(table), field.path.clone(), &field.node.place);
        self.within(inner, |inner| {
            let number = match given[..] {
                [number] => number,
                [] if names.len() == 1 => 0,
                _ => {
                    let found = match &given[..] {
                        [] => format!("a table without {}", joined(names, "or")),
                        given => format!("a table with {}", joined(given.iter().map(|&number| names[number]), "and")),
                    };
                    let all = words.len()..words.len() + names.len();
                    all.flat_map(|number| list::keys_of(choice, number)).for_each(|key| inner.know(key));
                    return inner.refuse_as(&field, found, accepted);
                }
            };
            choice.choose(words.len() + number);
            choice.visit(inner);
        });
    }

    fn meaningless(&mut self, key: &'static str, found: &str, accepted: &str) {
        self.know(key);
        if let Some(node) = self.get(key) {
            self.add(refused(&node.place, &join(&self.path, key), found, accepted));
        }
    }
}

/// The refusal of `key` in the table at `path`. The suggestion is a neighbour that is spelt alike, or else the place
/// where a key of exactly this name belongs.
pub(super) fn unknown_key(
    place: &Place,
    path: &str,
    key: &str,
    known: &[&'static str],
    elsewhere: &[&'static str],
) -> ConfigError {
    let sibling = nearest(key, known.iter().chain(elsewhere).copied()).map(|sibling| join(path, sibling));
    let own = join(path, key);
    let is_home = |home: &String| home.rsplit('.').next() == Some(key) && *home != own && !home.contains('[');
    let home = || list::vocabulary().into_iter().map(|entry| entry.key).find(is_home);
    let short: String = key.chars().take(100).flat_map(char::escape_debug).collect();
    let end = match sibling.or_else(home) {
        Some(nearest) => format!("did you mean \"{nearest}\"?"),
        None => format!("the keys known here are {}", known.join(", ")),
    };
    ConfigError::new(place, format!("unknown key \"{}\"; {end}", join(path, &short)))
}

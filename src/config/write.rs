//! A configuration as TOML: every value stated, in the layout in which a person would write it, read back as equal.

use super::document::{self, Entry, Node, Table, Value, join};
use super::error::Place;
use crate::settings::{About, Choice, Counts, Items, Length, Range, Settings, TableForm, Text, Visitor};

/// A list of tables goes on one line until it is longer than this.
const WIDTH: usize = 110;

/// The tables whose tables have headings of their own; those of others go on one line.
const DEEP: &str = "report";

/// A whole file.
pub(super) fn text(table: &Table) -> String {
    let mut lines = Vec::new();
    write_section(table, "", &mut lines);
    lines.join("\n") + "\n"
}

fn write_section(table: &Table, path: &str, lines: &mut Vec<String>) {
    let mut sections = Vec::new();
    for Entry { key, node, .. } in &table.entries {
        match &node.value {
            Value::Table(inner) if path.is_empty() || path.starts_with(DEEP) => sections.push((key, inner)),
            other => lines.push(assignment(&document::key(key), other)),
        }
    }
    for (key, inner) in sections {
        let path = join(path, &document::key(key));
        lines.push(format!("\n[{path}]"));
        write_section(inner, &path, lines);
    }
}

fn assignment(key: &str, value: &Value) -> String {
    let line = format!("{key} = {}", value.to_toml());
    match value {
        Value::Array(items) if line.len() > WIDTH && matches!(items[..], [Node { value: Value::Table(_), .. }, ..]) => {
            let items: Vec<String> = items.iter().map(|item| item.value.to_toml()).collect();
            format!("{key} = [\n    {},\n]", items.join(",\n    "))
        }
        _ => line,
    }
}

/// The tree of these settings.
pub(super) fn tree(settings: &mut dyn Settings) -> Table {
    let mut writer = Writer::default();
    settings.visit(&mut writer);
    writer.table
}

/// The value of a list.
pub(super) fn list(about: &About, items: &mut dyn Items, length: Length) -> Value {
    let mut writer = Writer::default();
    writer.list(about, items, length);
    writer.table.entries.remove(0).node.value
}

/// Adds an entry that stands nowhere yet.
pub(super) fn put(table: &mut Table, key: &str, value: Value) {
    let place = Place::File("".into());
    let node = Node { value, place: place.clone() };
    table.entries.push(Entry { key: key.to_owned(), key_place: place, node });
}

/// The visitor that takes the values of settings, each as an entry of a table.
#[derive(Default)]
struct Writer {
    table: Table,
}

impl Visitor for Writer {
    fn number(&mut self, about: &About, value: &mut f64, _: Range) {
        put(&mut self.table, about.key, Value::Float(*value));
    }

    fn count(&mut self, about: &About, value: &mut u64, range: Counts) {
        let word = range.word.filter(|(_, meant)| meant == value);
        let number = Value::Integer(value.to_string(), i64::try_from(*value).ok());
        put(&mut self.table, about.key, word.map_or(number, |(word, _)| Value::String(word.to_owned())));
    }

    fn flag(&mut self, about: &About, value: &mut bool) {
        put(&mut self.table, about.key, Value::Boolean(*value));
    }

    fn text(&mut self, about: &About, value: &mut String, _: Text) {
        put(&mut self.table, about.key, Value::String(value.clone()));
    }

    fn optional(&mut self, about: &About, is_some: bool, or_false: bool) -> bool {
        if !is_some && or_false {
            put(&mut self.table, about.key, Value::Boolean(false));
        }
        is_some
    }

    fn list(&mut self, about: &About, items: &mut dyn Items, _: Length) {
        let mut inner = Writer::default();
        (0..items.len()).for_each(|number| items.show(number, &mut inner));
        let entries = inner.table.entries.into_iter();
        let value = if items.is_named() {
            let named =
                entries.enumerate().map(|(number, entry)| Entry { key: items.name(number).to_owned(), ..entry });
            Value::Table(Table { entries: named.collect() })
        } else {
            Value::Array(entries.map(|entry| entry.node).collect())
        };
        put(&mut self.table, about.key, value);
    }

    fn table(&mut self, about: &About, settings: &mut dyn Settings, _: TableForm) {
        put(&mut self.table, about.key, Value::Table(tree(settings)));
    }

    fn word(&mut self, about: &About, choice: &mut dyn Choice) {
        if !choice.is_written() {
            return choice.visit(self);
        }
        put(&mut self.table, about.key, Value::String(choice.names()[choice.chosen()].to_owned()));
        choice.visit(self);
    }

    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, _: &'static str) {
        let number = choice.chosen();
        let value = if number < choice.words() {
            Value::String(choice.names()[number].to_owned())
        } else {
            let mut inner = Writer::default();
            choice.visit(&mut inner);
            Value::Table(inner.table)
        };
        put(&mut self.table, about.key, value);
    }
}

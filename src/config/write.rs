//! A configuration as TOML: every value stated, in the layout in which a person would write it, read back as equal.

use super::document::{Entry, Node, Table, Value};
use super::error::Place;
use crate::settings::{About, Choice, Counts, Items, Length, Range, Settings, TableForm, Text, Visitor};

/// A list of tables goes on one line until it is longer than this.
const WIDTH: usize = 110;

/// The tables whose tables have headings of their own; those of others go on one line.
const DEEP: &str = "report";

/// The shortest decimal that reads back as the same number, with an exponent where that is shorter for small ones.
pub(super) fn float(value: f64) -> String {
    let plain = format!("{value:?}");
    let scientific = format!("{value:e}");
    match value {
        _ if value.is_nan() => "nan".to_string(),
        _ if value.abs() < 0.01 && scientific.len() < plain.len() && value != 0.0 => scientific,
        _ => plain,
    }
}

/// A quoted string.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // TOML allows no other control characters in a string.
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { text.to_string() } else { string(text) }
}

/// Any value on one line.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Integer(text, _) | Value::Datetime(text) => text.clone(),
        Value::Float(value) => float(*value),
        Value::Boolean(value) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| self::value(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) if table.entries.is_empty() => "{}".to_string(),
        Value::Table(table) => {
            let pairs =
                table.entries.iter().map(|entry| format!("{} = {}", key(&entry.key), self::value(&entry.node.value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

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
            other => lines.push(assignment(&self::key(key), other)),
        }
    }
    for (key, inner) in sections {
        let path = super::read::join(path, &self::key(key));
        lines.push(format!("\n[{path}]"));
        write_section(inner, &path, lines);
    }
}

fn assignment(key: &str, value: &Value) -> String {
    let line = format!("{key} = {}", self::value(value));
    match value {
        Value::Array(items) if line.len() > WIDTH && matches!(items[0].value, Value::Table(_)) => {
            let items: Vec<String> = items.iter().map(|item| self::value(&item.value)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_read_back_as_the_same_number() {
        for (number, text) in [
            (0.0, "0.0"),
            (1e-4, "1e-4"),
            (1e-6, "1e-6"),
            (0.01, "0.01"),
            (0.2, "0.2"),
            (1.0, "1.0"),
            (1e300, "1e300"),
            (0.001234, "0.001234"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float(number), text);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}

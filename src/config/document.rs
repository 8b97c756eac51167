//! A configuration as a tree in which every value knows the line or the setting that it came from.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place};
use super::write;

/// The longest text that is read, in bytes.
const LIMIT_BYTES: usize = 1 << 20;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    String(String),
    /// As written, and its value where it fits TOML's 64 bits.
    Integer(String, Option<i64>),
    Float(f64),
    Boolean(bool),
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

/// Keys in the order of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub key: String,
    pub key_place: Place,
    pub node: Node,
}

impl Table {
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at))
    }

    /// The value of the dotted key `path`; parts that are numbers count the items of a list from 0.
    pub fn at(&self, path: &[String]) -> Option<&Node> {
        let [key, rest @ ..] = path else { return None };
        self.get(key)?.node.at(rest)
    }

    /// Gives the dotted key `path` the value `node`, creating the tables it lies in. A part that is a number stands for an
    /// item of a list, counted from 0.
    pub fn put(&mut self, path: &[String], node: Node) -> Result<(), ConfigError> {
        self.put_below(path, 0, node)
    }

    fn put_below(&mut self, path: &[String], depth: usize, node: Node) -> Result<(), ConfigError> {
        let Some(key) = path.get(depth) else { return Ok(()) };
        let at = match self.entries.iter().position(|entry| entry.key == *key) {
            Some(at) => at,
            None => {
                let table = Node { value: Value::Table(Table::default()), place: node.place.clone() };
                self.entries.push(Entry { key: key.clone(), key_place: node.place.clone(), node: table });
                self.entries.len() - 1
            }
        };
        let entry = &mut self.entries[at];
        if depth + 1 == path.len() {
            entry.key_place = node.place.clone();
        }
        entry.node.put_below(path, depth + 1, node)
    }
}

impl Node {
    fn at(&self, path: &[String]) -> Option<&Node> {
        let [key, ..] = path else { return Some(self) };
        match &self.value {
            Value::Table(table) => table.at(path),
            Value::Array(items) => items.get(key.parse::<usize>().ok()?)?.at(&path[1..]),
            _ => None,
        }
    }

    fn put_below(&mut self, path: &[String], depth: usize, node: Node) -> Result<(), ConfigError> {
        let Some(key) = path.get(depth) else {
            *self = node;
            return Ok(());
        };
        let sentence = match &mut self.value {
            Value::Table(table) => return table.put_below(path, depth, node),
            Value::Array(items) => {
                let count = items.len();
                match key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    Some(item) => return item.put_below(path, depth + 1, node),
                    None => format!(
                        "\"{}\" is a list of {count} without an item {key:?}; accepted: the number of an item, counted from 0",
                        path[..depth].join(".")
                    ),
                }
            }
            other => format!(
                "\"{}\" is {}, which has no keys; accepted: a key whose every part but the last is a table",
                path[..depth].join("."),
                other.describe()
            ),
        };
        Err(ConfigError::rule(&node.place, sentence))
    }
}

impl Value {
    /// The value as a noun, for messages.
    pub fn describe(&self) -> String {
        match self {
            Value::String(text) => {
                // A value pasted by mistake must not bury the sentence.
                let mut short: String = text.chars().take(60).collect();
                if short.len() < text.len() {
                    short.push('…');
                }
                format!("the string {short:?}")
            }
            Value::Integer(text, _) => format!("the integer {text}"),
            Value::Float(value) if value.is_finite() => format!("the float {}", write::float(*value)),
            Value::Float(value) => write::float(*value),
            Value::Boolean(value) => format!("the boolean {value}"),
            Value::Datetime(text) => format!("the date {text}"),
            Value::Array(items) if items.is_empty() => "an empty array".to_string(),
            Value::Array(_) => "an array".to_string(),
            Value::Table(table) if table.entries.is_empty() => "an empty table".to_string(),
            Value::Table(_) => "a table".to_string(),
        }
    }

    /// The number, if it is one; an integer counts.
    pub fn number(&self) -> Option<f64> {
        match *self {
            Value::Float(value) => Some(value),
            Value::Integer(_, value) => value.map(|value| value as f64),
            _ => None,
        }
    }

    /// Whether both mean the same, wherever they stand; 0 and 0.0 do.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Datetime(a), Value::Datetime(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.value.same(&b.value))
            }
            (Value::Table(a), Value::Table(b)) => {
                a.entries.len() == b.entries.len()
                    && a.entries.iter().zip(&b.entries).all(|(a, b)| a.key == b.key && a.node.value.same(&b.node.value))
            }
            (a, b) => a.number().is_some_and(|a| b.number() == Some(a)),
        }
    }
}

/// Reads a whole file.
pub(super) fn parse(text: &str, origin: &Arc<str>) -> Result<Table, ConfigError> {
    let file = Place::File(origin.clone());
    if text.len() > LIMIT_BYTES {
        return Err(too_large(text, &file));
    }
    let breaks: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    let place = |at: usize| Place::Line { origin: origin.clone(), line: 1 + breaks.partition_point(|&end| end < at) };
    match DeTable::parse(text) {
        Ok(table) => Ok(convert_table(table.get_ref(), &place)),
        Err(error) => {
            let place = error.span().map_or(file, |span| place(span.start));
            Err(not_toml(&error, &place))
        }
    }
}

/// Reads the value of a setting: TOML, or otherwise a plain string, unless it opens like a string, list or table.
pub(super) fn parse_setting(text: &str, place: &Place) -> Result<Node, ConfigError> {
    if text.len() > LIMIT_BYTES {
        return Err(too_large(text, place));
    }
    match DeValue::parse(text) {
        Ok(value) => Ok(convert(&value, &|_| place.clone())),
        Err(error) if text.starts_with(['[', '{', '"', '\'']) => Err(not_toml(&error, place)),
        Err(_) => Ok(Node { value: Value::String(text.to_string()), place: place.clone() }),
    }
}

fn too_large(text: &str, place: &Place) -> ConfigError {
    let (bytes, limit) = (text.len(), LIMIT_BYTES);
    ConfigError::rule(place, format!("the configuration has {bytes} bytes; accepted: at most {limit} (1 MiB)"))
}

fn not_toml(error: &toml::de::Error, place: &Place) -> ConfigError {
    ConfigError::rule(place, format!("this is not TOML: {}", error.message()))
}

// The parser bounds the nesting (80 levels), so that these two and the drop of the tree cannot exhaust the stack.
fn convert(value: &Spanned<DeValue<'_>>, place: &impl Fn(usize) -> Place) -> Node {
    let converted = match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(integer) => {
            Value::Integer(integer.to_string(), i64::from_str_radix(integer.as_str(), integer.radix()).ok())
        }
        // The parser has already held the text to TOML's grammar of floats.
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(value) => Value::Boolean(*value),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
        DeValue::Array(items) => Value::Array(items.iter().map(|item| convert(item, place)).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table, place)),
    };
    Node { value: converted, place: place(value.span().start) }
}

fn convert_table(table: &DeTable<'_>, place: &impl Fn(usize) -> Place) -> Table {
    let entry = |(key, value): (&Spanned<_>, &Spanned<_>)| Entry {
        key: std::borrow::Cow::<str>::to_string(key.get_ref()),
        key_place: place(key.span().start),
        node: convert(value, place),
    };
    Table { entries: table.iter().map(entry).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Table {
        parse(text, &"a.toml".into()).unwrap()
    }

    #[test]
    fn every_value_knows_its_line() {
        let table = parsed("a = 1\n\n[b]\nc = [\n  2,\n  { d = 3 },\n]\n");
        let line = |place: &Place| place.to_string();
        assert_eq!(line(&table.get("a").unwrap().node.place), "a.toml:1");
        let b = table.get("b").unwrap();
        assert_eq!((line(&b.key_place), line(&b.node.place)), ("a.toml:3".into(), "a.toml:3".into()));
        let Value::Table(b) = &b.node.value else { panic!() };
        let Value::Array(items) = &b.get("c").unwrap().node.value else { panic!() };
        assert_eq!(line(&items[0].place), "a.toml:5");
        assert_eq!(line(&items[1].place), "a.toml:6");
    }

    #[test]
    fn numbers_are_read_in_every_notation() {
        let table = parsed("a = 1_000\nb = 0x10\nc = 1e-6\nd = -inf\ne = 99999999999999999999\nf = 1_0.5\ng = +7");
        let number = |key: &str| table.get(key).unwrap().node.value.number();
        assert_eq!(number("a"), Some(1000.0));
        assert_eq!(number("b"), Some(16.0));
        assert_eq!(number("c"), Some(1e-6));
        assert_eq!(number("d"), Some(f64::NEG_INFINITY));
        assert_eq!(number("e"), None);
        assert_eq!(number("f"), Some(10.5));
        assert_eq!(number("g"), Some(7.0));
    }

    #[test]
    fn a_setting_is_toml_or_else_a_string() {
        let place = Place::Setting("k".into());
        let described = |text: &str| parse_setting(text, &place).unwrap().value.describe();
        assert_eq!(described("64"), "the integer 64");
        assert_eq!(described("true"), "the boolean true");
        assert_eq!(described("\"64\""), "the string \"64\"");
        assert_eq!(described("fashion-mnist"), "the string \"fashion-mnist\"");
        assert_eq!(described("a/b c = d"), "the string \"a/b c = d\"");
        assert_eq!(described(""), "the string \"\"");
        assert_eq!(described("1 2"), "the string \"1 2\"");
        assert_eq!(described("[1, 2]"), "an array");
        let error = parse_setting("[1, 2", &place).unwrap_err().to_string();
        assert!(error.starts_with("--set k: this is not TOML: "), "{error}");
    }

    #[test]
    fn long_strings_are_shortened_in_messages() {
        assert!(Value::String("x".repeat(10_000)).describe().len() < 100);
    }
}

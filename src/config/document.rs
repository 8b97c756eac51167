//! A configuration as a tree in which every value knows the line or the setting that it came from.

use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Place, refused};

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
        let (key, place) = (&path[depth], node.place.clone());
        let at = self.entries.iter().position(|entry| entry.key == *key).unwrap_or_else(|| {
            let table = Node { value: Value::Table(Table::default()), place: place.clone() };
            self.entries.push(Entry { key: key.clone(), key_place: place.clone(), node: table });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[at];
        if depth + 1 == path.len() {
            entry.key_place = place;
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

    /// The table that this has to be; `key` is what messages call it.
    pub fn table(&self, key: &str, accepted: &str) -> Result<&Table, ConfigError> {
        match &self.value {
            Value::Table(table) => Ok(table),
            other => Err(refused(&self.place, key, other.describe(), accepted)),
        }
    }

    /// Gives what is left of the dotted key `path` behind `depth` parts the value `node`.
    pub fn put_below(&mut self, path: &[String], depth: usize, node: Node) -> Result<(), ConfigError> {
        let Some(key) = path.get(depth) else {
            *self = node;
            return Ok(());
        };
        let (found, accepted) = match &mut self.value {
            Value::Table(table) => return table.put_below(path, depth, node),
            Value::Array(items) => {
                let found = format!("a list of {} without an item {key:?}", items.len());
                match key.parse::<usize>().ok().and_then(|at| items.get_mut(at)) {
                    Some(item) => return item.put_below(path, depth + 1, node),
                    None => (found, "the number of an item, counted from 0"),
                }
            }
            other => {
                let found = format!("{}, which has no keys", other.describe());
                (found, "a key whose every part but the last is a table")
            }
        };
        Err(refused(&node.place, &path[..depth].join("."), found, accepted))
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
            Value::Float(value) if value.is_finite() => format!("the float {}", float(*value)),
            Value::Float(value) => float(*value),
            Value::Boolean(value) => format!("the boolean {value}"),
            Value::Datetime(text) => format!("the date {text}"),
            Value::Array(items) if items.is_empty() => "an empty array".to_string(),
            Value::Array(_) => "an array".to_string(),
            Value::Table(table) if table.entries.is_empty() => "an empty table".to_string(),
            Value::Table(_) => "a table".to_string(),
        }
    }

    /// The value as TOML, on one line.
    pub fn to_toml(&self) -> String {
        match self {
            Value::String(text) => string(text),
            Value::Integer(text, _) | Value::Datetime(text) => text.clone(),
            Value::Float(value) => float(*value),
            Value::Boolean(value) => value.to_string(),
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(|item| item.value.to_toml()).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Table(table) if table.entries.is_empty() => "{}".to_string(),
            Value::Table(table) => {
                let pairs =
                    table.entries.iter().map(|entry| format!("{} = {}", key(&entry.key), entry.node.value.to_toml()));
                format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
            }
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
        self.number().is_some_and(|number| other.number() == Some(number)) || self.to_toml() == other.to_toml()
    }
}

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

/// A key, in quotes where it needs them.
pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { text.to_string() } else { string(text) }
}

/// The dotted key of `key` in the table at `path`.
pub(super) fn join(path: &str, key: &str) -> String {
    match (path, key) {
        ("", only) | (only, "") => only.to_owned(),
        _ => format!("{path}.{key}"),
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
    ConfigError::new(place, format!("the configuration has {bytes} bytes; accepted: at most {limit} (1 MiB)"))
}

fn not_toml(error: &toml::de::Error, place: &Place) -> ConfigError {
    ConfigError::new(place, format!("this is not TOML: {}", error.message()))
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

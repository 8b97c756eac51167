//! `[grid]`: the keys that vary and the labels of their values.

use super::document::{Node, Table, Value};
use super::error::{ConfigError, Place};
use super::read::refused;
use super::source::is_name;
use super::write;

/// Keys of a grid: thirty-two with two values each have more combinations than would ever end.
const MOST_AXES: usize = 32;

/// A grid key with its values, before they are known to be good.
pub(super) struct Varied {
    pub key: String,
    pub path: Vec<String>,
    pub values: Vec<(String, Node)>,
}

pub(super) fn read_axes(grid: &Node) -> Result<Vec<Varied>, ConfigError> {
    let accepted = "a table [grid] of keys such as \"train.batch_size\" = [32, 256]";
    let Value::Table(table) = &grid.value else {
        return Err(refused(&grid.place, "grid", grid.value.describe(), accepted));
    };
    if table.entries.len() > MOST_AXES {
        let found = format!("a table of {} keys", table.entries.len());
        return Err(refused(&grid.place, "grid", found, format!("at most {MOST_AXES} keys")));
    }
    let mut axes: Vec<Varied> = Vec::new();
    for entry in &table.entries {
        let key = format!("grid.{:?}", entry.key);
        let path = dotted(&entry.key_place, &key, &entry.key, "[32, 256]")?;
        if let Some(other) = axes.iter().find(|axis| axis.path.starts_with(&path) || path.starts_with(&axis.path)) {
            let (key, other) = (&entry.key, &other.key);
            let accepted = "keys of which none contains another";
            let sentence = format!("the grid keys \"{key}\" and \"{other}\" overlap; accepted: {accepted}");
            return Err(ConfigError::rule(&entry.key_place, sentence));
        }
        axes.push(Varied { key: entry.key.clone(), path, values: read_values(&entry.node, &key)? });
    }
    Ok(axes)
}

/// The parts of a dotted key in quotes; `key` is what messages call it, `example` a value for the one they suggest.
pub(super) fn dotted(place: &Place, key: &str, text: &str, example: &str) -> Result<Vec<String>, ConfigError> {
    let path: Vec<String> = text.split('.').map(str::to_string).collect();
    if path.len() == 1 && ["data", "model", "train", "optimizer", "report"].contains(&text) {
        let accepted = format!("the whole dotted key in quotes, such as \"train.batch_size\" = {example}");
        return Err(refused(place, key, "only the name of a table", accepted));
    }
    if path.iter().any(String::is_empty) || path.len() > 16 {
        return Err(refused(place, key, "not a dotted key", "a key such as \"train.batch_size\""));
    }
    Ok(path)
}

fn read_values(node: &Node, key: &str) -> Result<Vec<(String, Node)>, ConfigError> {
    let values: Vec<(String, Node)> = match &node.value {
        Value::Array(items) => {
            let accepted = "a value that can be part of a folder's name; others take a label, as in { label = value }";
            let labelled = |item: &Node| {
                let label = label(&item.value).filter(|label| is_label(label));
                let label = label.ok_or_else(|| refused(&item.place, key, item.value.describe(), accepted))?;
                Ok((label, item.clone()))
            };
            items.iter().map(labelled).collect::<Result<_, ConfigError>>()?
        }
        Value::Table(Table { entries }) => {
            if let Some(entry) = entries.iter().find(|entry| !is_label(&entry.key)) {
                let found = Value::String(entry.key.clone()).describe();
                let accepted = "a label that can be part of a folder's name: letters, digits, '-', '_', '+' and '.'";
                return Err(refused(&entry.key_place, key, found, accepted));
            }
            entries.iter().map(|entry| (entry.key.clone(), entry.node.clone())).collect()
        }
        _ => Vec::new(),
    };
    if values.is_empty() {
        let accepted = "a list of values such as [32, 256], or a table such as { small = 32, large = 256 }";
        return Err(refused(&node.place, key, node.value.describe(), accepted));
    }
    Ok(values)
}

/// What a value is called in the name of a run, where it needs no label.
fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(text, value) => Some(value.map_or(text.clone(), |value| value.to_string())),
        Value::Float(value) => Some(write::float(*value)),
        Value::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

fn is_label(text: &str) -> bool {
    // A minus sign may begin a label, if not a name.
    is_name(&format!("x{text}")) && !text.is_empty()
}

/// Lets a setting win over a grid key; returns whether the key still varies anything.
pub(super) fn keep_after(axis: &mut Varied, set: &[String], node: &Node) -> bool {
    if !axis.path.starts_with(set) {
        return true;
    }
    let old = axis.values.iter().find(|(_, value)| value.value.same(&node.value)).map(|(label, _)| label.clone());
    let label = old.or_else(|| label(&node.value)).filter(|label| axis.path == set && is_label(label));
    let Some(label) = label else { return false };
    axis.values = vec![(label, node.clone())];
    true
}

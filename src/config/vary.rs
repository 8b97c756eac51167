//! What the runs of a study change: `[grid]`, the keys that vary and the labels of their values; `[variants]`, runs that each
//! change a few keys of what stands above; `[quick]`, a study made smaller.

use super::document::{Entry, Node, Table, Value, float};
use super::error::{ConfigError, Place, refused};
use super::name::{NAME, is_name};

/// Keys of a grid: thirty-two with two values each have more combinations than would ever end.
const MOST_AXES: usize = 32;

/// A thousand is more than anyone reads a report about.
const MOST_VARIANTS: usize = 1000;

/// A `[grid]` as a table of each key's values under their labels.
pub(super) fn read_grid(grid: &Node) -> Result<Table, ConfigError> {
    let table = grid.table("grid", "a table [grid] of keys such as \"train.batch_size\" = [32, 256]")?;
    if table.entries.len() > MOST_AXES {
        let found = format!("a table of {} keys", table.entries.len());
        return Err(refused(&grid.place, "grid", found, format!("at most {MOST_AXES} keys")));
    }
    let mut axes = Table::default();
    for entry in &table.entries {
        let key = format!("grid.{:?}", entry.key);
        let path = changed(&entry.key_place, &key, &entry.key, "[32, 256]")?;
        let overlaps = |axis: &&Entry| {
            let other = path_of(&axis.key);
            other.starts_with(&path) || path.starts_with(&other)
        };
        if let Some(other) = axes.entries.iter().find(overlaps) {
            let (key, other) = (&entry.key, &other.key);
            let accepted = "keys of which none contains another";
            let sentence = format!("the grid keys \"{key}\" and \"{other}\" overlap; accepted: {accepted}");
            return Err(ConfigError::new(&entry.key_place, sentence));
        }
        let value = Value::Table(labelled(&entry.node, &key)?);
        axes.entries.push(Entry { node: Node { value, place: entry.node.place.clone() }, ..entry.clone() });
    }
    Ok(axes)
}

/// The parts of a dotted key.
pub(super) fn path_of(key: &str) -> Vec<String> {
    key.split('.').map(str::to_string).collect()
}

/// The parts of a dotted key in quotes; `key` is what messages call it, `example` a value for the one they suggest.
fn dotted(place: &Place, key: &str, text: &str, example: &str) -> Result<Vec<String>, ConfigError> {
    let path = path_of(text);
    if path.len() == 1 && ["data", "model", "train", "optimizer", "report", "search"].contains(&text) {
        let accepted = format!("the whole dotted key in quotes, such as \"train.batch_size\" = {example}");
        return Err(refused(place, key, "only the name of a table", accepted));
    }
    if path.iter().any(String::is_empty) || path.len() > 16 {
        return Err(refused(place, key, "not a dotted key", "a key such as \"train.batch_size\""));
    }
    Ok(path)
}

/// The parts of a dotted key that runs of a study differ in.
fn changed(place: &Place, key: &str, text: &str, example: &str) -> Result<Vec<String>, ConfigError> {
    if text == "name" {
        let found = "the name of a run, which the study gives it by its labels or its key";
        return Err(refused(place, key, found, "another key of a run"));
    }
    dotted(place, key, text, example)
}

fn labelled(node: &Node, key: &str) -> Result<Table, ConfigError> {
    let entries = match &node.value {
        Value::Array(items) => {
            let accepted = "a value that can be part of a folder's name; others take a label, as in { label = value }";
            let labelled = |item: &Node| match label(&item.value).filter(|label| is_label(label)) {
                Some(key) => Ok(Entry { key, key_place: item.place.clone(), node: item.clone() }),
                None => Err(refused(&item.place, key, item.value.describe(), accepted)),
            };
            items.iter().map(labelled).collect::<Result<_, _>>()?
        }
        Value::Table(Table { entries }) => {
            if let Some(entry) = entries.iter().find(|entry| !is_label(&entry.key)) {
                let found = Value::String(entry.key.clone()).describe();
                let accepted = "a label that can be part of a folder's name: letters, digits, '-', '_', '+' and '.'";
                return Err(refused(&entry.key_place, key, found, accepted));
            }
            entries.clone()
        }
        _ => Vec::new(),
    };
    if entries.is_empty() {
        let accepted = "a list of values such as [32, 256], or a table such as { small = 32, large = 256 }";
        return Err(refused(&node.place, key, node.value.describe(), accepted));
    }
    Ok(Table { entries })
}

/// What a value is called in the name of a run, where it needs no label.
fn label(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(text, value) => Some(value.map_or(text.clone(), |value| value.to_string())),
        Value::Float(value) => Some(float(*value)),
        Value::Boolean(value) => Some(value.to_string()),
        _ => None,
    }
}

fn is_label(text: &str) -> bool {
    // A minus sign may begin a label, if not a name.
    is_name(&format!("x{text}")) && !text.is_empty()
}

/// A `[variants]` as a table of what each run changes, by dotted keys. A run `like` one before it changes what that one does, and
/// then its own keys.
pub(super) fn read_variants(node: &Node) -> Result<Table, ConfigError> {
    let accepted = "a table [variants] of runs and what each changes, such as sgd = { \"optimizer.name\" = \"sgd\" }";
    let table = node.table("variants", accepted)?;
    if table.entries.is_empty() || table.entries.len() > MOST_VARIANTS {
        let found = format!("a table of {} runs", table.entries.len());
        return Err(refused(&node.place, "variants", found, format!("1 to {MOST_VARIANTS} runs")));
    }
    let mut read = Table::default();
    for entry in &table.entries {
        let key = format!("variants.{:?}", entry.key);
        if !is_name(&entry.key) {
            let found = Value::String(entry.key.clone()).describe();
            return Err(refused(&entry.key_place, &key, found, NAME.accepted));
        }
        let accepted = "what this run changes, such as { \"optimizer.name\" = \"sgd\" }, or { } for nothing";
        let mut own = entry.node.table(&key, accepted)?.clone();
        if let Some(like) = own.remove("like") {
            let known = if let Value::String(name) = &like.node.value { read.get(name) } else { None };
            let Some(Value::Table(mut all)) = known.map(|run| run.node.value.clone()) else {
                let accepted = "the name of a run of this table that stands before this one";
                return Err(refused(&like.node.place, &format!("{key}.like"), like.node.value.describe(), accepted));
            };
            all.entries.retain(|change| own.get(&change.key).is_none());
            all.entries.append(&mut own.entries);
            own = all;
        }
        let has_task = own.get("task").is_some();
        // Another task has another model, of which nothing stays.
        for change in own.entries.iter().filter(|change| !(has_task && change.key == "model")) {
            changed(&change.key_place, &format!("{key}.{:?}", change.key), &change.key, "64")?;
        }
        let node = Node { value: Value::Table(own), place: entry.node.place.clone() };
        read.entries.push(Entry { node, ..entry.clone() });
    }
    Ok(read)
}

/// Lets a setting win over a grid: the key that it names keeps this one value, and keys within what it names are gone.
pub(super) fn set_in_grid(grid: &mut Table, set: &[String], node: &Node) {
    grid.entries.retain_mut(|axis| {
        let path = path_of(&axis.key);
        let Value::Table(values) = &mut axis.node.value else { return false };
        if !path.starts_with(set) {
            return true;
        }
        let old = values.entries.iter().find(|entry| entry.node.value.same(&node.value)).map(|old| old.key.clone());
        let label = old.or_else(|| label(&node.value)).filter(|label| path == set && is_label(label));
        let is_kept = label.is_some();
        let entry = |key| Entry { key, key_place: node.place.clone(), node: node.clone() };
        values.entries = label.map(entry).into_iter().collect();
        is_kept
    });
}

/// Lets a setting win over what the runs of `[variants]` change.
pub(super) fn set_in_variants(variants: &mut Table, set: &[String], node: &Node) -> Result<(), ConfigError> {
    for variant in &mut variants.entries {
        let Value::Table(changed) = &mut variant.node.value else { continue };
        changed.entries.retain(|change| !path_of(&change.key).starts_with(set));
        for change in &mut changed.entries {
            let path = path_of(&change.key);
            if set.starts_with(&path) {
                change.node.put_below(set, path.len(), node.clone())?;
            }
        }
    }
    Ok(())
}

/// Puts what `[quick]` says in the place of what stands in `table`.
pub(super) fn apply_quick(table: &mut Table, quick: &Node) -> Result<(), ConfigError> {
    let changed = quick.table("quick", "a table [quick] of what --quick changes, such as \"data.limit\" = 1000")?;
    for entry in &changed.entries {
        let path = match entry.key.as_str() {
            "grid" | "variants" => vec![entry.key.clone()],
            key => dotted(&entry.key_place, &format!("quick.{key:?}"), key, "64")?,
        };
        table.put(&path, entry.node.clone())?;
    }
    Ok(())
}

//! `[variants]`: runs that each change a few keys of what stands above; `[quick]`: a study made smaller.

use super::axes::dotted;
use super::document::{Entry, Node, Table, Value};
use super::error::ConfigError;
use super::name::is_name;
use super::read::refused;

/// A thousand is more than anyone reads a report about.
const MOST_VARIANTS: usize = 1000;

/// The keys that a run changes.
pub(super) struct Changed {
    pub name: String,
    pub changes: Vec<(Vec<String>, Node)>,
}

pub(super) fn read_variants(node: &Node) -> Result<Vec<Changed>, ConfigError> {
    let accepted = "a table [variants] of runs and what each changes, such as sgd = { \"optimizer.name\" = \"sgd\" }";
    let Value::Table(table) = &node.value else {
        return Err(refused(&node.place, "variants", node.value.describe(), accepted));
    };
    if table.entries.is_empty() || table.entries.len() > MOST_VARIANTS {
        let found = format!("a table of {} runs", table.entries.len());
        return Err(refused(&node.place, "variants", found, format!("1 to {MOST_VARIANTS} runs")));
    }
    let mut variants = Vec::new();
    for entry in &table.entries {
        let key = format!("variants.{:?}", entry.key);
        if !is_name(&entry.key) {
            let accepted = "a name that can be a folder's: letters, digits, '-', '_', '+' and '.', beginning with a \
                            letter or a digit";
            return Err(refused(&entry.key_place, &key, Value::String(entry.key.clone()).describe(), accepted));
        }
        let Value::Table(changed) = &entry.node.value else {
            let accepted = "what this run changes, such as { \"optimizer.name\" = \"sgd\" }, or { } for nothing";
            return Err(refused(&entry.node.place, &key, entry.node.value.describe(), accepted));
        };
        let change = |entry: &Entry| {
            Ok((dotted(&entry.key_place, &format!("{key}.{:?}", entry.key), &entry.key, "64")?, entry.node.clone()))
        };
        let changes = changed.entries.iter().map(change).collect::<Result<_, ConfigError>>()?;
        variants.push(Changed { name: entry.key.clone(), changes });
    }
    Ok(variants)
}

impl Changed {
    /// Lets a setting win over what this run changes.
    pub fn keep_after(&mut self, set: &[String], node: &Node) -> Result<(), ConfigError> {
        self.changes.retain(|(path, _)| !path.starts_with(set));
        for (path, value) in self.changes.iter_mut().filter(|(path, _)| set.starts_with(path)) {
            let mut table = Table::default();
            table.put(path, value.clone())?;
            table.put(set, node.clone())?;
            if let Some(changed) = table.at(path) {
                *value = changed.clone();
            }
        }
        Ok(())
    }
}

/// Puts what `[quick]` says in the place of what stands in `table`.
pub(super) fn apply_quick(table: &mut Table, quick: &Node) -> Result<(), ConfigError> {
    let Value::Table(changed) = &quick.value else {
        let accepted = "a table [quick] of what --quick changes, such as \"data.limit\" = 1000";
        return Err(refused(&quick.place, "quick", quick.value.describe(), accepted));
    };
    for entry in &changed.entries {
        let path = match entry.key.as_str() {
            "grid" | "variants" => vec![entry.key.clone()],
            key => dotted(&entry.key_place, &format!("quick.{key:?}"), key, "64")?,
        };
        table.put(&path, entry.node.clone())?;
    }
    Ok(())
}

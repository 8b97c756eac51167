//! The first key in which two configurations differ, for a refusal that names it.

use super::RunConfig;
use super::document::{Table, Value, join};
use super::write;

/// A key that two configurations give different values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Dotted, as in `train.batch_size`.
    pub key: String,
    /// What the first says, as TOML; "nothing" where it is silent.
    pub first: String,
    /// What the second says.
    pub second: String,
}

impl RunConfig {
    /// The first key, in the order of [`to_toml`](Self::to_toml), in which `other` differs.
    pub fn difference(&self, other: &RunConfig) -> Option<Difference> {
        let [first, second] = [self, other].map(|run| {
            let mut leaves = Vec::new();
            collect(&write::tree(&mut run.clone()), "", &mut leaves);
            leaves
        });
        first.iter().chain(&second).find_map(|(key, _)| {
            let [first, second] = [&first, &second].map(|leaves| {
                let value = leaves.iter().find(|(found, _)| found == key).map(|(_, value)| value.as_str());
                value.unwrap_or("nothing").to_owned()
            });
            (first != second).then(|| Difference { key: key.clone(), first, second })
        })
    }
}

/// Every value of a table with its dotted key; lists are one value.
fn collect(table: &Table, path: &str, leaves: &mut Vec<(String, String)>) {
    for entry in &table.entries {
        let key = join(path, &entry.key);
        match &entry.node.value {
            Value::Table(table) => collect(table, &key, leaves),
            value => leaves.push((key, value.to_toml())),
        }
    }
}

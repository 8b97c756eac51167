//! The keys in which configurations differ: all for who compares them, the first for a refusal that names it.

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
        let first = differences([self, other]).into_iter().next();
        first.map(|(key, values)| {
            let [first, second] = [0, 1].map(|at: usize| values[at].clone().unwrap_or_else(|| "nothing".to_owned()));
            Difference { key, first, second }
        })
    }
}

/// Every key that not all of `runs` give one value, in the order of [`RunConfig::to_toml`], with what each run says as TOML;
/// none where it is silent.
pub fn differences<'a>(runs: impl IntoIterator<Item = &'a RunConfig>) -> Vec<(String, Vec<Option<String>>)> {
    let trees = runs.into_iter().map(|run| {
        let mut leaves = Vec::new();
        collect(&write::tree(&mut run.clone()), "", &mut leaves);
        leaves
    });
    let trees: Vec<Vec<(String, String)>> = trees.collect();
    let mut keys: Vec<&String> = Vec::new();
    for (key, _) in trees.iter().flatten() {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let rows = keys.into_iter().map(|key| {
        let value =
            |leaves: &Vec<(String, String)>| leaves.iter().find(|(found, _)| found == key).map(|at| at.1.clone());
        (key.clone(), trees.iter().map(value).collect::<Vec<_>>())
    });
    rows.filter(|(_, values)| values.iter().any(|value| *value != values[0])).collect()
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

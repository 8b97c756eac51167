//! The first key in which two configurations differ, for a refusal that names it.

use super::RunConfig;
use super::document::{Table, Value};
use super::read::join;
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
        let (first, second) = (leaves(self), leaves(other));
        let find = |all: &[(String, String)], key: &str| {
            all.iter().find(|(found, _)| found == key).map_or("nothing".to_owned(), |(_, value)| value.clone())
        };
        let keys = first.iter().chain(&second).map(|(key, _)| key);
        let pairs =
            keys.map(|key| Difference { key: key.clone(), first: find(&first, key), second: find(&second, key) });
        pairs.into_iter().find(|pair| pair.first != pair.second)
    }
}

/// Every value of a run with its dotted key; lists are one value.
fn leaves(run: &RunConfig) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(&write::tree(&mut run.clone()), "", &mut found);
    found
}

fn collect(table: &Table, path: &str, found: &mut Vec<(String, String)>) {
    for entry in &table.entries {
        let key = join(path, &entry.key);
        match &entry.node.value {
            Value::Table(table) => collect(table, &key, found),
            value => found.push((key, write::value(value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::preset;

    #[test]
    fn the_first_difference_is_named_with_both_values() {
        let run = |settings: &[&str]| {
            let source = preset("footwear").unwrap().source().unwrap();
            settings.iter().fold(source, |source, setting| source.set(setting).unwrap()).into_base_run().unwrap()
        };
        assert_eq!(run(&[]).difference(&run(&[])), None);
        for (setting, key, first, second) in [
            ("seed=1", "seed", "2026", "1"),
            ("train.batch_size=32", "train.batch_size", "256", "32"),
            ("train.early_stopping.patience=6", "train.early_stopping.patience", "5", "6"),
            ("train.early_stopping=false", "train.early_stopping.monitor", "\"val_loss\"", "nothing"),
            ("optimizer.clip_norm=1", "optimizer.clip_norm", "nothing", "1.0"),
            ("data.classes=[\"Sandal\", \"Sneaker\"]", "data.classes", "[\"Sandal\", \"Sneaker\", \"Ankle boot\"]", ""),
        ] {
            let found = run(&[]).difference(&run(&[setting])).unwrap();
            assert_eq!((found.key.as_str(), found.first.as_str()), (key, first));
            assert!(second.is_empty() || found.second == second, "{found:?}");
        }
    }
}

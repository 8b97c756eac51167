//! A cursor over the tree of a configuration: typed questions, each of which answers with a value or a sentence.

use super::document::{Node, Table, Value};
use super::error::{ConfigError, Place, Problem};
use crate::spelling::nearest;

/// Where a count has no limit of its own: four thousand million of anything is a typing error.
pub(super) const MANY: u64 = u32::MAX as u64;

/// Every key of a run, for those that are written into the wrong table.
const KEYS: [&str; 56] = [
    "name",
    "seed",
    "data.set",
    "data.variable",
    "data.classes",
    "data.pool",
    "data.split",
    "data.split.train",
    "data.split.validation",
    "data.split.test",
    "data.split.stratified",
    "data.limit",
    "data.scaling",
    "data.per_class",
    "model.encoder",
    "model.decoder",
    "model.init",
    "model.code_penalty",
    "model.code_penalty.l1",
    "model.code_penalty.l2",
    "model.code_penalty.kl",
    "model.code_penalty.rho",
    "model.weight_penalty",
    "model.weight_penalty.l2",
    "model.contractive",
    "model.contractive.probes",
    "model.corruption",
    "model.corruption.gaussian",
    "model.variational",
    "model.variational.beta",
    "model.variational.warmup_epochs",
    "train.loss",
    "train.batch_size",
    "train.max_epochs",
    "train.early_stopping",
    "train.early_stopping.patience",
    "train.checkpoint",
    "train.checkpoint.every_epochs",
    "train.checkpoint.every_steps",
    "optimizer.dialect",
    "optimizer.learning_rate",
    "optimizer.schedule",
    "optimizer.momentum",
    "optimizer.nesterov",
    "optimizer.dampening",
    "optimizer.beta_1",
    "optimizer.beta_2",
    "optimizer.epsilon",
    "optimizer.rho",
    "optimizer.centered",
    "optimizer.initial_accumulator",
    "optimizer.lr_decay",
    "optimizer.momentum_decay",
    "optimizer.weight_decay",
    "optimizer.clip_norm",
    "optimizer.clip_value",
];

/// A rule for a floating-point value. None of them accepts NaN.
#[derive(Clone, Copy)]
pub(super) struct Rule {
    pub accepted: &'static str,
    pub holds: fn(f64) -> bool,
}

pub(super) const FINITE: Rule = Rule { accepted: "a finite number", holds: |x| x.is_finite() };
pub(super) const POSITIVE: Rule = Rule { accepted: "a finite number above 0", holds: |x| x > 0.0 && x.is_finite() };
pub(super) const NOT_NEGATIVE: Rule =
    Rule { accepted: "a finite number of at least 0", holds: |x| x >= 0.0 && x.is_finite() };
pub(super) const RATE: Rule =
    Rule { accepted: "a number of at least 0 and below 1", holds: |x| (0.0..1.0).contains(&x) };

/// A value, with its dotted key.
pub(super) struct Field<'a> {
    pub node: &'a Node,
    pub path: String,
}

impl<'a> Field<'a> {
    /// The refusal of this value.
    pub fn refuse(&self, accepted: impl Into<String>) -> ConfigError {
        self.refuse_as(self.node.value.describe(), accepted)
    }

    /// The refusal of this value, described in the caller's words.
    pub fn refuse_as(&self, found: impl Into<String>, accepted: impl Into<String>) -> ConfigError {
        refused(&self.node.place, &self.path, found, accepted)
    }

    pub fn string(&self, accepted: &str) -> Result<&'a str, ConfigError> {
        match &self.node.value {
            Value::String(text) => Ok(text),
            _ => Err(self.refuse(accepted)),
        }
    }

    pub fn boolean(&self) -> Result<bool, ConfigError> {
        match self.node.value {
            Value::Boolean(value) => Ok(value),
            _ => Err(self.refuse("true or false")),
        }
    }

    pub fn integer(&self, least: u64, most: u64) -> Result<u64, ConfigError> {
        let Value::Integer(_, value) = self.node.value else {
            return Err(self.refuse(format!("an integer from {least} to {most}")));
        };
        match value.map(u64::try_from) {
            Some(Ok(value)) if (least..=most).contains(&value) => Ok(value),
            _ => Err(self.refuse(format!("an integer from {least} to {most}"))),
        }
    }

    pub fn count(&self, least: u64) -> Result<usize, ConfigError> {
        // No usize is narrower than MANY.
        Ok(self.integer(least, MANY)? as usize)
    }

    pub fn number(&self, rule: Rule) -> Result<f64, ConfigError> {
        match self.node.value.number() {
            Some(value) if (rule.holds)(value) => Ok(value),
            _ => Err(self.refuse(rule.accepted)),
        }
    }

    /// One of a few words.
    pub fn choice<T: Copy>(&self, words: &[(&'static str, T)]) -> Result<T, ConfigError> {
        self.choice_or(words, "")
    }

    /// One of a few words; `or` names what the caller accepts besides.
    pub fn choice_or<T: Copy>(&self, words: &[(&'static str, T)], or: &str) -> Result<T, ConfigError> {
        let Value::String(text) = &self.node.value else { return Err(self.refuse(alternatives(words, or))) };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Ok(*value);
        }
        let mut error = self.refuse(alternatives(words, or));
        if let Problem::Refused { nearest: meant, .. } = &mut *error.problem {
            *meant = nearest(text, words.iter().map(|(word, _)| *word)).map(str::to_string);
        }
        Err(error)
    }

    pub fn items(&self, accepted: &str, most: usize) -> Result<Vec<Field<'a>>, ConfigError> {
        let Value::Array(items) = &self.node.value else { return Err(self.refuse(accepted)) };
        if items.len() > most {
            return Err(self.refuse_as(format!("an array of {}", items.len()), format!("at most {most} items")));
        }
        let item = |(at, node)| Field { node, path: format!("{}[{at}]", self.path) };
        Ok(items.iter().enumerate().map(item).collect())
    }

    /// The table, in which only the `known` keys may stand.
    pub fn table(&self, known: &'static [&'static str], accepted: &str) -> Result<Reader<'a>, ConfigError> {
        let Value::Table(table) = &self.node.value else { return Err(self.refuse(accepted)) };
        Reader::open(table, &self.path, &self.node.place, known)
    }

    pub fn as_table(&self) -> Option<&'a Table> {
        match &self.node.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }
}

/// A table whose keys are all known.
pub(super) struct Reader<'a> {
    table: &'a Table,
    path: String,
    pub place: Place,
}

impl<'a> Reader<'a> {
    /// Opens the table that stands at `path`, empty for the whole file, and refuses the first key that is not known.
    pub fn open(
        table: &'a Table,
        path: &str,
        place: &Place,
        known: &'static [&'static str],
    ) -> Result<Reader<'a>, ConfigError> {
        let reader = Reader { table, path: path.to_string(), place: place.clone() };
        match table.entries.iter().find(|entry| !known.contains(&entry.key.as_str())) {
            None => Ok(reader),
            Some(entry) => Err(unknown_key(&entry.key_place, path, &entry.key, known)),
        }
    }

    fn path_of(&self, key: &str) -> String {
        join(&self.path, key)
    }

    pub fn get(&self, key: &str) -> Option<Field<'a>> {
        self.table.get(key).map(|entry| Field { node: &entry.node, path: self.path_of(key) })
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    pub fn need(&self, key: &str, expected: &str) -> Result<Field<'a>, ConfigError> {
        self.get(key).ok_or_else(|| {
            let problem = Problem::MissingKey { key: self.path_of(key), expected: expected.to_string() };
            ConfigError::new(&self.place, problem)
        })
    }

    /// The refusal of what `key` has or would have by default.
    pub fn refuse(&self, key: &str, found: &str, accepted: &str) -> ConfigError {
        let place = self.table.get(key).map_or(&self.place, |entry| &entry.node.place);
        refused(place, &self.path_of(key), found, accepted)
    }

    /// The number at `key`, or `default` where the key is absent.
    pub fn number_or(&self, key: &str, rule: Rule, default: f64) -> Result<f64, ConfigError> {
        self.get(key).map_or(Ok(default), |field| field.number(rule))
    }

    /// The number at `key`, if the key is there.
    pub fn number(&self, key: &str, rule: Rule) -> Result<Option<f64>, ConfigError> {
        self.get(key).map(|field| field.number(rule)).transpose()
    }

    pub fn boolean_or(&self, key: &str, default: bool) -> Result<bool, ConfigError> {
        self.get(key).map_or(Ok(default), |field| field.boolean())
    }
}

pub(super) fn refused(place: &Place, key: &str, found: impl Into<String>, accepted: impl Into<String>) -> ConfigError {
    let (found, accepted) = (found.into(), accepted.into());
    ConfigError::new(place, Problem::Refused { key: key.to_string(), found, accepted, nearest: None })
}

/// The refusal of `key` in the table at `path`. The suggestion is a neighbour that is spelt alike, or else the place
/// where a key of exactly this name belongs.
pub(super) fn unknown_key(place: &Place, path: &str, key: &str, known: &[&'static str]) -> ConfigError {
    let sibling = nearest(key, known.iter().copied()).map(|sibling| join(path, sibling));
    let home = || KEYS.iter().find(|home| home.rsplit('.').next() == Some(key)).map(|home| home.to_string());
    let short: String = key.chars().take(100).flat_map(char::escape_debug).collect();
    let problem =
        Problem::UnknownKey { key: join(path, &short), nearest: sibling.or_else(home), known: known.to_vec() };
    ConfigError::new(place, problem)
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

/// `"a", "b" or "c"`.
fn alternatives<T>(words: &[(&'static str, T)], or: &str) -> String {
    let mut all: Vec<String> = words.iter().map(|(word, _)| format!("\"{word}\"")).collect();
    if !or.is_empty() {
        all.push(or.to_string());
    }
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    #[test]
    fn every_key_that_is_suggested_is_known() {
        let text = super::super::preset("footwear").unwrap().text;
        for key in KEYS {
            // No key accepts a date, so each of these fails; but none because it is unknown.
            let source = Source::parse(text, "a.toml").unwrap();
            let error = source.set(&format!("{key}=1979-05-27")).and_then(Source::into_base_run).unwrap_err();
            assert!(!matches!(*error.problem, Problem::UnknownKey { .. }), "{error}");
        }
    }
}

//! The visitor that describes settings to other programs: a configuration as JSON Schema, draft 2020-12.

use std::ops::Bound::{self, Excluded, Included};

use serde_json::{Map, Value, json};

use super::list::{REPORT, SEARCH, STUDY, keys_of};
use super::report::ReportConfig;
use super::workflow::WorkflowConfig;
use super::write;
use super::{RunConfig, document};
use crate::search::SearchSettings;
use crate::settings::{About, Choice, Counts, Items, Length, Range, Setting as _, Settings, TableForm, Text, Visitor};
use crate::tasks::TaskSpec;

/// The schema of a configuration, of a run, a study, a space or a workflow, as an editor takes it for completion and hints. What only
/// the whole decides, such as layers that do not fit each other, is left to the program; so are the values of a space, each of which can
/// be a table that says how it varies.
pub fn schema() -> Value {
    let kinds = TaskSpec::NAMES.iter().enumerate().map(|(number, name)| {
        let unnamed = json!({ "not": { "required": ["task"] } });
        let named = json!({ "properties": { "task": { "const": name } }, "required": ["task"] });
        let when = if number == 0 { json!({ "anyOf": [named, unnamed] }) } else { named };
        json!({ "if": when, "then": of_kind(number) })
    });
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A configuration of narrows, as TOML",
        "allOf": [
            { "if": { "required": ["parts"] }, "then": workflow() },
            { "if": { "required": ["search"] }, "then": space() },
            {
                "if": { "not": { "anyOf": [{ "required": ["parts"] }, { "required": ["search"] }] } },
                "then": { "properties": { "task": { "enum": TaskSpec::NAMES } }, "allOf": kinds.collect::<Vec<_>>() },
            },
        ],
    })
}

/// The schema of a workflow.
fn workflow() -> Value {
    let mut visitor = Schema::default();
    WorkflowConfig::default().visit(&mut visitor);
    Value::Object(visitor.object())
}

/// The schema of a space.
fn space() -> Value {
    let mut visitor = Schema::default();
    None::<SearchSettings>.show(&SEARCH, TableForm::new("a table [search]"), &mut visitor);
    Value::Object(visitor.part())
}

/// The schema of configurations of one kind of task.
fn of_kind(number: usize) -> Value {
    let mut config = RunConfig::default();
    config.task.choose(number);
    let mut visitor = Schema { is_one_kind: true, ..Schema::default() };
    config.visit(&mut visitor);
    ReportConfig::default().show(&REPORT, TableForm::new("a table [report]"), &mut visitor);
    for (key, accepted, meaning) in STUDY {
        let described = json!({ "type": "object", "description": described(meaning, accepted) });
        visitor.properties.insert(key.to_owned(), described);
    }
    Value::Object(visitor.object())
}

/// The properties of a structure that is being visited.
#[derive(Default)]
struct Schema {
    properties: Map<String, Value>,
    required: Vec<&'static str>,
    /// What holds with one alternative only.
    conditions: Vec<Value>,
    /// Whether the next value may be absent, and whether `false` says that it is.
    optional: Option<bool>,
    /// Whether the kind of task is settled, so that its settings are part of the structure.
    is_one_kind: bool,
}

impl Schema {
    /// What was visited, as the schema of an object that has nothing besides.
    fn object(self) -> Map<String, Value> {
        let mut object = self.part();
        object.insert("type".to_owned(), json!("object"));
        object.insert("unevaluatedProperties".to_owned(), json!(false));
        object
    }

    /// The same, of an object that may have more.
    fn part(self) -> Map<String, Value> {
        let mut part = Map::new();
        part.insert("properties".to_owned(), Value::Object(self.properties));
        if !self.required.is_empty() {
            part.insert("required".to_owned(), json!(self.required));
        }
        if !self.conditions.is_empty() {
            part.insert("allOf".to_owned(), Value::Array(self.conditions));
        }
        part
    }

    fn record(&mut self, about: &About, schema: Value, accepted: &str, default: Value) {
        let optional = self.optional.take();
        let mut schema = match optional {
            Some(true) => json!({ "anyOf": [schema, { "const": false }] }),
            _ => schema,
        };
        if let Value::Object(parts) = &mut schema {
            parts.insert("description".to_owned(), json!(described(about.doc, accepted)));
            match about.required {
                Some(_) => self.required.push(about.key),
                None if optional.is_none() => drop(parts.insert("default".to_owned(), default)),
                None => {}
            }
        }
        self.properties.insert(about.key.to_owned(), schema);
    }
}

/// A value of a configuration as JSON has it.
fn json_of(value: &document::Value) -> Value {
    let toml = format!("value = {}", value.to_toml());
    toml::from_str::<Value>(&toml).map(|table| table["value"].clone()).unwrap_or_default()
}

/// A meaning on one line, and what is accepted.
fn described(meaning: &str, accepted: &str) -> String {
    format!("{} Accepted: {accepted}.", meaning.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The schema of one alternative's settings.
fn alternative(choice: &mut dyn Choice, number: usize) -> Schema {
    let mut visitor = Schema::default();
    choice.choose(number);
    choice.visit(&mut visitor);
    visitor
}

fn bound(schema: &mut Value, words: [&str; 2], bound: Bound<f64>) {
    match bound {
        Included(end) if end.abs() < f64::MAX => schema[words[0]] = json!(end),
        Excluded(end) => schema[words[1]] = json!(end),
        _ => {}
    }
}

impl Visitor for Schema {
    fn number(&mut self, about: &About, value: &mut f64, range: Range) {
        let mut schema = json!({ "type": "number" });
        bound(&mut schema, ["minimum", "exclusiveMinimum"], range.from);
        bound(&mut schema, ["maximum", "exclusiveMaximum"], range.to);
        self.record(about, schema, range.accepted, json!(*value));
    }

    fn count(&mut self, about: &About, value: &mut u64, range: Counts) {
        let number = json!({ "type": "integer", "minimum": range.least, "maximum": range.most });
        let schema = match range.word {
            Some((word, _)) => json!({ "anyOf": [number, { "const": word }] }),
            None => number,
        };
        let word = range.word.filter(|(_, meant)| meant == value);
        self.record(about, schema, &range.to_string(), word.map_or(json!(*value), |(word, _)| json!(word)));
    }

    fn flag(&mut self, about: &About, value: &mut bool) {
        self.record(about, json!({ "type": "boolean" }), "true or false", json!(*value));
    }

    fn text(&mut self, about: &About, value: &mut String, form: Text) {
        let types = if form.or_number { json!(["string", "integer"]) } else { json!("string") };
        self.record(about, json!({ "type": types }), form.accepted, json!(value));
    }

    fn optional(&mut self, _: &About, is_some: bool, or_false: bool) -> bool {
        // Of what is there by default, the default is said.
        self.optional = (!is_some || or_false).then_some(or_false);
        true
    }

    fn list(&mut self, about: &About, items: &mut dyn Items, length: Length) {
        let default = json_of(&write::list(about, items, length));
        let mut inner = Schema::default();
        let is_named = items.is_named();
        items.clear();
        items.push("");
        items.show(0, &mut inner);
        let mut item = inner.properties.remove(about.key).unwrap_or_default();
        // Only what is left out has a default, and an item is not.
        item.as_object_mut().map(|item| item.remove("default"));
        let schema = match is_named {
            true => json!({ "type": "object", "additionalProperties": item }),
            false => {
                json!({ "type": "array", "items": item, "minItems": length.least, "maxItems": length.most })
            }
        };
        self.record(about, schema, length.accepted, default);
    }

    fn table(&mut self, about: &About, settings: &mut dyn Settings, form: TableForm) {
        let default = json_of(&document::Value::Table(write::tree(settings)));
        settings.reset();
        let mut inner = Schema::default();
        settings.visit(&mut inner);
        self.record(about, Value::Object(inner.object()), form.accepted, default);
    }

    fn word(&mut self, about: &About, choice: &mut dyn Choice) {
        let (names, chosen) = (choice.names(), choice.chosen());
        let accepted = super::list::alternatives(names);
        self.record(about, json!({ "enum": names }), &accepted, json!(names[chosen]));
        if std::mem::take(&mut self.is_one_kind) {
            return choice.visit(self);
        }
        for (number, name) in names.iter().enumerate() {
            let keys = keys_of(choice, number);
            let part = alternative(choice, number).part();
            if keys.is_empty() {
                continue;
            }
            let named = json!({ "properties": { about.key: { "const": name } }, "required": [about.key] });
            let unnamed = json!({ "not": { "required": [about.key] } });
            let when = if choice.is_implied(number) {
                let any: Vec<Value> = keys.iter().map(|key| json!({ "required": [key] })).collect();
                json!({ "anyOf": [named, { "allOf": [unnamed, { "anyOf": any }] }] })
            } else if number == chosen && about.required.is_none() {
                json!({ "anyOf": [named, unnamed] })
            } else {
                named
            };
            self.conditions.push(json!({ "if": when, "then": part }));
        }
        choice.choose(chosen);
    }

    fn tagged(&mut self, about: &About, choice: &mut dyn Choice, accepted: &'static str) {
        let (names, chosen, words) = (choice.names(), choice.chosen(), choice.words());
        let mut forms = Vec::new();
        if words > 0 {
            forms.push(json!({ "enum": &names[..words] }));
        }
        for (number, name) in names.iter().enumerate().skip(words) {
            let mut inner = alternative(choice, number);
            if names.len() - words > 1 && !inner.required.contains(name) {
                inner.required.push(name);
            }
            forms.push(Value::Object(inner.object()));
        }
        choice.choose(chosen);
        let default = if chosen < words { json!(names[chosen]) } else { Value::Null };
        self.record(about, json!({ "anyOf": forms }), accepted, default);
    }
}

//! Checks a value against a JSON Schema: the words of draft 2020-12 that the project's own schemas use, and no others.

use std::collections::BTreeSet;

use serde_json::Value;

/// What is wrong with `value`, a sentence with the path to it; `None` where it is as `schema` says.
pub fn fault(schema: &Value, value: &Value) -> Option<String> {
    Checker { root: schema }.check(schema, value, "$").err()
}

struct Checker<'a> {
    root: &'a Value,
}

/// The keys of an object that a schema speaks of.
type Seen = BTreeSet<String>;

impl Checker<'_> {
    fn check(&self, schema: &Value, value: &Value, path: &str) -> Result<Seen, String> {
        let mut seen = Seen::new();
        let refuse = |word: &str, expected: &Value| Err(format!("{path}: {value} is not {word} {expected}"));
        let Value::Object(words) = schema else { return Err(format!("{path}: the schema is {schema}")) };
        for (word, expected) in words {
            let list = || expected.as_array().unwrap_or_else(|| panic!("{word} takes a list"));
            let number = || expected.as_f64().unwrap_or_else(|| panic!("{word} takes a number"));
            let is_kept = match word.as_str() {
                "$schema" | "title" | "description" | "default" | "$defs" | "then" | "unevaluatedProperties" => true,
                "type" => match expected {
                    Value::Array(types) => types.iter().any(|one| is_of(one, value)),
                    one => is_of(one, value),
                },
                "const" => value == expected,
                "enum" => list().contains(value),
                "minimum" => value.as_f64().is_none_or(|x| x >= number()),
                "maximum" => value.as_f64().is_none_or(|x| x <= number()),
                "exclusiveMinimum" => value.as_f64().is_none_or(|x| x > number()),
                "exclusiveMaximum" => value.as_f64().is_none_or(|x| x < number()),
                "minItems" => value.as_array().is_none_or(|items| items.len() as f64 >= number()),
                "maxItems" => value.as_array().is_none_or(|items| items.len() as f64 <= number()),
                "required" => value.as_object().is_none_or(|object| {
                    list().iter().all(|key| object.contains_key(key.as_str().expect("a key is a text")))
                }),
                "not" => self.check(expected, value, path).is_err(),
                "items" => {
                    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(expected, item, &format!("{path}[{at}]"))?;
                    }
                    true
                }
                "properties" => {
                    for (key, value) in value.as_object().into_iter().flatten() {
                        let Some(schema) = expected.get(key) else { continue };
                        self.check(schema, value, &format!("{path}.{key}"))?;
                        seen.insert(key.clone());
                    }
                    true
                }
                "additionalProperties" => {
                    let known = words.get("properties");
                    for (key, value) in value.as_object().into_iter().flatten() {
                        if known.is_none_or(|known| known.get(key).is_none()) {
                            if *expected == Value::Bool(false) {
                                return Err(format!("{path}: the key {key} is unknown"));
                            }
                            self.check(expected, value, &format!("{path}.{key}"))?;
                        }
                        seen.insert(key.clone());
                    }
                    true
                }
                "allOf" => {
                    for schema in list() {
                        seen.extend(self.check(schema, value, path)?);
                    }
                    true
                }
                "anyOf" => {
                    let all: Vec<_> = list().iter().map(|schema| self.check(schema, value, path)).collect();
                    let faults: Vec<_> = all.iter().filter_map(|one| one.as_ref().err()).cloned().collect();
                    if faults.len() == all.len() {
                        return Err(faults.join("; or "));
                    }
                    seen.extend(all.into_iter().flatten().flatten());
                    true
                }
                "if" => {
                    if let Ok(keys) = self.check(expected, value, path) {
                        seen.extend(keys);
                        seen.extend(self.check(&words["then"], value, path)?);
                    }
                    true
                }
                "$ref" => {
                    let pointer =
                        expected.as_str().and_then(|text| text.strip_prefix('#')).expect("a place in the file");
                    let there = self.root.pointer(pointer).unwrap_or_else(|| panic!("there is no {pointer}"));
                    seen.extend(self.check(there, value, path)?);
                    true
                }
                other => panic!("{path}: the checker does not know the word {other}"),
            };
            if !is_kept {
                return refuse(word, expected);
            }
        }
        if words.get("unevaluatedProperties") == Some(&Value::Bool(false)) {
            let mut keys = value.as_object().into_iter().flatten().map(|(key, _)| key);
            if let Some(key) = keys.find(|key| !seen.contains(*key)) {
                return Err(format!("{path}: the key {key} is unknown"));
            }
        }
        Ok(seen)
    }
}

fn is_of(name: &Value, value: &Value) -> bool {
    match name.as_str().expect("a type is a text") {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64() || value.as_f64().is_some_and(|x| x.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    }
}

#[test]
fn the_checker_finds_what_a_schema_forbids() {
    let schema = serde_json::json!({
        "type": "object",
        "properties": { "a": { "type": "integer", "minimum": 1 }, "b": { "enum": ["x", "y"] } },
        "required": ["a"],
        "allOf": [{ "if": { "properties": { "b": { "const": "x" } }, "required": ["b"] },
                    "then": { "properties": { "c": { "type": ["string", "null"] } } } }],
        "unevaluatedProperties": false,
    });
    let fault = |text: &str| fault(&schema, &serde_json::from_str(text).unwrap());
    for good in [r#"{"a": 1}"#, r#"{"a": 2, "b": "y"}"#, r#"{"a": 2, "b": "x", "c": null}"#] {
        assert_eq!(fault(good), None);
    }
    let bad = ["[]", "{}", r#"{"a": 0}"#, r#"{"a": 1.5}"#, r#"{"a": 1, "b": "z"}"#, r#"{"a": 1, "d": 1}"#];
    for bad in bad.into_iter().chain([r#"{"a": 1, "b": "y", "c": "z"}"#, r#"{"a": 1, "b": "x", "c": 1}"#]) {
        assert!(fault(bad).is_some(), "{bad}");
    }
}

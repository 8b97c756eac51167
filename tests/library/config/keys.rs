//! What people and editors are told of the keys of a configuration.

use narrows::config::*;
use serde_json::Value;

use crate::support::schema::fault;

fn json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

/// Adds the dotted keys of a value that has the key `path`.
fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        // Groups of runs have names of their own.
        Value::Object(table)
            if !["schemes", "labels", "folds", "best", "parts"].iter().any(|groups| path.ends_with(groups)) =>
        {
            table.iter().for_each(|(key, value)| leaves(&format!("{path}.{key}"), value, found));
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            items.iter().for_each(|item| leaves(&format!("{path}.0"), item, found));
        }
        _ => found.push(path.to_owned()),
    }
}

/// Adds the keys that a run of a study changes.
fn changes(run: &Value, found: &mut Vec<String>) {
    let keys = run.as_object().unwrap().iter().filter(|(key, _)| *key != "like");
    keys.for_each(|(key, value)| leaves(key, value, found));
}

/// Adds all keys of a configuration, of a run or of a study.
fn keys_in(table: &Value, found: &mut Vec<String>) {
    for (key, value) in table.as_object().unwrap() {
        match key.as_str() {
            // The values of an axis may have labels.
            "grid" => found.extend(value.as_object().unwrap().keys().cloned()),
            "variants" => value.as_object().unwrap().values().for_each(|run| changes(run, found)),
            "quick" => keys_in(value, found),
            key if key.starts_with("variants.") => changes(value, found),
            key => leaves(key, value, found),
        }
    }
}

#[test]
fn every_key_that_a_preset_uses_is_listed() {
    let mut seen = 0;
    for preset in presets() {
        let (mut keys, mut tree) = (Vec::new(), json(preset.text));
        if preset.name == "search" {
            // The other keys of a space are those of a run, with ranges for values.
            tree.as_object_mut().unwrap().retain(|key, _| key == "search");
        }
        keys_in(&tree, &mut keys);
        for key in &keys {
            let found = find_keys(key);
            assert!(found.is_ok_and(|found| !found.is_empty()), "{}: {key} is not listed", preset.name);
        }
        seen += keys.len();
    }
    assert!(seen > 150, "only {seen} keys were looked for");
}

#[test]
fn keys_are_found_whole_by_table_and_by_their_end() {
    let keys = |key: &str| find_keys(key).unwrap().into_iter().map(|entry| entry.key).collect::<Vec<_>>();
    assert_eq!(keys("train.batch_size"), ["train.batch_size"]);
    assert_eq!(keys("batch_size"), ["train.batch_size"]);
    assert_eq!(keys("model.encoder.0.dense"), ["model.encoder[].dense"]);
    assert_eq!(keys("report.best.adam"), ["report.best.NAME", "report.best.NAME[]"]);
    assert_eq!(keys("report.best.adam.0"), ["report.best.NAME[]"]);
    assert_eq!(keys("rates"), ["model.rates", "model.rates.NAME"]);
    assert!(keys("train").len() > 4 && keys("train").iter().all(|key| key.starts_with("train")));
    let said = |key: &str| find_keys(key).unwrap_err().to_string();
    let end = "; `narrows config keys` lists all";
    let near = "no configuration has the key \"train.batchsize\" (did you mean \"train.batch_size\"?)";
    assert_eq!(said("train.batchsize"), format!("{near}{end}"));
    assert_eq!(said("zebra"), format!("no configuration has the key \"zebra\"{end}"));
}

#[test]
fn the_schema_accepts_every_preset() {
    let schema = schema();
    for preset in presets() {
        assert_eq!(fault(&schema, &json(preset.text)), None, "{}", preset.name);
        let source = preset.source().unwrap();
        if source.is_workflow() || source.is_search() {
            continue;
        }
        let whole = preset.source().unwrap().into_base_run().unwrap().to_toml();
        assert_eq!(fault(&schema, &json(&whole)), None, "{}, every value stated", preset.name);
    }
}

#[test]
fn the_schema_refuses_what_the_program_refuses() {
    let text = preset("mnist").unwrap().text;
    let schema = schema();
    for (setting, is_accepted) in [
        ("train.batch_size=64", true),
        ("train.batch_size=0", false),
        ("train.batch_size='many'", false),
        ("train.batchsize=64", false),
        ("train.early_stopping=false", true),
        ("train.early_stopping.patience=-1", false),
        ("model.encoder=[]", false),
        ("model.encoder=['flatten', { dense = 3, activation = 'tanh' }]", true),
        ("model.encoder=[{ conv = 3, rate = 0.5 }]", false),
        ("model.encoder=[{ activation = 'relu' }]", false),
        ("model.contractive={ weight = 1e-4, count = 2 }", false),
        ("model.contractive={ weight = 1e-4, probes = 2 }", true),
        ("optimizer={ name = 'sgd', semantics = 'pytorch', dampening = 0.1 }", true),
        ("optimizer={ name = 'sgd', dampening = 0.1 }", false),
        ("optimizer={ name = 'sdg' }", false),
        ("optimizer={}", false),
        ("optimizer.schedule={ cosine = 20, floor = 1e-5 }", true),
        ("optimizer.schedule={ cosine = 20, factor = 1e-5 }", false),
        ("data.classes=[1, 'Sandal']", true),
        ("search={ trials = 5, samplers = ['tpe'] }", true),
        ("search={ trials = 0 }", false),
        ("search={ trails = 5 }", false),
        ("search={ samplers = ['tpo'] }", false),
    ] {
        let (key, value) = setting.split_once('=').unwrap();
        let mut tree = json(text);
        let last = key.split('.').fold(&mut tree, |tree, part| &mut tree[part]);
        *last = json(&format!("value = {value}"))["value"].clone();
        let found = fault(&schema, &tree);
        assert_eq!(found.is_none(), is_accepted, "{setting}: {found:?}");
    }
}

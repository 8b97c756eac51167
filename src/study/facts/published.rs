//! Figures of others, and the spread over seeds: data files beside this code.

use serde_json::{Value, json};

use crate::config::{RunConfig, presets};
use crate::study::figure::{Floors, over_seeds};

/// Figures of a run of a preset, one file for each study.
const FILES: [(&str, &str); 4] = [
    ("footwear", include_str!("../published/footwear.toml")),
    ("inversion", include_str!("../published/inversion.toml")),
    ("representations", include_str!("../published/representations.toml")),
    ("sigmoid", include_str!("../published/sigmoid.toml")),
];

const SPREAD: &str = include_str!("../published/spread.toml");

fn read(text: &str) -> Value {
    toml::from_str(text).expect("the files are compiled in, and a test reads them")
}

/// Twice the widest range over seeds of each kind of figure.
pub(super) fn floors() -> Floors {
    let spread = read(SPREAD);
    let widest = |kind: &str| {
        let ranges = spread["spread"].as_array().into_iter().flatten().filter_map(|row| row[kind].as_f64());
        2.0 * ranges.fold(0.0, f64::max)
    };
    Floors { loss: widest("loss"), error: widest("error"), code: widest("code") }
}

/// The published figures of these runs, each a name with its configuration. Figures stand beside a run only if its configuration
/// is that of the preset's run which they are of, name and seed aside: then images, model, loss and steps are the same. Each entry
/// gains the `run` of this study.
pub(super) fn of(runs: &[(&str, &RunConfig)]) -> Vec<Value> {
    let mut found = Vec::new();
    for (study, text) in FILES {
        let Some(preset) = presets().iter().find(|preset| preset.name == study) else { continue };
        let planned = preset.source().and_then(|source| source.into_study()).map(|study| study.runs());
        for (name, planned) in planned.unwrap_or_default() {
            let same = |made: &RunConfig| {
                let (name, seed) = (made.name.clone(), made.seed);
                *made == RunConfig { name, seed, ..planned.clone() }
            };
            for (run, _) in runs.iter().filter(|(_, made)| same(made)) {
                let file = read(text);
                let entries = file["figures"].as_array().into_iter().flatten();
                let is_of = |entry: &&Value| entry["runs"].as_array().is_some_and(|runs| runs.contains(&json!(name)));
                found.extend(entries.filter(is_of).map(|entry| {
                    let mut entry = figures(entry);
                    entry["run"] = json!(run);
                    entry
                }));
            }
        }
    }
    found
}

/// With lists of numbers, one for each seed, made figures.
fn figures(entry: &Value) -> Value {
    match entry {
        Value::Object(map) => Value::Object(map.iter().map(|(key, value)| (key.clone(), figures(value))).collect()),
        Value::Array(items) if items.iter().all(Value::is_number) => over_seeds(items),
        Value::Number(_) => over_seeds(std::slice::from_ref(entry)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_says_whose_figures_it_has_and_of_which_run() {
        for (study, text) in FILES {
            let planned = presets().iter().find(|preset| preset.name == study).unwrap();
            let runs = planned.source().unwrap().into_study().unwrap().runs();
            for entry in read(text)["figures"].as_array().unwrap() {
                assert!(entry["who"].is_string() && entry["source"].is_string(), "{study}: {entry}");
                for name in entry["runs"].as_array().unwrap() {
                    assert!(runs.iter().any(|(run, _)| name == run), "{study} has no run {name}");
                }
            }
        }
        let floors = floors();
        assert!(floors.loss > 0.0 && floors.error > floors.loss && floors.code > 0.0, "{floors:?}");
    }
    #[test]
    fn figures_stand_beside_the_run_that_they_are_of_and_no_other() {
        let study = presets().iter().find(|preset| preset.name == "inversion").unwrap().source().unwrap();
        let runs = study.clone().into_study().unwrap().runs();
        let run = |name: &str| &runs.iter().find(|(run, _)| run == name).unwrap().1;
        let found = of(&[("mine", run("full-batch"))]);
        assert_eq!(found.iter().map(|entry| &entry["who"]).collect::<Vec<_>>(), ["PyTorch", "published"]);
        let published = &found[1];
        // The published norm at the top layer is that of the decoded layer-wise code.
        assert_eq!(published["train"]["walk_norm"]["mean"], 1083.32);
        assert!(published["train"].get("norm").is_none() && published["run"] == "mine");
        let another = study.set("train.max_epochs=999").unwrap().into_study().unwrap().runs();
        assert_eq!(of(&[("mine", &another[0].1)]), [] as [Value; 0]);
    }
}

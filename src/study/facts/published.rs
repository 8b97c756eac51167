//! Figures of others, and the spread over seeds: data files beside this code.

use serde_json::{Value, json};

use super::run::RunFacts;
use crate::config::{RunConfig, presets};
use crate::study::figure::{Figure, Floors, Verdict, over_seeds};

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
    for (file, known) in recognised(runs) {
        for (name, run) in known {
            let entries = file["figures"].as_array().into_iter().flatten();
            let is_of = |entry: &&Value| entry["runs"].as_array().is_some_and(|runs| runs.contains(&json!(name)));
            found.extend(entries.filter(is_of).map(|entry| {
                let mut entry = figures(entry);
                entry["run"] = json!(run);
                entry
            }));
        }
    }
    found
}

/// For each file, the runs among these that are a run of its preset, name and seed aside: the name there and the name here.
fn recognised<'a>(runs: &[(&'a str, &RunConfig)]) -> Vec<(Value, Vec<(String, &'a str)>)> {
    let known = |(study, text): (&str, &str)| {
        let preset = presets().iter().find(|preset| preset.name == study)?;
        let planned = preset.source().and_then(|source| source.into_study()).map(|study| study.runs());
        let mut known = Vec::new();
        for (name, planned) in planned.unwrap_or_default() {
            let same = |made: &RunConfig| {
                let (name, seed) = (made.name.clone(), made.seed);
                *made == RunConfig { name, seed, ..planned.clone() }
            };
            known.extend(runs.iter().filter(|(_, made)| same(made)).map(|(run, _)| (name.clone(), *run)));
        }
        Some((read(text), known))
    };
    FILES.into_iter().filter_map(known).collect()
}

/// The published verdicts on these runs, each tested by their NRMSE on one part: what it `says`, the `part`, whether it `is_order`, its
/// `groups` of `run` and `nrmse`, and whether it `holds`.
///
/// A verdict is about an order of groups of runs (every run has a lower error than every run of a later group) or about equal runs, each
/// a group. It `holds`: "yes" where every difference that it states counts, and
/// no difference between equal runs does; "no" where one counts the other way; "open" where one that it states does not count. A
/// verdict on a run that is not here, or was interrupted, is left out.
pub(super) fn verdicts(runs: &[(&str, &RunConfig)], facts: &[RunFacts], floors: Floors) -> Vec<Value> {
    let mut found = Vec::new();
    for (file, known) in recognised(runs) {
        let here = |name: &Value| {
            let (_, run) = known.iter().find(|(there, _)| name == there)?;
            facts.iter().find(|facts| facts.name == *run && !facts.is_interrupted())
        };
        let group = |names: &Value| names.as_array()?.iter().map(here).collect::<Option<Vec<&RunFacts>>>();
        for entry in file["verdicts"].as_array().into_iter().flatten() {
            let is_order = entry["order"].is_array();
            let groups = match entry["order"].as_array() {
                Some(groups) => groups.iter().map(group).collect::<Option<Vec<_>>>(),
                None => group(&entry["equal"]).map(|runs| runs.into_iter().map(|run| vec![run]).collect()),
            };
            let Some(groups) = groups else { continue };
            let nrmse = |run: &RunFacts| {
                let part = entry["part"].as_str().unwrap_or("test");
                Figure::read(&run.figures["evaluation"][part]["nrmse"])
            };
            let mut verdicts = Vec::new();
            for (at, group) in groups.iter().enumerate() {
                let later = groups[at + 1..].iter().flatten();
                verdicts.extend(
                    later.flat_map(|other| {
                        group.iter().map(|run| nrmse(run).against(&nrmse(other), Some(floors.root())))
                    }),
                );
            }
            let (stated, against) =
                if is_order { (Verdict::Lower, Verdict::Higher) } else { (Verdict::Same, Verdict::Lower) };
            let holds = match () {
                () if verdicts.iter().all(|verdict| *verdict == stated) => "yes",
                () if verdicts.contains(&against) || (!is_order && verdicts.contains(&Verdict::Higher)) => "no",
                () => "open",
            };
            let named = |run: &&RunFacts| json!({ "run": run.name, "nrmse": nrmse(run) });
            let groups: Vec<Vec<Value>> = groups.iter().map(|group| group.iter().map(named).collect()).collect();
            found.push(json!({
                "says": entry["says"],
                "part": entry["part"].as_str().unwrap_or("test"),
                "is_order": is_order,
                "groups": groups,
                "holds": holds,
            }));
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
    fn a_verdict_holds_where_the_differences_that_it_states_count() {
        let study = presets().iter().find(|preset| preset.name == "inversion").unwrap().source().unwrap();
        let runs = study.clone().into_study().unwrap().runs();
        let facts = |errors: &dyn Fn(&str) -> f64| -> Vec<RunFacts> {
            let run = |(name, _): &(String, RunConfig)| {
                let part = json!({ "nrmse": Figure::of([errors(name)]) });
                let figures = json!({ "evaluation": { "train": part, "test": part } });
                RunFacts { name: name.clone(), figures, ..RunFacts::default() }
            };
            runs.iter().map(run).collect()
        };
        let configs: Vec<(&str, &RunConfig)> = runs.iter().map(|(name, config)| (name.as_str(), config)).collect();
        let holds = |facts: &[RunFacts]| -> Vec<String> {
            let floors = Floors { loss: 0.034, error: 0.12, code: 0.1 };
            let found = verdicts(&configs, facts, floors);
            found.iter().map(|verdict| verdict["holds"].as_str().unwrap().to_owned()).collect()
        };
        // Equal runs: what is called equal is, and no order is decided.
        let equal = holds(&facts(&|_| 0.1));
        assert_eq!(equal, ["open", "yes", "open", "yes", "open", "yes", "open", "open", "yes", "yes"]);
        // Adam behind all others, plain SGD before them, width for nothing on either part.
        let other = holds(&facts(&|name| match name {
            "full-batch" => 0.3,
            "sgd" => 0.05,
            "half-width" => 0.1,
            "double-width" => 0.2,
            _ => 0.15,
        }));
        assert_eq!(other, ["no"; 10]);
        // As published: Adam first, then RMSprop within 6 %, plain SGD last, width for the training images alone.
        let mut published = facts(&|name| match name {
            "full-batch" | "leaky-relu-0.1" => 0.129,
            "rmsprop" => 0.130,
            "sgd" => 0.3,
            _ => 0.15,
        });
        assert_eq!(holds(&published)[..3], ["open", "yes", "yes"]);
        published.retain(|run| run.name != "sgd");
        assert_eq!(holds(&published).len(), 7, "a verdict on a run that is not here is left out");
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

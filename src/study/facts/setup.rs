//! What was studied: what varies, the data, the models.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::run::RunFacts;
use crate::config::{self, StudyConfig};
use crate::data::Splits;
use crate::figures::number::counted;
use crate::study::{Study, StudyRun};

/// A key of the grid that takes several values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::study) struct Axis {
    /// "train.batch_size".
    pub key: String,
    /// "batch size".
    pub noun: String,
    /// Its values.
    pub values: Vec<AxisValue>,
}

/// A value of a key of the grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::study) struct AxisValue {
    /// Its part of the names of runs: "32", "sparse".
    pub label: String,
    /// As TOML.
    pub toml: String,
    /// As it stands in a sentence: "batch size 32", "sparse".
    pub phrase: String,
}

/// Keys whose last part alone says too little.
const NOUNS: [(&str, &str); 8] = [
    ("model.code_penalty.l1", "L1 penalty on the code"),
    ("model.code_penalty.l2", "L2 penalty on the code"),
    ("model.code_penalty", "penalty on the code"),
    ("model.weight_penalty.l2", "L2 penalty on the weights"),
    ("model.init", "initialisation"),
    ("train.max_epochs", "limit of epochs"),
    ("optimizer.name", "optimizer"),
    ("data.set", "data set"),
];

/// The keys of the grid that take several values.
pub(super) fn axes(config: &StudyConfig) -> Vec<Axis> {
    let axis = |axis: &config::Varied| {
        let known = NOUNS.iter().find(|(key, _)| *key == axis.name).map(|(_, noun)| (*noun).to_owned());
        let noun = known.unwrap_or_else(|| axis.name.rsplit('.').next().unwrap_or_default().replace('_', " "));
        let values = axis.values.iter().map(|(label, toml)| {
            // A label of its own says enough; a value that labels itself needs its noun.
            let is_named = label != toml.trim_matches('"');
            let phrase = if is_named { label.clone() } else { format!("{noun} {label}") };
            AxisValue { label: label.clone(), toml: toml.clone(), phrase }
        });
        Axis { key: axis.name.clone(), values: values.collect(), noun: noun.clone() }
    };
    config.grid.iter().filter(|axis| axis.values.len() > 1).map(axis).collect()
}

/// The numbers of a run's values on those axes; `number` is that of the run in the grid, whose first key varies fastest.
pub(super) fn place(config: &StudyConfig, number: usize) -> Vec<usize> {
    let mut digits = number;
    let mut place = Vec::new();
    for axis in &config.grid {
        if axis.values.len() > 1 {
            place.push(digits % axis.values.len());
        }
        digits /= axis.values.len();
    }
    place
}

/// Settings of a study and how it was computed, under the names that templates use.
pub(super) fn settings(study: &Study) -> Value {
    let config = &study.config;
    let changes = config.variants.iter().flat_map(|variant| variant.values.iter().map(|(key, _)| key.clone()));
    let varied: Vec<String> = axes(config).into_iter().map(|axis| axis.key).chain(changes).collect();
    // A run that changes all that one before it changes is said to be like it.
    let variants = config.variants.iter().enumerate().map(|(number, variant)| {
        let before = config.variants[..number].iter().filter(|other| !other.values.is_empty());
        let like = before.filter(|other| other.values.iter().all(|change| variant.values.contains(change)));
        let like = like.max_by_key(|other| other.values.len());
        let is_own = |change: &&(String, String)| !like.is_some_and(|other| other.values.contains(change));
        let own: Vec<_> = variant.values.iter().filter(is_own).collect();
        json!([variant.name, like.map(|other| &other.name), own])
    });
    let variants: Vec<Value> = variants.collect();
    let runs = config.runs();
    let seeds = runs.iter().map(|(name, _)| study.named(name).count()).filter(|&count| count > 0);
    let (fewest, most) = seeds.fold((usize::MAX, 0usize), |(fewest, most), count| (fewest.min(count), most.max(count)));
    json!({
        "page": study.page,
        "title": config.report.title.as_ref().unwrap_or(&config.base_run().name),
        "asked_seeds": study.seeds,
        // What the runs have, which are fewer after an interruption, and differ between runs that were made apart from each other.
        "seeds": most,
        "fewest_seeds": fewest,
        "counted_seeds": if fewest == most { counted(most, "seed") } else { format!("{fewest} to {most} seeds") },
        "few_seeds": match (fewest, most) {
            (_, 1) => "one seed",
            (2, 2) => "two seeds",
            _ => "fewer than three seeds",
        },
        "planned": runs.len() * study.seeds,
        "begun": study.runs.len(),
        "interrupted": study.interrupted,
        "jobs": study.jobs,
        "machine": study.machine.describe(),
        "base": toml::from_str::<Value>(&config.base_run().to_toml()).unwrap_or_default(),
        "varied": varied,
        "variants": variants,
        "reconstructions": config.report.reconstructions,
        "toml": config.to_toml().trim_end(),
    })
}

/// Images that runs share.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct SetFacts {
    /// The name of the set.
    pub name: String,
    /// The same, and where runs divide one set in different ways, how this one does: its block, or else the first run that does.
    pub title: String,
    /// Where it is from.
    pub origin: String,
    /// Consecutive samples that are kept in one part.
    pub block: usize,
    /// Rows and columns of pixels of an image, and its channels.
    pub shape: [usize; 3],
    /// The runs that use it.
    pub runs: Vec<String>,
    /// The parts that have images: "training", "validation" or "test", their number, and that of each class.
    pub parts: Vec<(&'static str, usize, Vec<usize>)>,
    /// The classes, by their numbers; empty where there are no labels.
    pub classes: Vec<String>,
    /// Whether within each part every class has the same number of images.
    pub is_even: bool,
}

/// "training" for "train".
pub(super) fn word(part: &'static str) -> &'static str {
    if part == "train" { "training" } else { part }
}

/// The images of a study's own seed, each set with the runs that use it.
pub(super) fn sets(study: &Study) -> Vec<(Arc<Splits>, SetFacts)> {
    let mut sets: Vec<(Arc<Splits>, SetFacts)> = Vec::new();
    for plan in study.runs.iter().map(|run| &run.plan).filter(|plan| plan.repeat == 0) {
        let loaded = &plan.prepared.loaded;
        match sets.iter_mut().find(|(other, _)| Arc::ptr_eq(other, loaded)) {
            Some((_, set)) => set.runs.push(plan.name.clone()),
            None => sets.push((Arc::clone(loaded), set(loaded, &plan.name, plan.config.data.split.block))),
        }
    }
    for number in 0..sets.len() {
        let SetFacts { name, block, runs, .. } = &sets[number].1;
        let same = || sets.iter().filter(|(_, other)| other.name == *name);
        if same().count() > 1 {
            let is_told_by_block = same().filter(|(_, other)| other.block == *block).count() == 1;
            sets[number].1.title = match block {
                1 if is_told_by_block => format!("{name}, divided one by one"),
                block if is_told_by_block => format!("{name}, divided in blocks of {block}"),
                _ => format!("{name} as divided for {}", runs[0]),
            };
        }
    }
    sets
}

fn set(loaded: &Splits, run: &str, block: usize) -> SetFacts {
    let distributions = loaded.class_distributions();
    let parts = loaded.parts().into_iter().enumerate().filter(|(_, (_, indices))| !indices.is_empty());
    let parts = parts.map(|(number, (name, indices))| {
        let counts = distributions.get(number).map_or(&[][..], |(_, counts)| counts);
        (word(name), indices.len(), counts.iter().map(|(_, count)| *count).collect())
    });
    let parts: Vec<(_, _, Vec<usize>)> = parts.collect();
    let data = &loaded.data;
    SetFacts {
        name: data.name.clone(),
        title: data.name.clone(),
        origin: loaded.origin.clone(),
        block,
        shape: data.shape(),
        runs: vec![run.to_owned()],
        classes: if data.labels.is_some() { data.class_names.clone() } else { Vec::new() },
        // A class that no image has is not part of the study.
        is_even: parts.iter().all(|(_, _, counts)| {
            let mut there = counts.iter().filter(|count| **count > 0);
            let first = there.next();
            there.all(|count| Some(count) == first)
        }),
        parts,
    }
}

/// The networks of `runs`, each run with its first seed as it was made; two runs whose penalties differ train two models. For each the
/// runs, parameters, code size, table `[model]`, summary in the manner of Keras, and each loss that is minimised with its runs.
pub(super) fn models(runs: &[(&StudyRun, &RunFacts)]) -> Vec<Value> {
    let mut found: Vec<(Value, Vec<(&StudyRun, &RunFacts)>)> = Vec::new();
    for (made, run) in runs {
        let mut config = run.config["model"].clone();
        // How weights begin is no part of what is trained; the size of the images is.
        config["init"] = json!(made.loaded().data.features());
        match found.iter_mut().find(|(other, _)| *other == config) {
            Some((_, users)) => users.push((made, run)),
            None => found.push((config, vec![(made, run)])),
        }
    }
    let facts = found.into_iter().map(|(_, users)| {
        let (made, run) = users[0];
        let task = &made.plan.prepared.task;
        let mut losses: Vec<(&str, Vec<&str>)> = Vec::new();
        for (_, user) in &users {
            match losses.iter_mut().find(|(loss, _)| *loss == user.loss_label) {
                Some((_, names)) => names.push(&user.name),
                None => losses.push((user.loss_label, vec![&user.name])),
            }
        }
        json!({
            "runs": users.iter().map(|(_, user)| &user.name).collect::<Vec<_>>(),
            "parameters": task.layout().len(),
            "code_size": run.code_size,
            "losses": losses,
            "config": run.config["model"],
            "summary": task.summary().trim_end(),
        })
    });
    facts.collect()
}

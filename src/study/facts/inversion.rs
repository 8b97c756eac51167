//! Training schemes side by side, decoders run backwards, and what the size of the code does.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use super::RunError;
use super::compare::{Rules, leaders};
use super::pictures::{Pictures, reconstructed};
use super::run::RunFacts;
use crate::config::InversionReport;
use crate::data::Samples;
use crate::invert::output::{picture, to_json, write};
use crate::invert::{Inversion, PcaFloor, Tolerances};
use crate::loss::Loss;
use crate::study::figure::{Figure, over_seeds};
use crate::study::{Observer, Study, StudyRun};
use crate::tape::Arena;
use crate::tasks::{Objective, Trained};

/// Test images in the picture of a decoder run backwards.
const SHOWN: usize = 10;
/// Everything measured for `[report.inversion]`.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct InversionFacts {
    /// Groups of runs that differ in one thing: `what`, `leaders`, and `runs`, lowest NRMSE on the part that models are judged by first,
    /// each with the `value` that it has of that thing and the `gap` between that NRMSE and the one on training images.
    pub schemes: Vec<Value>,
    /// Decoders run backwards on all images.
    pub whole: Vec<Inverted>,
    /// Decoders of codes of several sizes, smallest first, run backwards on the first images of each part.
    pub sizes: Vec<Inverted>,
    /// NRMSE of as many principal components as each of `sizes` has numbers: on the training images that they were computed
    /// from, and on the test images.
    pub components: BTreeMap<&'static str, Vec<f64>>,
    /// Training images that the components were computed from.
    pub component_images: usize,
    /// Runs whose loss makes something else of the decoder's output before it is compared: `run`, `loss`, and the NRMSE of the
    /// output taken for an image as it is, on `train` and `test`.
    pub raw: Vec<Value>,
}

/// A decoder run backwards.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct Inverted {
    /// The run.
    pub run: String,
    /// Numbers in its code.
    pub code_size: usize,
    /// Values of an image for each number of its code.
    pub compression_ratio: f64,
    /// What `inversion.json` holds, over the seeds.
    pub figures: Value,
}

/// Compares schemes and runs decoders backwards as `wanted` says; each run's folder gets its `inversion.json`, `.csv` and `.png`.
pub(super) fn measure(
    study: &Study,
    wanted: &InversionReport,
    facts: &[RunFacts],
    rules: Rules,
    observer: &dyn Observer,
    pictures: &mut Pictures,
) -> Result<InversionFacts, RunError> {
    let mut inverted = |name: &String, most: usize, writes: bool| -> Result<Option<Inverted>, RunError> {
        let mut trees = Vec::new();
        for run in study.named(name) {
            let (tree, png) = invert(study, run, most, observer, writes)?;
            if writes && most == usize::MAX {
                pictures.inverted.entry(name.clone()).or_insert_with(|| STANDARD.encode(png));
            }
            trees.push(tree);
        }
        let Some(run) = study.named(name).next() else { return Ok(None) };
        let model = run.trained(study.machine)?.model;
        Ok(Some(Inverted {
            run: name.clone(),
            code_size: model.code_size(),
            compression_ratio: model.compression_ratio(),
            figures: over_seeds(&trees),
        }))
    };
    let (mut whole, mut sizes) = (Vec::new(), Vec::new());
    for name in &wanted.invert {
        whole.extend(inverted(name, usize::MAX, true)?);
    }
    let most = wanted.compression_images.unwrap_or(usize::MAX);
    for name in &wanted.compression {
        // The folder of a run keeps the figures of all its images.
        sizes.extend(inverted(name, most, !wanted.invert.contains(name))?);
    }
    sizes.sort_by_key(|one| one.code_size);

    let (mut components, mut component_images) = (BTreeMap::new(), 0);
    if let Some(run) = sizes.first().and_then(|one| study.named(&one.run).next()) {
        let sizes: Vec<usize> = sizes.iter().map(|one| one.code_size).collect();
        // On just these images no linear code of that size does better; on the test images nothing of the kind is known.
        let train = run.loaded().train().first(most);
        let floor = PcaFloor::of(study.machine.context, train);
        components = parts(run, most).map(|(name, samples)| (name, floor.nrmse(samples, &sizes))).collect();
        component_images = train.len();
    }
    let mut schemes = Vec::new();
    let mut raw: Vec<Value> = Vec::new();
    for (what, names) in &wanted.schemes {
        schemes.push(scheme(what, names, facts, rules));
        let firsts: Vec<&StudyRun> = names.iter().filter_map(|name| study.named(name).next()).collect();
        let images = firsts.first().map(|run| run.loaded().test().first(study.config.report.reconstructions));
        if let Some(images) = images.filter(|images| !images.is_empty()) {
            pictures.schemes.insert(what.clone(), reconstructed(study.machine, images, &firsts)?);
        }
        for run in firsts {
            let (name, loss) = (&run.plan.name, run.trained(study.machine)?.objective.loss);
            let is_changed = matches!(loss, Loss::BceLogits | Loss::Kl);
            if is_changed && raw.iter().all(|known| known["run"] != **name) {
                let each = study.named(name).map(|run| raw_nrmse(study, run));
                let each: Vec<[f64; 2]> = each.collect::<Result<_, RunError>>()?;
                let [train, test] = [0, 1].map(|at| Figure::of(each.iter().map(|pair| pair[at])));
                raw.push(json!({ "run": name, "loss": loss.name(), "train": train, "test": test }));
            }
        }
    }
    Ok(InversionFacts { schemes, whole, sizes, components, component_images, raw })
}

/// The training and test images of a run, at most `most` of each.
fn parts(run: &StudyRun, most: usize) -> impl Iterator<Item = (&'static str, Samples<'_>)> {
    let parts = run.loaded().parts().into_iter();
    let parts = parts.filter(|(name, samples)| *name != "validation" && !samples.is_empty());
    parts.map(move |(name, samples)| (name, samples.first(most)))
}

/// The figures of a run's decoder run backwards, and the picture of the first test images.
fn invert(
    study: &Study,
    run: &StudyRun,
    most: usize,
    observer: &dyn Observer,
    writes: bool,
) -> Result<(Value, Vec<u8>), RunError> {
    let (loaded, tolerances) = (run.loaded(), Tolerances::default());
    let inversion = Inversion::new(run.trained(study.machine)?, loaded.shape())?;
    let all = parts(run, most).map(|(_, samples)| samples.len()).sum();
    let (mut done, mut figures, mut drawn) = (0, Vec::new(), Vec::new());
    for (name, images) in parts(run, most) {
        let mut watch = |more: usize| {
            done += more;
            observer.inverting(&run.plan, done, all);
        };
        let mut part = inversion.measure(name, images, tolerances, &mut watch)?;
        if name == "test" {
            drawn = picture(&inversion, &part, images.first(SHOWN))?;
        }
        // The codes were for the picture, and of many runs they are hundreds of megabytes.
        part.codes = Default::default();
        figures.push(part);
    }
    if writes {
        let drawn = (!drawn.is_empty()).then_some(&drawn[..]);
        write(&run.folder, inversion.layers(), tolerances, &figures, drawn)?;
    }
    Ok((to_json(inversion.layers(), tolerances, &figures), drawn))
}

/// NRMSE of the decoder's output, taken for an image as it is, on the training and on the test images.
fn raw_nrmse(study: &Study, run: &StudyRun) -> Result<[f64; 2], RunError> {
    let trained = run.trained(study.machine)?;
    let objective = Objective { loss: Loss::Mse, ..trained.objective };
    let (as_it_is, mut errors) = (Trained { objective, ..trained }, [f64::NAN; 2]);
    for (name, samples) in parts(run, usize::MAX) {
        errors[usize::from(name == "test")] = as_it_is.evaluate(samples, &mut Arena::default()).nrmse;
    }
    Ok(errors)
}

fn scheme(what: &str, names: &[String], facts: &[RunFacts], rules: Rules) -> Value {
    let mut runs: Vec<&RunFacts> = names.iter().filter_map(|name| facts.iter().find(|run| run.name == *name)).collect();
    runs.sort_by(|a, b| a.measured("nrmse").mean.total_cmp(&b.measured("nrmse").mean));
    let choice = |run: &&RunFacts| {
        let train = Figure::read(&run.figures["evaluation"]["train"]["nrmse"]).mean;
        json!({ "run": run.name, "value": value(what, run), "gap": Figure::of([run.measured("nrmse").mean - train]) })
    };
    let ranked: Vec<&RunFacts> = runs.iter().copied().filter(|run| !run.is_interrupted()).collect();
    let choices: Vec<Value> = runs.iter().map(choice).collect();
    json!({ "what": what, "runs": choices, "leaders": leaders(&ranked, "nrmse", rules) })
}

/// What a run has of that which a scheme compares; its name where that is not known.
fn value(what: &str, run: &RunFacts) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let layer = &run.config["model"]["encoder"][0];
    let known = match what {
        "optimizer" => text(&run.config["optimizer"]["name"]),
        "loss" => text(&run.config["train"]["loss"]),
        "nonlinearity" | "activation" => text(&layer["activation"])
            .map(|name| layer["slope"].as_f64().map_or(name.clone(), |slope| format!("{name}, slope {slope}"))),
        _ => None,
    };
    known.unwrap_or_else(|| run.name.clone())
}

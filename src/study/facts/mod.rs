//! What a study found, as plain values.
//!
//! This is the only part of `study` that knows models, images and run folders: charts, tables and sentences are made from
//! [`Facts`] alone, which the page carries as JSON.

mod codes;
mod compare;
mod inversion;
mod pictures;
mod published;
mod record;
mod run;
mod saturation;
mod setup;

pub(super) use codes::CodesFacts;
pub(super) use inversion::{InversionFacts, Inverted};
pub(super) use pictures::{CodePictures, Pictures};
pub(super) use record::Columns;
pub(super) use run::RunFacts;
pub(super) use saturation::{LayerCourse, SaturationFacts};
pub(super) use setup::SetFacts;

use std::sync::Arc;

use ndarray::Array2;
use serde::Serialize;
use serde_json::Value;

use super::figure::{Figure, over_seeds};
use super::{Observer, Study, StudyRun};
use crate::data::{Samples, Splits};
use crate::run::RunError;
use compare::{Comparison, METRICS, Ranking, Rules};
use record::Record;
use setup::Axis;

/// A study's figures and settings.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Facts {
    /// Settings, machine and state, see [`setup::settings`].
    pub study: Value,
    /// The keys of the grid that take several values.
    pub axes: Vec<Axis>,
    /// The images.
    pub sets: Vec<SetFacts>,
    /// The networks, see [`setup::models`].
    pub models: Vec<Value>,
    /// The part that models are judged by: "test", or what there is in its place.
    pub judged: &'static str,
    /// How runs are compared.
    pub rules: Rules,
    /// In the order of the grid.
    pub runs: Vec<RunFacts>,
    /// Who leads among the runs that see the same images in the same way.
    pub rankings: Vec<Ranking>,
    /// The runs along each axis.
    pub comparisons: Vec<Comparison>,
    /// How layers saturate.
    pub saturation: Vec<SaturationFacts>,
    /// What codes are worth.
    pub codes: Vec<CodesFacts>,
    /// Schemes, decoders run backwards, sizes of the code.
    pub inversion: Option<InversionFacts>,
    /// Figures of others, each of a run of this study that is just the one they are of.
    pub published: Vec<Value>,
}

/// Measures what the report asks for, and gathers all facts and pictures. Of a study that was interrupted the runs that were
/// begun are taken, and neither codes, saturation nor inversion are measured.
pub(super) fn measured(study: &Study, observer: &dyn Observer) -> Result<(Facts, Pictures), RunError> {
    let (mut facts, mut pictures) = gathered(study)?;
    let report = &study.config.report;
    if study.interrupted {
        return Ok((facts, pictures));
    }
    let first = |name: &String| study.runs.iter().find(|run| run.plan.name == *name);
    let saturation: Vec<&StudyRun> = report.saturation.iter().filter_map(first).collect();
    for run in &saturation {
        facts.saturation.push(saturation::measure(study, run)?);
    }
    pictures.early = saturation::early(study, &saturation)?;
    for name in &report.codes {
        let Some(run) = facts.runs.iter().find(|run| run.name == *name) else { continue };
        let (one, shown) = codes_of(study, run, &facts.runs)?;
        facts.codes.push(one);
        pictures.codes.insert(name.clone(), shown);
    }
    if let Some(wanted) = &report.inversion {
        let measured = inversion::measure(study, wanted, &facts.runs, facts.rules, observer, &mut pictures)?;
        facts.inversion = Some(measured);
    }
    Ok((facts, pictures))
}

/// What needs nothing but the runs' folders, their images and their reconstructions.
fn gathered(study: &Study) -> Result<(Facts, Pictures), RunError> {
    let config = &study.config;
    let names: Vec<String> = config.runs().into_iter().map(|(name, _)| name).collect();
    let records: Vec<(&StudyRun, Record)> =
        study.runs.iter().map(|run| Ok((run, Record::read(run)?))).collect::<Result<_, RunError>>()?;
    let has = |part: &&str| records.iter().any(|(_, record)| record.metrics["evaluation"][part].is_object());
    let judged = ["test", "validation", "train"].into_iter().find(has).unwrap_or("test");
    let finished = records.iter().filter(|(_, record)| record.metrics["stop"].is_string());
    let common_epoch = finished.map(|(_, record)| record.epochs()).min().unwrap_or(0);
    let sets = setup::sets(study);
    let rules = Rules { floors: published::floors(), part: setup::word(judged), epoch: common_epoch };

    let mut means: Vec<(Arc<Splits>, f64)> = Vec::new();
    let mut runs: Vec<RunFacts> = Vec::new();
    let mut groups: Vec<(Value, Value)> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let seeds: Vec<(&StudyRun, Record)> =
            records.iter().filter(|(run, _)| run.plan.name == *name).cloned().collect();
        let Some((first, record)) = seeds.first() else { continue };
        let mut mean_image = |(run, _): &(&'_ StudyRun, Record)| {
            let loaded = &run.plan.prepared.loaded;
            let known = means.iter().find(|(other, _)| Arc::ptr_eq(other, loaded)).map(|(_, mse)| *mse);
            known.unwrap_or_else(|| {
                means.push((Arc::clone(loaded), run::mean_image_mse(loaded, judged)));
                means.last().expect("one was added").1
            })
        };
        let mean_image = Figure::of(seeds.iter().map(&mut mean_image));
        let mut facts = RunFacts::of(&seeds, mean_image, judged, rules.floors);
        // Who sees the same images in the same way: data and corruption agree.
        let seen = (record.config["data"].clone(), record.config["model"]["corruption"].clone());
        facts.group = groups.iter().position(|other| *other == seen).unwrap_or_else(|| {
            groups.push(seen);
            groups.len() - 1
        });
        facts.set = sets.iter().position(|(set, _)| Arc::ptr_eq(set, &first.plan.prepared.loaded)).unwrap_or(0);
        facts.place = setup::place(config, number);
        for metric in &METRICS {
            let figure = match metric.pointer {
                "/there" => loss_after(&facts, common_epoch),
                pointer => facts.figures.pointer(&pointer.replace("{}", judged)).map_or(Figure::of([]), Figure::read),
            };
            facts.measured.insert(metric.key, figure);
        }
        runs.push(facts);
    }
    let rankings = compare::rank(&mut runs, rules);
    let axes = setup::axes(config);

    let mut pictures = Pictures::default();
    for (number, (loaded, _)) in sets.iter().enumerate() {
        let users = runs.iter().filter(|run| run.set == number);
        let users: Vec<&StudyRun> =
            users.filter_map(|run| study.runs.iter().find(|made| made.plan.name == run.name)).collect();
        let count = config.report.reconstructions;
        pictures.reconstructions.extend(pictures::reconstructions(study.machine, loaded, judged, count, &users)?);
    }
    let firsts: Vec<(&StudyRun, &RunFacts)> =
        runs.iter().filter_map(|run| Some((study.runs.iter().find(|made| made.plan.name == run.name)?, run))).collect();
    let configs: Vec<_> = firsts.iter().map(|(made, run)| (run.name.as_str(), &made.plan.config)).collect();
    let facts = Facts {
        study: setup::settings(study),
        comparisons: compare::along_axes(&axes, &runs, rules),
        axes,
        models: setup::models(&firsts),
        published: published::of(&configs),
        sets: sets.into_iter().map(|(_, set)| set).collect(),
        judged,
        rules,
        runs,
        rankings,
        saturation: Vec::new(),
        codes: Vec::new(),
        inversion: None,
    };
    Ok((facts, pictures))
}

/// The validation loss of a run, or else its training loss, after this epoch.
fn loss_after(run: &RunFacts, epoch: usize) -> Figure {
    let at = |columns: &Columns, name: &str| {
        columns.get(name).and_then(|losses| losses.get(epoch.wrapping_sub(1))).copied().unwrap_or(f64::NAN)
    };
    let validated = Figure::of(run.history.iter().map(|columns| at(columns, "val_loss")));
    if validated.seeds > 0 { validated } else { Figure::of(run.history.iter().map(|columns| at(columns, "loss"))) }
}

/// The measures of a run's codes over its seeds, and the pictures of the first.
fn codes_of(study: &Study, run: &RunFacts, all: &[RunFacts]) -> Result<(CodesFacts, CodePictures), RunError> {
    let mut pictures: Option<CodePictures> = None;
    let (mut each, mut trees) = (Vec::new(), Vec::new());
    for made in study.runs.iter().filter(|made| made.plan.name == run.name) {
        let (figures, mut shown) = study.machine.run(|| codes::measure(study, made))??;
        if pictures.is_none() {
            let divergences = &run.figures["evaluation"]["test"]["elbo"]["kl_per_dimension"];
            let divergences = divergences.as_array();
            let divergences: Option<Vec<f64>> =
                divergences.map(|each| each.iter().map(|kl| Figure::read(kl).mean).collect());
            if let Some(divergences) = &divergences {
                let (samples, traversals) = study.machine.run(|| codes::drawn(study, made, divergences))??;
                (shown.samples, shown.traversals) = (Some(samples), Some(traversals));
            }
            shown.plane = study.machine.run(|| codes::on_grid(study, made, divergences.as_deref()))??;
            pictures = Some(shown);
        }
        trees.push(figures.clone());
        each.push((made.plan.config.seed, figures));
    }
    // The same in everything but the penalty.
    let without = |config: &Value| {
        let mut config = config.clone();
        config["name"] = Value::Null;
        config["model"]["contractive"] = Value::Null;
        config
    };
    let is_twin = |other: &&RunFacts| {
        !run.config["model"]["contractive"].is_null()
            && other.config["model"]["contractive"].is_null()
            && without(&other.config) == without(&run.config)
    };
    let twin = all.iter().find(is_twin).map(|other| other.name.clone());
    let facts = CodesFacts { run: run.name.clone(), twin, figures: over_seeds(&trees), each };
    Ok((facts, pictures.unwrap_or_default()))
}

/// The images at `indices` [n, pixels], as a run sees them.
fn images(loaded: &Splits, indices: &[u32]) -> Array2<f32> {
    Samples { data: &loaded.data, indices }.to_array()
}

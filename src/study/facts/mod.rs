//! What a study found, as plain values.
//!
//! This is the only part of `study` that knows models, images and run folders: charts, tables and sentences are made from
//! [`Facts`] alone, which the page carries as JSON.

mod best;
mod classes;
mod codes;
mod compare;
mod denoising;
mod generated;
mod inversion;
mod look;
mod maps;
mod pictures;
mod probe;
mod published;
mod record;
mod run;
mod saturation;
mod setup;

pub(super) use best::BestFacts;
pub(super) use classes::{ClassesFacts, ClassifierFacts, Confusion};
pub(super) use codes::CodesFacts;
pub(super) use denoising::DenoisingFacts;
pub(super) use generated::GeneratedFacts;
pub(super) use inversion::{InversionFacts, Inverted};
pub(super) use look::{Axes, LookFacts};
pub(super) use maps::{MapFacts, MapsFacts};
pub(super) use pictures::{CodePictures, Pictures};
pub(super) use probe::{ProbeFacts, ProbeRow};
pub(super) use run::RunFacts;
pub(super) use saturation::{LayerCourse, SaturationFacts};
pub(super) use setup::SetFacts;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;

use super::figure::{Figure, over_seeds};
use super::{Observer, Page, Planned, Study, StudyRun};
use crate::config::ReportConfig;
use crate::data::Splits;
use crate::invert::Decoder;
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
    /// Accuracy, Jacobian and interpolation of codes.
    pub codes: Vec<CodesFacts>,
    /// Codes in a plane.
    pub maps: Vec<MapsFacts>,
    /// Noise trained on × noise tested on.
    pub denoising: Option<DenoisingFacts>,
    /// Images that runs make.
    pub generated: Option<GeneratedFacts>,
    /// How well a linear classifier reads codes.
    pub probe: Option<ProbeFacts>,
    /// Runs looked at closely.
    pub looks: Vec<LookFacts>,
    /// Schemes, decoders run backwards, sizes of the code.
    pub inversion: Option<InversionFacts>,
    /// Kinds of runs, each by the best of them.
    pub best: Vec<BestFacts>,
    /// What classifiers reach.
    pub classes: Option<ClassesFacts>,
    /// Figures of others, each of a run of this study that is just the one they are of.
    pub published: Vec<Value>,
    /// What others concluded from such runs, tested, see [`published::verdicts`].
    pub verdicts: Vec<Value>,
}

/// Refuses what cannot be measured, before anything is trained.
pub(super) fn check(report: &ReportConfig, runs: &[Planned]) -> Result<(), RunError> {
    for (key, name) in report.named_runs() {
        let is_inverted = ["inversion.invert", "inversion.compression"].contains(&key.as_str());
        let needs = ["codes", "saturation", "denoising"].contains(&key.as_str()) || key.starts_with("inversion.");
        if let Some(run) = runs.iter().find(|run| needs && run.repeat == 0 && run.name == *name) {
            let task = run.prepared.task.autoencoder().ok_or_else(|| {
                let (name, task) = (&run.name, run.config.task.name());
                RunError::Unusable(format!(
                    "report.{key} names {name}, which trains a {task}; an autoencoder is expected"
                ))
            })?;
            if is_inverted {
                // The layers decide, whatever their weights are.
                let weights = vec![0.0; run.prepared.layout().len()];
                Decoder::<f32>::of(task.model(), &weights, task.objective().loss)
                    .map_err(|error| RunError::InStudy { run: run.title(), source: Box::new(error.into()) })?;
            }
        }
    }
    report.generated.as_ref().map_or(Ok(()), |wanted| generated::check(wanted, runs))?;
    report.probe.as_ref().map_or(Ok(()), |wanted| probe::check(wanted, runs))
}

/// Measures what the report asks for, and gathers all facts and pictures. Of a study that was interrupted the runs that were
/// begun are taken, and neither codes, maps, saturation nor inversion are measured.
pub(super) fn measured(study: &Study, observer: &dyn Observer) -> Result<(Facts, Pictures), RunError> {
    let (mut facts, mut pictures) = gathered(study)?;
    let report = &study.config.report;
    if study.interrupted {
        return Ok((facts, pictures));
    }
    let saturation: Vec<&StudyRun> = report.saturation.iter().filter_map(|name| study.named(name).next()).collect();
    for run in &saturation {
        facts.saturation.push(saturation::measure(&run.plan, &run.folder, study.machine.context)?);
    }
    pictures.early = saturation::early(study, &saturation)?;
    for name in &report.codes {
        let Some(run) = facts.runs.iter().find(|run| run.name == *name) else { continue };
        let (one, shown) = codes_of(study, run)?;
        facts.codes.push(one);
        pictures.codes.insert(name.clone(), shown);
    }
    for run in report.maps.iter().filter_map(|name| study.named(name).next()) {
        facts.maps.extend(maps::measure(study, run)?);
    }
    facts.denoising = denoising::measure(study, &report.denoising)?;
    if let Some((measured, shown)) =
        report.generated.as_ref().map(|wanted| generated::measure(study, wanted)).transpose()?.flatten()
    {
        (facts.generated, pictures.generated) = (Some(measured), Some(shown));
    }
    for run in study.runs.iter().filter(|run| run.plan.repeat == 0) {
        let task = &run.plan.prepared.task;
        if task.generator().is_some() && task.autoencoder().is_none() {
            pictures.made.insert(run.plan.name.clone(), look::made(study.machine, run)?);
        }
    }
    if let Some(wanted) = &report.probe {
        facts.probe = probe::measure(study, wanted)?;
    }
    if let Some(wanted) = &report.inversion {
        let measured = inversion::measure(study, wanted, &facts.runs, facts.rules, observer, &mut pictures)?;
        facts.inversion = Some(measured);
    }
    Ok((facts, pictures))
}

/// Gathers what the page of runs that are no study shows, and looks closely at each that is an autoencoder.
pub(super) fn looked_at(study: &Study) -> Result<(Facts, Pictures), RunError> {
    let (mut facts, mut pictures) = gathered(study)?;
    for run in study.runs.iter().filter(|run| run.plan.repeat == 0) {
        let Some(of) = facts.runs.iter().find(|of| of.name == run.plan.name) else { continue };
        if run.plan.prepared.task.autoencoder().is_some() {
            let (look, shown) = look::look(study.machine, facts.judged, run, of)?;
            pictures.looks.insert(of.name.clone(), shown);
            facts.looks.push(look);
        } else {
            pictures.made.insert(of.name.clone(), look::made(study.machine, run)?);
        }
    }
    Ok((facts, pictures))
}

/// Whether classifiers are what the page is about: where the report asks for them, where there is nothing else, and on pages of runs.
fn is_about(study: &Study, classes: &ClassesFacts, runs: &[RunFacts]) -> bool {
    study.page != Page::Study || study.config.report.classes.is_some() || classes.runs.len() == runs.len()
}

/// What needs nothing but the runs' folders, their images and their reconstructions.
fn gathered(study: &Study) -> Result<(Facts, Pictures), RunError> {
    let config = &study.config;
    let names: Vec<String> = config.runs().into_iter().map(|(name, _)| name).collect();
    let has = |part: &&str| study.runs.iter().any(|run| run.executed.evaluation(part).is_some());
    let judged = ["test", "validation", "train"].into_iter().find(has).unwrap_or("test");
    let finished = study.runs.iter().filter(|run| !run.is_interrupted());
    let common_epoch = finished.map(|run| run.executed.outcome.history.epochs.len()).min().unwrap_or(0);
    let sets = setup::sets(study);
    let rules = Rules { floors: published::floors(), part: setup::word(judged), epoch: common_epoch };

    let mut means: BTreeMap<*const Splits, f64> = BTreeMap::new();
    let mut runs: Vec<RunFacts> = Vec::new();
    let mut groups: Vec<(usize, Value)> = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let seeds = study.named(name).map(|run| Ok((run, Record::read(run, common_epoch)?)));
        let seeds: Vec<(&StudyRun, Record)> = seeds.collect::<Result<_, RunError>>()?;
        let Some((first, record)) = seeds.first() else { continue };
        let mean_image = Figure::of(seeds.iter().map(|(run, _)| {
            *means.entry(Arc::as_ptr(run.loaded())).or_insert_with(|| run::mean_image_mse(run.loaded(), judged))
        }));
        let mut facts = RunFacts::of(&seeds, mean_image, judged, rules.floors);
        facts.set = sets.iter().position(|(set, _)| Arc::ptr_eq(set, first.loaded())).unwrap_or(0);
        // Who sees the same images in the same way.
        let seen = (facts.set, record.config["model"]["corruption"].clone());
        facts.group = groups.iter().position(|other| *other == seen).unwrap_or_else(|| {
            groups.push(seen);
            groups.len() - 1
        });
        facts.place = setup::place(config, number);
        for metric in &METRICS {
            let figure = facts.figures.pointer(&metric.pointer.replace("{}", judged)).map(Figure::read);
            facts.measured.insert(metric.key, figure.unwrap_or_default());
        }
        runs.push(facts);
    }
    let rankings = compare::rank(&mut runs, rules);
    let axes = setup::axes(config);

    let mut pictures = Pictures::default();
    for (number, (loaded, _)) in sets.iter().enumerate() {
        let users = runs.iter().filter(|run| run.set == number).filter_map(|run| study.named(&run.name).next());
        let users: Vec<&StudyRun> = users.filter(|run| run.plan.prepared.task.autoencoder().is_some()).collect();
        let count = config.report.reconstructions;
        pictures.reconstructions.extend(pictures::reconstructions(study.machine, loaded, judged, count, &users)?);
    }
    let firsts: Vec<(&StudyRun, &RunFacts)> =
        runs.iter().filter_map(|run| Some((study.named(&run.name).next()?, run))).collect();
    let configs: Vec<_> = firsts.iter().map(|(made, run)| (run.name.as_str(), &made.plan.config)).collect();
    let facts = Facts {
        study: setup::settings(study),
        classes: classes::of(study, config.report.classes.as_ref(), &runs)
            .filter(|classes| is_about(study, classes, &runs)),
        best: best::of(&config.report.best, &runs, judged, rules),
        comparisons: compare::along_axes(&axes, &runs, rules),
        axes,
        models: setup::models(&firsts),
        published: published::of(&configs),
        verdicts: published::verdicts(&configs, &runs, rules.floors),
        sets: sets.into_iter().map(|(_, set)| set).collect(),
        judged,
        rules,
        runs,
        rankings,
        saturation: Vec::new(),
        codes: Vec::new(),
        maps: Vec::new(),
        denoising: None,
        generated: None,
        probe: None,
        looks: Vec::new(),
        inversion: None,
    };
    Ok((facts, pictures))
}

/// Whether two classes occur among these labels.
fn differ(labels: &[u8]) -> bool {
    labels.windows(2).any(|pair| pair[0] != pair[1])
}

/// The measures of a run's codes over its seeds, and the pictures of the first.
fn codes_of(study: &Study, run: &RunFacts) -> Result<(CodesFacts, CodePictures), RunError> {
    let mut pictures = CodePictures::default();
    let (mut each, mut trees) = (Vec::new(), Vec::new());
    for (number, made) in study.named(&run.name).enumerate() {
        let (figures, shown) = codes::measure(study, made)?;
        if number == 0 {
            pictures = shown;
            codes::draw(study.machine, made, run.divergences("test").as_deref(), &mut pictures)?;
        }
        trees.push(figures.clone());
        each.push((made.plan.config.seed, figures));
    }
    let without = study.named(&run.name).next().map_or_else(BTreeMap::new, |made| codes::without(study, made));
    let facts = CodesFacts { run: run.name.clone(), without, figures: over_seeds(&trees), each };
    Ok((facts, pictures))
}

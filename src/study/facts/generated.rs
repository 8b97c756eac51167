//! Images that runs make, beside images that they never saw.

use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde::Serialize;

use super::RunError;
use super::pictures::ImageTable;
use crate::analysis::{Fidelity, nearest};
use crate::config::GeneratedReport;
use crate::data::Samples;
use crate::run::Distribution;
use crate::study::figure::{Figure, in_front};
use crate::study::{Planned, Study, StudyRun};
use crate::tasks::Weights;

/// Images of each run that are shown.
const SHOWN: usize = 12;

/// How near the images of each run come to its test images.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct GeneratedFacts {
    /// The run of the classifier whose codes are the features (first seed).
    pub features: String,
    /// How many there are of an image.
    pub values: usize,
    /// SHA-256 of its weights.
    pub weights: String,
    /// The share of its test images that it classifies correctly.
    pub accuracy: Figure,
    /// Images that each run makes.
    pub images: usize,
    /// Test images of the classifier; a run's images are compared with as many of its own.
    pub test: usize,
    /// Neighbours that reach how far a set fills the space.
    pub neighbours: usize,
    /// As many training images in the place of generated images: what images that cannot be told from real ones would have.
    pub floor: FidelityFacts,
    /// The runs, each with what its codes are drawn from.
    pub rows: Vec<GeneratedRow>,
    /// The places of those with the smallest Fréchet distance, see [`in_front`].
    pub leaders: Vec<usize>,
}

/// A run, or what it is compared by, beside the test images.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct FidelityFacts {
    /// The Fréchet distance.
    pub frechet: Figure,
    /// The share of what was made that lies among the test images.
    pub precision: Figure,
    /// The share of the test images that lies among what was made.
    pub recall: Figure,
}

/// The images of a run.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct GeneratedRow {
    /// The run.
    pub run: String,
    /// What its codes are drawn from.
    pub from: &'static str,
    /// The figures.
    pub figures: FidelityFacts,
    /// The root of the mean squared difference per pixel between an image that is shown and the nearest training image, the mean over them
    /// (first seed).
    pub nearest: f64,
}

impl FidelityFacts {
    fn of(seeds: &[Fidelity]) -> FidelityFacts {
        let figure = |value: fn(&Fidelity) -> f64| Figure::of(seeds.iter().map(value));
        FidelityFacts {
            frechet: figure(|one| one.frechet),
            precision: figure(|one| one.coverage.precision),
            recall: figure(|one| one.coverage.recall),
        }
    }
}

/// The distributions, each with the runs that `wanted` names for it.
fn ways(wanted: &GeneratedReport) -> [(Distribution, &[String]); 3] {
    let GeneratedReport { standard, fitted, by_class, .. } = wanted;
    [(Distribution::Standard, standard), (Distribution::Fitted, fitted), (Distribution::ByClass, by_class)]
}

/// Refuses, before anything is trained: a run for features that is no classifier or has too few images to compare with, a run that cannot
/// make images of such codes, images of several sizes.
pub(in crate::study) fn check(wanted: &GeneratedReport, runs: &[Planned]) -> Result<(), RunError> {
    let find = |name: &String| runs.iter().find(|run| run.name == *name);
    let Some(by) = find(&wanted.features) else { return Ok(()) };
    if by.config.task.classifier().is_none() {
        return Err(RunError::Unusable(format!(
            "report.generated.features names {}, which is no classifier; the run of one is expected",
            wanted.features
        )));
    }
    for (part, images) in [("test", by.prepared.loaded.test()), ("training", by.prepared.loaded.train())] {
        if images.len() <= Fidelity::NEIGHBOURS {
            return Err(RunError::Unusable(format!(
                "report.generated.features names {}, which has {} {part} images; more than {} are expected",
                by.name,
                images.len(),
                Fidelity::NEIGHBOURS
            )));
        }
    }
    for (distribution, names) in ways(wanted) {
        for run in names.iter().filter_map(find) {
            let in_run = |error| RunError::InStudy { run: run.title(), source: Box::new(error) };
            distribution.check(&run.prepared).map_err(in_run)?;
            let test = run.prepared.loaded.test().len();
            if test <= Fidelity::NEIGHBOURS {
                return Err(RunError::Unusable(format!(
                    "the run {} has {test} test images to compare with; more than {} are expected",
                    run.name,
                    Fidelity::NEIGHBOURS
                )));
            }
            let [found, expected] = [run, by].map(|run| run.prepared.loaded.data.features());
            if found != expected {
                return Err(RunError::Unusable(format!(
                    "the run {} has images of {found} values, and {}, in whose features they are compared, of {expected}; one size is \
                     expected",
                    run.name, by.name
                )));
            }
        }
    }
    Ok(())
}

/// Makes images by each run that `wanted` names and measures them in the features of its classifier; the first of them, each row above the
/// nearest training images. The classifier is that of the first seed, so that all distances are of one kind. What [`check`] refuses was refused.
pub(super) fn measure(
    study: &Study,
    wanted: &GeneratedReport,
) -> Result<Option<(GeneratedFacts, ImageTable)>, RunError> {
    let context = study.machine.context;
    let Some(by) = study.named(&wanted.features).next() else { return Ok(None) };
    let classifier = by.plan.prepared.encoder(&by.executed.outcome.params, context);
    let Some(features) = classifier else { return Ok(None) };
    let real_of = |run: &StudyRun| features.encode(run.loaded().test().first(wanted.images));
    let seen = features.encode(by.loaded().train().first(wanted.images))?;
    let mut last = (by, real_of(by)?);
    let test = last.1.nrows();
    let floor = Fidelity::of(context, last.1.view(), seen.view())?;
    let mut rows = Vec::new();
    let mut table = ImageTable::new(&by.loaded().data, Vec::new());
    for (distribution, names) in ways(wanted) {
        for name in names {
            let mut seeds = Vec::new();
            let mut near = f64::NAN;
            for run in study.named(name) {
                // Its own test images: those of a run whose images are divided otherwise may be among its training images.
                if !Arc::ptr_eq(last.0.loaded(), run.loaded()) {
                    last = (run, real_of(run)?);
                }
                let images = drawn(study, run, distribution, wanted.images)?;
                seeds.push(Fidelity::of(context, last.1.view(), features.encode(images.view())?.view())?);
                if seeds.len() == 1 {
                    near = show(study, run, distribution, &images, &mut table)?;
                }
            }
            if !seeds.is_empty() {
                let (run, from, figures) = (name.clone(), distribution.words(), FidelityFacts::of(&seeds));
                rows.push(GeneratedRow { run, from, figures, nearest: near });
            }
        }
    }
    let facts = GeneratedFacts {
        features: wanted.features.clone(),
        values: features.code_size(),
        weights: by.executed.weights_sha256.clone(),
        accuracy: by.executed.evaluation("test").map(|test| Figure::read(&test["accuracy"])).unwrap_or_default(),
        images: wanted.images,
        test,
        neighbours: Fidelity::NEIGHBOURS,
        floor: FidelityFacts::of(&[floor]),
        leaders: in_front(&rows.iter().map(|row| row.figures.frechet).collect::<Vec<_>>(), false),
        rows,
    };
    Ok(Some((facts, table)))
}

fn drawn(study: &Study, run: &StudyRun, from: Distribution, count: usize) -> Result<Array2<f32>, RunError> {
    let weights = Weights { params: &run.executed.outcome.params, context: study.machine.context };
    Ok(from.draw(&run.plan.prepared, weights, count, run.plan.config.seed)?.images)
}

/// Adds the first images, and below them the training images that are nearest; returns how far these are, in the mean.
fn show(
    study: &Study,
    run: &StudyRun,
    from: Distribution,
    images: &Array2<f32>,
    table: &mut ImageTable,
) -> Result<f64, RunError> {
    let shown = images.view().split_at(Axis(0), SHOWN.min(images.nrows())).0;
    let train = run.loaded().train();
    let near = nearest(study.machine.context, shown, train)?;
    let indices: Vec<u32> = near.iter().map(|&(at, _)| train.indices[at]).collect();
    table.row(format!("{}, {}", run.plan.name, short(from)), shown.outer_iter())?;
    table.row("nearest training image", Samples { indices: &indices, ..train }.to_array::<f32>().outer_iter())?;
    let errors = near.iter().map(|&(_, square)| (square / train.features() as f64).sqrt());
    Ok(errors.sum::<f64>() / near.len() as f64)
}

/// A distribution beside a row of images.
fn short(from: Distribution) -> &'static str {
    match from {
        Distribution::Standard => "N(0, I)",
        Distribution::Fitted => "fitted",
        Distribution::ByClass => "by class",
    }
}

//! How well a linear classifier reads the classes from codes.

use serde::Serialize;

use super::{RunError, differ};
use crate::config::ProbeReport;
use crate::run::{Features, Probe};
use crate::study::figure::{Figure, in_front};
use crate::study::{Planned, Study, StudyRun};

/// How well a linear classifier reads codes of runs.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ProbeFacts {
    /// Numbers of labels that it learns from, ascending.
    pub labels: Vec<usize>,
    /// The features that it reads.
    pub rows: Vec<ProbeRow>,
    /// The places of those with the highest accuracy from all labels, see [`in_front`].
    pub leaders: Vec<usize>,
}

/// Features of images.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ProbeRow {
    /// The run whose encoder gives them, or whose pixels they are, those of the first.
    pub run: String,
    /// What they are.
    pub features: Features,
    /// How many there are of an image.
    pub values: usize,
    /// For each number of labels the share of the test images that is classified correctly.
    pub accuracy: Vec<Figure>,
    /// For each number of labels, whether every fit converged.
    pub converged: Vec<bool>,
}

/// Refuses, before anything is trained: a run without an encoder, images without labels, of one class or without test images, runs with
/// different numbers of training images, a number of labels that is not as many of each class. More labels than there are images mean all
/// of them.
pub(in crate::study) fn check(wanted: &ProbeReport, runs: &[Planned]) -> Result<(), RunError> {
    let named: Vec<&Planned> = runs.iter().filter(|run| wanted.runs.contains(&run.name)).collect();
    for run in &named {
        let loaded = &run.prepared.loaded;
        let train = loaded.train();
        let lacks = match () {
            () if run.prepared.task.encoder().is_none() => "which has no encoder; one that has is expected",
            () if train.data.labels.is_none() => "whose images have no labels; a set that has is expected",
            () if !differ(&train.classes()) => "whose training images are of one class; two or more are expected",
            () if loaded.test().is_empty() => "which has no test images; some are expected",
            () if train.len() != named[0].prepared.loaded.train().len() => {
                "whose number of training images differs from that of the first run named; equal numbers are expected"
            }
            () => "",
        };
        if !lacks.is_empty() {
            return Err(RunError::Unusable(format!("report.probe.runs names {}, {lacks}", run.title())));
        }
        for &count in wanted.labels.iter().filter(|&&count| count < train.len()) {
            let refused = |why| RunError::Unusable(format!("report.probe.labels has {count}: {why}"));
            train.of_each_class(count).map_err(refused)?;
        }
    }
    Ok(())
}

/// Probes the codes of each run that `wanted` names, over its seeds, those of its encoder with random weights, and the pixels. `None` where
/// there is no such run. What [`check`] refuses was refused.
pub(super) fn measure(study: &Study, wanted: &ProbeReport) -> Result<Option<ProbeFacts>, RunError> {
    let named = wanted.runs.iter().map(|name| study.named(name).collect::<Vec<_>>());
    let runs: Vec<Vec<&StudyRun>> = named.filter(|seeds| !seeds.is_empty()).collect();
    let Some(first) = runs.first() else { return Ok(None) };
    let all = first[0].loaded().train().len();
    let mut labels: Vec<usize> = wanted.labels.iter().copied().filter(|&count| count < all).chain([all]).collect();
    labels.sort_unstable();
    labels.dedup();
    let mut rows = Vec::new();
    for seeds in &runs {
        rows.push(probed(study, seeds, Features::Trained, &labels)?);
    }
    for seeds in &runs {
        rows.push(probed(study, seeds, Features::Untrained, &labels)?);
    }
    rows.push(probed(study, first, Features::Pixels, &labels)?);
    let of_all: Vec<Figure> = rows.iter().filter_map(|row| row.accuracy.last().copied()).collect();
    Ok(Some(ProbeFacts { labels, leaders: in_front(&of_all, true), rows }))
}

fn probed(study: &Study, seeds: &[&StudyRun], features: Features, counts: &[usize]) -> Result<ProbeRow, RunError> {
    let mut found: Vec<Vec<f64>> = vec![Vec::new(); counts.len()];
    let (mut converged, mut values) = (vec![true; counts.len()], 0);
    for run in seeds {
        let (prepared, params, seed) = (&run.plan.prepared, &run.executed.outcome.params, run.plan.config.seed);
        let probe = Probe { prepared, params, seed, features, context: study.machine.context };
        for (at, probed) in probe.measure(counts)?.into_iter().enumerate() {
            found[at].push(probed.accuracy);
            converged[at] &= probed.fitted.minimum().converged;
            values = probed.values;
        }
    }
    let run = seeds[0].plan.name.clone();
    Ok(ProbeRow { run, features, values, accuracy: found.into_iter().map(Figure::of).collect(), converged })
}

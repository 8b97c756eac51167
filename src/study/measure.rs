//! What a study measures once its runs are trained: their decoders run backwards, and the floor under linear codes.

use super::{Observer, Study, StudyRun};
use crate::config::InversionReport;
use crate::data::Samples;
use crate::invert::output::{picture, write};
use crate::invert::{Inversion, LayerFacts, PartFigures, PcaFloor, Tolerances};
use crate::loss::Loss;
use crate::run::{Machine, RunError, watch};
use crate::tasks::Saturation;

/// A run whose decoder was run backwards.
#[derive(Clone, Debug)]
pub struct Inverted {
    /// The run.
    pub name: String,
    /// Numbers in its code.
    pub code_size: usize,
    /// Values of an image for each number of its code.
    pub compression_ratio: f64,
    /// The layers of its decoder.
    pub layers: Vec<LayerFacts>,
    /// The training images, then the test images, as far as they were measured.
    pub parts: Vec<PartFigures>,
    /// The first test images with what the decoder makes of their codes, as PNG.
    pub picture: Vec<u8>,
}

impl Inverted {
    /// The figures of a part.
    pub fn part(&self, name: &str) -> Option<&PartFigures> {
        self.parts.iter().find(|part| part.name == name)
    }
}

/// Everything measured for a report on inversion.
#[derive(Clone, Debug, Default)]
pub struct Inverting {
    /// The runs of [`InversionReport::invert`], on all images.
    pub whole: Vec<Inverted>,
    /// The runs of [`InversionReport::compression`], smallest code first, on the first images of each part.
    pub sizes: Vec<Inverted>,
    /// NRMSE of the first principal components, as many as each of `sizes` has numbers: of the training images and of the test
    /// images, both on components of the training images.
    pub floor: [Vec<f64>; 2],
    /// Runs trained on logits: NRMSE of the logits themselves on the training and test images, as if they were images.
    pub of_logits: Vec<(String, [f64; 2])>,
}

/// Runs the decoders backwards that `wanted` names; each run's folder gets its `inversion.json`, `.csv` and `.png`.
pub(super) fn invert(study: &Study, wanted: &InversionReport, observer: &dyn Observer) -> Result<Inverting, RunError> {
    let find = |name: &String| study.runs.iter().find(|run| run.name == *name);
    let mut measured = Inverting::default();
    for run in wanted.invert.iter().filter_map(find) {
        measured.whole.push(invert_run(run, study.machine, usize::MAX, observer, true)?);
    }
    let most = wanted.compression_images.unwrap_or(usize::MAX);
    for run in wanted.compression.iter().filter_map(find) {
        let counts = run.prepared.loaded.parts().map(|(_, indices)| indices.len());
        let known = measured.whole.iter().find(|inverted| inverted.name == run.name);
        let inverted = match known.filter(|_| counts.iter().all(|&count| count <= most)) {
            Some(inverted) => inverted.clone(),
            None => invert_run(run, study.machine, most, observer, known.is_none())?,
        };
        measured.sizes.push(inverted);
    }
    measured.sizes.sort_by_key(|inverted| inverted.code_size);
    if let Some(run) = wanted.compression.iter().find_map(find) {
        let sizes: Vec<usize> = measured.sizes.iter().map(|inverted| inverted.code_size).collect();
        measured.floor = study.machine.run(|| floor(run, study.machine, most, &sizes))?;
    }
    for (_, names) in &wanted.schemes {
        for run in names.iter().filter_map(find).filter(|run| run.config.model.loss == Loss::BceLogits) {
            if measured.of_logits.iter().all(|(name, _)| *name != run.name) {
                let errors = study.machine.run(|| of_logits(run, study.machine))??;
                measured.of_logits.push((run.name.clone(), errors));
            }
        }
    }
    Ok(measured)
}

/// The training and test images of a run, at most `most` of each.
fn parts(run: &StudyRun, most: usize) -> impl Iterator<Item = (&'static str, Samples<'_>)> {
    let parts = run.prepared.loaded.parts().into_iter();
    let parts = parts.filter(|(name, samples)| *name != "validation" && !samples.is_empty());
    parts.map(move |(name, samples)| (name, samples.first(most)))
}

fn invert_run(
    run: &StudyRun,
    machine: Machine,
    most: usize,
    observer: &dyn Observer,
    writes: bool,
) -> Result<Inverted, RunError> {
    let loaded = &run.prepared.loaded;
    let tolerances = Tolerances::default();
    let shown = loaded.split.test.len().min(most).min(10);
    machine.run(|| {
        let trained = run.prepared.trained(&run.executed.outcome.params, machine.context);
        let inversion = Inversion::new(trained, (loaded.data.height(), loaded.data.width()))?;
        let all = parts(run, most).map(|(_, samples)| samples.len()).sum();
        let (mut done, mut figures) = (0, Vec::new());
        for (name, images) in parts(run, most) {
            let mut watch = |more: usize| {
                done += more;
                observer.inverting(&run.name, done, all);
            };
            figures.push(inversion.measure(name, images, tolerances, &mut watch)?);
        }
        let mut drawn = Vec::new();
        if let Some(part) = figures.iter().find(|part| part.name == "test") {
            drawn = picture(&inversion, part, loaded.test().first(shown))?;
        }
        if writes {
            write(&run.folder, inversion.layers(), tolerances, &figures, Some(&drawn))?;
        }
        // The codes were for the picture, and of many runs they are hundreds of megabytes.
        figures.iter_mut().for_each(|part| part.codes = Default::default());
        Ok(Inverted {
            name: run.name.clone(),
            code_size: run.prepared.model().code_size(),
            compression_ratio: run.prepared.model().compression_ratio(),
            layers: inversion.layers().to_vec(),
            parts: figures,
            picture: drawn,
        })
    })?
}

fn floor(run: &StudyRun, machine: Machine, most: usize, sizes: &[usize]) -> [Vec<f64>; 2] {
    let loaded = &run.prepared.loaded;
    let floor = PcaFloor::of(machine.context, loaded.train());
    let of = |name: &str| {
        let part = parts(run, most).find(|(part, _)| *part == name);
        part.map_or(Vec::new(), |(_, samples)| floor.nrmse(samples, sizes))
    };
    ["train", "test"].map(of)
}

/// NRMSE of the decoder's output, taken for an image without the sigmoid that the loss applied to it.
fn of_logits(run: &StudyRun, machine: Machine) -> Result<[f64; 2], RunError> {
    let trained = run.prepared.trained(&run.executed.outcome.params, machine.context);
    let mut errors = [f64::NAN; 2];
    for (name, samples) in parts(run, usize::MAX) {
        let (mut squares, mut values) = (0.0, 0usize);
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for samples in samples.chunks(4096) {
            let x = samples.to_array();
            let y = trained.decode(trained.encode(x.view())?.view())?;
            for (&x, &y) in x.iter().zip(&y) {
                squares += (f64::from(x) - f64::from(y)).powi(2);
                (low, high) = (low.min(x), high.max(x));
            }
            values += x.len();
        }
        errors[usize::from(name == "test")] = (squares / values as f64).sqrt() / f64::from(high - low);
    }
    Ok(errors)
}

/// How the layers of a run saturate: before the first epoch, and after each.
#[derive(Clone, Debug)]
pub struct Course {
    /// The run.
    pub run: String,
    /// Training images that it was measured on.
    pub images: usize,
    /// The sigmoid and tanh layers, epoch by epoch from 0 on.
    pub epochs: Vec<Vec<Saturation>>,
}

/// Images that tell how a layer saturates.
const SATURATION_IMAGES: usize = 1000;

/// Repeats the runs that the report names, to look at their layers after each epoch.
pub(super) fn saturation(study: &Study) -> Result<Vec<Course>, RunError> {
    let named = study.runs.iter().filter(|run| study.config.report.saturation.contains(&run.name));
    let mut courses = Vec::new();
    for run in named.filter(|_| !study.interrupted) {
        let first = run.prepared.loaded.train().first(SATURATION_IMAGES);
        let mut epochs = Vec::new();
        study.machine.run(|| {
            watch(&run.config, &run.prepared, study.machine.context, |_, params| {
                let trained = run.prepared.trained(params, study.machine.context);
                epochs.push(trained.saturation(first));
            })
        })??;
        courses.push(Course { run: run.name.clone(), images: first.len(), epochs });
    }
    Ok(courses)
}

//! The figures of a run over its seeds.

use std::collections::BTreeMap;

use ndarray::ArrayView1;
use serde::Serialize;
use serde_json::Value;

use super::record::{Columns, Record};
use crate::data::{Samples, Splits};
use crate::study::StudyRun;
use crate::study::figure::{Figure, Floors, Verdict, over_seeds};
use crate::train::Stop;

/// Images at a time; no figure depends on it.
const CHUNK: usize = 512;

/// A run: its configuration, and what its seeds measured.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::study) struct RunFacts {
    /// Its name.
    pub name: String,
    /// The folder of each seed, seen from that of the study.
    pub folders: Vec<String>,
    /// The seeds.
    pub seeds: Vec<u64>,
    /// Its configuration, complete, as `config.toml` of the first seed has it.
    pub config: Value,
    /// The number of its value on each axis of the grid that has several.
    pub place: Vec<usize>,
    /// The number of its data in [`Facts::sets`](super::Facts::sets).
    pub set: usize,
    /// Runs with the same number see the same images in the same way: their figures may stand in one ranking.
    pub group: usize,
    /// What its loss is, with its unit.
    pub loss_label: &'static str,
    /// Whether its loss depends on what it is trained against, a discriminator or other views, and says nothing beside that of another run.
    pub loss_is_relative: bool,
    /// Numbers in its code; 0 where it has none.
    pub code_size: usize,
    /// Seeds that ended by early stopping, after the last epoch, and by an interruption.
    pub stops: Stops,
    /// Figures that runs are compared by, by their key, see [`METRICS`](super::compare::METRICS).
    pub measured: BTreeMap<&'static str, Figure>,
    /// The keys of those in which no run of its group is better by a difference that counts, where some are worse.
    pub best: Vec<&'static str>,
    /// Everything in `metrics.json` and what the history adds, see [`Record`].
    pub figures: Value,
    /// What it is judged by: its mean squared error per pixel on the images that models are judged by; of a run that learns to
    /// undo noise, that of the restored images.
    pub score: Figure,
    /// The same error if every image were answered by the mean training image.
    pub mean_image: Figure,
    /// How the score stands to that.
    pub against_mean: Verdict,
    /// How restored images stand to the noisy ones, by their error; of a run that learns to undo noise.
    pub restored: Option<Verdict>,
    /// `metrics.json` of each seed, with what the history adds.
    #[serde(skip)]
    pub each: Vec<Value>,
    /// The history of each seed.
    #[serde(skip)]
    pub history: Vec<Columns>,
}

/// How many seeds ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::study) struct Stops {
    /// By early stopping.
    pub early: usize,
    /// With all epochs made.
    pub last: usize,
    /// By a person.
    pub interrupted: usize,
}

impl RunFacts {
    /// Of the seeds of one run, with the error of the mean training image for each. Place, set, group and what is measured are
    /// left to the whole.
    pub(super) fn of(seeds: &[(&StudyRun, Record)], mean_image: Figure, judged: &str, floors: Floors) -> RunFacts {
        let (first, record) = &seeds[0];
        let metrics: Vec<Value> = seeds.iter().map(|(_, record)| record.metrics.clone()).collect();
        let figures = over_seeds(&metrics);
        let part = &figures["evaluation"][judged];
        let denoising = &part["denoising"];
        let score = Figure::read(if denoising.is_null() { &part["mse"] } else { &denoising["mse"] });
        let error = Some(floors.error);
        let restored = Figure::read(&denoising["mse"]).against(&Figure::read(&denoising["noisy_mse"]), error);
        let mut stops = Stops::default();
        for (run, _) in seeds {
            *match run.executed.outcome.stop {
                Stop::Early => &mut stops.early,
                Stop::LastEpoch => &mut stops.last,
                Stop::Interrupted { .. } => &mut stops.interrupted,
            } += 1;
        }
        let task = &first.plan.prepared.task;
        RunFacts {
            name: first.plan.name.clone(),
            folders: seeds.iter().map(|(run, _)| run.plan.folder().to_string_lossy().replace('\\', "/")).collect(),
            seeds: seeds.iter().map(|(run, _)| run.plan.config.seed).collect(),
            config: record.config.clone(),
            loss_label: task.loss_label(),
            loss_is_relative: task.autoencoder().is_none() && first.plan.config.task.classifier().is_none(),
            code_size: task.encoder().map_or(0, |encoder| encoder.output().len()),
            stops,
            score,
            mean_image,
            against_mean: score.against(&mean_image, error),
            restored: (!denoising.is_null()).then_some(restored),
            figures,
            each: metrics,
            history: seeds.iter().map(|(_, record)| record.history.clone()).collect(),
            ..RunFacts::default()
        }
    }

    /// Whether a seed was interrupted.
    pub fn is_interrupted(&self) -> bool {
        self.stops.interrupted > 0
    }

    /// Of a code that is a distribution, the divergence of each of its numbers on a part.
    pub fn divergences(&self, part: &str) -> Option<Vec<f64>> {
        let each = self.figures["evaluation"][part]["elbo"]["kl_per_dimension"].as_array()?;
        Some(each.iter().map(|kl| Figure::read(kl).mean).collect())
    }

    /// A figure by its key; absent where the run has none.
    pub fn measured(&self, key: &str) -> Figure {
        self.measured.get(key).copied().unwrap_or_default()
    }
}

/// The mean over images and pixels of `part` of (pixel − mean training image)², pixels as the run sees them; NaN for no images.
pub(super) fn mean_image_mse(loaded: &Splits, part: &str) -> f64 {
    let in_chunks = |samples: Samples<'_>, work: &mut dyn FnMut(ArrayView1<'_, f64>)| {
        samples.chunks(CHUNK).for_each(|samples| samples.to_array().outer_iter().for_each(&mut *work));
    };
    let (train, part) = (loaded.train(), loaded.part(part).unwrap_or(loaded.train().first(0)));
    let mut mean = vec![0.0; train.features()];
    in_chunks(train, &mut |image| mean.iter_mut().zip(image).for_each(|(sum, pixel)| *sum += pixel));
    mean.iter_mut().for_each(|sum| *sum /= train.len() as f64);
    let mut squares = 0.0;
    in_chunks(part, &mut |image| squares += mean.iter().zip(image).map(|(mean, x)| (x - mean).powi(2)).sum::<f64>());
    squares / (part.len() * mean.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::mean_image_mse;
    use crate::data::{Dataset, Split, Splits};

    #[test]
    fn the_mean_image_is_taken_of_pixels_as_the_run_sees_them() {
        // Twelve pictures of 1×2 pixels, whose levels are 100 and 200.
        let bytes = [[100u8, 200].repeat(6), [200u8, 100].repeat(6)].concat();
        let split = Split { train: (0..12).collect(), validation: Vec::new(), test: Vec::new() };
        let data = Dataset::from_bytes("levels", [1, 2, 1], bytes).unwrap();
        let unit = Splits { data, split, origin: String::new() };
        let scaled = unit.clone().standard_min_max().unwrap();
        // Every pixel is half the range from its mean: 50/255 of the unit, or 1/2 of the range that the scaling makes 1.
        for (images, expected) in [(unit, (50.0f64 / 255.0).powi(2)), (scaled, 0.25)] {
            let found = mean_image_mse(&images, "train");
            assert!((found - expected).abs() < 1e-12, "{found} for {expected}");
        }
    }
}

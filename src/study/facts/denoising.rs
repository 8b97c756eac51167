//! How runs undo noise that they were trained on, and noise that they were not.

use serde::Serialize;

use super::RunError;
use crate::data::Corruption;
use crate::settings::Choice as _;
use crate::study::figure::Figure;
use crate::study::{Study, StudyRun};
use crate::tape::Arena;
use crate::tasks::psnr;

/// Noise trained on × noise tested on.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct DenoisingFacts {
    /// The kinds of noise that any of the runs is trained on, in their order.
    pub noises: Vec<String>,
    /// The peak signal-to-noise ratio in dB of the test images with each.
    pub noisy: Vec<Figure>,
    /// The runs.
    pub rows: Vec<DenoisingRow>,
    /// Who restores each noise best, by the mean over the seeds.
    pub best: Vec<String>,
}

/// What a run makes of each noise.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct DenoisingRow {
    /// The run.
    pub run: String,
    /// The noise that it was trained on, by its number; `None` where it was trained on clean images.
    pub trained_on: Option<usize>,
    /// The peak signal-to-noise ratio in dB of what it makes of the test images with each noise.
    pub restored: Vec<Figure>,
}

/// A noise in words: "gaussian 0.3".
fn words(noise: Corruption) -> String {
    let (Corruption::Gaussian { std: size }
    | Corruption::Masking { rate: size }
    | Corruption::SaltAndPepper { rate: size }) = noise;
    format!("{} {size}", noise.names()[noise.chosen()])
}

/// Measures every run of `names` on every noise that one of them is trained on, on the test images. All seeds of a run count; an
/// image has the same noise for each of them. `None` where no run is trained on noise.
pub(super) fn measure(study: &Study, names: &[String]) -> Result<Option<DenoisingFacts>, RunError> {
    let runs: Vec<(&String, Vec<&StudyRun>)> = names.iter().map(|name| (name, study.named(name).collect())).collect();
    let trained_on = |run: &StudyRun| Ok::<_, RunError>(run.trained(study.machine)?.objective.corruption);
    let mut noises: Vec<Corruption> = Vec::new();
    for run in runs.iter().filter_map(|(_, seeds)| seeds.first()) {
        noises.extend(trained_on(run)?.filter(|noise| !noises.contains(noise)));
    }
    let Some(first) = runs.iter().find_map(|(_, seeds)| seeds.first()).filter(|_| !noises.is_empty()) else {
        return Ok(None);
    };
    let seed = first.plan.config.seed;
    let (mut rows, mut noisy, mut arena) = (Vec::new(), vec![Figure::default(); noises.len()], Arena::default());
    for (name, seeds) in runs.iter().filter(|(_, seeds)| !seeds.is_empty()) {
        let mut restored = Vec::new();
        for (at, &noise) in noises.iter().enumerate() {
            let mut ratios = Vec::new();
            for run in seeds {
                let found = run.trained(study.machine)?.denoise(run.loaded().test(), noise, seed, &mut arena);
                ratios.push([found.mse, found.noisy_mse].map(psnr));
            }
            let [of_restored, of_noisy] = [0, 1].map(|one| Figure::of(ratios.iter().map(|both| both[one])));
            restored.push(of_restored);
            noisy[at] = of_noisy;
        }
        let trained_on = trained_on(seeds[0])?.and_then(|noise| noises.iter().position(|other| *other == noise));
        rows.push(DenoisingRow { run: (*name).clone(), trained_on, restored });
    }
    let best = (0..noises.len()).map(|at| {
        let mean = |row: &&DenoisingRow| row.restored[at].mean;
        rows.iter().max_by(|a, b| mean(a).total_cmp(&mean(b))).map_or(String::new(), |row| row.run.clone())
    });
    Ok(Some(DenoisingFacts { best: best.collect(), noises: noises.into_iter().map(words).collect(), noisy, rows }))
}

//! The codes of a run: accuracy of a classifier, Jacobian, what lies between two of them, and what a prior decodes to.

use std::collections::BTreeMap;

use ndarray::ArrayView1;
use serde::Serialize;
use serde_json::{Value, json};

use super::pictures::{CodePictures, ImageTable};
use super::{RunError, differ};
use crate::analysis::{
    ALPHAS, AnalysisError, CodeSpread, Comparison, Gaussian, LogisticRegression, Pair, Pca, choose_pairs, interpolate,
    plane, traverse,
};
use crate::config::RunConfig;
use crate::data::Samples;
use crate::figures::number::{significant, typeset};
use crate::rng::{Purpose, stream};
use crate::run::Machine;
use crate::study::figure::number;
use crate::study::{Study, StudyRun};
use crate::tape::Arena;
use crate::tasks::{Trained, jacobian_images};

/// Pairs of test images of different classes that are interpolated between.
const PAIRS: usize = 20;
/// Pairs whose pictures are shown.
const SHOWN_PAIRS: usize = 6;
/// Images drawn from a variational run.
const SAMPLES: usize = 15;
/// Numbers of a code that are traversed, those of the largest effect.
const TRAVERSED: usize = 32;
/// Pixels that differ by no more than this are the same: a sigmoid far from zero gives numbers of all sizes down to the smallest.
const SAME: f32 = 1e-6;
/// Values that a traversal gives each number of the code.
const STEPS: [f32; 9] = [-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0];

/// The measures of a run over its seeds.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct CodesFacts {
    /// The run.
    pub run: String,
    /// The runs that are this one without one thing, see [`without`].
    pub without: BTreeMap<&'static str, String>,
    /// The figures of [`measure`].
    pub figures: Value,
    /// The same for each seed.
    #[serde(skip)]
    pub each: Vec<(u64, Value)>,
}

/// The runs of the study that are this one without one thing: without its contractive penalty (`contraction`), without the divergence
/// in its loss (`divergence`), with its samples divided one by one instead of in blocks (`blocks`).
pub(super) fn without(study: &Study, run: &StudyRun) -> BTreeMap<&'static str, String> {
    type Take = fn(&mut RunConfig) -> bool;
    let takes: [(&str, Take); 3] = [
        ("contraction", |config| config.task.autoencoder_mut().is_some_and(|model| model.contractive.take().is_some())),
        ("divergence", |config| {
            let variational = config.task.autoencoder_mut().and_then(|model| model.variational.as_mut());
            variational.is_some_and(|code| std::mem::take(&mut code.beta) > 0.0)
        }),
        ("blocks", |config| std::mem::replace(&mut config.data.split.block, 1) > 1),
    ];
    let found = takes.into_iter().filter_map(|(what, take)| {
        let twin = study.runs.iter().find(|other| run.is_without(take, other))?;
        Some((what, twin.plan.name.clone()))
    });
    found.collect()
}

/// Where two classes occur, accuracies of a multinomial logistic regression on the codes of the training images (`accuracy`,
/// standardised codes, and `accuracy_raw`: shares of the training and of the test images, and whether the search converged); the mean of
/// ‖∂code/∂input‖_F over the first test images (`jacobian`, of `jacobian_images`), what lies between `pairs` of test images
/// (`interpolation`, one entry for each α; `is_one_image`: all that is decoded there is one image), the share of the variance along
/// the first two principal components of the training codes (`components`).
pub(super) fn measure(study: &Study, run: &StudyRun) -> Result<(Value, CodePictures), RunError> {
    let (loaded, context, trained) = (run.loaded(), study.machine.context, run.trained(study.machine)?);
    let (train, test) = (loaded.train(), loaded.test());
    let first = test.first(jacobian_images(trained.model.encoder()));
    let mut pictures = CodePictures::default();
    let mut figures = json!({
        "jacobian": number(trained.mean_jacobian_norm(first, &mut Arena::default())),
        "jacobian_images": first.len().to_string(),
    });
    if test.len() >= 2 {
        let pairs = choose_pairs(loaded.data.labels.as_deref(), test.indices, PAIRS, run.plan.config.seed)?;
        let (found, is_one_image, strips) = between(&trained, run, &pairs)?;
        (figures["interpolation"], pictures.strips) = (found, Some(strips));
        (figures["pairs"], figures["shown_pairs"]) =
            (json!(pairs.len().to_string()), json!(pairs.len().min(SHOWN_PAIRS).to_string()));
        figures["is_one_image"] = json!(is_one_image);
    }
    if let (Some(train_labels), Some(test_labels)) = (train.labels(), test.labels()) {
        let (train_labels, test_labels) = (train_labels.collect::<Vec<u8>>(), test_labels.collect::<Vec<u8>>());
        let (train, test) = (trained.encode(train)?, trained.encode(test)?);
        let accuracy = |fitted: LogisticRegression| -> Result<Value, AnalysisError> {
            Ok(json!({
                "train": number(fitted.accuracy(context, train.view(), &train_labels)?),
                "test": number(fitted.accuracy(context, test.view(), &test_labels)?),
                "converged": fitted.minimum().converged,
            }))
        };
        if differ(&train_labels) {
            figures["accuracy"] = accuracy(LogisticRegression::fit(context, train.view(), &train_labels)?)?;
            figures["accuracy_raw"] =
                accuracy(LogisticRegression::fit_unscaled(context, train.view(), &train_labels)?)?;
        }
        if train_labels.len() > 1 {
            let pca = Pca::fit(context, train.view(), 2)?;
            let points = pca.project(context, test.view())?;
            figures["components"] = json!(pca.shares);
            let at = |i: usize, component: usize| points.row(i).get(component).copied().unwrap_or(0.0);
            let points = test_labels.iter().enumerate().map(|(i, &label)| (at(i, 0), at(i, 1), usize::from(label)));
            pictures.points = points.collect();
        }
    }
    Ok((figures, pictures))
}

/// For each α, the means over the pairs of the PSNR and the distance (L2 / √pixels) between D(z_α) and the blend of the decoded
/// ends, of the PSNR between D(z_α) and D(E(x_α)), and of ‖E(x_α) − z_α‖₂, z_α and x_α being the blends of codes and of images;
/// whether everything that is decoded is one image; and the decoded images of some pairs.
fn between(trained: &Trained<'_, f32>, run: &StudyRun, pairs: &[Pair]) -> Result<(Value, bool, ImageTable), RunError> {
    let loaded = run.loaded();
    let end = |of: fn(&Pair) -> u32| {
        Samples { data: &loaded.data, indices: &pairs.iter().map(of).collect::<Vec<_>>() }.to_array()
    };
    let ends = [end(|pair| pair.first), end(|pair| pair.second)];
    let found = interpolate(trained, ends[0].view(), ends[1].view())?;
    let row = |(alpha, mean): (&f64, &Comparison)| {
        json!({
            "alpha": alpha.to_string(),
            "blend_psnr": number(mean.psnr),
            "blend_distance": number(mean.distance),
            "image_psnr": number(mean.image_psnr),
            "code_distance": number(mean.code_distance),
        })
    };
    let rows: Vec<Value> = ALPHAS.iter().zip(&found.mean).map(row).collect();
    let image = || std::iter::once("image".to_owned());
    let columns = image().chain(ALPHAS.map(|alpha| format!("α = {alpha}"))).chain(image());
    let mut strips = ImageTable::new(&loaded.data, columns.collect());
    for pair in 0..pairs.len().min(SHOWN_PAIRS) {
        let middle = found.decoded[pair].outer_iter();
        strips.row("", std::iter::once(ends[0].row(pair)).chain(middle).chain([ends[1].row(pair)]))?;
    }
    let first = found.decoded[0].row(0);
    let is_first = |image: ArrayView1<'_, f32>| image.iter().zip(first).all(|(a, b)| (a - b).abs() <= SAME);
    let is_one_image = found.decoded.iter().all(|pair| pair.outer_iter().all(is_first));
    Ok((json!(rows), is_one_image, strips))
}

/// Adds to the pictures, where the code is a distribution with these `divergences`, images of codes drawn from N(0, I) and the
/// traversals of its numbers, that of the largest effect first, those that are not active said to be so; and of a code of two
/// numbers images of codes on a grid: of N(0, I), else of the training codes.
pub(super) fn draw(
    machine: Machine,
    run: &StudyRun,
    divergences: Option<&[f64]>,
    pictures: &mut CodePictures,
) -> Result<(), RunError> {
    let (loaded, trained) = (run.loaded(), run.trained(machine)?);
    let size = trained.model.code_size();
    if let Some(divergences) = divergences {
        let codes = Gaussian::standard(size).sample(SAMPLES, &mut stream(run.plan.config.seed, Purpose::Sample, 0));
        let mut samples = ImageTable::new(&loaded.data, Vec::new());
        samples.row("", trained.decode_images(codes.view())?.outer_iter())?;
        let mut traversals = ImageTable::new(&loaded.data, STEPS.map(|step| typeset(&step.to_string())).to_vec());
        let prior = CodeSpread::prior(divergences);
        let all = CodeSpread { active: vec![true; size], ..prior.clone() };
        for row in traverse(&trained, ArrayView1::from(&vec![0.0; size]), &all, &STEPS)?.into_iter().take(TRAVERSED) {
            let inactive = if prior.active[row.unit] { "" } else { ", inactive" };
            let nats = significant(divergences[row.unit], 2);
            let label = format!("number {} ({nats} nats{inactive})", row.unit + 1);
            traversals.row(label, row.images.outer_iter())?;
        }
        (pictures.samples, pictures.traversals) = (Some(samples), Some(traversals));
    }
    if size == 2 {
        let spread = match divergences {
            Some(divergences) => CodeSpread::prior(divergences),
            None => CodeSpread::of(trained.encode(loaded.train())?.view()),
        };
        let ticks = spread.ticks.expect("a code of two numbers has ticks");
        let label = |tick: &f32| typeset(&significant(f64::from(*tick), 2));
        let mut table = ImageTable::new(&loaded.data, ticks[0].iter().map(label).collect());
        for (second, row) in plane(&trained, &ticks)? {
            table.row(label(&second), row.outer_iter())?;
        }
        pictures.plane = Some(table);
    }
    Ok(())
}

//! Maps of codes, their accuracy and trustworthiness.

use ndarray::{Array2, ArrayView2};
use serde::Serialize;

use super::RunError;
use crate::analysis::{EXAGGERATED, Neighbours, Pca, Tsne, kl_divergence};
use crate::study::{Study, StudyRun};
use crate::train::Flow;

/// Iterations after which t-SNE is shown on its way: as many as the published map had.
const SHORT: usize = 300;
/// Neighbours that maps are measured by.
const NEIGHBOURS: usize = 10;

/// Maps of the test codes of a run (the first seed).
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct MapsFacts {
    /// The run.
    pub run: String,
    /// How many codes.
    pub codes: usize,
    /// The number of neighbours that count.
    pub perplexity: f64,
    /// Iterations of t-SNE, from the first on, in which affinities are exaggerated.
    pub exaggerated: usize,
    /// What they are multiplied by then.
    pub exaggeration: f32,
    /// The momentum in those iterations, and after them.
    pub momenta: [f32; 2],
    /// Neighbours that maps are measured by.
    pub neighbours: usize,
    /// The share of codes whose class most of their neighbours among the codes have; `None` without classes.
    pub accuracy: Option<f64>,
    /// The maps: principal components, then t-SNE.
    pub maps: Vec<MapFacts>,
}

/// A map of codes.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct MapFacts {
    /// Iterations of t-SNE; `None` for principal components.
    pub iterations: Option<usize>,
    /// The share of the variance that two principal components explain; of t-SNE `None`.
    pub variance: Option<f64>,
    /// The Kullback-Leibler divergence over all pairs that t-SNE lowers; of the other map `None`.
    pub divergence: Option<f64>,
    /// The share of points whose class most of their neighbours in the map have; `None` without classes.
    pub accuracy: Option<f64>,
    /// How far neighbours in the map can be trusted to be neighbours among the codes.
    pub trustworthiness: f64,
    /// x, y and class of every point.
    #[serde(skip)]
    pub points: Vec<(f64, f64, usize)>,
}

/// The maps of a run's test codes; `None` where there are too few codes for a map, or codes of one number.
pub(super) fn measure(study: &Study, run: &StudyRun) -> Result<Option<MapsFacts>, RunError> {
    let (test, context) = (run.loaded().test(), study.machine.context);
    let perplexity = Tsne::default().perplexity.min((test.len().max(1) - 1) as f64 / 3.0).floor();
    let tsne = Tsne { perplexity, ..Tsne::default() };
    let Some(encoder) = run.plan.prepared.encoder(&run.executed.outcome.params, context) else { return Ok(None) };
    if encoder.code_size() < 2 || perplexity < 1.0 || test.len() <= 2 * NEIGHBOURS {
        return Ok(None);
    }
    let labels: Option<Vec<u8>> = test.labels().map(Iterator::collect);
    let codes = encoder.encode(test)?;
    let pca = Pca::fit(context, codes.view(), 2)?;
    let accuracy = |near: &Neighbours| labels.as_ref().map(|labels| near.accuracy(labels)).transpose();
    let measured = |points: ArrayView2<'_, f32>, iterations: Option<usize>| -> Result<MapFacts, RunError> {
        let near = Neighbours::of(context, points, NEIGHBOURS)?;
        let divergence = iterations.map(|_| kl_divergence(context, codes.view(), points, perplexity)).transpose()?;
        let class = |i: usize| labels.as_ref().map_or(0, |labels| usize::from(labels[i]));
        let points = points.outer_iter().enumerate();
        Ok(MapFacts {
            iterations,
            variance: iterations.is_none().then(|| pca.shares.iter().sum()),
            divergence,
            accuracy: accuracy(&near)?,
            trustworthiness: near.trustworthiness(context, codes.view())?,
            points: points.map(|(i, at)| (f64::from(at[0]), f64::from(at[1]), class(i))).collect(),
        })
    };
    let components: Array2<f32> = pca.project(context, codes.view())?.mapv(|x| x as f32);
    let mut maps = vec![measured(components.view(), None)?];
    let mut short = Array2::zeros((codes.nrows(), 2));
    let mut note = |done, at: [&[f32]; 2]| {
        if done == SHORT {
            short = Array2::from_shape_fn(short.raw_dim(), |(i, axis)| at[axis][i]);
        }
        Flow::Continue
    };
    let map = tsne.fit(context, codes.view(), &mut note)?;
    maps.push(measured(short.view(), Some(SHORT))?);
    maps.push(measured(map.points.view(), Some(map.iterations))?);
    Ok(Some(MapsFacts {
        run: run.plan.name.clone(),
        codes: codes.nrows(),
        perplexity,
        exaggerated: EXAGGERATED,
        exaggeration: tsne.exaggeration,
        momenta: tsne.momenta,
        neighbours: NEIGHBOURS,
        accuracy: accuracy(&Neighbours::of(context, codes.view(), NEIGHBOURS)?)?,
        maps,
    }))
}

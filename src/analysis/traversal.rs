//! What each number of a code does to the image: codes of which one number moves, and codes of two numbers on a grid.

use ndarray::{Array2, ArrayView1, ArrayView2};

use super::error::AnalysisError;
use crate::tasks::{ACTIVE_NATS, Trained};

/// Values of each number of a code on a grid.
pub const TICKS: usize = 15;

/// How the numbers of a code are spread.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeSpread {
    /// The middle of each.
    pub mean: Vec<f32>,
    /// The standard deviation of each.
    pub deviation: Vec<f32>,
    /// Whether it says anything about the image.
    pub active: Vec<bool>,
    /// Of a code of two numbers, the values of each on a grid, ascending.
    pub ticks: Option<[Vec<f32>; 2]>,
}

impl CodeSpread {
    /// N(0, I), which the codes of a variational model follow. A number is active when its mean divergence exceeds
    /// [`ACTIVE_NATS`]; ticks are quantiles from 5 % to 95 % at equal distances of probability (Kingma & Welling 2014, figure 4).
    pub fn prior(divergences: &[f64]) -> CodeSpread {
        let size = divergences.len();
        let active = divergences.iter().map(|&kl| kl > ACTIVE_NATS).collect();
        let last = TICKS - 1;
        let quantiles = || (0..TICKS).map(|i| normal_quantile((last + 18 * i) as f64 / (20 * last) as f64)).collect();
        let ticks = (size == 2).then(|| [quantiles(), quantiles()]);
        CodeSpread { mean: vec![0.0; size], deviation: vec![1.0; size], active, ticks }
    }

    /// That of `codes` [n, code], n ≥ 1. A number is active when it is not the same in all codes; ticks lie at equal distances
    /// from the 5th to the 95th percentile.
    pub fn of(codes: ArrayView2<'_, f32>) -> CodeSpread {
        let count = codes.nrows() as f64;
        let (mut mean, mut deviation, mut active) = (Vec::new(), Vec::new(), Vec::new());
        for column in codes.columns() {
            let centre = column.iter().map(|&z| f64::from(z)).sum::<f64>() / count;
            let squares: f64 = column.iter().map(|&z| (f64::from(z) - centre).powi(2)).sum();
            mean.push(centre as f32);
            deviation.push((squares / count).sqrt() as f32);
            active.push(column.iter().any(|&z| z != column[0]));
        }
        let ticks = (codes.ncols() == 2).then(|| [0, 1].map(|unit| between_percentiles(codes.column(unit))));
        CodeSpread { mean, deviation, active, ticks }
    }
}

/// x with Φ(x) = p, by Newton's method from 0, whose steps never pass x.
fn normal_quantile(p: f64) -> f32 {
    let step = |x: f64, _| {
        let density = libm::exp(-0.5 * x * x) / std::f64::consts::TAU.sqrt();
        x - (0.5 * libm::erfc(-x / std::f64::consts::SQRT_2) - p) / density
    };
    (0..20).fold(0.0, step) as f32
}

fn between_percentiles(values: ArrayView1<'_, f32>) -> Vec<f32> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    let [low, high] = [5, 95].map(|percent| sorted[(sorted.len() - 1) * percent / 100]);
    (0..TICKS).map(|i| low + (high - low) * i as f32 / (TICKS - 1) as f32).collect()
}

/// What is decoded while one number of the code moves.
#[derive(Clone, Debug, PartialEq)]
pub struct Traversal {
    /// Which number, counted from 0.
    pub unit: usize,
    /// The mean squared difference of a pixel from its mean over the row.
    pub effect: f64,
    /// [offsets, pixels].
    pub images: Array2<f32>,
}

/// The images of the codes that differ from `base` \[code\] in one number, by each of `offsets` times its deviation: a row for
/// each active number, the one of largest effect first.
pub fn traverse(
    trained: &Trained<'_, f32>,
    base: ArrayView1<'_, f32>,
    spread: &CodeSpread,
    offsets: &[f32],
) -> Result<Vec<Traversal>, AnalysisError> {
    let row = |unit: usize| {
        let mut codes = Array2::from_shape_fn((offsets.len(), base.len()), |(_, j)| base[j]);
        codes.column_mut(unit).iter_mut().zip(offsets).for_each(|(z, by)| *z += by * spread.deviation[unit]);
        let images = trained.decode_images(codes.view())?;
        let squares = images.columns().into_iter().map(|pixel| {
            let mean = pixel.iter().map(|&v| f64::from(v)).sum::<f64>() / offsets.len() as f64;
            pixel.iter().map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>()
        });
        Ok(Traversal { unit, effect: squares.sum::<f64>() / images.len() as f64, images })
    };
    let active = (0..base.len()).filter(|&unit| spread.active[unit]);
    let mut rows = active.map(row).collect::<Result<Vec<Traversal>, AnalysisError>>()?;
    rows.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    Ok(rows)
}

/// The images of a decoder of two numbers at `ticks`: a row of images [ticks, pixels], the first number ascending from the left,
/// for each value of the second, the largest first.
pub fn plane(trained: &Trained<'_, f32>, ticks: &[Vec<f32>; 2]) -> Result<Vec<(f32, Array2<f32>)>, AnalysisError> {
    let row = |&second: &f32| {
        let codes = Array2::from_shape_fn((ticks[0].len(), 2), |(i, unit)| [ticks[0][i], second][unit]);
        Ok((second, trained.decode_images(codes.view())?))
    };
    ticks[1].iter().rev().map(row).collect()
}

//! How much each parameter decides whether a trial is among the best: PED-ANOVA.
//!
//! The values of a parameter are counted on a grid, those of the best tenth of the trials and those of all, and smoothed to
//! densities p and q by a kernel estimate with Scott's σ and one kernel for what is known without trials. The importance is
//! Pearson's divergence Σ q (p/q − 1)², divided by the sum over the parameters. (S. Watanabe, A. Bansal, F. Hutter,
//! "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in Arbitrary Subspaces", IJCAI 2023; with the settings of
//! Optuna 5.0.)

use super::normal::mass;
use super::space::{Domain, Space};
use super::trial::Trial;

/// The share of trials that are the best, and how many they are at least.
const BEST: (f64, usize) = (0.1, 2);
/// Points of the grid of a range.
const GRID: usize = 50;
/// What keeps the quotient of densities finite.
const FLOOR: f64 = 1e-12;

/// The importance of each parameter that has a meaning in every complete trial, in the order of the space, together 1 where any
/// is above 0; objectives are multiplied by `sign` to be minimised. None for the others, and for all with fewer than two
/// complete trials.
pub fn importance(space: &Space, trials: &[Trial], sign: f64) -> Vec<Option<f64>> {
    let complete: Vec<(&Trial, f64)> = trials.iter().filter_map(|trial| Some((trial, sign * trial.value()?))).collect();
    if complete.len() < 2 {
        return vec![None; space.len()];
    }
    let mut values: Vec<f64> = complete.iter().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let place = (BEST.0 * values.len() as f64).ceil() as usize;
    let worst_of_best = values[place.max(BEST.1) - 1];
    let divergence = |number: usize| {
        let domain = space.parameters()[number].domain;
        let all: Option<Vec<f64>> = complete.iter().map(|(trial, _)| trial.point[number]).collect();
        let all = all?;
        let best = complete.iter().zip(&all).filter(|((_, value), _)| *value <= worst_of_best).map(|(_, x)| *x);
        let [p, q] = [best.collect(), all].map(|values| density(domain, values));
        Some(p.iter().zip(&q).map(|(p, q)| q * (p / q - 1.0) * (p / q - 1.0)).sum::<f64>())
    };
    let mut all: Vec<Option<f64>> = (0..space.len()).map(divergence).collect();
    let sum: f64 = all.iter().flatten().sum();
    if sum > 0.0 {
        all.iter_mut().flatten().for_each(|one| *one /= sum);
    }
    all
}

/// The density of values on the grid of their domain.
fn density(domain: Domain, values: Vec<f64>) -> Vec<f64> {
    let (points, cells): (usize, Vec<usize>) = match domain {
        Domain::Choices(count) => (count, values.iter().map(|value| *value as usize).collect()),
        _ => {
            let [low, high] = domain.ends().map(|end| domain.transform(end));
            let points = points(domain);
            let step = (high - low) / (points - 1) as f64;
            let at = |cell: usize| if cell + 1 == points { high } else { low + step * cell as f64 };
            // A value belongs to the first point that it is not more than half a step above.
            let cell = |value: &f64| {
                let value = domain.transform(*value) - 0.5 * step;
                (0..points).position(|cell| at(cell) >= value).unwrap_or(points - 1)
            };
            (points, values.iter().map(cell).collect())
        }
    };
    let mut counts = vec![0usize; points];
    cells.iter().for_each(|&cell| counts[cell] += 1);
    let kernels: Vec<(usize, usize)> = counts.iter().copied().enumerate().filter(|(_, count)| *count > 0).collect();
    let weight = 1.0 / (values.len() + 1) as f64;
    let density = |at: usize| match domain {
        Domain::Choices(_) => {
            let even = 1.0 / (kernels.len() + 1) as f64;
            let sum = 1.0 + points as f64 * even;
            let choice = |(cell, count): &(usize, usize)| *count as f64 * (f64::from(*cell == at) + even) / sum;
            kernels.iter().map(choice).sum::<f64>() + 1.0 / points as f64
        }
        _ => {
            let last = points as f64;
            let kernel = |mu: f64, sigma: f64| {
                let mass = |a: f64, b: f64| mass((a - mu) / sigma, (b - mu) / sigma);
                mass(at as f64 - 0.5, at as f64 + 0.5) / mass(-0.5, last - 0.5)
            };
            let sigma = scott(&kernels, values.len());
            let sum: f64 = kernels.iter().map(|(cell, count)| *count as f64 * kernel(*cell as f64, sigma)).sum();
            sum + kernel(0.5 * (last - 1.0), last)
        }
    };
    (0..points).map(|at| density(at) * weight + FLOOR).collect()
}

/// Points of the grid: of few integers each, of logarithmic ones about as many as powers of two.
fn points(domain: Domain) -> usize {
    match domain {
        Domain::Int { low, high, log } => {
            let count = (high - low) as u64 + 1;
            let log2 = 64 - (count - 1).leading_zeros() as u64;
            GRID.min(usize::try_from(if log { log2 + 1 } else { count }).unwrap_or(GRID))
        }
        _ => GRID,
    }
}

/// σ by Scott's rule from the occupied points and their counts: from the standard deviation or the middle half, whichever is
/// narrower; at least so wide that nine tenths of a kernel lie in its cell.
fn scott(kernels: &[(usize, usize)], count: usize) -> f64 {
    let n = count as f64;
    let mean = kernels.iter().map(|(cell, count)| (*cell * *count) as f64).sum::<f64>() / n;
    let squares = kernels.iter().map(|(cell, count)| (*cell as f64 - mean) * (*cell as f64 - mean) * *count as f64);
    let deviation = (squares.sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    let below = |place: usize| {
        kernels
            .iter()
            .scan(0, |sum, (_, count)| {
                *sum += count;
                Some(*sum)
            })
            .filter(|sum| *sum < place)
            .count()
    };
    let lower = kernels[below(count / 4)].0;
    let upper = kernels[below(count * 3 / 4 + 1).min(kernels.len() - 1)].0;
    let half = (upper - lower) as f64 / 1.34;
    (1.059 * half.min(deviation) * libm::pow(n, -0.2)).max(0.5 / 1.64)
}

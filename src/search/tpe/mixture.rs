//! A mixture of products of kernels: for each observed point one with a factor for each parameter around its value there, and one that
//! stands for what is known without observations.
//!
//! A factor of a number or a logarithm is a normal density, truncated to the range; of an integer its mass on the step around it;
//! of a choice (n δ + w) / (n + w C), the observed choice being the more likely the more kernels n there are. A parameter's σ of a kernel is the larger gap between
//! its value and the neighbours below and above, between 1/min(100, n + 2) of the range and the whole; at the least and the largest
//! value it is the one gap there is, and with one observation the larger distance to the ends of the range. The last kernel lies in the middle with σ the
//! range. Observations beyond the last 25 weigh less the older they are. The rules are those of Optuna 5.0's sampler with its settings left alone.

use rand::RngExt as _;

use crate::rng::{Stream, standard_normal};
use crate::search::normal::{LN_ROOT_TAU, mass};
use crate::search::space::Domain;

/// Observations that weigh as much as the newest.
const RECENT: usize = 25;
/// The range is at most so many times as wide as a kernel's σ.
const NARROWEST: f64 = 100.0;
/// A term this far below the largest of a sum of exponentials changes no bit of it, whatever their number: e^−80 < 2^−115.
const VANISHING: f64 = -80.0;
/// Kernels that are gone through at a time: the sums of all candidates over them stay in the nearest cache.
const BLOCK: usize = 64;

/// What the observations of one parameter are: numbers of a range, or choices.
#[derive(Clone, Debug)]
enum Factor {
    /// Normal densities: the means, and 1 / (σ √2).
    Density { mu: Vec<f64>, scale: Vec<f64>, sigma: Vec<f64>, domain: Domain },
    /// Masses of normal distributions on a step, which is one of integers.
    Mass { mu: Vec<f64>, sigma: Vec<f64>, domain: Domain },
    /// The observed choices, and the logarithms of the probabilities of the observed one and of each other.
    Choice { observed: Vec<f64>, hit: f64, miss: f64, count: usize },
}

/// The mixture over some parameters.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    weights: Vec<f64>,
    /// The logarithm of each weight and of what the normal densities are divided by.
    constants: Vec<f64>,
    factors: Vec<Factor>,
}

/// What a mixture is made of for one parameter.
pub(super) struct Observed<'a> {
    pub domain: Domain,
    /// The values in the order of the trials, as they stand in the range.
    pub values: Vec<f64>,
    /// The numbers of the values in ascending order, equal ones in that of the trials.
    pub order: Vec<u32>,
    /// For each value a place for a σ and ln (σ · mass of the range), kept as long as the σ stays; may be empty.
    pub kept: Vec<&'a mut [f64; 2]>,
}

impl Mixture {
    /// The mixture of `count` observations.
    pub fn new(count: usize, parameters: Vec<Observed<'_>>) -> Mixture {
        let weights = weights(count);
        let mut constants: Vec<f64> = weights.iter().map(|weight| libm::log(*weight)).collect();
        let factors = parameters.into_iter().map(|observed| observed.factor(&mut constants)).collect();
        Mixture { weights, constants, factors }
    }

    /// The logarithm of the density at each candidate; candidates are columns, one for each parameter, of values as they stand in
    /// the range.
    pub fn log_density(&self, candidates: &[Vec<f64>]) -> Vec<f64> {
        let count = candidates.first().map_or(0, Vec::len);
        let mut logs = vec![vec![0.0; self.constants.len()]; count];
        for start in (0..self.constants.len()).step_by(BLOCK) {
            let block = start..(start + BLOCK).min(self.constants.len());
            for logs in &mut logs {
                logs[block.clone()].copy_from_slice(&self.constants[block.clone()]);
            }
            for (factor, column) in self.factors.iter().zip(candidates) {
                let Factor::Density { mu, scale, .. } = factor else { continue };
                for (logs, x) in logs.iter_mut().zip(column) {
                    let kernels = mu[block.clone()].iter().zip(&scale[block.clone()]);
                    for (log, (mu, scale)) in logs[block.clone()].iter_mut().zip(kernels) {
                        let z = (x - mu) * scale;
                        *log -= z * z;
                    }
                }
            }
        }
        for (factor, column) in self.factors.iter().zip(candidates) {
            for (logs, x) in logs.iter_mut().zip(column) {
                factor.add(*x, logs);
            }
        }
        logs.iter().map(|logs| log_sum_exp(logs)).collect()
    }

    /// Draws a point: a kernel by its weight, then from each of its factors.
    pub fn draw(&self, stream: &mut Stream) -> Vec<f64> {
        let mut left = stream.random::<f64>() * self.weights.iter().sum::<f64>();
        let mut kernel = 0;
        while kernel + 1 < self.weights.len() && left >= self.weights[kernel] {
            left -= self.weights[kernel];
            kernel += 1;
        }
        self.factors.iter().map(|factor| factor.draw(kernel, stream)).collect()
    }
}

/// The weight of each observation, from the oldest on, and of the last kernel; together 1.
fn weights(count: usize) -> Vec<f64> {
    let ramp = count.saturating_sub(RECENT);
    let oldest = 1.0 / count.max(1) as f64;
    let weight = |at: usize| match at {
        at if at >= ramp || ramp == 0 => 1.0,
        0 => oldest,
        at => oldest + (1.0 - oldest) * at as f64 / (ramp - 1) as f64,
    };
    let mut weights: Vec<f64> = (0..count).map(weight).chain([1.0]).collect();
    let sum: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= sum);
    weights
}

/// ln Σ eˣ.
fn log_sum_exp(logs: &[f64]) -> f64 {
    let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let terms = logs.iter().map(|log| log - most).filter(|term| *term > VANISHING);
    most + libm::log(terms.map(libm::exp).sum())
}

impl Observed<'_> {
    /// The factor of this parameter; what its densities are divided by is taken from `constants`.
    fn factor(mut self, constants: &mut [f64]) -> Factor {
        let count = self.values.len();
        let Some([low, high]) = self.domain.range() else {
            let Domain::Choices(choices) = self.domain else { unreachable!("all else has a range") };
            let kernels = (count + 1) as f64;
            // Without observations the one kernel is even.
            let sum = 1.0 + choices as f64 / kernels;
            let [hit, miss] = [1.0 + 1.0 / kernels, 1.0 / kernels].map(|weight| libm::log(weight / sum));
            return Factor::Choice { observed: self.values, hit, miss, count: choices };
        };
        let mut sigma = self.sigmas(low, high);
        sigma.push(high - low);
        let mut mu = std::mem::take(&mut self.values);
        // The middle of the values; of integers that is the middle of the range too.
        mu.push(0.5 * (low + high));
        if matches!(self.domain, Domain::Int { .. }) {
            return Factor::Mass { mu, sigma, domain: self.domain };
        }
        let mut kept = self.kept.into_iter();
        for ((mu, sigma), constant) in mu.iter().zip(&sigma).zip(constants) {
            let own = &mut [0.0; 2];
            let kept = kept.next().unwrap_or(own);
            if kept[0] != *sigma {
                *kept = [*sigma, libm::log(sigma * mass((low - mu) / sigma, (high - mu) / sigma))];
            }
            *constant -= kept[1] + LN_ROOT_TAU;
        }
        let scale = sigma.iter().map(|sigma| std::f64::consts::FRAC_1_SQRT_2 / sigma).collect();
        Factor::Density { mu, scale, sigma, domain: self.domain }
    }

    fn sigmas(&self, low: f64, high: f64) -> Vec<f64> {
        let (count, range) = (self.values.len(), high - low);
        let least = range / NARROWEST.min(count as f64 + 2.0);
        let at = |place: usize| self.values[self.order[place] as usize];
        let mut sigmas = vec![0.0; count];
        for place in 0..count {
            let below = (place > 0).then(|| at(place) - at(place - 1));
            let above = (place + 1 < count).then(|| at(place + 1) - at(place));
            let gap = match (below, above) {
                (None, None) => (at(place) - low).max(high - at(place)),
                (below, above) => below.unwrap_or(0.0).max(above.unwrap_or(0.0)),
            };
            sigmas[self.order[place] as usize] = gap.clamp(least, range);
        }
        sigmas
    }
}

impl Factor {
    /// Adds the logarithm of the factor of each kernel at `x`; that of densities is added elsewhere.
    fn add(&self, x: f64, logs: &mut [f64]) {
        match self {
            Factor::Density { .. } => {}
            Factor::Mass { mu, sigma, domain } => {
                let Some(range) = domain.range() else { return };
                let step = step_around(*domain, x);
                // Many integers are the same, and so are their σ.
                let mut last = ([f64::NAN; 2], 0.0);
                for ((mu, sigma), log) in mu.iter().zip(sigma).zip(logs) {
                    if last.0 != [*mu, *sigma] {
                        let [within, all] = [step, range].map(|[a, b]| mass((a - mu) / sigma, (b - mu) / sigma));
                        last = ([*mu, *sigma], libm::log(within / all));
                    }
                    *log += last.1;
                }
            }
            Factor::Choice { observed, hit, miss, count } => {
                let (last, observations) = logs.split_last_mut().expect("there is a last kernel");
                for (observed, log) in observed.iter().zip(observations) {
                    *log += if *observed == x { hit } else { miss };
                }
                *last -= libm::log(*count as f64);
            }
        }
    }

    fn draw(&self, kernel: usize, stream: &mut Stream) -> f64 {
        match self {
            Factor::Density { mu, sigma, domain, .. } | Factor::Mass { mu, sigma, domain } => {
                let Some([low, high]) = domain.range() else { return f64::NAN };
                // The mean is in the range and σ at most the range: at least a third of the draws are within.
                let value = loop {
                    let value = mu[kernel] + sigma[kernel] * standard_normal(stream);
                    if (low..=high).contains(&value) {
                        break value;
                    }
                };
                domain.into_range(domain.out_of_range(value))
            }
            Factor::Choice { observed, count, .. } => {
                let kernels = (observed.len() + 1) as f64;
                let even = |unit: f64| Domain::Choices(*count).at(unit);
                match observed.get(kernel) {
                    None => even(stream.random()),
                    Some(observed) => {
                        let sum = 1.0 + *count as f64 / kernels;
                        let drawn = stream.random::<f64>() * sum;
                        if drawn < 1.0 { *observed } else { even((drawn - 1.0) / (sum - 1.0)) }
                    }
                }
            }
        }
    }
}

/// The step of the range that stands for the integer at `x`.
fn step_around(domain: Domain, x: f64) -> [f64; 2] {
    let value = domain.out_of_range(x);
    [value - 0.5, value + 0.5].map(|edge| domain.into_range(edge))
}

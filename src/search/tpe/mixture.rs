//! A mixture of products of kernels: for each observed point one with a factor for each parameter around its value there, and one that
//! stands for what is known without observations.
//!
//! A factor of a number or a logarithm is a normal density, truncated to the range; of an integer its mass on the step around it;
//! of a choice (n δ + w) / (n + w C), the observed choice being the more likely the more kernels n there are. A parameter's σ of a kernel is the larger gap between
//! its value and the neighbours below and above, between 1/min(100, n + 2) of the range and the whole; at the least and the largest
//! value it is the one gap there is, and with one observation the larger distance to the ends of the range. The last kernel lies in the middle with σ the
//! range. Observations beyond the last 25 weigh less the older they are. The rules are those of Optuna 5.0's sampler with its settings left alone.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
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
/// What the observations of one parameter are: numbers of a range, or choices.
#[derive(Clone, Debug)]
enum Factor {
    /// Normal densities; means and σ only of what is drawn from.
    Density { mu: Vec<f64>, sigma: Vec<f64>, domain: Domain },
    /// Masses of normal distributions on a step, which is one of integers. Many integers are the same, and so are their σ: the
    /// number of each kernel's kind, and of each kind the mean, σ and the logarithm of its mass on the range.
    Mass { mu: Vec<f64>, sigma: Vec<f64>, domain: Domain, kind: Vec<u32>, kinds: Vec<[f64; 3]> },
    /// The observed choices, and the logarithms of the probabilities of the observed one and of each other.
    Choice { observed: Vec<f64>, hit: f64, miss: f64, count: usize },
}

/// The mixture over some parameters.
#[derive(Clone, Debug)]
pub(super) struct Mixture {
    weights: Vec<f64>,
    /// Of each kernel the logarithm of its weight, less that of what its normal densities are divided by, less Σ (μ − m)² s, m being
    /// the middle of a range and s = 1 / (2σ²).
    constants: Vec<f64>,
    factors: Vec<Factor>,
    buffers: Buffers,
}

/// Memory that the next mixture takes over: the system gives and takes back large pieces page by page, which takes longer than to fill
/// them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    /// Of each parameter with normal densities two rows over the kernels: 1 / (2σ²), and (μ − m) / σ².
    rows: Vec<f64>,
    /// Candidates × kernels.
    logs: Vec<f64>,
}

/// What a mixture is made of for one parameter.
pub(super) struct Observed<'a> {
    pub domain: Domain,
    /// The values in the order of the trials, as they stand in the range.
    pub values: Vec<f64>,
    /// The numbers of the values in ascending order, equal ones in that of the trials.
    pub order: Vec<u32>,
    /// Where kernels are kept as long as their σ stays, and which of them is that of each value; of a mixture that is not drawn from.
    pub kept: Option<(&'a mut [Kernel], &'a [u32])>,
}

/// What is computed of a normal density from its σ.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kernel {
    sigma: f64,
    /// ln (σ √(2π) · mass of the range) + (μ − m)² / (2σ²).
    constant: f64,
    /// 1 / (2σ²).
    steepness: f64,
}

impl Kernel {
    fn new(mu: f64, sigma: f64, [low, high]: [f64; 2]) -> Kernel {
        let steepness = 0.5 / (sigma * sigma);
        let mass = mass((low - mu) / sigma, (high - mu) / sigma);
        let from_middle = mu - 0.5 * (low + high);
        Kernel {
            sigma,
            steepness,
            constant: libm::log(sigma * mass) + LN_ROOT_TAU + from_middle * from_middle * steepness,
        }
    }
}

impl Mixture {
    /// The mixture of `count` observations.
    pub fn new<'a>(count: usize, parameters: impl Iterator<Item = Observed<'a>>, mut buffers: Buffers) -> Mixture {
        let weights = weights(count);
        let mut constants: Vec<f64> = weights.iter().map(|weight| libm::log(*weight)).collect();
        buffers.rows.clear();
        let factors = parameters.map(|observed| observed.factor(&mut constants, &mut buffers.rows)).collect();
        Mixture { weights, constants, factors, buffers }
    }

    /// What the next mixture can use.
    pub fn into_buffers(self) -> Buffers {
        self.buffers
    }

    /// The logarithm of the density at each candidate; candidates are columns, one for each parameter, of values as they stand in
    /// the range. With m the middle of a range, −(x − μ)² s = −(x − m)² s + (x − m) 2 (μ − m) s − (μ − m)² s, so that the sums over the
    /// parameters, for all candidates and kernels, are one matrix product.
    pub fn log_density(&mut self, candidates: &[Vec<f64>]) -> Vec<f64> {
        let (count, kernels) = (candidates.first().map_or(0, Vec::len), self.constants.len());
        let Buffers { rows, logs } = &mut self.buffers;
        logs.clear();
        (0..count).for_each(|_| logs.extend_from_slice(&self.constants));
        let mut of_candidates = Vec::new();
        for (factor, column) in self.factors.iter().zip(candidates) {
            let Factor::Density { domain, .. } = factor else { continue };
            let Some(middle) = domain.range().map(|[low, high]| 0.5 * (low + high)) else { continue };
            of_candidates.extend(column.iter().map(|x| -(x - middle) * (x - middle)));
            of_candidates.extend(column.iter().map(|x| x - middle));
        }
        let depth = rows.len() / kernels;
        gemm(
            Context::detect(),
            MatMut::new(logs, count, kernels),
            Accumulate::Add,
            MatRef::new(&of_candidates, depth, count).transposed(),
            MatRef::new(rows, depth, kernels),
            Epilogue::NONE,
        );
        for (factor, column) in self.factors.iter().zip(candidates) {
            for (logs, x) in logs.chunks_exact_mut(kernels).zip(column) {
                factor.add(*x, logs);
            }
        }
        logs.chunks_exact(kernels).map(log_sum_exp).collect()
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
    /// The factor of this parameter; what its densities are divided by is taken from `constants`, and their rows join `rows`.
    fn factor(mut self, constants: &mut [f64], rows: &mut Vec<f64>) -> Factor {
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
            // In ascending order those of a kind stand together.
            let mut kinds: Vec<[f64; 3]> = Vec::new();
            let mut kind = vec![0; mu.len()];
            for kernel in self.order.iter().map(|&at| at as usize).chain([count]) {
                let [mu, sigma] = [mu[kernel], sigma[kernel]];
                if kinds.last().is_none_or(|&[other, wide, _]| [other, wide] != [mu, sigma]) {
                    kinds.push([mu, sigma, libm::log(mass((low - mu) / sigma, (high - mu) / sigma))]);
                }
                kind[kernel] = kinds.len() as u32 - 1;
            }
            return Factor::Mass { mu, sigma, domain: self.domain, kind, kinds };
        }
        let (begin, kernels, middle) = (rows.len(), mu.len(), 0.5 * (low + high));
        rows.resize(begin + 2 * kernels, 0.0);
        let (steepness, slope) = rows[begin..].split_at_mut(kernels);
        for (number, constant) in constants.iter_mut().enumerate() {
            let (mu, sigma) = (mu[number], sigma[number]);
            let kernel = match &mut self.kept {
                Some((kept, members)) if number < count => {
                    let kept = &mut kept[members[number] as usize];
                    if kept.sigma != sigma {
                        *kept = Kernel::new(mu, sigma, [low, high]);
                    }
                    *kept
                }
                _ => Kernel::new(mu, sigma, [low, high]),
            };
            *constant -= kernel.constant;
            steepness[number] = kernel.steepness;
            slope[number] = 2.0 * kernel.steepness * (mu - middle);
        }
        if self.kept.is_some() {
            (mu, sigma) = (Vec::new(), Vec::new());
        }
        Factor::Density { mu, sigma, domain: self.domain }
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
            Factor::Mass { domain, kind, kinds, .. } => {
                let [a, b] = step_around(*domain, x);
                let log = |[mu, sigma, all]: &[f64; 3]| libm::log(mass((a - mu) / sigma, (b - mu) / sigma)) - all;
                let of_kinds: Vec<f64> = kinds.iter().map(log).collect();
                logs.iter_mut().zip(kind).for_each(|(log, &kind)| *log += of_kinds[kind as usize]);
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
            Factor::Density { mu, sigma, domain, .. } | Factor::Mass { mu, sigma, domain, .. } => {
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

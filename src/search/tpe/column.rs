//! What the mixtures keep of one parameter: the observed values, and for each of the two mixtures a kernel around every value
//! that belongs to it. From one suggestion to the next a value joins and another may change sides, and only they and their
//! neighbours get new kernels.
//!
//! A factor of a number or a logarithm is a normal density, truncated to the range; of an integer its mass on the step around
//! it; of a choice (n δ + 1) / (n + C), with n kernels and C choices, where δ is 1 at the observed choice and 0 elsewhere. A
//! parameter's σ of a kernel is the larger gap between its value and the neighbours below and above, between
//! 1/min(100, n + 2) of the range and the whole; at the least and the largest value it is the one gap there is, and with one
//! observation the larger distance to the ends of the range. The kernel that stands for what is known without observations
//! lies in the middle with σ the range. The rules are those of Optuna 5.0's sampler with its settings left alone.

use std::collections::HashMap;

use rand::RngExt as _;

use crate::rng::{Stream, standard_normal};
use crate::search::normal::{LN_ROOT_TAU, mass};
use crate::search::space::Domain;

/// The range is at most so many times as wide as a kernel's σ.
const NARROWEST: f64 = 100.0;
/// Values whose masses are kept from one suggestion to the next, at most.
const MOST_KEPT: usize = 512;

/// A normal distribution around a value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kernel {
    sigma: f64,
    /// Of a density ln (σ √(2π) · mass of the range) + (μ − m)² / (2σ²), m being the middle of the range.
    pub constant: f64,
    /// 1 / (2σ²).
    pub steepness: f64,
    /// Of integers its number among the kinds.
    kind: u32,
}

/// One parameter, with the kernels of both mixtures.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub domain: Domain,
    /// The values as they stand in the range, in the order of the trials.
    pub values: Vec<f64>,
    /// Their numbers in ascending order, equal ones in that of the trials.
    order: Vec<u32>,
    /// Of each mixture a kernel for every value; only those of its members are up to date. None of choices.
    pub kernels: [Vec<Kernel>; 2],
    /// The least σ that the kernels of each mixture were made with.
    least: [f64; 2],
    /// The kernel of the middle.
    pub prior: Kernel,
    steps: Steps,
}

/// Masses of normal distributions on steps, each of which is an integer's: many kernels have the same mean and σ, and many
/// candidates the same value.
#[derive(Clone, Debug, Default)]
struct Steps {
    /// The mean, σ and logarithm of the mass on the range of each kind of kernel.
    kinds: Vec<[f64; 3]>,
    /// By the bits of a value, the logarithms of the factors of the kinds there.
    logs: HashMap<u64, Vec<f64>>,
}

impl Column {
    pub fn new(domain: Domain) -> Column {
        let mut column = Column {
            domain,
            values: Vec::new(),
            order: Vec::new(),
            kernels: Default::default(),
            least: [f64::NAN; 2],
            prior: Kernel::default(),
            steps: Steps::default(),
        };
        if let Some([low, high]) = domain.range() {
            column.prior = column.kernel(0.5 * (low + high), high - low);
        }
        column
    }

    /// Takes the value of the next trial.
    pub fn push(&mut self, value: f64) {
        let value = self.domain.transform(value);
        let place = self.order.partition_point(|&other| self.values[other as usize] <= value);
        self.order.insert(place, self.values.len() as u32);
        self.values.push(value);
        if self.domain.range().is_some() {
            self.kernels.iter_mut().for_each(|kernels| kernels.push(Kernel::default()));
        }
    }

    /// The middle of the range, where the factor is a density.
    pub fn middle_of_density(&self) -> Option<f64> {
        let range = self.domain.range().filter(|_| !matches!(self.domain, Domain::Int { .. }));
        range.map(|[low, high]| 0.5 * (low + high))
    }

    /// Forgets masses when there are many, and kinds of kernels when most of them are of the past.
    pub fn forget(&mut self) {
        if self.steps.logs.len() > MOST_KEPT {
            self.steps.logs.clear();
        }
        if self.steps.kinds.len() > 64 + 4 * self.values.len() {
            let domain = self.domain;
            self.steps = Steps::default();
            self.least = [f64::NAN; 2];
            self.kernels.iter_mut().flatten().for_each(|kernel| kernel.sigma = 0.0);
            if let Some([low, high]) = domain.range() {
                self.prior = self.kernel(0.5 * (low + high), high - low);
            }
        }
    }

    /// Brings the kernels of a mixture up to date: of its `members`, and where `changed` have joined or left it.
    pub fn update(&mut self, mixture: usize, is_member: &[bool], members: &[u32], changed: &[u32]) {
        let Some([low, high]) = self.domain.range() else { return };
        let least = (high - low) / NARROWEST.min(members.len() as f64 + 2.0);
        let changed = if least == self.least[mixture] { changed } else { members };
        self.least[mixture] = least;
        for &at in changed {
            let value = self.values[at as usize];
            let place = self.order.partition_point(|&other| (self.values[other as usize], other) < (value, at));
            // The neighbours of a value have other neighbours now.
            let [below, above] = self.neighbours(place, is_member);
            for place in [below, Some(place).filter(|_| is_member[at as usize]), above].into_iter().flatten() {
                let (at, value) = (self.order[place] as usize, self.values[self.order[place] as usize]);
                let gaps = self.neighbours(place, is_member);
                let gaps = gaps.map(|other| other.map(|place| (self.values[self.order[place] as usize] - value).abs()));
                let gap = match gaps {
                    [None, None] => (value - low).max(high - value),
                    [below, above] => below.unwrap_or(0.0).max(above.unwrap_or(0.0)),
                };
                let sigma = gap.clamp(least, high - low);
                if self.kernels[mixture][at].sigma != sigma {
                    self.kernels[mixture][at] = self.kernel(value, sigma);
                }
            }
        }
    }

    /// The places of the members next to a place, below and above it.
    fn neighbours(&self, place: usize, is_member: &[bool]) -> [Option<usize>; 2] {
        let is_member = |place: &usize| is_member[self.order[*place] as usize];
        [(0..place).rev().find(is_member), (place + 1..self.order.len()).find(is_member)]
    }

    fn kernel(&mut self, mu: f64, sigma: f64) -> Kernel {
        let [low, high] = self.domain.range().expect("choices have no kernels");
        let of_range = || mass((low - mu) / sigma, (high - mu) / sigma);
        if matches!(self.domain, Domain::Int { .. }) {
            let kinds = &mut self.steps.kinds;
            let kind =
                kinds.iter().position(|&[of_kind, wide, _]| [of_kind, wide] == [mu, sigma]).unwrap_or_else(|| {
                    kinds.push([mu, sigma, libm::log(of_range())]);
                    kinds.len() - 1
                });
            return Kernel { sigma, kind: kind as u32, ..Kernel::default() };
        }
        let steepness = 0.5 / (sigma * sigma);
        let from_middle = mu - 0.5 * (low + high);
        let constant = libm::log(sigma * of_range()) + LN_ROOT_TAU + from_middle * from_middle * steepness;
        Kernel { sigma, constant, steepness, kind: 0 }
    }

    /// Computes what [`Column::add`] needs at `x`.
    pub fn prepare(&mut self, x: f64) {
        if !matches!(self.domain, Domain::Int { .. }) {
            return;
        }
        let Steps { kinds, logs } = &mut self.steps;
        let logs = logs.entry(x.to_bits()).or_default();
        // The step of the range that stands for the integer.
        let value = self.domain.inverse_transform(x);
        let [a, b] = [value - 0.5, value + 0.5].map(|edge| self.domain.transform(edge));
        let log = |[mu, sigma, all]: &[f64; 3]| libm::log(mass((a - mu) / sigma, (b - mu) / sigma)) - all;
        logs.extend(kinds[logs.len()..].iter().map(log));
    }

    /// Adds the logarithm of the factor of each kernel at `x`: those of the members of a mixture, and the last, without
    /// observations. That of densities is added elsewhere.
    pub fn add(&self, mixture: usize, members: &[u32], x: f64, logs: &mut [f64]) {
        let (last, logs) = logs.split_last_mut().expect("there is a last kernel");
        match self.domain {
            Domain::Float { .. } => {}
            Domain::Int { .. } => {
                let of_kinds = &self.steps.logs[&x.to_bits()];
                for (log, &at) in logs.iter_mut().zip(members) {
                    *log += of_kinds[self.kernels[mixture][at as usize].kind as usize];
                }
                *last += of_kinds[self.prior.kind as usize];
            }
            Domain::Choices(count) => {
                let kernels = (members.len() + 1) as f64;
                // Without observations the one kernel is even.
                let sum = 1.0 + count as f64 / kernels;
                let [hit, miss] = [1.0 + 1.0 / kernels, 1.0 / kernels].map(|weight| libm::log(weight / sum));
                for (log, &at) in logs.iter_mut().zip(members) {
                    *log += if self.values[at as usize] == x { hit } else { miss };
                }
                *last -= libm::log(count as f64);
            }
        }
    }

    /// Draws from the kernel of a value, or from the one without observations.
    pub fn draw(&self, mixture: usize, count: usize, at: Option<u32>, stream: &mut Stream) -> f64 {
        let observed = at.map(|at| self.values[at as usize]);
        let Some([low, high]) = self.domain.range() else {
            let Domain::Choices(choices) = self.domain else { unreachable!("all else has a range") };
            let even = |unit: f64| Domain::Choices(choices).at(unit);
            let Some(observed) = observed else { return even(stream.random()) };
            let sum = 1.0 + choices as f64 / (count + 1) as f64;
            let drawn = stream.random::<f64>() * sum;
            return if drawn < 1.0 { observed } else { even((drawn - 1.0) / (sum - 1.0)) };
        };
        let sigma = at.map_or(self.prior.sigma, |at| self.kernels[mixture][at as usize].sigma);
        let mu = observed.unwrap_or(0.5 * (low + high));
        // The mean is in the range and σ at most the range: at least a third of the draws are within.
        let value = loop {
            let value = mu + sigma * standard_normal(stream);
            if (low..=high).contains(&value) {
                break value;
            }
        };
        self.domain.transform(self.domain.inverse_transform(value))
    }
}

//! A mixture of products of kernels: for each observed point one with a factor for each parameter around its value there, and
//! one that stands for what is known without observations. Observations beyond the last 25 weigh less the older they are.

use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
use rand::RngExt as _;

use super::column::{Column, Kernel};
use crate::rng::Stream;

/// Observations that weigh as much as the newest.
const RECENT: usize = 25;
/// A term this far below the largest of a sum of exponentials changes no bit of it, whatever their number: e^−80 < 2^−115.
const VANISHING: f64 = -80.0;

/// A mixture over some parameters.
pub(super) struct Mixture<'a> {
    /// Its number among the mixtures of the columns.
    pub number: usize,
    pub columns: &'a [Column],
    /// The numbers of its observations among the values of the columns.
    pub members: &'a [u32],
}

/// Memory that the next density takes over: the system gives and takes back large pieces page by page, which takes longer
/// than to fill them.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffers {
    /// Of each parameter with normal densities two rows over the kernels: 1 / (2σ²), and (μ − m) / σ², m being the middle of
    /// the range.
    rows: Vec<f64>,
    /// Candidates × kernels.
    logs: Vec<f64>,
}

impl Mixture<'_> {
    /// The logarithm of the density at each candidate; candidates are columns, one for each parameter, of values as they stand in
    /// the range. With s = 1 / (2σ²), −(x − μ)² s = −(x − m)² s + (x − m) 2 (μ − m) s − (μ − m)² s, so that the sums over the
    /// parameters, for all candidates and kernels, are one matrix product.
    pub fn log_density(&self, candidates: &[Vec<f64>], buffers: &mut Buffers) -> Vec<f64> {
        let (count, kernels) = (candidates.first().map_or(0, Vec::len), self.members.len() + 1);
        let Buffers { rows, logs } = buffers;
        let weights = weights(self.members.len());
        // Of each kernel the logarithm of its weight, less that of what its densities are divided by, less Σ (μ − m)² s.
        let mut constants: Vec<f64> = weights.iter().map(|weight| libm::log(*weight)).collect();
        rows.clear();
        let mut of_candidates = Vec::new();
        for (column, xs) in self.columns.iter().zip(candidates) {
            let Some(middle) = column.middle_of_density() else { continue };
            let begin = rows.len();
            rows.resize(begin + 2 * kernels, 0.0);
            let (steepness, slope) = rows[begin..].split_at_mut(kernels);
            let mut set = |number: usize, mu: f64, kernel: &Kernel| {
                constants[number] -= kernel.constant;
                steepness[number] = kernel.steepness;
                slope[number] = 2.0 * kernel.steepness * (mu - middle);
            };
            for (number, &at) in self.members.iter().enumerate() {
                set(number, column.values[at as usize], &column.kernels[self.number][at as usize]);
            }
            set(kernels - 1, middle, &column.prior);
            of_candidates.extend(xs.iter().map(|x| -(x - middle) * (x - middle)));
            of_candidates.extend(xs.iter().map(|x| x - middle));
        }
        logs.clear();
        (0..count).for_each(|_| logs.extend_from_slice(&constants));
        let depth = rows.len() / kernels;
        gemm(
            Context::detect(),
            MatMut::new(logs, count, kernels),
            Accumulate::Add,
            MatRef::new(&of_candidates, depth, count).transposed(),
            MatRef::new(rows, depth, kernels),
            Epilogue::NONE,
        );
        for (column, xs) in self.columns.iter().zip(candidates) {
            for (logs, x) in logs.chunks_exact_mut(kernels).zip(xs) {
                column.add(self.number, self.members, *x, logs);
            }
        }
        logs.chunks_exact(kernels).map(log_sum_exp).collect()
    }

    /// Draws points: for each a kernel by its weight, then from each of its factors.
    pub fn draw(&self, points: usize, stream: &mut Stream) -> Vec<Vec<f64>> {
        let weights = weights(self.members.len());
        let sum = weights.iter().sum::<f64>();
        let point = |_| {
            let mut left = stream.random::<f64>() * sum;
            let mut kernel = 0;
            while kernel + 1 < weights.len() && left >= weights[kernel] {
                left -= weights[kernel];
                kernel += 1;
            }
            let at = self.members.get(kernel).copied();
            self.columns.iter().map(|column| column.draw(self.number, self.members.len(), at, stream)).collect()
        };
        (0..points).map(point).collect()
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

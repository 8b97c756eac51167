//! How alike points are: Gaussian neighbourhoods of a given perplexity, made symmetric.

use narrows_kernels::elementwise::{Unary, unary};
use narrows_kernels::reduce::{dot, sum};
use narrows_kernels::tsne::Affinities;
use narrows_kernels::{Accumulate, Context, Isa};
use rayon::prelude::*;

use super::super::distances::Points;

/// The entropy that is found, in nats, is this near to the logarithm of the perplexity: openTSNE's and scikit-learn's are
/// 1e-8 and 1e-5.
const TOLERANCE: f64 = 1e-10;
/// Far more than bisection takes from any start; rows whose perplexity cannot be had (with more equal points than it says)
/// end so.
const MOST_STEPS: usize = 100;

/// The neighbourhood of a point: p_j ∝ exp(−β (d_j − `nearest`)), d the squared distances.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Precision {
    /// β.
    pub beta: f64,
    /// The least of the d.
    pub nearest: f64,
    /// Σ_j exp(−β (d_j − `nearest`)).
    pub sum: f64,
}

impl Precision {
    /// The one of entropy ln(`perplexity`) over points at the squared distances `d`, of which infinite ones have no part;
    /// `p` is left with the exponentials, and `d` less the nearest, 0 where infinite. β by Newton's steps on ln β where they stay
    /// in the bracket, else by bisection.
    pub fn of(isa: Isa, perplexity: f64, d: &mut [f64], p: &mut Vec<f64>) -> Precision {
        let nearest = d.iter().fold(f64::INFINITY, |least, &d| least.min(d));
        p.resize(d.len(), 0.0);
        let mut infinite = None;
        for (at, d) in d.iter_mut().enumerate() {
            if *d == f64::INFINITY {
                (*d, infinite) = (0.0, Some(at));
            } else {
                *d -= nearest;
            }
        }
        let (target, mean) = (libm::log(perplexity), sum(isa, d, d.len()) / d.len() as f64);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut found = Precision { beta: if mean > 0.0 { 1.0 / mean } else { 1.0 }, nearest, sum: 0.0 };
        let (mut squares, mut arguments) = (vec![0.0; d.len()], vec![0.0; d.len()]);
        unary(isa, Unary::Square, d, &mut squares, Accumulate::Overwrite);
        for _ in 0..MOST_STEPS {
            unary(isa, Unary::Scale(-found.beta), d, &mut arguments, Accumulate::Overwrite);
            unary(isa, Unary::Exp, &arguments, p, Accumulate::Overwrite);
            if let Some(at) = infinite {
                p[at] = 0.0;
            }
            found.sum = sum(isa, p, p.len());
            let mean = dot(isa, d, p) / found.sum;
            let error = libm::log(found.sum) + found.beta * mean - target;
            if error.abs() <= TOLERANCE {
                break;
            }
            if error > 0.0 {
                low = found.beta;
            } else {
                high = found.beta;
            }
            // d entropy / d ln β = −β² · variance of d.
            let slope = found.beta * found.beta * (dot(isa, &squares, p) / found.sum - mean * mean);
            let newton = found.beta * (1.0 + (error / slope).clamp(-0.75, 3.0));
            found.beta = match (newton > low && newton < high, high < f64::INFINITY) {
                (true, _) => newton,
                (false, true) => 0.5 * (low + high),
                (false, false) => 2.0 * found.beta,
            };
        }
        found
    }
}

/// p_ij = (p_j|i + p_i|j) / 2n, each p_·|i over the nearest neighbours of i alone: a sparse matrix, whose columns ascend.
pub(super) struct Neighbourhoods {
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Neighbourhoods {
    /// Those of `points`, over their `count` nearest.
    pub fn of(context: Context, points: &Points, count: usize, perplexity: f64) -> Neighbourhoods {
        let row = |p: &mut Vec<f64>, mut nearest: Vec<(f64, u32)>| {
            let mut distances: Vec<f64> = nearest.iter().map(|near| near.0).collect();
            let precision = Precision::of(context.isa, perplexity, &mut distances, p);
            nearest.iter_mut().zip(p).for_each(|(near, p)| near.0 = *p / precision.sum);
            nearest.sort_unstable_by_key(|near| near.1);
            nearest
        };
        let rows: Vec<_> = points.nearest(context, count).into_par_iter().map_init(Vec::new, row).collect();
        Neighbourhoods::symmetric(&rows)
    }

    /// Of rows of p_j|i and j, whose j ascend.
    fn symmetric(rows: &[Vec<(f64, u32)>]) -> Neighbourhoods {
        // Row j of the transpose gets its i in ascending order.
        let mut transposed: Vec<Vec<(f64, u32)>> = vec![Vec::new(); rows.len()];
        for (i, row) in rows.iter().enumerate() {
            row.iter().for_each(|&(p, j)| transposed[j as usize].push((p, i as u32)));
        }
        let scale = 0.5 / rows.len() as f64;
        let (mut starts, mut columns, mut values) = (vec![0], Vec::new(), Vec::new());
        for (row, other) in rows.iter().zip(&transposed) {
            let (mut row, mut other) = (row.iter().peekable(), other.iter().peekable());
            while let Some(column) = row.peek().into_iter().chain(other.peek()).map(|near| near.1).min() {
                let own = row.next_if(|near| near.1 == column).map_or(0.0, |near| near.0);
                let others = other.next_if(|near| near.1 == column).map_or(0.0, |near| near.0);
                columns.push(column);
                values.push(((own + others) * scale) as f32);
            }
            starts.push(columns.len());
        }
        Neighbourhoods { starts, columns, values }
    }

    /// For the kernel.
    pub fn view(&self) -> Affinities<'_> {
        Affinities { starts: &self.starts, columns: &self.columns, values: &self.values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbourhoods_have_the_perplexity_asked_for() {
        let distances: Vec<f64> = (0..90).map(|i| 3.0 + f64::from(i * i % 97) * 0.37).collect();
        for perplexity in [1.5, 5.0, 30.0, 89.0] {
            for size in [1e-12, 1.0, 1e9] {
                let mut d: Vec<f64> = distances.iter().map(|d| size * d).chain([f64::INFINITY]).collect();
                let mut p = Vec::new();
                let found = Precision::of(Isa::detect(), perplexity, &mut d, &mut p);
                let shares = p.iter().map(|p| p / found.sum).filter(|&p| p > 0.0);
                let entropy: f64 = shares.map(|p| -p * libm::log(p)).sum();
                assert!((libm::exp(entropy) - perplexity).abs() <= 1e-6, "{size:e}: {entropy} for ln {perplexity}");
                assert_eq!(p[90], 0.0);
            }
        }
    }

    #[test]
    fn equal_points_share_what_there_is() {
        let mut p = Vec::new();
        let found = Precision::of(Isa::detect(), 2.0, &mut [0.0; 5], &mut p);
        assert_eq!((found.sum, &p[..]), (5.0, &[1.0; 5][..]));
    }

    #[test]
    fn the_matrix_is_symmetric_and_sums_to_one() {
        let rows = vec![vec![(0.25, 1), (0.75, 2)], vec![(0.5, 0), (0.5, 2)], vec![(1.0, 1)]];
        let found = Neighbourhoods::symmetric(&rows);
        assert_eq!((&found.starts[..], &found.columns[..]), (&[0, 2, 4, 6][..], &[1, 2, 0, 2, 0, 1][..]));
        assert_eq!(found.values, [0.75, 0.75, 0.75, 1.5, 0.75, 1.5].map(|p| p / 6.0));
    }
}

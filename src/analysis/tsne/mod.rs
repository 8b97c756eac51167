//! t-SNE: a map of codes in which neighbours stay neighbours (van der Maaten and Hinton, "Visualizing Data using t-SNE",
//! JMLR 9, 2008).
//!
//! ```
//! use narrows::analysis::{Neighbours, Tsne};
//! use narrows::train::Flow;
//! use narrows_kernels::Context;
//! use ndarray::Array2;
//!
//! // Two groups of 20 codes.
//! let codes = Array2::from_shape_fn((40, 3), |(i, j)| (i / 20 * 9) as f32 + (i * (j + 2) % 7) as f32 / 7.0);
//! let tsne = Tsne { perplexity: 5.0, ..Tsne::default() };
//! let map = tsne.fit(Context::detect(), codes.view(), &mut |_, _| Flow::Continue)?;
//! let labels: Vec<u8> = (0..40).map(|i| i / 20).collect();
//! assert_eq!(Neighbours::of(Context::detect(), map.points.view(), 10)?.accuracy(&labels)?, 1.0);
//! # Ok::<(), narrows::analysis::AnalysisError>(())
//! ```
//!
//! In four steps, after which [`kl_divergence`] over all pairs tells maps apart:
//! * the 3 · perplexity nearest neighbours of every code, exactly, by matrix products in f64 ([`Tsne::fit`]);
//! * p_j|i ∝ exp(−β_i |x_i − x_j|²) over them, β_i so that its entropy is ln(perplexity), by bisection and Newton's steps;
//!   p_ij = (p_j|i + p_i|j) / 2n;
//! * the codes along their first two principal components, scaled to a standard deviation of 1e-4, as the first map;
//! * gradient descent on the Kullback-Leibler divergence, all pairs repelling each other
//!   ([`narrows_kernels::tsne`]): no tree, no grid, and so no approximation that could depend on an order.
//!
//! Nothing is drawn at random, so there is no seed. No matrix of all pairs is stored: the forces take n²/64 bytes, 77 MB for
//! 70,000 points; before them the neighbours take about 150 · perplexity bytes a point, of which a third stays.

mod affinities;
mod descent;
mod divergence;

use std::time::Instant;

use narrows_kernels::tsne::Repulsion;
use narrows_kernels::{Context, with_spinning_threads};
use ndarray::{Array2, ArrayView2};

use super::distances::Points;
use super::error::AnalysisError;
use super::pca::Pca;
use super::standard::check_finite;
use crate::train::Flow;
use affinities::Neighbourhoods;
use descent::Descent;

pub use divergence::kl_divergence;

/// Iterations at the beginning in which affinities are exaggerated.
pub const EXAGGERATED: usize = 250;
/// The standard deviation of the first map along its first axis.
const START: f64 = 1e-4;
/// Points whose repulsion tells how long that of more will take.
const TRIED: usize = 6144;

/// How a map is made. The defaults are those of openTSNE 1.0, and of van der Maaten's own program ("Accelerating t-SNE using
/// Tree-Based Algorithms", JMLR 15, 2014) where it is not said to differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Tsne {
    /// The number of neighbours that count, as 2 to the power of the entropy of their weights in bits: from 1 to a third of the
    /// other points; 30.
    pub perplexity: f64,
    /// Steps of the descent; 1,000 (openTSNE: 750), the first 250 of them with exaggerated affinities.
    pub iterations: usize,
    /// Affinities in the first 250 steps are multiplied by this; 12.
    pub exaggeration: f32,
    /// Momentum in the first 250 steps, and then; 0.8 and 0.8 (van der Maaten: 0.5 and 0.8).
    pub momenta: [f32; 2],
    /// Learning rate, for a quarter of the gradient; `None`, the default, is the number of points divided by the exaggeration, so
    /// that it is n/12 and then n (van der Maaten: 200).
    pub learning_rate: Option<f64>,
}

impl Default for Tsne {
    fn default() -> Self {
        Tsne { perplexity: 30.0, iterations: 1000, exaggeration: 12.0, momenta: [0.8, 0.8], learning_rate: None }
    }
}

/// Told after every step how many are done and where the points are then, x and y each \[n\].
pub type Progress<'a> = &'a mut dyn FnMut(usize, [&[f32]; 2]) -> Flow;

/// A map of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct TsneMap {
    /// The points [n, 2], around zero.
    pub points: Array2<f32>,
    /// Steps that were made: fewer than asked for where the progress asked to end.
    pub iterations: usize,
}

impl Tsne {
    /// The map of `codes` [n, d], the same bits on any number of threads and every instruction set. Computes in the current
    /// thread pool. [`Flow::Interrupt`] from `progress` ends with the map as it is then.
    ///
    /// A gain of each coordinate grows by 0.2 while the gradient keeps its sign and shrinks to 0.8 of it where that turned, to no
    /// less than 0.01 (van der Maaten); steps are at most 5 long (openTSNE); the points are moved back around zero after each.
    ///
    /// Refused: codes of fewer than two values, codes that are not finite, a perplexity below 1 or above a third of the other
    /// points.
    pub fn fit(
        &self,
        context: Context,
        codes: ArrayView2<'_, f32>,
        progress: Progress<'_>,
    ) -> Result<TsneMap, AnalysisError> {
        self.check(codes)?;
        let n = codes.nrows();
        let start = Pca::fit(context, codes, 2)?.project(context, codes)?;
        let first = start.column(0);
        let deviation = (first.iter().map(|x| x * x).sum::<f64>() / n as f64).sqrt();
        let scale = if deviation > 0.0 { START / deviation } else { 0.0 };
        let at = [0, 1].map(|axis| start.column(axis).iter().map(|x| (x * scale) as f32).collect());
        let neighbours = (3.0 * self.perplexity) as usize;
        let affinities = Neighbourhoods::of(context, &Points::of(codes), neighbours.min(n - 1), self.perplexity);
        let mut descent = Descent::new(context, &affinities, at);
        let iterations = descent.run(self, progress);
        let points = Array2::from_shape_fn((n, 2), |(i, axis)| descent.at[axis][i]);
        Ok(TsneMap { points, iterations })
    }

    /// Refuses what [`fit`](Self::fit) refuses.
    fn check(&self, codes: ArrayView2<'_, f32>) -> Result<(), AnalysisError> {
        let (n, d) = codes.dim();
        if d < 2 {
            return Err(AnalysisError::Narrow { found: d });
        }
        check_perplexity(self.perplexity, n)?;
        check_finite("map", codes)
    }

    /// About how many seconds [`fit`](Self::fit) will take for `codes` in the current thread pool: a trial of the repulsion,
    /// which is most of it. Refused: what `fit` refuses.
    pub fn estimate(&self, context: Context, codes: ArrayView2<'_, f32>) -> Result<f64, AnalysisError> {
        self.check(codes)?;
        let points = codes.nrows();
        let tried = points.min(TRIED);
        let x: Vec<f32> = (0..tried).map(|i| (i % 79) as f32).collect();
        let y: Vec<f32> = (0..tried).map(|i| (i / 79) as f32).collect();
        let (mut fx, mut fy) = (x.clone(), y.clone());
        let mut repulsion = Repulsion::new(tried);
        let mut try_once = || {
            let begin = Instant::now();
            repulsion.compute(context.isa, [&x, &y], [&mut fx, &mut fy]);
            begin.elapsed().as_secs_f64()
        };
        let best = with_spinning_threads(|| (0..3).map(|_| try_once()).fold(f64::INFINITY, f64::min));
        let pairs = (points as f64 / tried.max(1) as f64).powi(2);
        // The attraction and the search for neighbours: chosen, not measured.
        Ok(1.15 * self.iterations as f64 * pairs * best)
    }
}

/// Refuses a perplexity that so many points cannot have.
fn check_perplexity(perplexity: f64, points: usize) -> Result<(), AnalysisError> {
    let most = points.saturating_sub(1) as f64 / 3.0;
    if perplexity >= 1.0 && perplexity <= most {
        return Ok(());
    }
    Err(AnalysisError::Perplexity { perplexity, points })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, standard_normal, stream};

    fn codes(n: usize, d: usize) -> Array2<f32> {
        let mut stream = stream(9, Purpose::Draw, 0);
        Array2::from_shape_simple_fn((n, d), || standard_normal(&mut stream) as f32)
    }

    #[test]
    fn the_gradient_is_that_of_the_divergence() {
        // So few points that all are neighbours, and the divergence over all pairs is what is minimised.
        let (context, perplexity) = (Context::detect(), 13.0);
        let codes = codes(40, 5);
        // Multiples of 2⁻¹² below 4: with steps of 2⁻¹⁰ still numbers of f32.
        let map = self::codes(40, 2).mapv(|x| (x * 4096.0).round() / 4096.0);
        let divergence = |map: &Array2<f32>| kl_divergence(context, codes.view(), map.view(), perplexity).unwrap();
        let affinities = Neighbourhoods::of(context, &Points::of(codes.view()), 39, perplexity);
        let at = [0, 1].map(|axis| map.column(axis).to_vec());
        let gradient = Descent::new(context, &affinities, at).gradient();
        let step = 1.0 / 1024.0;
        let mut largest = 0.0f64;
        for (i, axis) in (0..40).flat_map(|i| [(i, 0), (i, 1)]) {
            let moved = |by: f32| {
                let mut map = map.clone();
                map[[i, axis]] += by;
                divergence(&map)
            };
            let slope = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let found = 4.0 * f64::from(gradient[axis][i]);
            largest = largest.max(slope.abs());
            // Central differences: h²·F‴/6 is about 1e-7; the forces are in f32, each a difference of two parts below 0.1.
            assert!((found - slope).abs() <= 1e-6, "{i}, {axis}: {found} for {slope}");
        }
        assert!(largest > 1e-3, "{largest}");
    }

    #[test]
    fn the_map_is_the_same_on_all_instruction_sets_and_threads_and_ends_where_asked() {
        let codes = codes(700, 6);
        let tsne = Tsne { perplexity: 12.0, iterations: 60, ..Tsne::default() };
        let fit = |isa, threads: usize, end: usize| {
            let context = Context { isa, ..Context::detect() };
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let progress = |done, _: [&[f32]; 2]| if done == end { Flow::Interrupt } else { Flow::Continue };
            pool.install(|| tsne.fit(context, codes.view(), &mut { progress })).unwrap()
        };
        let bits = |map: &TsneMap| map.points.iter().map(|x| x.to_bits()).collect::<Vec<u32>>();
        let first = fit(narrows_kernels::Isa::detect(), 1, 0);
        assert_eq!(first.iterations, 60);
        for isa in narrows_kernels::Isa::available() {
            for threads in [1, 2, 3] {
                assert!(bits(&fit(isa, threads, 0)) == bits(&first), "{} with {threads} threads", isa.name());
            }
        }
        let ended = fit(narrows_kernels::Isa::detect(), 1, 7);
        assert_eq!((ended.iterations, ended.points.dim()), (7, (700, 2)));
        // What a longer descent shows on its way is the map of the shorter one.
        let mut shown = Vec::new();
        let mut note = |done, [x, y]: [&[f32]; 2]| {
            if done == 7 {
                shown = x.iter().zip(y).flat_map(|(x, y)| [x.to_bits(), y.to_bits()]).collect();
            }
            Flow::Continue
        };
        tsne.fit(Context::detect(), codes.view(), &mut note).unwrap();
        assert!(shown == bits(&ended));
    }

    #[test]
    fn what_cannot_be_mapped_is_refused() {
        let context = Context::detect();
        let refused = |codes: Array2<f32>, perplexity: f64| {
            let tsne = Tsne { perplexity, ..Tsne::default() };
            tsne.fit(context, codes.view(), &mut |_, _| Flow::Continue).unwrap_err().to_string()
        };
        let words = "cannot map 40 codes with a perplexity of";
        let range = "from 1 to 13 is accepted";
        assert_eq!(refused(codes(40, 3), 13.5), format!("{words} 13.5: {range}; 13.5 needs at least 42 codes"));
        assert_eq!(refused(codes(40, 3), 0.5), format!("{words} 0.5: {range}"));
        assert_eq!(refused(codes(40, 3), f64::NAN), format!("{words} NaN: {range}"));
        assert_eq!(refused(codes(40, 1), 5.0), "cannot map codes of 1 value(s): at least 2 are needed");
        let mut bad = codes(40, 3);
        bad[[7, 2]] = f32::INFINITY;
        assert!(refused(bad, 5.0).contains("value 2 of code 7 (both from 0) is inf"));
    }
}

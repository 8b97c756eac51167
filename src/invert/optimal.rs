//! Optimal codes: min over z of ½‖decoder(z) − x‖², by Levenberg–Marquardt, many samples at a time.
//!
//! Each sample has its own damping λ and its own end; a step δ solves (JᵀJ + λD)·δ = −Jᵀr, r = decoder(z) − x, D the largest
//! diag(JᵀJ) met so far (Moré 1978). It is taken when it keeps at least a twentieth of the decrease of ½‖r‖² that the linear
//! model promises. With ρ the part kept,
//!
//! * taken: λ ← λ·max(⅓, 1 − (2ρ − 1)³) (Nielsen 1999, "Damping parameter in Marquardt's method");
//! * refused: λ ← 2λ, unless a kink may be the reason, see `pieces.rs`.
//!
//! JᵀJ is formed, as is usual in this method: the step's accuracy decides how fast it converges, not where; that is the zero of
//! Jᵀr, which is computed from J itself. Since only steps that lower the error are taken, no sample ends worse than it
//! began.
//!
//! **A sample ends** when (in this order)
//!
//! 1. ‖r‖ ≤ 8·ε·√features·‖x‖: the image is met but for rounding ([`Stop::Met`]);
//! 2. max_j |J_jᵀr| / (‖J_j‖·‖r‖) ≤ `gradient`: the residual is orthogonal to every column ([`Stop::Gradient`], the `gtol` of
//!    MINPACK);
//! 3. the model promises to lower ½‖r‖² by at most `reduction` of it while λ ≤ 1 ([`Stop::Reduction`]), or, over the pieces that
//!    meet at a kink, by at most `kink` of it ([`Stop::Kink`]): Jᵀr, the gradient of one of them, does not vanish there;
//! 4. the same with λ > 1, or ‖δ‖ ≤ `step`·‖z‖ ([`Stop::Step`]): the search has stalled;
//! 5. `most_steps` steps were tried ([`Stop::Limit`]).
//!
//! Samples share products, not numbers: an element of a product is one chain that its neighbours cannot change. A sample that
//! has ended makes room for the next, so that products stay large.

use std::sync::atomic::{AtomicUsize, Ordering};

use narrows_kernels::elementwise::{Binary, binary};
use narrows_kernels::reduce::sum_of_squares;
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, Real, gemm};
use rayon::prelude::*;

use super::decoder::{Decoder, Stage};
use super::pieces::{Piece, step};
use super::tangent::Tangents;

/// When a sample ends; see the top of `optimal.rs`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerances {
    /// The largest cosine between the residual and a column of the Jacobian.
    pub gradient: f64,
    /// The smallest relative decrease of ½‖r‖² worth a step.
    pub reduction: f64,
    /// The same at a kink, where each step costs as many Jacobians as pieces meet there.
    pub kink: f64,
    /// The smallest relative step.
    pub step: f64,
    /// Steps that are tried, taken or not.
    pub most_steps: u32,
}

impl Default for Tolerances {
    fn default() -> Self {
        Tolerances { gradient: 1e-8, reduction: 1e-14, kink: 1e-10, step: 1e-9, most_steps: 200 }
    }
}

/// Why a sample ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The image is met but for rounding.
    Met,
    /// The gradient vanishes.
    Gradient,
    /// No more than rounding is left to be gained.
    Reduction,
    /// The same, over all pieces that meet at a kink.
    Kink,
    /// Steps became too short.
    Step,
    /// Too many steps.
    Limit,
}

impl Stop {
    /// Every reason, in the order in which they are asked.
    pub const ALL: [Stop; 6] = [Stop::Met, Stop::Gradient, Stop::Reduction, Stop::Kink, Stop::Step, Stop::Limit];

    /// "met", "gradient", "reduction", "kink", "step", "limit".
    pub fn name(self) -> &'static str {
        match self {
            Stop::Met => "met",
            Stop::Gradient => "gradient",
            Stop::Reduction => "reduction",
            Stop::Kink => "kink",
            Stop::Step => "step",
            Stop::Limit => "limit",
        }
    }
}

/// Where one sample ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimum<T> {
    /// Its code \[code\].
    pub code: Vec<T>,
    /// ½‖decoder(start) − x‖².
    pub start: f64,
    /// ½‖decoder(code) − x‖²; never more than `start`.
    pub objective: f64,
    /// ‖Jᵀr‖₂ at the code: the certificate.
    pub gradient: f64,
    /// max_j |J_jᵀr| / (‖J_j‖·‖r‖) at the code, in [0, 1]; 0 when r or every column is 0.
    pub cosine: f64,
    /// Steps tried.
    pub steps: u32,
    /// Why it ended.
    pub stop: Stop,
}

/// Rows of the largest product: enough to fill the machine, few enough for the buffers to stay near it.
const PRODUCT_ROWS: usize = 512;
/// Batches that one thread takes at a time.
const BATCHES: usize = 8;

/// The best code for each of `targets` [count, features], searched from `starts` [count, code]. `done` counts the samples that
/// have ended, for whoever watches. The samples are shared among the threads of the current rayon pool.
///
/// # Panics
/// When the two are not as many rows of the decoder's widths.
pub fn optimal_codes<T: Real>(
    context: Context,
    decoder: &Decoder<T>,
    targets: &[T],
    starts: &[T],
    tolerances: Tolerances,
    done: &AtomicUsize,
) -> Vec<Optimum<T>> {
    let (code, features) = (decoder.code_size(), decoder.features());
    assert!(starts.len().is_multiple_of(code), "{} values are no codes [{code}]", starts.len());
    assert_eq!(targets.len() / features, starts.len() / code, "images and the codes to start from");
    let kinked = decoder.stages().iter().any(|stage| match stage {
        Stage::Dense(dense) => has_kink(dense.activation),
        Stage::Activation(activation) => has_kink(*activation),
    });
    let together = (PRODUCT_ROWS / (code + 1)).max(8);
    let search = |(targets, starts)| {
        let problem = Problem { context, decoder, targets, starts, tolerances, kinked };
        problem.search(together, done)
    };
    let targets = targets.par_chunks(together * BATCHES * features);
    let parts: Vec<Vec<Optimum<T>>> = targets.zip(starts.par_chunks(together * BATCHES * code)).map(search).collect();
    parts.into_iter().flatten().collect()
}

/// Whether the derivative may jump; that of elu does unless α is 1.
fn has_kink(activation: Activation) -> bool {
    matches!(activation, Activation::Relu | Activation::LeakyRelu { .. } | Activation::Elu { .. })
}

struct Problem<'a, T> {
    context: Context,
    decoder: &'a Decoder<T>,
    targets: &'a [T],
    starts: &'a [T],
    tolerances: Tolerances,
    /// Whether steps that fail may have met a kink.
    kinked: bool,
}

/// One sample on its way.
struct Search<T> {
    sample: usize,
    z: Vec<T>,
    start: Option<f64>,
    objective: f64,
    /// [JᵀJ, Jᵀr; rᵀJ, rᵀr] at z, row-major [code + 1, code + 1]; of an earlier z while `moved`.
    gram: Vec<f64>,
    moved: bool,
    /// The largest diag(JᵀJ) so far.
    scale: Vec<f64>,
    lambda: f64,
    /// What was tried from z in vain: the last code, and the objective there; then pieces, oldest first.
    refused: Option<(Vec<T>, f64)>,
    pieces: Vec<Piece>,
    steps: u32,
    /// What the model promised for the step being tried.
    promised: f64,
}

/// λ at the start, relative to D.
const FIRST_LAMBDA: f64 = 1e-3;
/// λ grows by this when a step is refused: slowly, so that the pieces of a kink are met before steps become too short.
const RAISE: f64 = 2.0;
/// The least part of what was promised that a step must keep.
const ENOUGH: f64 = 0.05;
/// A step that keeps more than this of its promise met no kink: the pieces left behind are forgotten.
const FAITHFUL: f64 = 0.9;
/// Pieces kept around a point; a kink of k units has at least k + 1.
const MOST_PIECES: usize = 24;
/// λ beyond which no step is more than rounding.
const LARGEST_LAMBDA: f64 = 1e30;

impl<T: Real> Problem<'_, T> {
    fn target(&self, sample: usize) -> &[T] {
        let features = self.decoder.features();
        &self.targets[sample * features..(sample + 1) * features]
    }

    fn begin(&self, sample: usize) -> Search<T> {
        let code = self.decoder.code_size();
        Search {
            sample,
            z: self.starts[sample * code..(sample + 1) * code].to_vec(),
            start: None,
            objective: f64::INFINITY,
            gram: vec![0.0; (code + 1) * (code + 1)],
            moved: true,
            scale: vec![0.0; code],
            lambda: FIRST_LAMBDA,
            refused: None,
            pieces: Vec::new(),
            steps: 0,
            promised: 0.0,
        }
    }

    fn search(&self, together: usize, done: &AtomicUsize) -> Vec<Optimum<T>> {
        let count = self.starts.len() / self.decoder.code_size();
        let mut waiting = 0..count;
        let mut searches: Vec<Search<T>> = waiting.by_ref().take(together).map(|sample| self.begin(sample)).collect();
        let mut ended: Vec<Option<Optimum<T>>> = (0..count).map(|_| None).collect();
        let mut tangents = Tangents::default();
        let mut stages = Vec::new();
        while !searches.is_empty() {
            self.look_around(&mut searches, &mut tangents);
            let mut trials = Vec::with_capacity(searches.len());
            searches.retain_mut(|search| match self.propose(search) {
                Ok(trial) => {
                    trials.extend_from_slice(&trial);
                    true
                }
                Err(stop) => {
                    ended[search.sample] = Some(search.end(stop));
                    done.fetch_add(1, Ordering::Relaxed);
                    false
                }
            });
            self.try_out(&mut searches, &trials, &mut stages);
            let room = together - searches.len();
            searches.extend(waiting.by_ref().take(room).map(|sample| self.begin(sample)));
        }
        ended.into_iter().map(|optimum| optimum.expect("every sample was searched to its end")).collect()
    }

    /// Forms J and r where a search has moved to, and where it has tried to.
    fn look_around(&self, searches: &mut [Search<T>], tangents: &mut Tangents<T>) {
        let (code, features) = (self.decoder.code_size(), self.decoder.features());
        let places: Vec<&mut Search<T>> =
            searches.iter_mut().filter(|search| search.moved || search.refused.is_some()).collect();
        if places.is_empty() {
            return;
        }
        let place = |search: &Search<T>| search.refused.as_ref().map_or(search.z.clone(), |(at, _)| at.clone());
        let codes: Vec<T> = places.iter().flat_map(|search| place(search)).collect();
        let targets: Vec<T> = places.iter().flat_map(|search| self.target(search.sample)).copied().collect();
        tangents.jacobian(self.context, self.decoder, &codes);
        let planes = tangents.with_residuals(self.context, &targets);
        let count = places.len();
        let mut gram = vec![T::ZERO; (code + 1) * (code + 1)];
        for (place, search) in places.into_iter().enumerate() {
            let columns = MatRef::with_strides(&planes[place * features..], code + 1, features, count * features, 1);
            let out = MatMut::new(&mut gram, code + 1, code + 1);
            gemm(self.context, out, Accumulate::Overwrite, columns, columns.transposed(), Epilogue::NONE);
            let gram = gram.iter().map(|g| g.to_f64()).collect();
            if let Some((at, objective)) = search.refused.take() {
                if search.pieces.len() == MOST_PIECES {
                    search.pieces.remove(0);
                }
                let at = at.iter().map(|z| z.to_f64()).collect();
                search.pieces.push(Piece { at, objective, gram });
                continue;
            }
            search.gram = gram;
            search.moved = false;
            if search.start.is_none() {
                let residual = &planes[(code * count + place) * features..][..features];
                search.objective = 0.5 * sum_of_squares(self.context.isa, residual);
                search.start = Some(search.objective);
            }
            for (j, scale) in search.scale.iter_mut().enumerate() {
                *scale = scale.max(search.gram[j * (code + 2)]);
            }
        }
    }

    /// The next code to try, or why there is none.
    fn propose(&self, search: &mut Search<T>) -> Result<Vec<T>, Stop> {
        let features = self.decoder.features();
        let image = sum_of_squares(self.context.isa, self.target(search.sample));
        let met = 8.0 * T::EPSILON.to_f64() * (features as f64).sqrt();
        if 2.0 * search.objective <= met * met * image {
            return Err(Stop::Met);
        }
        let (_, cosine) = search.gradient();
        if cosine <= self.tolerances.gradient {
            return Err(Stop::Gradient);
        }
        // A column that is zero, as behind a dead relu, is damped like the smallest of the others: the system stays regular.
        let floor = search.scale.iter().copied().filter(|&s| s > 0.0).fold(f64::INFINITY, f64::min);
        let z: Vec<f64> = search.z.iter().map(|z| z.to_f64()).collect();
        while search.lambda <= LARGEST_LAMBDA {
            let scale = search.scale.iter().map(|&s| if s > 0.0 { s } else { floor });
            let damping: Vec<f64> = scale.map(|s| search.lambda * s).collect();
            let Some(step) = step(&z, search.objective, &search.gram, &damping, &search.pieces) else {
                search.lambda *= RAISE;
                continue;
            };
            search.promised = step.promised;
            // With strong damping any step promises little.
            let free = search.lambda <= 1.0;
            let (least, stop) = if search.pieces.is_empty() {
                (self.tolerances.reduction, if free { Stop::Reduction } else { Stop::Step })
            } else {
                (self.tolerances.kink, if free { Stop::Kink } else { Stop::Step })
            };
            if step.promised.is_nan() || step.promised <= least * search.objective {
                return Err(stop);
            }
            let length = step.delta.iter().map(|s| s * s).sum::<f64>().sqrt();
            let size = z.iter().map(|z| z * z).sum::<f64>().sqrt();
            let trial: Vec<T> = z.iter().zip(&step.delta).map(|(z, s)| T::from_f64(z + s)).collect();
            if length <= self.tolerances.step * size || trial == search.z {
                return Err(Stop::Step);
            }
            if search.steps == self.tolerances.most_steps {
                return Err(Stop::Limit);
            }
            return Ok(trial);
        }
        Err(Stop::Step)
    }

    /// Decodes the codes proposed and takes those that lower the error.
    fn try_out(&self, searches: &mut [Search<T>], trials: &[T], stages: &mut Vec<Vec<T>>) {
        if searches.is_empty() {
            return;
        }
        let (code, features) = (self.decoder.code_size(), self.decoder.features());
        self.decoder.decode_stages(self.context, trials, stages);
        let outputs = stages.last().expect("a decoder has stages");
        let mut residual = vec![T::ZERO; features];
        for ((search, trial), output) in searches.iter_mut().zip(trials.chunks(code)).zip(outputs.chunks(features)) {
            let target = self.target(search.sample);
            binary(self.context.isa, Binary::Sub, output, target, &mut residual, Accumulate::Overwrite);
            let objective = 0.5 * sum_of_squares(self.context.isa, &residual);
            search.steps += 1;
            let ratio = (search.objective - objective) / search.promised;
            // False for NaN too.
            if ratio >= ENOUGH {
                let bend = 2.0 * ratio - 1.0;
                search.lambda *= (1.0 - bend * bend * bend).max(1.0 / 3.0);
                search.objective = objective;
                search.z.copy_from_slice(trial);
                search.moved = true;
                if ratio > FAITHFUL {
                    search.pieces.clear();
                }
            } else {
                // Near a kink the piece just met mends the model; more damping is for what no piece explains.
                let explained =
                    self.kinked && objective <= search.objective + search.promised && search.pieces.len() <= code + 1;
                if !explained {
                    search.lambda *= RAISE;
                }
                if self.kinked && objective.is_finite() {
                    search.refused = Some((trial.to_vec(), objective));
                }
            }
        }
    }
}

impl<T: Real> Search<T> {
    /// ‖Jᵀr‖₂, and the largest cosine between r and a column of J.
    fn gradient(&self) -> (f64, f64) {
        let code = self.z.len();
        let residual = self.gram[(code + 2) * code].sqrt();
        let (mut squares, mut cosine) = (0.0, 0.0f64);
        for j in 0..code {
            let product = self.gram[j * (code + 1) + code];
            squares += product * product;
            let bound = self.gram[j * (code + 2)].sqrt() * residual;
            if bound > 0.0 {
                cosine = cosine.max(product.abs() / bound);
            }
        }
        (squares.sqrt(), cosine)
    }

    fn end(&mut self, stop: Stop) -> Optimum<T> {
        let (gradient, cosine) = self.gradient();
        Optimum {
            code: std::mem::take(&mut self.z),
            start: self.start.unwrap_or(self.objective),
            objective: self.objective,
            gradient,
            cosine,
            steps: self.steps,
            stop,
        }
    }
}

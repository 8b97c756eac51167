//! Optimal codes: min over z of ½‖decoder(z) − x‖², by Levenberg–Marquardt, many samples at a time.
//!
//! Each sample has its own damping λ and its own end; a step δ solves (H + λD)·δ = −Jᵀr, r = decoder(z) − x, D the largest
//! diag(JᵀJ) met so far (Moré 1978). It is taken when it keeps at least a twentieth of the decrease of ½‖r‖² that the
//! model promises. With ρ the part kept,
//!
//! * taken: λ ← λ·max(⅓, 1 − (2ρ − 1)³) (Nielsen 1999, "Damping parameter in Marquardt's method");
//! * refused: λ ← 2λ.
//!
//! H is JᵀJ as long as a step promises more than a hundredth of ½‖r‖². Near a minimum that leaves large residuals, JᵀJ alone
//! converges slowly: there H = JᵀJ + S, S being the estimate of Σ r_i·∇²r_i that the changes of Jᵀr give (Dennis, Gay & Welsch
//! 1981, "An adaptive nonlinear least-squares algorithm", section 3).
//!
//! Decoders with kinks have minima at these, and H = JᵀJ: see `kinks.rs`. Their kinks are left out of account as long as
//! steps promise more than a thousandth of ½‖r‖² and are taken, and before a sample ends, steps over single kinks are tried.
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
//! 3. the model promises to lower ½‖r‖² by at most `reduction` of it while λ ≤ 1 ([`Stop::Reduction`]), or, where kinks hold
//!    the step back, by at most `kink` of it ([`Stop::Kink`]): Jᵀr, the gradient of one of the pieces, does not vanish there;
//! 4. the same with λ > 1, or ‖δ‖ ≤ `step`·‖z‖ ([`Stop::Step`]): the search has stalled;
//! 5. `most_steps` steps were tried ([`Stop::Limit`]).
//!
//! The first three are certificates that the error has no slope left there, or at a kink no mixture of slopes: a necessary
//! condition of a local minimum, see [`Stop::is_certificate`]. The last two are none.
//!
//! Samples share products, not numbers: an element of a product is one chain that its neighbours cannot change. A sample that
//! has ended makes room for the next, so that products stay large.

use narrows_kernels::elementwise::{Binary, binary};
use narrows_kernels::reduce::sum_of_squares;
use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, Real, gemm};
use rayon::prelude::*;
use serde::Serialize;

use super::decoder::Decoder;
use super::kinks::{Kinks, Model, Step, dot};
use super::tangent::Tangents;

/// When a sample ends; see the top of `optimal.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Tolerances {
    /// The largest cosine between the residual and a column of the Jacobian.
    pub gradient: f64,
    /// The smallest relative decrease of ½‖r‖² worth a step.
    pub reduction: f64,
    /// The same where kinks hold a step back.
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
    /// The same where kinks hold the step back.
    Kink,
    /// Steps became too short.
    Step,
    /// Too many steps.
    Limit,
}

impl Stop {
    /// Every reason, in the order in which they are asked.
    pub const ALL: [Stop; 6] = [Stop::Met, Stop::Gradient, Stop::Reduction, Stop::Kink, Stop::Step, Stop::Limit];

    /// Whether a necessary condition of a local minimum was met; a search that stalled or ran out of steps shows nothing.
    pub fn is_certificate(self) -> bool {
        !matches!(self, Stop::Step | Stop::Limit)
    }

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
    /// ½‖decoder(code) − x‖²; never more than at the start.
    pub objective: f64,
    /// ‖Jᵀr‖₂ at the code: the certificate.
    pub gradient: f64,
    /// max_j |J_jᵀr| / (‖J_j‖·‖r‖) at the code, in [0, 1]; 0 when r or every column is 0, NaN when one of
    /// them is not finite.
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

/// The best code for each of `targets` [count, features], searched from `starts` [count, code]. The samples are
/// shared among the threads of the current rayon pool.
///
/// # Panics
/// When the two are not as many rows of the decoder's widths.
pub fn optimal_codes<T: Real>(
    context: Context,
    decoder: &Decoder<T>,
    targets: &[T],
    starts: &[T],
    tolerances: Tolerances,
) -> Vec<Optimum<T>> {
    let (code, features) = (decoder.code_size(), decoder.features());
    assert!(starts.len().is_multiple_of(code), "{} values are no codes [{code}]", starts.len());
    assert_eq!(targets.len(), starts.len() / code * features, "images and the codes to start from");
    let task = samples_of_a_task(code);
    let search = |(targets, starts)| {
        let problem = Problem { context, decoder, targets, starts, tolerances };
        problem.search(task / BATCHES)
    };
    let targets = targets.par_chunks(task * features);
    let parts: Vec<Vec<Optimum<T>>> = targets.zip(starts.par_chunks(task * code)).map(search).collect();
    parts.into_iter().flatten().collect()
}

/// Samples, with codes of `code` values, that one thread takes at a time: whole batches, at least 64.
pub(super) fn samples_of_a_task(code: usize) -> usize {
    (PRODUCT_ROWS / (code + 1)).max(8) * BATCHES
}

struct Problem<'a, T> {
    context: Context,
    decoder: &'a Decoder<T>,
    targets: &'a [T],
    starts: &'a [T],
    tolerances: Tolerances,
}

/// One sample on its way.
struct Search<T> {
    sample: usize,
    z: Vec<T>,
    objective: f64,
    /// [JᵀJ, Jᵀr; rᵀJ, rᵀr] at z, row-major [code + 1, code + 1]; of an earlier z while `moved`.
    gram: Vec<f64>,
    moved: bool,
    /// The largest diag(JᵀJ) so far.
    scale: Vec<f64>,
    lambda: f64,
    /// The kinks around z, and whether steps take no account of them.
    kinks: Kinks,
    ignores_kinks: bool,
    /// Once the search would end at z: steps over a kink that were not tried yet.
    escapes: Option<Vec<Step>>,
    /// S [code, code].
    curvature: Vec<f64>,
    /// The step that led to z.
    taken: Vec<f64>,
    steps: u32,
    /// What the model promised for the step being tried.
    promised: f64,
}

// The constants below are chosen, not measured one by one. With them all of 384 codes of three decoders with kinks ended with a
// certificate; 235 had none when kinks were left out of account.

/// λ at the start, relative to D.
const FIRST_LAMBDA: f64 = 1e-3;
/// λ grows by this when a step is refused.
const RAISE: f64 = 2.0;
/// The least part of what was promised that a step must keep.
const ENOUGH: f64 = 0.05;
/// Steps that promise more than this part of ½‖r‖² take no account of kinks.
const IGNORES_KINKS: f64 = 1e-3;
/// Steps that promise less than this part of ½‖r‖² use S.
const NEAR: f64 = 1e-2;
/// The least part of ½‖r‖² that a step over a kink must promise.
const ESCAPE: f64 = 1e-6;
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
            objective: f64::INFINITY,
            gram: vec![0.0; (code + 1) * (code + 1)],
            moved: true,
            scale: vec![0.0; code],
            lambda: FIRST_LAMBDA,
            kinks: Kinks::default(),
            ignores_kinks: true,
            escapes: None,
            curvature: vec![0.0; code * code],
            taken: Vec::new(),
            steps: 0,
            promised: f64::INFINITY,
        }
    }

    fn search(&self, together: usize) -> Vec<Optimum<T>> {
        let count = self.starts.len() / self.decoder.code_size();
        let mut waiting = 0..count;
        let mut searches: Vec<Search<T>> = waiting.by_ref().take(together).map(|sample| self.begin(sample)).collect();
        let mut ended: Vec<Option<Optimum<T>>> = (0..count).map(|_| None).collect();
        let mut tangents = Tangents::default();
        let mut layers = Vec::new();
        while !searches.is_empty() {
            self.look_around(&mut searches, &mut tangents);
            let mut trials = Vec::with_capacity(searches.len());
            searches.retain_mut(|search| match self.propose(search).or_else(|stop| self.escape(search, stop)) {
                Ok(trial) => {
                    trials.extend_from_slice(&trial);
                    true
                }
                Err(stop) => {
                    ended[search.sample] = Some(search.end(stop));
                    false
                }
            });
            self.try_out(&mut searches, &trials, &mut layers);
            let room = together - searches.len();
            searches.extend(waiting.by_ref().take(room).map(|sample| self.begin(sample)));
        }
        ended.into_iter().map(|optimum| optimum.expect("every sample was searched to its end")).collect()
    }

    /// Forms J and r where a search has moved to.
    fn look_around(&self, searches: &mut [Search<T>], tangents: &mut Tangents<T>) {
        let (code, features) = (self.decoder.code_size(), self.decoder.features());
        let places: Vec<&mut Search<T>> = searches.iter_mut().filter(|search| search.moved).collect();
        if places.is_empty() {
            return;
        }
        let codes: Vec<T> = places.iter().flat_map(|search| search.z.iter().copied()).collect();
        let targets: Vec<T> = places.iter().flat_map(|search| self.target(search.sample)).copied().collect();
        tangents.jacobian(self.context, self.decoder, &codes);
        tangents.add_residuals(self.context, self.decoder, &targets);
        let (planes, count) = (tangents.planes(), places.len());
        let mut gram = vec![T::ZERO; (code + 1) * (code + 1)];
        for (place, search) in places.into_iter().enumerate() {
            let columns = MatRef::with_strides(&planes[place * features..], code + 1, features, count * features, 1);
            let out = MatMut::new(&mut gram, code + 1, code + 1);
            gemm(self.context, out, Accumulate::Overwrite, columns, columns.transposed(), Epilogue::NONE);
            let before = std::mem::replace(&mut search.gram, gram.iter().map(|g| g.to_f64()).collect());
            search.kinks = tangents.kinks(code, count, place);
            if search.kinks.weights.is_empty() && search.steps > 0 {
                search.learn(&before);
            }
            search.moved = false;
            if search.steps == 0 {
                let residual = &planes[(code * count + place) * features..][..features];
                search.objective = 0.5 * sum_of_squares(self.context.isa, residual);
            }
            for (j, scale) in search.scale.iter_mut().enumerate() {
                *scale = scale.max(search.gram[j * (code + 2)]);
            }
        }
    }

    /// The next code to try, or why there is none.
    fn propose(&self, search: &mut Search<T>) -> Result<Vec<T>, Stop> {
        // Comparisons with NaN would pass for those of a minimum.
        if !search.objective.is_finite() {
            return Err(Stop::Step);
        }
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
        let z: Vec<f64> = search.z.iter().map(|z| z.to_f64()).collect();
        let (code, none) = (z.len(), Kinks::default());
        while search.lambda <= LARGEST_LAMBDA {
            let mut gram = search.gram.clone();
            if search.promised <= NEAR * search.objective {
                (0..code * code).for_each(|at| gram[at / code * (code + 1) + at % code] += search.curvature[at]);
            }
            let kinks = if search.ignores_kinks { &none } else { &search.kinks };
            let Some(model) = Model::new(&gram, &search.damping(search.lambda), kinks) else {
                search.lambda *= RAISE;
                continue;
            };
            let step = model.step(None);
            let is_large = step.promised > IGNORES_KINKS * search.objective;
            if search.ignores_kinks && !search.kinks.weights.is_empty() && !is_large {
                search.ignores_kinks = false;
                continue;
            }
            search.promised = step.promised;
            // With strong damping any step promises little, and NaN promises nothing.
            let free = search.lambda <= 1.0 && !step.promised.is_nan();
            let (least, stop) = if step.held_back {
                (self.tolerances.kink, Stop::Kink)
            } else {
                (self.tolerances.reduction, Stop::Reduction)
            };
            let stop = if free { stop } else { Stop::Step };
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

    /// A step over a kink where the search would end, or why it ends.
    fn escape(&self, search: &mut Search<T>, stop: Stop) -> Result<Vec<T>, Stop> {
        if matches!(stop, Stop::Met | Stop::Limit) || search.steps == self.tolerances.most_steps {
            return Err(stop);
        }
        if search.escapes.is_none() {
            let damping = search.damping(search.lambda.min(FIRST_LAMBDA));
            let model = Model::new(&search.gram, &damping, &search.kinks);
            search.escapes = model.map(|model| model.escapes(ESCAPE * search.objective));
        }
        let step = search.escapes.as_mut().and_then(Vec::pop).ok_or(stop)?;
        search.promised = step.promised;
        Ok(search.z.iter().zip(&step.delta).map(|(z, s)| T::from_f64(z.to_f64() + s)).collect())
    }

    /// Decodes the codes proposed and takes those that lower the error.
    fn try_out(&self, searches: &mut [Search<T>], trials: &[T], layers: &mut Vec<Vec<T>>) {
        if searches.is_empty() {
            return;
        }
        let (code, features) = (self.decoder.code_size(), self.decoder.features());
        self.decoder.decode_layers(self.context, trials, layers);
        let outputs = layers.last().expect("a decoder has layers");
        let mut residual = vec![T::ZERO; features];
        for ((search, trial), output) in searches.iter_mut().zip(trials.chunks(code)).zip(outputs.chunks(features)) {
            let target = self.target(search.sample);
            binary(self.context.isa, Binary::Sub, output, target, &mut residual, Accumulate::Overwrite);
            let objective = 0.5 * sum_of_squares(self.context.isa, &residual);
            search.steps += 1;
            let ratio = (search.objective - objective) / search.promised;
            // False for NaN too.
            if ratio >= ENOUGH {
                let excess = 2.0 * ratio - 1.0;
                search.lambda *= (1.0 - excess * excess * excess).max(1.0 / 3.0);
                search.objective = objective;
                search.taken = search.z.iter().zip(trial).map(|(z, trial)| trial.to_f64() - z.to_f64()).collect();
                search.z.copy_from_slice(trial);
                search.moved = true;
                search.escapes = None;
            } else if search.ignores_kinks && !search.kinks.weights.is_empty() {
                search.ignores_kinks = false;
            } else if search.escapes.is_none() {
                search.lambda *= RAISE;
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
            let found = if bound == 0.0 { 0.0 } else { product.abs() / bound };
            // NaN stays.
            if found > cosine || found.is_nan() {
                cosine = found;
            }
        }
        (squares.sqrt(), cosine)
    }

    /// λD. A column that is zero, as behind a dead relu, is damped like the smallest of the others: the system stays regular.
    fn damping(&self, lambda: f64) -> Vec<f64> {
        let floor = self.scale.iter().copied().filter(|&s| s > 0.0).fold(f64::INFINITY, f64::min);
        self.scale.iter().map(|&s| lambda * if s > 0.0 { s } else { floor }).collect()
    }

    /// Brings S up to date with what Jᵀr has changed by since the [JᵀJ, Jᵀr; …] `before` the step s that led here. With
    /// v = Δ(Jᵀr), y = v − JᵀJ·s and w = y − τ·S·s, S becomes τ·S + (wvᵀ + vwᵀ)/vᵀs − (wᵀs)·vvᵀ/(vᵀs)²; τ = min(1, |sᵀy| /
    /// |sᵀSs|) makes an S that has become too large smaller.
    fn learn(&mut self, before: &[f64]) {
        let (code, s) = (self.z.len(), &self.taken);
        let row = |j: usize| j * (code + 1);
        let v: Vec<f64> = (0..code).map(|j| self.gram[row(j) + code] - before[row(j) + code]).collect();
        let y: Vec<f64> = (0..code).map(|j| v[j] - dot(&self.gram[row(j)..], s)).collect();
        let moved: Vec<f64> = self.curvature.chunks_exact(code).map(|row| dot(row, s)).collect();
        let (old, new, along) = (dot(s, &moved).abs(), dot(s, &y).abs(), dot(&v, s));
        // A step on which the gradient did not grow tells nothing of a minimum.
        if !(along > 0.0) {
            return;
        }
        let tau = if old > new { new / old } else { 1.0 };
        let w: Vec<f64> = y.iter().zip(&moved).map(|(y, moved)| y - tau * moved).collect();
        let twice = dot(&w, s) / along;
        for (at, entry) in self.curvature.iter_mut().enumerate() {
            let (i, j) = (at / code, at % code);
            *entry = tau * *entry + (w[i] * v[j] + v[i] * w[j] - twice * v[i] * v[j]) / along;
        }
    }

    fn end(&mut self, stop: Stop) -> Optimum<T> {
        let (gradient, cosine) = self.gradient();
        Optimum {
            code: std::mem::take(&mut self.z),
            objective: self.objective,
            gradient,
            cosine,
            steps: self.steps,
            stop,
        }
    }
}

//! Steps across kinks.
//!
//! (Leaky) relu and elu make ½‖r‖² piecewise smooth, and its minima often lie where pieces meet and the gradient of neither
//! vanishes. Where they meet is known: a unit k with the input a_k(z), whose activation's slope jumps by s at 0, and on whose
//! output the objective depends with the derivative c_k, adds beyond its kink
//!
//! w_k·max(0, u_kᵀδ − e_k),   e_k = |a_k|,   u_k = −sign(a_k)·∂a_k/∂z,   w_k = s·c_k,
//!
//! to what the piece around z says. A step minimises gᵀδ + ½·δᵀMδ, M = JᵀJ + λD, with the terms of all units of w_k > 0. This
//! is a convex problem with the dual δ = −M⁻¹(g + Σμ_k·u_k), 0 ≤ μ_k ≤ w_k, solved one μ after the other. At a minimum where
//! pieces meet their gradients have a mixture that vanishes, and with it the step: that is its certificate (the generalised
//! gradient of Clarke 1983 contains 0).
//!
//! Beyond the kink of a unit of w_k < 0 the objective falls; [`Model::escapes`] are steps over one of them, for a search that
//! would otherwise end in front of it.

use crate::linalg::{cholesky_factor, cholesky_substitute};

/// The kinks around a code.
#[derive(Clone, Debug, Default)]
pub(super) struct Kinks {
    /// u [units, code].
    pub normals: Vec<f64>,
    /// e \[units\].
    pub distances: Vec<f64>,
    /// w \[units\].
    pub weights: Vec<f64>,
}

/// A step and what it promises.
pub(super) struct Step {
    /// δ \[code\].
    pub delta: Vec<f64>,
    /// The decrease of the model without damping.
    pub promised: f64,
    /// Whether a kink holds it back.
    pub held_back: bool,
}

/// The objective around a code.
pub(super) struct Model<'a> {
    /// [JᵀJ, Jᵀr; rᵀJ, rᵀr], row-major [code + 1, code + 1].
    gram: &'a [f64],
    kinks: &'a Kinks,
    code: usize,
    /// Of M.
    factor: Vec<f64>,
}

/// A unit whose kink the step meets.
struct Active {
    unit: usize,
    /// M⁻¹u.
    solved: Vec<f64>,
    /// uᵀM⁻¹u.
    width: f64,
    /// μ.
    multiplier: f64,
}

// Chosen, not measured.

/// Times that units are added which the step has come to cross.
const ROUNDS: usize = 20;
/// Passes over all μ before further units are looked for.
const PASSES: usize = 200;
/// Kinks that an escape is tried over.
const ESCAPES: usize = 16;

/// Σ a·b, as far as both go.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

impl<'a> Model<'a> {
    /// With the diagonal `damping` = λD \[code\]; none when M is not positive definite.
    pub fn new(gram: &'a [f64], damping: &[f64], kinks: &'a Kinks) -> Option<Self> {
        let code = damping.len();
        let mut factor: Vec<f64> = (0..code * code).map(|at| gram[at / code * (code + 1) + at % code]).collect();
        (0..code).for_each(|j| factor[j * (code + 1)] += damping[j]);
        cholesky_factor(&mut factor, code).then_some(Model { gram, kinks, code, factor })
    }

    fn normal(&self, unit: usize) -> &[f64] {
        &self.kinks.normals[unit * self.code..(unit + 1) * self.code]
    }

    fn solved(&self, vector: &[f64]) -> Vec<f64> {
        let mut solution = vector.to_vec();
        cholesky_substitute(&self.factor, &mut solution);
        solution
    }

    /// The step that minimises the model, the unit `crossed` being taken to be beyond its kink.
    pub fn step(&self, crossed: Option<usize>) -> Step {
        let Kinks { distances, weights, .. } = self.kinks;
        let mut gradient: Vec<f64> = (0..self.code).map(|j| self.gram[j * (self.code + 1) + self.code]).collect();
        let mut promised = 0.0;
        if let Some(unit) = crossed {
            gradient.iter_mut().zip(self.normal(unit)).for_each(|(g, u)| *g += weights[unit] * u);
            promised = weights[unit] * distances[unit];
        }
        let mut delta = self.solved(&gradient);
        delta.iter_mut().for_each(|d| *d = -*d);
        let mut active: Vec<Active> = Vec::new();
        for _ in 0..ROUNDS {
            let known = active.len();
            for unit in (0..weights.len()).filter(|&unit| weights[unit] > 0.0) {
                if dot(self.normal(unit), &delta) > distances[unit] && active.iter().all(|other| other.unit != unit) {
                    let solved = self.solved(self.normal(unit));
                    let width = dot(self.normal(unit), &solved);
                    active.push(Active { unit, solved, width, multiplier: 0.0 });
                }
            }
            if active.len() == known {
                break;
            }
            for _ in 0..PASSES {
                let mut moved = 0.0f64;
                for Active { unit, solved, width, multiplier } in &mut active {
                    let beyond = dot(self.normal(*unit), &delta) - distances[*unit];
                    let by = (*multiplier + beyond / *width).clamp(0.0, weights[*unit]) - *multiplier;
                    *multiplier += by;
                    delta.iter_mut().zip(solved).for_each(|(d, s)| *d -= by * *s);
                    moved = moved.max(by * by * *width);
                }
                // by²·uᵀM⁻¹u is what the change is worth: of 1e-28 of the promise, rounding is left.
                if moved <= 1e-28 * dot(&gradient, &delta).abs() {
                    break;
                }
            }
        }
        promised -= dot(&gradient, &delta);
        for (row, d) in self.gram.chunks_exact(self.code + 1).zip(&delta) {
            promised -= 0.5 * d * dot(row, &delta);
        }
        for Active { unit, .. } in &active {
            promised -= weights[*unit] * (dot(self.normal(*unit), &delta) - distances[*unit]).max(0.0);
        }
        Step { delta, promised, held_back: active.iter().any(|active| active.multiplier > 0.0) }
    }

    /// Steps that cross one kink beyond which the objective falls, and promise more than `least`; the best last.
    pub fn escapes(&self, least: f64) -> Vec<Step> {
        // With one unit crossed and no other in the way: ½·w²·uᵀM⁻¹u − |w|·e, which is an upper bound where the gradient is 0.
        let gain = |unit: usize| {
            let (normal, weight) = (self.normal(unit), -self.kinks.weights[unit]);
            weight * (0.5 * weight * dot(normal, &self.solved(normal)) - self.kinks.distances[unit])
        };
        let falling = (0..self.kinks.weights.len()).filter(|&unit| self.kinks.weights[unit] < 0.0);
        let mut gains: Vec<(f64, usize)> =
            falling.map(|unit| (gain(unit), unit)).filter(|(gain, _)| *gain > least).collect();
        gains.sort_by(|a, b| b.0.total_cmp(&a.0));
        let steps = gains.iter().take(ESCAPES).map(|(_, unit)| self.step(Some(*unit)));
        let mut steps: Vec<Step> = steps.filter(|step| step.promised > least).collect();
        steps.sort_by(|a, b| a.promised.total_cmp(&b.promised));
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Curvature I and this gradient at 0.
    fn gram(gradient: [f64; 2]) -> Vec<f64> {
        vec![1.0, 0.0, gradient[0], 0.0, 1.0, gradient[1], gradient[0], gradient[1], 1.0]
    }

    fn kink(normal: [f64; 2], distance: f64, weight: f64) -> Kinks {
        Kinks { normals: normal.to_vec(), distances: vec![distance], weights: vec![weight] }
    }

    fn step(gradient: [f64; 2], damping: f64, kinks: &Kinks) -> Step {
        Model::new(&gram(gradient), &[damping; 2], kinks).unwrap().step(None)
    }

    #[test]
    fn without_kinks_it_is_the_levenberg_marquardt_step() {
        let step = step([2.0, -4.0], 3.0, &Kinks::default());
        assert_eq!(step.delta, [-0.5, 1.0]);
        // −gᵀδ − ½·δᵀGδ = 5 − 0.625.
        assert!(step.promised == 4.375 && !step.held_back);
    }

    #[test]
    fn a_steep_kink_is_walked_along_and_a_shallow_one_crossed() {
        // The gradient is (3, 1); beyond z₀ = 0 it is (3 − w, 1).
        let along = step([3.0, 1.0], 0.0, &kink([-1.0, 0.0], 0.0, 6.0));
        assert!(
            along.delta[0].abs() < 1e-15 && (along.delta[1] + 1.0).abs() < 1e-15 && along.held_back,
            "{:?}",
            along.delta
        );
        let across = step([3.0, 1.0], 0.0, &kink([-1.0, 0.0], 0.5, 1.0));
        // −3 until z₀ = −0.5, then 1 less: ½·(−2)² + … the minimum is at −2.
        assert!((across.delta[0] + 2.0).abs() < 1e-15, "{:?}", across.delta);
        // 3·2 + 1·1 − ½(4 + 1) − 1·(2 − 0.5).
        assert!((across.promised - 3.0).abs() < 1e-15, "{}", across.promised);
    }

    #[test]
    fn a_mixture_that_vanishes_promises_nothing() {
        let step = step([2.0, 4.0], 0.1, &kink([-0.5, -1.0], 0.0, 6.0));
        assert!(step.promised.abs() < 1e-14, "{}", step.promised);
    }

    #[test]
    fn an_escape_leads_over_a_kink_beyond_which_the_objective_falls() {
        let (gram, kinks) = (gram([0.0, 0.0]), kink([1.0, 0.0], 0.25, -1.0));
        let model = Model::new(&gram, &[0.0; 2], &kinks).unwrap();
        let escapes = model.escapes(1e-9);
        // −(z₀ − 0.25) + ½·z₀² is least at 1: −0.25.
        assert!(escapes.len() == 1 && escapes[0].delta == [1.0, 0.0] && escapes[0].promised == 0.25);
        assert!(model.escapes(0.3).is_empty() && model.step(None).promised == 0.0);
    }
}

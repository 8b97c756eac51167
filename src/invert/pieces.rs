//! Steps at kinks: several smooth pieces of one objective.
//!
//! (Leaky) relu and elu make ½‖r‖² piecewise smooth, and its minima like to lie on the seams, where one gradient says nothing: each
//! piece falls towards the seam, and short steps along either fail. As bundle methods do (Lemaréchal 1975; Kiwiel 1985,
//! "Methods of Descent for Nondifferentiable Optimization"), every point that was tried in vain leaves its piece behind, a
//! quadratic f_i with gradient g_i at z, below f(z) by e_i. The step then minimises over all of them
//!
//! max_i (g_iᵀδ − e_i) + ½·δᵀMδ,   M = JᵀJ + λD,
//!
//! whose dual is min over α ≥ 0, Σα = 1 of ½·‖Σα_i·g_i‖²_{M⁻¹} + Σα_i·e_i, with δ = −M⁻¹Σα_i·g_i. At a minimum on a seam some
//! mixture of the gradients vanishes, and with it the step: that is its certificate.

use crate::linalg::{cholesky_factor, cholesky_substitute};

/// The objective around a point that was tried.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    /// The point \[code\].
    pub at: Vec<f64>,
    /// ½‖r‖² there.
    pub objective: f64,
    /// [JᵀJ, Jᵀr; rᵀJ, rᵀr] there, row-major [code + 1, code + 1].
    pub gram: Vec<f64>,
}

impl Piece {
    /// The quadratic carried to `z`: its gradient there, and how far its value lies from `objective`. A quadratic that lies above
    /// is held as far off as one that lies below: it describes another place.
    fn carried(&self, z: &[f64], objective: f64) -> (Vec<f64>, f64) {
        let code = z.len();
        let way: Vec<f64> = z.iter().zip(&self.at).map(|(z, at)| z - at).collect();
        let (mut gradient, mut value) = (Vec::with_capacity(code), self.objective);
        for j in 0..code {
            let row = &self.gram[j * (code + 1)..(j + 1) * (code + 1)];
            let curved: f64 = row.iter().zip(&way).map(|(h, w)| h * w).sum();
            value += way[j] * (row[code] + 0.5 * curved);
            gradient.push(row[code] + curved);
        }
        (gradient, (objective - value).abs())
    }
}

/// A step and what it promises.
pub(super) struct Step {
    /// δ \[code\].
    pub delta: Vec<f64>,
    /// The decrease of the model.
    pub promised: f64,
}

/// The step from `z`, where the objective has the `gram` matrix, given `damping` = λD \[code\] and the pieces met around it. None
/// when the system is singular.
pub(super) fn step(z: &[f64], objective: f64, gram: &[f64], damping: &[f64], pieces: &[Piece]) -> Option<Step> {
    let code = z.len();
    let mut system: Vec<f64> = (0..code * code).map(|at| gram[at / code * (code + 1) + at % code]).collect();
    (0..code).for_each(|j| system[j * (code + 1)] += damping[j]);
    if !cholesky_factor(&mut system, code) {
        return None;
    }
    let own = (0..code).map(|j| gram[j * (code + 1) + code]).collect();
    let mut gradients: Vec<Vec<f64>> = vec![own];
    let mut below = vec![0.0];
    for piece in pieces {
        let (gradient, error) = piece.carried(z, objective);
        gradients.push(gradient);
        below.push(error);
    }
    let solved: Vec<Vec<f64>> = gradients
        .iter()
        .map(|gradient| {
            let mut solution = gradient.clone();
            cholesky_substitute(&system, &mut solution);
            solution
        })
        .collect();
    let mixture = mix(&gradients, &solved, &below);
    let mut delta = vec![0.0; code];
    for (weight, solution) in mixture.iter().zip(&solved) {
        delta.iter_mut().zip(solution).for_each(|(d, s)| *d -= weight * s);
    }
    // ½·δᵀMδ + Σαe is what the dual gives; the damping in it is no loss: + ½·δᵀλDδ.
    let mixed = |j: usize| mixture.iter().zip(&gradients).map(|(weight, g)| weight * g[j]).sum::<f64>();
    let damped: f64 = (0..code).map(|j| delta[j] * (damping[j] * delta[j] - mixed(j))).sum();
    let errors: f64 = mixture.iter().zip(&below).map(|(weight, e)| weight * e).sum();
    Some(Step { delta, promised: 0.5 * damped + errors })
}

/// α of the dual, by moving weight between the pair that gains most.
fn mix(gradients: &[Vec<f64>], solved: &[Vec<f64>], below: &[f64]) -> Vec<f64> {
    let count = gradients.len();
    let mut weights = vec![0.0; count];
    weights[0] = 1.0;
    if count == 1 {
        return weights;
    }
    let product = |i: usize, j: usize| gradients[i].iter().zip(&solved[j]).map(|(g, s)| g * s).sum::<f64>();
    let products: Vec<f64> = (0..count * count).map(|at| product(at / count, at % count)).collect();
    let mut slope: Vec<f64> = (0..count).map(|i| products[i * count] + below[i]).collect();
    for _ in 0..50 * count {
        let lowest = (1..count).fold(0, |best, i| if slope[i] < slope[best] { i } else { best });
        let mut highest = lowest;
        for i in 0..count {
            if weights[i] > 0.0 && slope[i] > slope[highest] {
                highest = i;
            }
        }
        let gain = slope[highest] - slope[lowest];
        let curvature = products[highest * (count + 1)] + products[lowest * (count + 1)]
            - products[highest * count + lowest]
            - products[lowest * count + highest];
        if highest == lowest || gain <= 1e-15 * products[0] {
            break;
        }
        let moved = if curvature > 0.0 { (gain / curvature).min(weights[highest]) } else { weights[highest] };
        weights[highest] -= moved;
        weights[lowest] += moved;
        for i in 0..count {
            slope[i] += moved * (products[i * count + lowest] - products[i * count + highest]);
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ½(z₀² + z₁²)-like curvature with these gradients at 0.
    fn gram(gradient: [f64; 2]) -> Vec<f64> {
        vec![1.0, 0.0, gradient[0], 0.0, 1.0, gradient[1], gradient[0], gradient[1], 1.0]
    }

    #[test]
    fn one_piece_gives_the_levenberg_marquardt_step() {
        let step = step(&[0.0, 0.0], 0.5, &gram([2.0, -4.0]), &[3.0, 3.0], &[]).unwrap();
        assert_eq!(step.delta, [-0.5, 1.0]);
        // −gᵀδ − ½·δᵀGδ = 5 − 0.625.
        assert_eq!(step.promised, 4.375);
    }

    #[test]
    fn two_pieces_that_fall_towards_a_seam_give_a_step_along_it() {
        let other = Piece { at: vec![0.0, 0.0], objective: 0.5, gram: gram([-3.0, 1.0]) };
        let step = step(&[0.0, 0.0], 0.5, &gram([3.0, 1.0]), &[0.0, 0.0], &[other]).unwrap();
        assert!(step.delta[0].abs() < 1e-15 && (step.delta[1] + 1.0).abs() < 1e-15, "{:?}", step.delta);
    }

    #[test]
    fn a_mixture_that_vanishes_promises_nothing() {
        let other = Piece { at: vec![0.0, 0.0], objective: 0.5, gram: gram([-1.0, -2.0]) };
        let step = step(&[0.0, 0.0], 0.5, &gram([2.0, 4.0]), &[0.1, 0.1], &[other]).unwrap();
        assert!(step.promised.abs() < 1e-14, "{}", step.promised);
    }

    #[test]
    fn a_quadratic_is_carried_exactly() {
        // f(z) = ½(z₀ − 1)² + ½(z₁ + 2)², seen from (3, 0) and carried to (1, 1): gradient (0, 3), value 4.5.
        let piece = Piece { at: vec![3.0, 0.0], objective: 4.0, gram: gram([2.0, 2.0]) };
        assert_eq!(piece.carried(&[1.0, 1.0], 5.0), (vec![0.0, 3.0], 0.5));
    }
}

//! L-BFGS: minima of smooth functions of many numbers from values and gradients.
//!
//! Nocedal & Wright, "Numerical Optimization" (2006), algorithms 7.4 and 7.5: the direction comes from the last [`MEMORY`]
//! steps by the two-loop recursion, which begins with what the caller knows of the inverse Hessian. A step must satisfy the
//! weak Wolfe conditions, found by doubling and halving (Lewis & Overton, "Nonsmooth optimization via quasi-Newton methods",
//! 2013, algorithm 2.6), so that sᵀy > 0 always.

use std::collections::VecDeque;

use narrows_kernels::Isa;
use narrows_kernels::reduce::dot;

/// Steps that the direction remembers.
const MEMORY: usize = 10;

/// Share of the promised decrease that a step must bring.
const DECREASE: f64 = 1e-4;

/// Share of the slope that may be left after a step.
const CURVATURE: f64 = 0.9;

/// Points tried along one direction.
const MOST_POINTS: usize = 40;

/// Where the search ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Minimum {
    /// The point.
    pub at: Vec<f64>,
    /// The function's value there.
    pub value: f64,
    /// The largest magnitude in the gradient there.
    pub gradient: f64,
    /// Steps taken.
    pub iterations: usize,
    /// Whether the gradient is within the tolerance.
    pub converged: bool,
}

struct Step {
    s: Vec<f64>,
    y: Vec<f64>,
    /// M⁻¹·y.
    solved: Vec<f64>,
    /// sᵀy, positive.
    sy: f64,
}

/// Goes from `start` to where no element of the gradient is larger than `tolerance`, or until `most_iterations` steps are
/// taken, or no point along the direction is lower within rounding.
///
/// `solve` overwrites a gradient g with M⁻¹·g, M a positive definite guess of the Hessian up to a factor; the better the
/// guess, the fewer the steps. `function` gives the value at a point and writes the gradient; where it gives NaN or infinity,
/// shorter steps are tried.
pub fn lbfgs(
    isa: Isa,
    start: Vec<f64>,
    tolerance: f64,
    most_iterations: usize,
    solve: impl Fn(&mut [f64]),
    mut function: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut at = start;
    let mut gradient = vec![0.0; at.len()];
    let mut value = function(&at, &mut gradient);
    let mut steps: VecDeque<Step> = VecDeque::new();
    let mut iterations = 0;
    while iterations < most_iterations && !(largest(&gradient) <= tolerance) {
        let mut direction = two_loops(isa, &gradient, &steps, &solve);
        let mut slope = dot(isa, &direction, &gradient);
        if !(slope < 0.0) {
            // By rounding, the remembered steps no longer give a descent direction.
            steps.clear();
            direction = two_loops(isa, &gradient, &steps, &solve);
            slope = dot(isa, &direction, &gradient);
        }
        let first = if steps.is_empty() { 1f64.min(1.0 / (-slope).sqrt()) } else { 1.0 };
        let Some(found) = search(isa, &at, value, &direction, slope, first, &mut function) else { break };
        let s: Vec<f64> = found.at.iter().zip(&at).map(|(new, old)| new - old).collect();
        let y: Vec<f64> = found.gradient.iter().zip(&gradient).map(|(new, old)| new - old).collect();
        let sy = dot(isa, &s, &y);
        (at, value, gradient) = (found.at, found.value, found.gradient);
        iterations += 1;
        if sy > 0.0 {
            if steps.len() == MEMORY {
                steps.pop_front();
            }
            let mut solved = y.clone();
            solve(&mut solved);
            steps.push_back(Step { s, y, solved, sy });
        }
    }
    let gradient = largest(&gradient);
    Minimum { at, value, gradient, iterations, converged: gradient <= tolerance }
}

/// The largest magnitude; NaN if there is one.
fn largest(gradient: &[f64]) -> f64 {
    gradient.iter().fold(0.0, |most: f64, g| if g.abs() <= most || most.is_nan() { most } else { g.abs() })
}

/// −H·g, H the inverse Hessian that the steps stand for.
fn two_loops(isa: Isa, gradient: &[f64], steps: &VecDeque<Step>, solve: &impl Fn(&mut [f64])) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let add = |q: &mut [f64], by: f64, v: &[f64]| q.iter_mut().zip(v).for_each(|(q, v)| *q += by * v);
    let mut alphas = Vec::with_capacity(steps.len());
    for Step { s, y, sy, .. } in steps.iter().rev() {
        let alpha = dot(isa, s, &q) / sy;
        add(&mut q, -alpha, y);
        alphas.push(alpha);
    }
    solve(&mut q);
    if let Some(Step { solved, y, sy, .. }) = steps.back() {
        let scale = sy / dot(isa, y, solved);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for (Step { s, y, sy, .. }, alpha) in steps.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(isa, y, &q) / sy;
        add(&mut q, alpha - beta, s);
    }
    q
}

struct Found {
    at: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

fn search(
    isa: Isa,
    from: &[f64],
    value: f64,
    direction: &[f64],
    slope: f64,
    first: f64,
    function: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<Found> {
    // Near the minimum the decrease drowns in the rounding of the value.
    let slack = 4.0 * f64::EPSILON * value.abs();
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    let mut gradient = vec![0.0; from.len()];
    for _ in 0..MOST_POINTS {
        let at: Vec<f64> = from.iter().zip(direction).map(|(x, d)| x + t * d).collect();
        let reached = function(&at, &mut gradient);
        if !(reached <= value + DECREASE * t * slope + slack) {
            high = t;
        } else if dot(isa, &gradient, direction) < CURVATURE * slope {
            low = t;
        } else {
            return Some(Found { at, value: reached, gradient });
        }
        t = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * t };
    }
    None
}

//! Multinomial logistic regression: how well a linear map tells the classes of codes.
//!
//! Over the weights W [d, k] and biases b \[k\] of the classes it minimises
//!
//! ```text
//! F(W, b) = 1/n · ( Σᵢ [ ln Σⱼ exp(zᵢⱼ) − zᵢ,yᵢ ] + ‖W‖² / (2C) ),   zᵢ = xᵢ·W + b,   C = 1
//! ```
//!
//! where x are the codes with each value brought to mean 0 and variance 1 over the training codes (a value that never
//! varies to 0): from three classes on what scikit-learn's `LogisticRegression` does after its `StandardScaler`. With two it
//! fits one logit, the difference of ours, and the weights −w/2 and w/2 pay half of what w does: ours is its fit at C = 2. F is
//! strictly convex in W, so that its minimum does not depend on who finds it. The Hessian lies below
//! ½·(XᵀX/n ⊗ (I − 11ᵀ/k)) + I/(nC) (Böhning 1992), whose first factor tells the search how the values of the codes are
//! correlated. All of it is in f64, in one order whatever the threads.

use narrows_kernels::elementwise::{Unary, unary};
use narrows_kernels::reduce::{column_sums, sum_of_squares};
use narrows_kernels::{Accumulate, Context, Epilogue, MatMut, MatRef, gemm};
use ndarray::ArrayView2;
use rayon::prelude::*;

use super::error::AnalysisError;
use super::lbfgs::{Minimum, lbfgs};
use super::standard::{Standard, check_finite, scatter};
use crate::linalg::{cholesky_factor, cholesky_substitute};

/// The inverse of the strength of the penalty on the weights.
const C: f64 = 1.0;

/// No element of F's gradient may be larger at the minimum. scikit-learn stops at 1e-4.
const TOLERANCE: f64 = 1e-5;

const MOST_ITERATIONS: usize = 2000;

/// Rows whose losses are one sum: with ten classes their logits fit the first-level cache.
const ROWS: usize = 256;

/// A classifier of codes.
#[derive(Clone, Debug, PartialEq)]
pub struct LogisticRegression {
    standard: Standard,
    /// The labels that occurred in training, ascending.
    labels: Vec<u8>,
    /// W [d, k], then b \[k\].
    minimum: Minimum,
}

impl LogisticRegression {
    /// Fits `codes` [n, d] with their `labels` \[n\] to convergence, in the current thread pool. Labels that do not occur
    /// are never predicted.
    ///
    /// Refused: other numbers of labels than of codes, fewer than two labels that occur, codes that are not finite.
    pub fn fit(context: Context, codes: ArrayView2<'_, f32>, labels: &[u8]) -> Result<Self, AnalysisError> {
        Self::fit_as(context, codes, labels, Standard::of(codes))
    }

    /// [`fit`](Self::fit) on codes whose values keep their variance, so that the penalty depends on the size of each. The mean is
    /// subtracted all the same: the biases, which are not penalised, make up for it, and the search is shorter.
    pub fn fit_unscaled(context: Context, codes: ArrayView2<'_, f32>, labels: &[u8]) -> Result<Self, AnalysisError> {
        Self::fit_as(context, codes, labels, Standard::of(codes).unscaled())
    }

    fn fit_as(
        context: Context,
        codes: ArrayView2<'_, f32>,
        labels: &[u8],
        standard: Standard,
    ) -> Result<Self, AnalysisError> {
        let (n, d) = codes.dim();
        if labels.len() != n {
            return Err(AnalysisError::Labels { codes: n, labels: labels.len() });
        }
        check_finite("classify", codes)?;
        let mut seen = [false; 256];
        labels.iter().for_each(|&label| seen[usize::from(label)] = true);
        let occurring: Vec<u8> = (0..=255).filter(|&label| seen[usize::from(label)]).collect();
        if occurring.len() < 2 {
            return Err(AnalysisError::OneClass { found: occurring.len() });
        }
        let number = |label: &u8| occurring.binary_search(label).expect("the list has every label that occurs");
        let classes: Vec<usize> = labels.iter().map(number).collect();
        let x = standard.apply(codes);
        let k = occurring.len();
        let mut problem = Problem { context, x: &x, classes: &classes, d, k, scores: vec![0.0; n * k] };
        let start = vec![0.0; (d + 1) * k];
        let curvature = Curvature::of(context, &x, d, k);
        let solve = |gradient: &mut [f64]| curvature.solve(gradient);
        let minimum =
            lbfgs(context.isa, start, TOLERANCE, MOST_ITERATIONS, solve, |at, gradient| problem.at(at, gradient));
        Ok(LogisticRegression { standard, labels: occurring, minimum })
    }

    /// What the search ended with.
    pub fn minimum(&self) -> &Minimum {
        &self.minimum
    }

    /// The likeliest label of each of `codes` [n, d]; of equally likely ones the smallest. Refused: codes of another size.
    pub fn predict(&self, context: Context, codes: ArrayView2<'_, f32>) -> Result<Vec<u8>, AnalysisError> {
        let (d, k) = (self.standard.mean.len(), self.labels.len());
        if codes.ncols() != d {
            return Err(AnalysisError::Width { action: "classify", expected: d, found: codes.ncols() });
        }
        let x = self.standard.apply(codes);
        let mut scores = vec![0.0; codes.nrows() * k];
        score(context, &x, &self.minimum.at, d, &mut scores);
        let best = |row: &[f64]| (1..k).fold(0, |best, class| if row[class] > row[best] { class } else { best });
        Ok(scores.chunks_exact(k).map(|row| self.labels[best(row)]).collect())
    }

    /// The share of `codes` [n, d] whose predicted label is that of `labels` \[n\]; NaN for none.
    pub fn accuracy(&self, context: Context, codes: ArrayView2<'_, f32>, labels: &[u8]) -> Result<f64, AnalysisError> {
        if labels.len() != codes.nrows() {
            return Err(AnalysisError::Labels { codes: codes.nrows(), labels: labels.len() });
        }
        let predicted = self.predict(context, codes)?;
        let right = predicted.iter().zip(labels).filter(|(predicted, label)| predicted == label).count();
        Ok(right as f64 / labels.len() as f64)
    }
}

/// z = x·W + b for every row.
fn score(context: Context, x: &[f64], at: &[f64], d: usize, scores: &mut [f64]) {
    let k = at.len() / (d + 1);
    let n = scores.len() / k;
    let (weights, bias) = at.split_at(d * k);
    let epilogue = Epilogue { bias: Some(bias), ..Epilogue::NONE };
    let (x, weights) = (MatRef::new(x, n, d), MatRef::new(weights, d, k));
    gemm(context, MatMut::new(scores, n, k), Accumulate::Overwrite, x, weights, epilogue);
}

/// The guess of the Hessian: for each class ρ·XᵀX/n + I/(nC) over its weights and ρ over its bias, with ρ = ½/k for the
/// mean of p·(1 − p), p the probability of the class.
struct Curvature {
    /// The Cholesky factor [d, d].
    factor: Vec<f64>,
    d: usize,
    k: usize,
}

impl Curvature {
    fn of(context: Context, x: &[f64], d: usize, k: usize) -> Curvature {
        let n = x.len() / d.max(1);
        let mut factor = scatter(context, x, d);
        factor.iter_mut().for_each(|sum| *sum *= 0.5 / (k * n) as f64);
        factor.iter_mut().step_by(d + 1).for_each(|diagonal| *diagonal += 1.0 / (n as f64 * C));
        if !cholesky_factor(&mut factor, d) {
            // Large unscaled values that are correlated: the rounding of XᵀX drowns 1/(nC). The search is then only longer.
            factor.fill(0.0);
            factor.iter_mut().step_by(d + 1).for_each(|diagonal| *diagonal = 1.0);
        }
        Curvature { factor, d, k }
    }

    fn solve(&self, gradient: &mut [f64]) {
        let (weights, bias) = gradient.split_at_mut(self.d * self.k);
        let mut column = vec![0.0; self.d];
        for class in 0..self.k {
            column.iter_mut().zip(weights.chunks_exact(self.k)).for_each(|(to, row)| *to = row[class]);
            cholesky_substitute(&self.factor, &mut column);
            column.iter().zip(weights.chunks_exact_mut(self.k)).for_each(|(&from, row)| row[class] = from);
        }
        bias.iter_mut().for_each(|bias| *bias *= 2.0 * self.k as f64);
    }
}

struct Problem<'a> {
    context: Context,
    /// [n, d].
    x: &'a [f64],
    /// \[n\], below k.
    classes: &'a [usize],
    d: usize,
    k: usize,
    /// [n, k]; scores, then ∂F/∂z times n.
    scores: Vec<f64>,
}

impl Problem<'_> {
    fn at(&mut self, at: &[f64], gradient: &mut [f64]) -> f64 {
        let (d, k, n) = (self.d, self.k, self.classes.len());
        let isa = self.context.isa;
        score(self.context, self.x, at, d, &mut self.scores);
        let blocks = self.scores.par_chunks_mut(ROWS * k).zip(self.classes.par_chunks(ROWS));
        let losses: Vec<f64> = blocks.map(|(scores, classes)| softmax(isa, scores, classes, k)).collect();
        let (weights, _) = at.split_at(d * k);
        let (of_weights, of_bias) = gradient.split_at_mut(d * k);
        let x = MatRef::new(self.x, n, d).transposed();
        let out = MatMut::new(of_weights, d, k);
        gemm(self.context, out, Accumulate::Overwrite, x, MatRef::new(&self.scores, n, k), Epilogue::NONE);
        column_sums(isa, &self.scores, k, of_bias, Accumulate::Overwrite);
        let n = n as f64;
        for (gradient, weight) in of_weights.iter_mut().zip(weights) {
            *gradient = (*gradient + weight / C) / n;
        }
        of_bias.iter_mut().for_each(|gradient| *gradient /= n);
        (losses.iter().sum::<f64>() + 0.5 * sum_of_squares(isa, weights) / C) / n
    }
}

/// Σ of the losses of a block of `scores` [rows, k], which become softmax less one at the class.
fn softmax(isa: narrows_kernels::Isa, scores: &mut [f64], classes: &[usize], k: usize) -> f64 {
    let mut loss = 0.0;
    for (row, &class) in scores.chunks_exact_mut(k).zip(classes) {
        let most = row.iter().fold(f64::NEG_INFINITY, |most, &score| most.max(score));
        row.iter_mut().for_each(|score| *score -= most);
        loss -= row[class];
    }
    let shifted = scores.to_vec();
    unary(isa, Unary::Exp, &shifted, scores, Accumulate::Overwrite);
    let sums: Vec<f64> = scores.chunks_exact(k).map(|row| row.iter().sum()).collect();
    let mut logarithms = vec![0.0; sums.len()];
    unary(isa, Unary::Ln, &sums, &mut logarithms, Accumulate::Overwrite);
    for ((row, &class), sum) in scores.chunks_exact_mut(k).zip(classes).zip(&sums) {
        row.iter_mut().for_each(|share| *share /= sum);
        row[class] -= 1.0;
    }
    loss + logarithms.iter().sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::{Purpose, standard_normal, stream};

    #[test]
    fn the_gradient_is_that_of_the_value() {
        let mut stream = stream(5, Purpose::Draw, 0);
        let x: Vec<f64> = (0..300 * 5).map(|_| standard_normal(&mut stream)).collect();
        let classes: Vec<usize> = (0..300).map(|i| i * 7 % 3).collect();
        let context = Context::detect();
        let mut problem = Problem { context, x: &x, classes: &classes, d: 5, k: 3, scores: vec![0.0; 900] };
        let at: Vec<f64> = (0..18).map(|k| 0.1 * f64::from(k % 7) - 0.3).collect();
        let mut gradient = vec![0.0; 18];
        problem.at(&at, &mut gradient);
        let mut unused = vec![0.0; 18];
        for (k, gradient) in gradient.iter().enumerate() {
            let mut value = |by: f64| {
                let mut at = at.clone();
                at[k] += by;
                problem.at(&at, &mut unused)
            };
            let difference = (value(1e-5) - value(-1e-5)) / 2e-5;
            // Central differences: h²·F‴/6 and ε·F/h are about 1e-11.
            assert!((difference - gradient).abs() < 1e-9, "{k}: {difference} {gradient}");
        }
    }
}

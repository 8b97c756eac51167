//! What t-SNE minimises, exactly: the Kullback-Leibler divergence of a map over all pairs of points.

use narrows_kernels::elementwise::{Unary, unary};
use narrows_kernels::reduce::{dot, sum};
use narrows_kernels::{Accumulate, Context};
use ndarray::ArrayView2;

use super::super::distances::Points;
use super::super::error::AnalysisError;
use super::super::standard::check_finite;
use super::affinities::Precision;
use super::check_perplexity;

/// Row by row: distances in the space, in the map, and what is computed from them.
#[derive(Default)]
struct Scratch {
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

/// Σ_ij p_ij ln(p_ij / q_ij) of a `map` [n, 2] of `codes` [n, d], over all ordered pairs i ≠ j, in f64:
///
/// ```text
/// p_j|i ∝ exp(−β_i |x_i − x_j|²), of entropy ln(perplexity) over all j;   p_ij = (p_j|i + p_i|j) / 2n
/// q_ij = w_ij / Σ_kl w_kl,   w_ij = 1 / (1 + |y_i − y_j|²)
/// ```
///
/// t-SNE itself takes p over the nearest neighbours only; here every pair counts, so that maps made in different ways can be
/// compared. Takes time of the order of n²·(d + 100), and memory of the order of n.
///
/// Refused: another number of points in the map than of codes, points that do not have two values, values that are not
/// finite, a perplexity that [`Tsne::fit`](super::Tsne::fit) refuses.
pub fn kl_divergence(
    context: Context,
    codes: ArrayView2<'_, f32>,
    map: ArrayView2<'_, f32>,
    perplexity: f64,
) -> Result<f64, AnalysisError> {
    let n = codes.nrows();
    if map.nrows() != n {
        return Err(AnalysisError::Map { codes: n, points: map.nrows() });
    }
    if map.ncols() != 2 {
        return Err(AnalysisError::Plane { found: map.ncols() });
    }
    check_perplexity(perplexity, n)?;
    check_finite("compare a map with", codes)?;
    check_finite("measure", map)?;
    let isa = context.isa;
    let points = Points::of(codes);
    let precisions = points.each_row(context, |p: &mut Vec<f64>, _, d| Precision::of(isa, perplexity, d, p));
    // p_i|j = exp(−β_j (d − nearest_j) − ln Σ_j). With the nearest multiplied out, a large β would leave nothing of ln Σ_j.
    let of = |part: fn(&Precision) -> f64| precisions.iter().map(part).collect::<Vec<f64>>();
    let (betas, nearest, logs) = (of(|point| -point.beta), of(|point| point.nearest), of(|point| libm::log(point.sum)));
    let [xs, ys] = [0, 1].map(|axis| map.column(axis).iter().map(|&y| f64::from(y)).collect::<Vec<f64>>());

    let row = |scratch: &mut Scratch, i: usize, d: &mut [f64]| {
        let Scratch { a, b, c } = scratch;
        [&mut *a, b, c].into_iter().for_each(|part| part.resize(n, 0.0));
        d[i] = 0.0;
        for (j, &d) in d.iter().enumerate() {
            a[j] = betas[i] * (d - nearest[i]) - logs[i];
            b[j] = betas[j] * (d - nearest[j]) - logs[j];
        }
        unary(isa, Unary::Exp, a, c, Accumulate::Overwrite);
        unary(isa, Unary::Exp, b, c, Accumulate::Add);
        c[i] = 0.0;
        // c is p · 2n and d becomes 1 + |y_i − y_j|², which is 1/w.
        for (d, (x, y)) in d.iter_mut().zip(xs.iter().zip(&ys)) {
            let (dx, dy) = (xs[i] - x, ys[i] - y);
            *d = 1.0 + dx * dx + dy * dy;
        }
        // Pairs of no affinity have no part: ln 1 of them.
        for (ratio, (&p, &d)) in a.iter_mut().zip(c.iter().zip(&*d)) {
            *ratio = if p > 0.0 { p * d } else { 1.0 };
        }
        unary(isa, Unary::Ln, a, b, Accumulate::Overwrite);
        unary(isa, Unary::Reciprocal, d, a, Accumulate::Overwrite);
        a[i] = 0.0;
        (dot(isa, c, b), sum(isa, a, n))
    };
    let rows = points.each_row(context, row);
    let (attracted, spread) = rows.iter().fold((0.0, 0.0), |sums, row| (sums.0 + row.0, sums.1 + row.1));
    let scale = 2.0 * n as f64;
    // Σ p ln p/w with p = c / 2n, whose sum is 1.
    Ok(attracted / scale - libm::log(scale) + libm::log(spread))
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::rng::{Purpose, standard_normal, stream};

    #[test]
    fn a_point_beside_a_pile_of_more_points_than_the_perplexity_has_shares_that_sum_to_one() {
        // 40 equal codes, one at the distance 1 from all of them, and others far off.
        let mut stream = stream(3, Purpose::Draw, 0);
        let codes = Array2::from_shape_fn((120, 5), |(i, j)| match i {
            0..40 => 0.5,
            40 => 0.5 + f32::from(u8::from(j == 2)),
            _ => 50.0 + 20.0 * standard_normal(&mut stream) as f32,
        });
        let map = Array2::from_shape_simple_fn((120, 2), || standard_normal(&mut stream) as f32);
        let (context, perplexity) = (Context::detect(), 30.0);
        let shares = Points::of(codes.view()).each_row(context, |p: &mut Vec<f64>, _, d| {
            let sum = Precision::of(context.isa, perplexity, d, p).sum;
            p.iter().map(|p| p / sum).collect::<Vec<f64>>()
        });
        assert!(shares[40][..40].iter().all(|&p| p == 1.0 / 40.0), "{:?}", &shares[40][..40]);
        let square = |i: usize, j: usize| {
            let differences = map.row(i).into_iter().zip(map.row(j)).map(|(a, b)| f64::from(*a) - f64::from(*b));
            differences.map(|difference| difference * difference).sum::<f64>()
        };
        let pairs = || (0..120).flat_map(|i| (0..120).filter(move |&j| j != i).map(move |j| (i, j)));
        let spread: f64 = pairs().map(|(i, j)| 1.0 / (1.0 + square(i, j))).sum();
        let term = |(i, j): (usize, usize)| {
            let p = (shares[i][j] + shares[j][i]) / 240.0;
            if p > 0.0 { p * libm::log(p * (1.0 + square(i, j)) * spread) } else { 0.0 }
        };
        let expected: f64 = pairs().map(term).sum();
        let found = kl_divergence(context, codes.view(), map.view(), perplexity).unwrap();
        assert!((found - expected).abs() <= 1e-10, "{found} for {expected}");
    }

    #[test]
    fn a_map_that_is_no_plane_is_refused() {
        let codes = Array2::<f32>::zeros((40, 3));
        for found in [1, 3] {
            let map = Array2::<f32>::zeros((40, found));
            let refused = kl_divergence(Context::detect(), codes.view(), map.view(), 5.0);
            assert_eq!(refused, Err(AnalysisError::Plane { found }));
        }
    }
}

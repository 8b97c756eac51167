//! How well a map keeps who is near whom.

use narrows_kernels::Context;
use ndarray::ArrayView2;

use super::distances::Points;
use super::error::AnalysisError;
use super::standard::check_finite;

/// Trustworthiness (Venna and Kaski 2001, as scikit-learn defines it) of a `map` [n, m] of `codes` [n, d]: 1 where the
/// `k` nearest neighbours of every point in the map are among the k nearest of its code, less for each that is not, by how far down
/// the code's list of neighbours it is:
///
/// ```text
/// 1 − 2 / (n k (2n − 3k − 1)) · Σ_i Σ_{j near i in the map} max(0, rank of j among the neighbours of code i − k)
/// ```
///
/// Of equally far codes the first ranks first. Refused: other numbers of points than of codes, k of 0 or from n/2 on, values
/// that are not finite.
pub fn trustworthiness(
    context: Context,
    codes: ArrayView2<'_, f32>,
    map: ArrayView2<'_, f32>,
    k: usize,
) -> Result<f64, AnalysisError> {
    let n = codes.nrows();
    if map.nrows() != n {
        return Err(AnalysisError::Map { codes: n, points: map.nrows() });
    }
    if k == 0 || 2 * k >= n {
        return Err(AnalysisError::Neighbours { k, points: n });
    }
    check_finite("compare a map with", codes)?;
    check_finite("measure", map)?;
    let near = Points::of(map).nearest(context, k);
    let penalty = |_: &mut (), i: usize, row: &mut [f64]| {
        let beyond = |&(_, j): &(f64, u32)| {
            let (j, own) = (j as usize, row[j as usize]);
            let nearer = row.iter().map(|&other| u32::from(other < own)).sum::<u32>() as usize;
            let equal = row[..j].iter().map(|&other| u32::from(other == own)).sum::<u32>() as usize;
            (nearer + equal + 1).saturating_sub(k) as u64
        };
        near[i].iter().map(beyond).sum::<u64>()
    };
    let penalties = Points::of(codes).each_row(context, penalty).into_iter().sum::<u64>();
    let (n, k) = (n as f64, k as f64);
    Ok(1.0 - 2.0 * penalties as f64 / (n * k * (2.0 * n - 3.0 * k - 1.0)))
}

/// The share of `points` [n, d] whose label most of their `k` nearest neighbours have, leave one out; of equally frequent labels
/// the smallest is taken, of equally near neighbours the first. Refused: another number of labels than of points, k of 0 or from n
/// on, values that are not finite.
pub fn neighbour_accuracy(
    context: Context,
    points: ArrayView2<'_, f32>,
    labels: &[u8],
    k: usize,
) -> Result<f64, AnalysisError> {
    let n = points.nrows();
    if labels.len() != n {
        return Err(AnalysisError::Labels { codes: n, labels: labels.len() });
    }
    if k == 0 || k >= n {
        return Err(AnalysisError::Neighbours { k, points: n });
    }
    check_finite("classify", points)?;
    let near = Points::of(points).nearest(context, k);
    let predicted = |near: &Vec<(f64, u32)>| {
        let mut votes = [0; 256];
        near.iter().for_each(|&(_, j)| votes[usize::from(labels[j as usize])] += 1);
        (0..=255u8).rev().max_by_key(|&label| votes[usize::from(label)])
    };
    let right = near.iter().zip(labels).filter(|(near, label)| predicted(near) == Some(**label)).count();
    Ok(right as f64 / n as f64)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn a_map_that_keeps_all_neighbours_is_trusted_and_one_that_swaps_far_ones_is_not() {
        let line = Array2::from_shape_fn((8, 1), |(i, _)| i as f32 + 0.01 * (i * i) as f32);
        let context = Context::detect();
        let of = |map: &Array2<f32>| trustworthiness(context, line.view(), map.view(), 2).unwrap();
        assert_eq!(of(&line.mapv(|x| -3.0 * x)), 1.0);
        // The two ends exchanged. By hand, 1 − 2/(8·2·9) · (excess ranks): point 0 lies where 7 was, beside 6 and 5, which rank
        // 6 and 5 for it; 7 beside 1 and 2, which rank 6 and 5; 1 beside 7 and 2 (rank 6), 2 beside 1 and 3 or 7; and so on.
        let mut map = line.clone();
        map.swap([0, 0], [7, 0]);
        let excess = |i: usize| {
            let order = |of: &Array2<f32>| {
                let mut all: Vec<usize> = (0..8).filter(|&j| j != i).collect();
                all.sort_by(|&a, &b| (of[[a, 0]] - of[[i, 0]]).abs().total_cmp(&(of[[b, 0]] - of[[i, 0]]).abs()));
                all
            };
            let ranked = order(&line);
            let rank = |j: &usize| ranked.iter().position(|other| other == j).unwrap() + 1;
            order(&map)[..2].iter().map(|j| rank(j).saturating_sub(2)).sum::<usize>()
        };
        let expected = 1.0 - 2.0 * (0..8).map(excess).sum::<usize>() as f64 / (8.0 * 2.0 * 9.0);
        assert!(expected < 0.9 && (of(&map) - expected).abs() <= 1e-12, "{} for {expected}", of(&map));
    }

    #[test]
    fn neighbours_vote_and_ties_go_to_the_smallest_label() {
        let points = array![[0.0f32], [1.0], [2.1], [10.0], [11.0], [12.1]];
        let accuracy = |labels: &[u8], k| neighbour_accuracy(Context::detect(), points.view(), labels, k);
        assert_eq!(accuracy(&[1, 1, 1, 2, 2, 2], 2).unwrap(), 1.0);
        // Point 0 sees 1 and 2, labels 5 and 3: 3 is taken.
        assert_eq!(accuracy(&[3, 5, 3, 2, 2, 2], 2).unwrap(), 5.0 / 6.0);
        for k in [0, 6] {
            let said = accuracy(&[0; 6], k).unwrap_err().to_string();
            assert_eq!(
                said,
                format!(
                    "cannot compare {k} neighbours of each of 6 points: there must be more points, and at least one neighbour"
                )
            );
        }
    }
}

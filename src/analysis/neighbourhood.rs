//! Who is near whom, and how well a map keeps it.

use narrows_kernels::Context;
use ndarray::ArrayView2;

use super::distances::Points;
use super::error::AnalysisError;
use super::standard::check_finite;

/// The nearest neighbours of every point of a map, or of every code.
#[derive(Clone, Debug, PartialEq)]
pub struct Neighbours {
    k: usize,
    /// For each point the numbers of its neighbours, nearest first and of equally near ones the first.
    near: Vec<Vec<u32>>,
}

impl Neighbours {
    /// The `k` nearest of each of `points` [n, d], exactly, a point not being its own neighbour. Takes time of the order of n²·d
    /// and memory of the order of n·k. Refused: k of 0 or from n on, values that are not finite.
    pub fn of(context: Context, points: ArrayView2<'_, f32>, k: usize) -> Result<Neighbours, AnalysisError> {
        let n = points.nrows();
        if k == 0 || k >= n {
            return Err(AnalysisError::Neighbours { k, points: n });
        }
        check_finite("compare", points)?;
        let near = Points::of(points).nearest(context, k).into_iter();
        Ok(Neighbours { k, near: near.map(|near| near.into_iter().map(|near| near.1).collect()).collect() })
    }

    /// The share of points whose label \[n\] most of their neighbours have, each point left out of its own vote; of equally
    /// frequent labels the smallest is taken. Refused: another number of labels than of points.
    pub fn accuracy(&self, labels: &[u8]) -> Result<f64, AnalysisError> {
        if labels.len() != self.near.len() {
            return Err(AnalysisError::Labels { codes: self.near.len(), labels: labels.len() });
        }
        let predicted = |near: &[u32]| {
            let mut votes = [0; 256];
            near.iter().for_each(|&j| votes[usize::from(labels[j as usize])] += 1);
            (0..=255u8).rev().max_by_key(|&label| votes[usize::from(label)])
        };
        let right = self.near.iter().zip(labels).filter(|(near, label)| predicted(near) == Some(**label)).count();
        Ok(right as f64 / labels.len() as f64)
    }

    /// How far the neighbours in a map can be trusted to be neighbours among the `codes` [n, d] that it shows (Venna and Kaski
    /// 2001, as scikit-learn defines it): 1 where the k nearest of every point in the map are the k nearest of its code, less for
    /// each that is not, by how far down the code's list of neighbours it is,
    ///
    /// ```text
    /// 1 − 2 / (n k (2n − 3k − 1)) · Σ_i Σ_{j near i in the map} max(0, rank of j among the neighbours of code i − k)
    /// ```
    ///
    /// Of equally far codes the first ranks first. Refused: another number of codes than of points, k from n/2 on, codes that are
    /// not finite.
    pub fn trustworthiness(&self, context: Context, codes: ArrayView2<'_, f32>) -> Result<f64, AnalysisError> {
        let (n, k) = (codes.nrows(), self.k);
        if self.near.len() != n {
            return Err(AnalysisError::Map { codes: n, points: self.near.len() });
        }
        if 2 * k >= n {
            return Err(AnalysisError::Trustworthiness { k, points: n });
        }
        check_finite("compare a map with", codes)?;
        let penalty = |_: &mut (), i: usize, row: &mut [f64]| {
            let beyond = |&j: &u32| {
                let (j, own) = (j as usize, row[j as usize]);
                let nearer = row.iter().map(|&other| u64::from(other < own)).sum::<u64>();
                let equal = row[..j].iter().map(|&other| u64::from(other == own)).sum::<u64>();
                (nearer + equal + 1).saturating_sub(k as u64)
            };
            self.near[i].iter().map(beyond).sum::<u64>()
        };
        let penalties = Points::of(codes).each_row(context, penalty).into_iter().sum::<u64>();
        let (n, k) = (n as f64, k as f64);
        Ok(1.0 - 2.0 * penalties as f64 / (n * k * (2.0 * n - 3.0 * k - 1.0)))
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    #[test]
    fn a_map_that_keeps_all_neighbours_is_trusted_and_one_that_swaps_far_ones_is_not() {
        let line = Array2::from_shape_fn((8, 1), |(i, _)| i as f32 + 0.01 * (i * i) as f32);
        let context = Context::detect();
        let of = |map: &Array2<f32>| {
            Neighbours::of(context, map.view(), 2).unwrap().trustworthiness(context, line.view()).unwrap()
        };
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
    fn trust_takes_more_than_twice_as_many_points_as_neighbours() {
        let line = Array2::from_shape_fn((20, 1), |(i, _)| i as f32);
        let context = Context::detect();
        let of = |k| Neighbours::of(context, line.view(), k).unwrap().trustworthiness(context, line.view());
        assert_eq!(of(9).unwrap(), 1.0);
        let said = of(10).unwrap_err().to_string();
        assert_eq!(said, "the trustworthiness of 10 neighbours takes more than 20 points, not 20");
    }

    #[test]
    fn neighbours_vote_and_ties_go_to_the_smallest_label() {
        let points = array![[0.0f32], [1.0], [2.1], [10.0], [11.0], [12.1]];
        let accuracy = |labels: &[u8], k| Neighbours::of(Context::detect(), points.view(), k)?.accuracy(labels);
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

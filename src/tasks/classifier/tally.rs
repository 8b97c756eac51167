//! Scores of classes against labels, counted.

use narrows_kernels::Real;
use serde_json::{Value, json};

/// The largest scores among which a class is looked for, at most.
pub(super) const MOST_TOP: usize = 5;

/// How many images of each class were taken for each, and how many had their class among the first few.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    /// For each class of images, how many have their largest score at each class; of equal scores the first counts.
    pub confusion: Vec<Vec<usize>>,
    /// How many images have fewer than one, two, three, … scores above or before that of their own class.
    top: Vec<usize>,
}

impl Tally {
    pub fn new(classes: usize) -> Self {
        Tally { confusion: vec![vec![0; classes]; classes], top: vec![0; MOST_TOP.min(classes)] }
    }

    /// Counts rows of scores [rows, classes] with their labels.
    pub fn add<T: Real>(&mut self, scores: &[T], labels: &[u8]) {
        let classes = self.confusion.len();
        for (row, &label) in scores.chunks_exact(classes).zip(labels) {
            let label = usize::from(label);
            self.confusion[label][largest(row)] += 1;
            let rank = rank(row, label);
            self.top.iter_mut().skip(rank).for_each(|count| *count += 1);
        }
    }

    pub fn to_json(&self) -> Value {
        let images: usize = self.confusion.iter().flatten().sum();
        let share = |count: usize| count as f64 / images as f64;
        let correct = (0..self.confusion.len()).map(|class| self.confusion[class][class]).sum();
        let top: Vec<f64> = self.top.iter().map(|&count| share(count)).collect();
        json!({ "images": images, "accuracy": share(correct), "top": top, "confusion": self.confusion })
    }
}

/// How many rows of scores [rows, classes] have their largest at the row's label.
pub(super) fn correct<T: Real>(scores: &[T], labels: &[u8], classes: usize) -> usize {
    let rows = scores.chunks_exact(classes).zip(labels);
    rows.filter(|(row, label)| largest(row) == usize::from(**label)).count()
}

/// ln p of the row's label, in nats, with p = softmax(scores).
pub(super) fn log_probability<T: Real>(scores: &[T], label: usize) -> f64 {
    let most = scores.iter().fold(f64::NEG_INFINITY, |most, score| most.max(score.to_f64()));
    let sum: f64 = scores.iter().map(|score| libm::exp(score.to_f64() - most)).sum();
    scores[label].to_f64() - most - libm::log(sum)
}

/// The class of the largest score; of equal scores the first.
pub(super) fn largest<T: Real>(scores: &[T]) -> usize {
    (1..scores.len()).fold(0, |best, class| if scores[class] > scores[best] { class } else { best })
}

/// How many scores stand before that of a class: larger ones, equal ones of earlier classes, and all where it is NaN.
fn rank<T: Real>(scores: &[T], class: usize) -> usize {
    let own = scores[class];
    scores
        .iter()
        .enumerate()
        .filter(|&(other, &score)| score > own || own.partial_cmp(&score).is_none() || (score == own && other < class))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_counted_by_their_class_and_by_what_they_were_taken_for() {
        let mut tally = Tally::new(3);
        let scores = [[0.5, 0.2, 0.1], [0.5, 0.5, 0.1], [0.1, 0.3, 0.2], [0.0, 0.1, 0.2]].concat();
        tally.add(&scores, &[0, 1, 2, 2]);
        assert_eq!(tally.confusion, [[1, 0, 0], [1, 0, 0], [0, 1, 1]]);
        // Of equal scores the first class comes first, so that the second image is right at the second guess.
        assert_eq!(tally.top, [2, 4, 4]);
        assert_eq!(correct(&scores, &[0, 1, 2, 2], 3), 2);
        assert_eq!(tally.to_json()["accuracy"], 0.5);
        tally.add(&[0.0f32; 3], &[0]);
        assert_eq!(tally.to_json()["images"], 5);
    }
}

//! The division of the samples into training, validation and test set.

use super::batches::shuffle;
use super::error::{DataError, Fault};
use crate::rng::{Purpose, stream};

/// Sample indices of the three parts: disjoint, together all samples, each in ascending order. (The order of training
/// is that of the epoch, not this one.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// Indices of the training samples.
    pub train: Vec<u32>,
    /// Indices of the validation samples; empty if its part is 0.
    pub validation: Vec<u32>,
    /// Indices of the test samples; empty if its part is 0.
    pub test: Vec<u32>,
}

/// Divides `n` samples in the ratio `parts` (training : validation : test), drawn without replacement.
///
/// The sizes are exact by largest remainder: each part gets ⌊n · part / total⌋ samples, and those left over go one each
/// to the parts with the largest remainders, of equal ones to training before validation before test. If `stratified`,
/// this is done for each class by itself (`labels` `[n]` are then needed), so every part has the classes in the same
/// proportion. What is drawn depends on the seed and, if stratified, on the class: adding a class moves no sample of
/// another.
///
/// Refused: a training part of 0, parts whose sum overflows `u64`, stratification without labels, another number of
/// labels than of samples, a part above 0 that would get no sample, more samples than `u32` counts.
pub fn split(
    labels: Option<&[u8]>,
    n: usize,
    parts: [u64; 3],
    stratified: bool,
    seed: u64,
) -> Result<Split, DataError> {
    let [a, b, c] = parts;
    let doing = || format!("split {n} samples {a}:{b}:{c} into training, validation and test");
    let refuse = |rule: String| Err(Fault::new(rule, "").doing(doing()).asked().into());
    if parts[0] == 0 {
        return refuse("the training part must be at least 1".into());
    }
    if parts.iter().try_fold(0u64, |sum, &part| sum.checked_add(part)).is_none() {
        return refuse(format!("the sum of the parts must be at most {}", u64::MAX));
    }
    let Ok(count) = u32::try_from(n) else {
        return refuse(format!("at most {} samples can be numbered", u32::MAX));
    };
    let strata = match (stratified, labels) {
        (false, _) => vec![(0..count).collect()],
        (true, None) => {
            return refuse("a stratified split needs labels, and there are none; set `stratified = false`".into());
        }
        (true, Some(labels)) if labels.len() != n => {
            return refuse(format!("a stratified split needs a label for each sample, but there are {}", labels.len()));
        }
        (true, Some(labels)) => by_class(labels),
    };

    let mut divided: [Vec<u32>; 3] = Default::default();
    for (class, mut members) in strata.into_iter().enumerate() {
        shuffle(&mut members, &mut stream(seed, Purpose::Split, class as u64));
        let mut rest = members.as_slice();
        for (part, size) in divided.iter_mut().zip(shares(members.len(), &parts)) {
            let (taken, left) = rest.split_at(size);
            part.extend_from_slice(taken);
            rest = left;
        }
    }
    for ((part, &share), name) in divided.iter_mut().zip(&parts).zip(["training", "validation", "test"]) {
        if part.is_empty() && share > 0 {
            return refuse(format!("the {name} set would get no sample; more samples or other parts are needed"));
        }
        part.sort_unstable();
    }
    let [train, validation, test] = divided;
    Ok(Split { train, validation, test })
}

fn by_class(labels: &[u8]) -> Vec<Vec<u32>> {
    let mut members = vec![Vec::new(); 256];
    for (index, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(index as u32);
    }
    members
}

/// Whole numbers in the ratio `parts` that add up to `n`, by largest remainder; of equal remainders the earlier part's counts
/// as larger. All zero where the parts are.
pub(super) fn shares<const N: usize>(n: usize, parts: &[u64; N]) -> [usize; N] {
    let total: u128 = parts.iter().map(|&part| u128::from(part)).sum();
    if total == 0 {
        return [0; N];
    }
    let exact = parts.map(|part| n as u128 * u128::from(part));
    let mut shares = exact.map(|share| (share / total) as usize);
    let mut by_remainder: [usize; N] = std::array::from_fn(|part| part);
    // Stable, so that equal remainders keep their order.
    by_remainder.sort_by_key(|&part| std::cmp::Reverse(exact[part] % total));
    let left = n - shares.iter().sum::<usize>();
    for &part in &by_remainder[..left] {
        shares[part] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn seven_thousand_of_each_class_give_exactly_5000_1000_1000() {
        let labels: Vec<u8> = (0..21_000).map(|i| (i * 7 % 3) as u8).collect();
        let split = split(Some(&labels), labels.len(), [5, 1, 1], true, 2026).unwrap();
        for (part, each) in [(&split.train, 5000), (&split.validation, 1000), (&split.test, 1000)] {
            for class in 0..3 {
                assert_eq!(part.iter().filter(|&&i| labels[i as usize] == class).count(), each);
            }
            assert!(part.is_sorted());
        }
    }

    #[test]
    fn sizes_follow_the_largest_remainder_and_ties_go_to_the_earlier_part() {
        assert_eq!(shares(10, &[1, 1, 1]), [4, 3, 3]);
        assert_eq!(shares(11, &[1, 1, 1]), [4, 4, 3]);
        assert_eq!(shares(10, &[6, 1, 0]), [9, 1, 0]);
        assert_eq!(shares(9, &[5, 1, 1]), [7, 1, 1]);
        assert_eq!(shares(12, &[5, 1, 1]), [8, 2, 2]);
        assert_eq!(shares(3, &[u64::MAX - 2, 1, 1]), [3, 0, 0]);
        assert_eq!(shares(0, &[5, 1, 1]), [0, 0, 0]);
    }

    #[test]
    fn the_seed_decides_who_goes_where_and_another_class_moves_nobody() {
        let labels: Vec<u8> = (0..200).map(|i| (i % 2) as u8).collect();
        let of = |seed, labels: &[u8]| split(Some(labels), labels.len(), [2, 1, 1], true, seed).unwrap();
        assert_eq!(of(1, &labels), of(1, &labels));
        assert_ne!(of(1, &labels), of(2, &labels));
        let mut more = labels.clone();
        more.extend([5; 40]);
        let old: Vec<u32> = of(1, &more).train.into_iter().filter(|&i| i < 200).collect();
        assert_eq!(old, of(1, &labels).train);
    }

    #[test]
    fn splits_that_cannot_be_made_say_why() {
        let refused = |labels: Option<&[u8]>, n, parts, stratified| {
            split(labels, n, parts, stratified, 0).unwrap_err().to_string()
        };
        assert_eq!(
            refused(None, 10, [0, 1, 1], false),
            "cannot split 10 samples 0:1:1 into training, validation and test: the training part must be at least 1"
        );
        assert!(refused(None, 10, [u64::MAX, 1, 0], false).contains("sum of the parts"));
        assert!(refused(None, 10, [5, 1, 1], true).contains("there are none"));
        assert!(refused(Some(&[0; 9]), 10, [5, 1, 1], true).contains("there are 9"));
        assert!(refused(None, 2, [5, 1, 1], false).contains("the validation set would get no sample"));
        assert!(refused(None, 0, [5, 1, 1], false).contains("the training set would get no sample"));
    }

    proptest! {
        #[test]
        fn every_sample_is_in_exactly_one_part(
            labels in proptest::collection::vec(0u8..4, 1..300),
            parts in [1u64..10, 0u64..10, 0u64..10],
            stratified: bool,
            seed: u64,
        ) {
            if let Ok(Split { train, validation, test }) = split(Some(&labels), labels.len(), parts, stratified, seed) {
                prop_assert!(parts[1] > 0 || validation.is_empty());
                prop_assert!(parts[2] > 0 || test.is_empty());
                let mut all = [train, validation, test].concat();
                all.sort_unstable();
                prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());
            }
        }
    }
}

//! Folds and nested parts of the training samples.

use narrows::data::{Dataset, Splits};
use sha2::{Digest, Sha256};

/// 1,000 samples of one pixel in four classes of 1/2, 1/4, 1/8 and 1/8 of them, every seventh for testing.
fn samples() -> Splits {
    let count = 1000usize;
    let labels: Vec<u8> = (0..count).map(|i| [0, 1, 0, 2, 0, 1, 0, 3][i % 8]).collect();
    let data = Dataset::from_bytes("folds", [1, 1, 1], vec![7; count]).unwrap();
    let data = data.with_labels(labels, ["a", "b", "c", "d"]).unwrap();
    let split = |keep: fn(usize) -> bool| (0..count).filter(|i| keep(*i)).map(|i| i as u32).collect();
    let split = narrows::data::Split {
        train: split(|i| i % 7 != 0 && i % 5 != 0),
        validation: split(|i| i % 7 != 0 && i % 5 == 0),
        test: split(|i| i % 7 == 0),
    };
    Splits { data, split, origin: String::new() }
}

fn class_counts(splits: &Splits, part: &[u32]) -> [usize; 4] {
    let labels = splits.data.labels.as_ref().unwrap();
    let mut counts = [0; 4];
    part.iter().for_each(|&index| counts[usize::from(labels[index as usize])] += 1);
    counts
}

fn within_one(counts: impl IntoIterator<Item = usize>) -> bool {
    let (least, most) = counts.into_iter().fold((usize::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
    most - least <= 1
}

#[test]
fn every_sample_is_in_one_fold_and_classes_are_even() {
    for folds in [2, 3, 5, 10] {
        let whole = samples();
        let mut seen = vec![0; whole.data.len()];
        let mut counts = Vec::new();
        for fold in 0..folds {
            let divided = samples().fold(folds, fold, true, 1, 2026).unwrap();
            assert_eq!(divided.split.test, whole.split.test, "the test part is none of the folds' business");
            divided.split.validation.iter().for_each(|&index| seen[index as usize] += 1);
            let together = divided.split.train.len() + divided.split.validation.len();
            assert_eq!(together, whole.split.train.len() + whole.split.validation.len());
            assert!(divided.split.train.iter().all(|index| !divided.split.validation.contains(index)));
            assert!(divided.split.train.is_sorted() && divided.split.validation.is_sorted());
            counts.push(class_counts(&divided, &divided.split.validation));
        }
        let test = &whole.split.test;
        assert!((0..).zip(&seen).all(|(index, &times)| times == usize::from(!test.contains(&index))));
        for class in 0..4 {
            assert!(within_one(counts.iter().map(|counts| counts[class])), "{folds} folds: {counts:?}");
        }
        assert!(within_one(counts.iter().map(|counts| counts.iter().sum())), "{folds} folds: {counts:?}");
    }
}

#[test]
fn folds_are_the_same_everywhere() {
    let mut digest = Sha256::new();
    for fold in 0..5 {
        let validation = samples().fold(5, fold, true, 1, 2026).unwrap().split.validation;
        validation.iter().for_each(|index| digest.update(index.to_le_bytes()));
    }
    // The same sum was found by a second program, in Python, with a ChaCha of its own.
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, "4f01380826b1e1598f64417855d29f8b6ae880fa0c15d67c413cca2d294cffeb");
}

#[test]
fn blocks_stay_together_and_seeds_differ() {
    let film = |seed| samples().fold(5, 2, false, 20, seed).unwrap().split.validation;
    let members: Vec<u32> = (0..1000).filter(|i| i % 7 != 0).collect();
    let at = |index: u32| members.binary_search(&index).unwrap();
    let validation = film(1);
    assert!(validation.chunks(20).all(|block| block.windows(2).all(|pair| at(pair[1]) == at(pair[0]) + 1)));
    assert_ne!(validation, film(2));
    assert_eq!(validation, film(1));
}

#[test]
fn fewer_training_samples_are_a_part_of_more_with_the_same_shares() {
    let whole = samples();
    let all = class_counts(&whole, &whole.split.train);
    let mut before: Vec<u32> = Vec::new();
    for count in [4, 10, 100, 333, 600, 10_000] {
        let kept = samples().keep_training(count, 2026);
        let train = &kept.split.train;
        assert_eq!(train.len(), count.min(whole.split.train.len()));
        assert!(before.iter().all(|index| train.contains(index)), "{count}");
        for (found, of) in class_counts(&kept, train).into_iter().zip(all) {
            let share = (of * train.len()) as f64 / whole.split.train.len() as f64;
            // Rounding leaves each of four classes within half a sample of a common threshold, and that threshold within half a
            // sample for each class.
            let bound = 0.5 + 4.0 * 0.5 * of as f64 / whole.split.train.len() as f64;
            assert!((found as f64 - share).abs() <= bound, "{found} of a share of {share}");
        }
        assert_eq!(kept.split.validation, whole.split.validation);
        before.clone_from(train);
    }
}

#[test]
fn folds_that_cannot_be_are_refused() {
    for (folds, fold, stratified, words) in [
        (1, 0, true, "there must be 2 to 857 folds"),
        (858, 0, true, "there must be 2 to 857 folds"),
        (5, 5, true, "folds are numbered from 0 to 4"),
    ] {
        let error = samples().fold(folds, fold, stratified, 1, 1).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let mut unlabelled = samples();
    unlabelled.data.labels = None;
    let error = unlabelled.clone().fold(5, 0, true, 1, 1).unwrap_err().to_string();
    assert!(error.contains("stratified folds need labels"), "{error}");
    assert!(unlabelled.fold(5, 0, false, 1, 1).is_ok());
    let error = samples().fold(5, 4, false, 400, 1).unwrap_err().to_string();
    assert!(error.contains("fold 4 would get no sample"), "{error}");
    let error = samples().fold(2, 0, false, 900, 1).unwrap_err().to_string();
    assert!(error.contains("fold 0 would get all samples"), "{error}");
}

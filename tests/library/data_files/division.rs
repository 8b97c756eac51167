//! The division of samples, the order of an epoch, and images spoilt on purpose.

use narrows::data::Corruption;
use narrows::data::split::{Split, split};
use narrows::data::{batches, corrupt, corrupt_measured, shuffle_into};
use narrows::rng::{Purpose, stream};
use proptest::prelude::*;

fn epoch_order(n: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = vec![0; n];
    shuffle_into(&mut order, seed, epoch);
    order
}

#[test]
fn seven_thousand_of_each_class_give_exactly_5000_1000_1000() {
    let labels: Vec<u8> = (0..21_000).map(|i| (i * 7 % 3) as u8).collect();
    let split = split(Some(&labels), labels.len(), [5, 1, 1], 1, 2026).unwrap();
    for (part, each) in [(&split.train, 5000), (&split.validation, 1000), (&split.test, 1000)] {
        for class in 0..3 {
            assert_eq!(part.iter().filter(|&&i| labels[i as usize] == class).count(), each);
        }
        assert!(part.is_sorted());
    }
}

#[test]
fn sizes_follow_the_largest_remainder_and_ties_go_to_the_earlier_part() {
    let sizes = |n, parts| split(None, n, parts, 1, 0).map(|of| [of.train.len(), of.validation.len(), of.test.len()]);
    assert_eq!(sizes(10, [1, 1, 1]).unwrap(), [4, 3, 3]);
    assert_eq!(sizes(11, [1, 1, 1]).unwrap(), [4, 4, 3]);
    assert_eq!(sizes(10, [6, 1, 0]).unwrap(), [9, 1, 0]);
    assert_eq!(sizes(9, [5, 1, 1]).unwrap(), [7, 1, 1]);
    assert_eq!(sizes(12, [5, 1, 1]).unwrap(), [8, 2, 2]);
    assert!(sizes(3, [u64::MAX - 2, 1, 1]).is_err());
}

#[test]
fn the_seed_decides_who_goes_where_and_another_class_moves_nobody() {
    let labels: Vec<u8> = (0..200).map(|i| (i % 2) as u8).collect();
    let of = |seed, labels: &[u8]| split(Some(labels), labels.len(), [2, 1, 1], 1, seed).unwrap();
    assert_eq!(of(1, &labels), of(1, &labels));
    assert_ne!(of(1, &labels), of(2, &labels));
    let mut more = labels.clone();
    more.extend([5; 40]);
    let old: Vec<u32> = of(1, &more).train.into_iter().filter(|&i| i < 200).collect();
    assert_eq!(old, of(1, &labels).train);
}

#[test]
fn blocks_keep_neighbours_together() {
    let whole = split(None, 200, [8, 0, 2], 10, 3).unwrap();
    assert_eq!((whole.train.len(), whole.test.len()), (160, 40));
    assert!(whole.test.chunks(10).all(|block| block[0] % 10 == 0 && block[9] == block[0] + 9), "{:?}", whole.test);
    // A part that ends within a block divides that one alone, and the last block may be short.
    let cut = split(None, 203, [3, 1, 0], 10, 3).unwrap();
    let divided = (0..21u32).filter(|block| {
        let taken = cut.train.iter().filter(|&&i| i / 10 == *block).count();
        taken > 0 && cut.validation.iter().any(|&i| i / 10 == *block)
    });
    assert!(divided.count() <= 1);
    assert!(split(None, 10, [1, 1, 0], 0, 1).unwrap_err().to_string().contains("at least 1 sample"));
}

#[test]
fn splits_that_cannot_be_made_say_why() {
    let refused = |labels: Option<&[u8]>, n, parts| split(labels, n, parts, 1, 0).unwrap_err().to_string();
    assert_eq!(
        refused(None, 10, [0, 1, 1]),
        "cannot split 10 samples 0:1:1 into training, validation and test: the training part must be at least 1"
    );
    assert!(refused(None, 10, [u64::MAX, 1, 0]).contains("sum of the parts"));
    assert!(refused(Some(&[0; 9]), 10, [5, 1, 1]).contains("there are 9"));
    assert!(refused(None, 2, [5, 1, 1]).contains("the validation set would get no sample"));
    assert!(refused(None, 0, [5, 1, 1]).contains("the training set would get no sample"));
}

proptest! {
    #[test]
    fn every_sample_is_in_exactly_one_part(
        labels in proptest::collection::vec(0u8..4, 1..300),
        parts in [1u64..10, 0u64..10, 0u64..10],
        stratified: bool,
        seed: u64,
    ) {
        if let Ok(Split { train, validation, test }) = split(stratified.then_some(&labels[..]), labels.len(), parts, 1, seed) {
            prop_assert!(parts[1] > 0 || validation.is_empty());
            prop_assert!(parts[2] > 0 || test.is_empty());
            let mut all = [train, validation, test].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len() as u32).collect::<Vec<_>>());
        }
    }
}

const COUNT: usize = 100_000;

fn spoilt(corruption: Corruption, value: f64) -> Vec<f64> {
    let (clean, mut out) = (vec![value; COUNT], vec![f64::NAN; COUNT]);
    corrupt(corruption, &clean, &mut out, &mut stream(1, Purpose::Corruption, 0));
    out
}

fn share(values: &[f64], is: impl Fn(f64) -> bool) -> f64 {
    values.iter().filter(|&&value| is(value)).count() as f64 / COUNT as f64
}

#[test]
fn each_kind_does_what_it_says() {
    // Shares of 100,000 draws have a standard deviation below 0.0016; four of them are allowed.
    let close = |found: f64, expected: f64| assert!((found - expected).abs() < 0.0064, "{found} for {expected}");
    let masked = spoilt(Corruption::Masking { rate: 0.3 }, 0.5);
    close(share(&masked, |x| x == 0.0), 0.3);
    close(share(&masked, |x| x == 0.5), 0.7);
    let salted = spoilt(Corruption::SaltAndPepper { rate: 0.2 }, 0.5);
    close(share(&salted, |x| x == 0.0), 0.1);
    close(share(&salted, |x| x == 1.0), 0.1);
    close(share(&salted, |x| x == 0.5), 0.8);
    let noisy = spoilt(Corruption::Gaussian { std: 0.1 }, 0.5);
    let variance = noisy.iter().map(|x| (x - 0.5) * (x - 0.5)).sum::<f64>() / COUNT as f64;
    assert!((variance.sqrt() / 0.1 - 1.0).abs() < 0.01, "{variance}");
    let clipped = spoilt(Corruption::Gaussian { std: 0.3 }, 0.0);
    close(share(&clipped, |x| x == 0.0), 0.5);
    assert!(clipped.iter().all(|x| (0.0..=1.0).contains(x)));
}

#[test]
fn a_measured_image_is_spoilt_alike_among_any_others() {
    let images: Vec<f32> = (0..40).map(|i| i as f32 / 40.0).collect();
    let corrupted = |indices: &[u32], clean: &[f32]| {
        let mut out = vec![0.0; clean.len()];
        corrupt_measured(Corruption::Gaussian { std: 0.3 }, 7, indices, clean, &mut out);
        out
    };
    let together = corrupted(&[4, 9], &images);
    assert_eq!(together[20..], corrupted(&[9], &images[20..]));
    assert_ne!(together[..20], corrupted(&[9], &images[..20]));
}

#[test]
fn an_order_is_a_permutation_that_seed_and_epoch_fix() {
    let order = epoch_order(1000, 7, 3);
    let mut sorted = order.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, (0..1000).collect::<Vec<u32>>());
    assert_eq!(order, epoch_order(1000, 7, 3));
    assert_ne!(order, epoch_order(1000, 7, 4));
    assert_ne!(order, epoch_order(1000, 8, 3));
    assert!(epoch_order(0, 7, 3).is_empty());
    assert_eq!(epoch_order(1, 7, 3), [0]);
}

#[test]
fn the_order_does_not_change_between_versions() {
    // The same from ChaCha8 and the shuffle written in Python; a change here changes every result ever trained.
    assert_eq!(epoch_order(10, 2026, 1), [3, 5, 2, 1, 7, 8, 6, 0, 4, 9]);
}

#[test]
fn what_stood_in_the_buffer_does_not_matter() {
    let mut order = vec![42; 50];
    shuffle_into(&mut order, 1, 2);
    assert_eq!(order, epoch_order(50, 1, 2));
}

#[test]
fn every_place_is_equally_likely() {
    // 24 orders of 4, 24,000 epochs: chi-squared with 23 degrees of freedom exceeds 49.7 once in a thousand.
    let mut counts = std::collections::BTreeMap::new();
    for epoch in 0..24_000 {
        *counts.entry(epoch_order(4, 5, epoch)).or_insert(0.0) += 1.0;
    }
    assert_eq!(counts.len(), 24);
    let chi_squared: f64 = counts.values().map(|count: &f64| (count - 1000.0).powi(2) / 1000.0).sum();
    assert!(chi_squared < 49.7, "chi-squared {chi_squared}");
}

#[test]
fn the_last_partial_batch_is_kept() {
    let order = epoch_order(10, 0, 0);
    assert_eq!(batches(&order, 4).map(<[u32]>::len).collect::<Vec<_>>(), [4, 4, 2]);
}

//! The order of the samples in an epoch, and its batches.

use std::slice::Chunks;

use rand::Rng;

use crate::rng::{Purpose, Stream, stream};

/// The order in which epoch `epoch` visits `n` samples: a permutation of 0…n−1, a function of seed and epoch alone.
pub fn epoch_order(n: usize, seed: u64, epoch: u64) -> Vec<u32> {
    let mut order = vec![0; n];
    shuffle_into(&mut order, seed, epoch);
    order
}

/// Writes the order of [`epoch_order`] to `order` `[n]`, whatever stood there. Allocates nothing.
///
/// # Panics
/// If there are more samples than `u32` counts.
pub fn shuffle_into(order: &mut [u32], seed: u64, epoch: u64) {
    assert!(u32::try_from(order.len()).is_ok(), "{} samples cannot be numbered by u32", order.len());
    for (index, slot) in order.iter_mut().enumerate() {
        *slot = index as u32;
    }
    shuffle(order, &mut stream(seed, Purpose::Shuffle, epoch));
}

/// The batches of an epoch: `batch_size` samples each, the last one what is left.
///
/// # Panics
/// If `batch_size` is 0.
pub fn batches(order: &[u32], batch_size: usize) -> Chunks<'_, u32> {
    order.chunks(batch_size)
}

/// Fisher–Yates (Knuth, TAOCP vol. 2, algorithm 3.4.2 P), from the last element down.
///
/// Written here and not taken from `rand`, whose results may change with its version.
pub(crate) fn shuffle(values: &mut [u32], random: &mut Stream) {
    for last in (1..values.len()).rev() {
        let chosen = below(last as u32 + 1, random);
        values.swap(last, chosen as usize);
    }
}

/// A uniform draw from 0…bound−1 without bias (Lemire, "Fast random integer generation in an interval", 2019): the high
/// half of a 64-bit product, drawn again while the low half is in the part that would favour some values.
fn below(bound: u32, random: &mut Stream) -> u32 {
    let favoured = bound.wrapping_neg() % bound;
    loop {
        let product = u64::from(random.next_u32()) * u64::from(bound);
        if product as u32 >= favoured {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}

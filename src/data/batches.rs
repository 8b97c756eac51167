//! The order of the samples in an epoch, and its batches.

use std::slice::Chunks;

use rand::Rng;

use crate::rng::{Purpose, Stream, stream};

/// Writes to `order` `[n]`, whatever stood there, the order in which epoch `epoch` visits `n` samples: a permutation of 0…n−1, a
/// function of seed and epoch alone. Allocates nothing.
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
pub(crate) fn shuffle<T>(values: &mut [T], random: &mut Stream) {
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

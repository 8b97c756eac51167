//! Named random streams.

use narrows::rng::{Purpose, stream};
use rand::Rng;

#[test]
fn streams_differ_by_seed_purpose_and_index_and_repeat() {
    let first = |seed, purpose, index| stream(seed, purpose, index).next_u64();
    let base = first(1, Purpose::Init, 0);
    assert_eq!(base, first(1, Purpose::Init, 0));
    assert_ne!(base, first(2, Purpose::Init, 0));
    assert_ne!(base, first(1, Purpose::Split, 0));
    assert_ne!(base, first(1, Purpose::Init, 1));
}

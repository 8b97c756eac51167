//! One pass through a model: whether it trains, and what its random draws are keyed by.

use narrows::nn::*;
use narrows::rng::Purpose;
use narrows::tape::NOISE_SAMPLES;
use rand::Rng as _;

#[test]
fn phases_views_and_steps_draw_different_numbers() {
    let first = |draws: Draws| draws.stream(Purpose::Noise, 0, 3).next_u64();
    let base = Draws { seed: 1, ..Draws::default() };
    let others = [
        Draws { seed: 2, ..base },
        Draws { step: 1, ..base },
        Draws { phase: 1, ..base },
        Draws { view: 1, ..base },
        Draws { first_sample: NOISE_SAMPLES, ..base },
    ];
    let mut found: Vec<u64> = others.into_iter().map(first).chain([first(base)]).collect();
    found.sort_unstable();
    found.dedup();
    assert_eq!(found.len(), 6);
    // The epoch only tells a task where it is.
    assert_eq!(first(Draws { epoch: 7, ..base }), first(base));
}

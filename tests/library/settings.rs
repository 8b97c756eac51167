//! What values are held to, as data and as words.

use narrows::settings::*;

#[test]
fn ranges_accept_their_closed_ends_and_no_others() {
    let (above, below) = (f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
    for (range, accepted, refused) in [
        (Range::FINITE, [f64::MIN, f64::MAX], [f64::NEG_INFINITY, f64::INFINITY]),
        (Range::ABOVE_ZERO, [above, f64::MAX], [0.0, f64::INFINITY]),
        (Range::NOT_NEGATIVE, [0.0, f64::MAX], [-above, f64::INFINITY]),
        (Range::BELOW_ONE, [0.0, below], [-above, 1.0]),
        (Range::INSIDE, [above, below], [0.0, 1.0]),
        (Range::PROBABILITY, [0.0, 1.0], [-above, 1.0 + f64::EPSILON]),
    ] {
        assert!(accepted.into_iter().all(|value| range.accepts(value)), "{range:?}");
        assert!(refused.into_iter().all(|value| !range.accepts(value)), "{range:?}");
        assert!(!range.accepts(f64::NAN), "{range:?}");
    }
    assert!(at_least(1).accepts(1) && !at_least(1).accepts(0) && !at_least(1).accepts(1 << 32));
}

//! The summary of a model.

use narrows::nn::grouped;

#[test]
fn digits_are_grouped_by_three() {
    assert_eq!([7, 999, 1000, 428_354, 1_234_567].map(grouped), ["7", "999", "1,000", "428,354", "1,234,567"]);
}

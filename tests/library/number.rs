//! Numbers as a reader wants them.

use narrows::figures::number::*;

#[test]
fn significant_digits_keep_their_trailing_zeros() {
    let cases = [
        (0.21816, "0.2182"),
        (0.2, "0.2000"),
        (12.4, "12.40"),
        (9.9996, "10.00"),
        (0.99996, "1.000"),
        (60000.0, "60000"),
        (1234.5, "1234"),
        (-0.0123456, "-0.01235"),
        (0.0001, "0.0001000"),
        (0.00001234, "1.234e-5"),
        (2.5e12, "2.500e12"),
        (-0.0, "0"),
        (f64::NAN, "not a number"),
        (f64::INFINITY, "infinite"),
        (f64::NEG_INFINITY, "-infinite"),
    ];
    for (value, expected) in cases {
        assert_eq!(significant(value, 4), expected, "{value:?}");
    }
    assert_eq!(significant(0.26, 0), "0.3");
    assert_eq!(significant(0.1, 99), "0.10000000000000001");
    let counts = [5923.0, -0.0, 0.1042, f64::NAN].map(count_or_significant);
    assert_eq!(counts, ["5923", "0", "0.1042", "not a number"]);
    assert_eq!([0, 1, 2].map(|count| counted(count, "epoch")), ["0 epochs", "1 epoch", "2 epochs"]);
    assert_eq!(counted(2, "batch"), "2 batches");
}

#[test]
fn powers_are_raised_and_units_stay_with_their_numbers() {
    let plain = ["1e-3", "-2e7", "1.50e-12", "-0.25", "1e0", "infinite", "not a number", "-infinite"];
    let print = ["10⁻³", "−2·10⁷", "1.50·10⁻¹²", "−0.25", "10⁰", "infinite", "not a number", "−infinite"];
    assert_eq!(plain.map(typeset), print);
    assert_eq!(format!("z{} KL{}", subscript("12"), subscript("j")), "z₁₂ KLⱼ");
    assert_eq!(
        glued("42.1 % of 3 s, 10⁻³ s (2 nats) and 5 runs"),
        "42.1\u{202f}% of 3\u{202f}s, 10⁻³\u{202f}s (2\u{202f}nats) and 5 runs"
    );
    assert_eq!(glued("a % s"), "a % s");
}

#[test]
fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0]), Some(3.0));
    assert_eq!(median(&[4.0, 1.0, 3.0]), Some(3.0));
    assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(2.5));
    assert_eq!(median(&[f64::NAN, 1.0, 3.0]), Some(3.0));
}

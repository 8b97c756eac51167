//! The summary of a model.

use narrows::nn::{Layout, Sequential, grouped, summarise};

#[test]
fn digits_are_grouped_by_three() {
    assert_eq!([7, 999, 1000, 428_354, 1_234_567].map(grouped), ["7", "999", "1,000", "428,354", "1,234,567"]);
}

#[test]
fn a_part_without_layers_has_its_input_alone() {
    let part = Sequential::new("head", [3], &[], &mut Layout::default()).unwrap();
    let text = summarise("net", [3].into(), &[("head", &part)]);
    assert!(text.contains("Model \"head\"") && text.ends_with("Total parameters: 0 (0.00 KiB)\n"), "{text}");
}

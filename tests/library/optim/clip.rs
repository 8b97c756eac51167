//! Gradient clipping, over the whole gradient of the parameters that are stepped together.

use narrows::optim::Semantics;
use narrows::optim::clip::*;
use narrows_kernels::Isa;

#[test]
fn a_long_gradient_is_shortened_and_a_short_one_left_alone() {
    let isa = Isa::detect();
    for semantics in Semantics::all() {
        let mut grads = [3.0f64, -4.0];
        assert_eq!(by_global_norm(isa, semantics, &mut grads, &[0..1, 1..2], 1.0), 5.0);
        let factor = if semantics == Semantics::Keras { 0.2 } else { 1.0 / 5.000001 };
        assert_eq!(grads, [3.0 * factor, -4.0 * factor]);
        let mut grads = [3.0f64, -4.0];
        assert_eq!(by_global_norm(isa, semantics, &mut grads, &[0..1, 1..2], 6.0), 5.0);
        assert_eq!(grads, [3.0, -4.0]);
    }
}

#[test]
fn a_norm_that_is_not_finite_changes_nothing_and_is_returned() {
    for bad in [f32::NAN, f32::INFINITY] {
        for semantics in Semantics::all() {
            let mut grads = [1.0, bad];
            assert!(!by_global_norm(Isa::detect(), semantics, &mut grads, &[0..1, 1..2], 0.1).is_finite());
            assert_eq!(grads[0], 1.0);
        }
    }
}

#[test]
fn values_are_moved_to_the_limit_and_nan_stays() {
    let mut grads = [0.25f32, -3.0, 7.0, f32::NAN, f32::NEG_INFINITY];
    by_value(Isa::detect(), &mut grads, &[0..2, 2..5], 0.5);
    assert_eq!(grads[..3], [0.25, -0.5, 0.5]);
    assert!(grads[3].is_nan());
    assert_eq!(grads[4], -0.5);
}

#[test]
fn gradients_outside_the_ranges_neither_count_nor_change() {
    let (isa, ranges) = (Isa::detect(), [1..2, 3..4]);
    let mut grads = [70.0f64, 3.0, f64::NAN, -4.0];
    assert_eq!(by_global_norm(isa, Semantics::Keras, &mut grads, &ranges, 1.0), 5.0);
    assert_eq!((grads[0], grads[1], grads[3]), (70.0, 3.0 * 0.2, -4.0 * 0.2));
    assert!(grads[2].is_nan());
    let mut grads = [70.0f64, 3.0, f64::NAN, -4.0];
    by_value(isa, &mut grads, &ranges, 0.5);
    assert_eq!((grads[0], grads[1], grads[3]), (70.0, 0.5, -0.5));
}

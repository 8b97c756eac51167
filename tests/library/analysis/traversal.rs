//! How the numbers of codes are spread.

use narrows::analysis::{CodeSpread, TICKS};
use ndarray::Array2;

#[test]
fn a_number_that_never_changes_is_inactive_and_ticks_leave_the_tails_out() {
    // 0, 1, …, 100 and a unit that is never on.
    let codes = Array2::from_shape_fn((101, 2), |(i, unit)| if unit == 0 { i as f32 } else { 0.0 });
    let spread = CodeSpread::of(codes.view());
    assert_eq!((&spread.mean[..], &spread.active[..]), (&[50.0, 0.0][..], &[true, false][..]));
    // The variance of 0, …, n is n(n + 2)/12.
    assert!((spread.deviation[0] - 850f32.sqrt()).abs() < 1e-5 && spread.deviation[1] == 0.0, "{spread:?}");
    let [first, second] = spread.ticks.unwrap();
    assert_eq!((first[0], first[7], first[14]), (5.0, 50.0, 95.0));
    assert_eq!(second, [0.0; TICKS]);
}

#[test]
fn the_prior_has_the_quantiles_of_the_normal_distribution() {
    let spread = CodeSpread::prior(&[0.01, 0.5]);
    assert_eq!((&spread.active[..], spread.deviation), (&[false, true][..], vec![1.0; 2]));
    let ticks = &spread.ticks.unwrap()[0];
    // Φ⁻¹(0.95) and, seven steps of 0.9/14 from either end, Φ⁻¹(1/2); Φ⁻¹(0.05 + 0.9/14) = −1.204 (tables).
    assert!((ticks[14] - 1.644_853_6).abs() < 1e-6 && ticks[0] == -ticks[14] && ticks[7] == 0.0, "{ticks:?}");
    assert!((ticks[1] + 1.204_1).abs() < 1e-3, "{ticks:?}");
    assert_eq!(CodeSpread::prior(&[1.0; 3]).ticks, None);
}

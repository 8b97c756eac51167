//! Activations undone.
//!
//! | activation | a⁻¹(y) | values pulled in, ε the rim |
//! |---|---|---|
//! | identity | y | |
//! | leaky relu, slope s > 0 | y > 0 ? y : y/s | |
//! | elu, α | y > 0 ? y : ln(1 + y/α) | y < −α(1 − ε) to that |
//! | tanh | artanh y | \|y\| > 1 − ε to ±(1 − ε) |
//! | sigmoid | ln(y/(1 − y)) | to ε and 1 − ε |
//! | softplus | y + ln(1 − e⁻ʸ) | y < ε to ε |
//!
//! Relu keeps no trace of what was negative and has no inverse; see [`Walk`](super::Walk). Logarithms are those of `libm`, in
//! f64 for both types: the standard library's differ between platforms.

use narrows_kernels::{Activation, Real};

/// Replaces each y by a⁻¹(y) and counts the values that had to be pulled into the range of a. NaN stays NaN.
///
/// # Panics
/// For relu, which has no inverse, and for a rim that is not within (0, ½).
pub fn undo<T: Real>(activation: Activation, y: &mut [T], rim: f64) -> u64 {
    assert!(rim > 0.0 && rim < 0.5, "a rim of {rim}; it must lie within (0, 0.5)");
    match activation {
        Activation::Linear => 0,
        Activation::Relu => panic!("relu has no inverse"),
        Activation::LeakyRelu { slope } => {
            let slope = T::from_f64(slope);
            let negative = y.iter_mut().filter(|y| **y < T::ZERO);
            negative.for_each(|y| *y = *y / slope);
            0
        }
        Activation::Elu { alpha } => {
            let alpha = T::from_f64(alpha).to_f64();
            let inverse = |y: f64| if y > 0.0 { y } else { libm::log1p(y / alpha) };
            pull_and_map(y, -alpha * (1.0 - rim), f64::INFINITY, inverse)
        }
        Activation::Tanh => pull_and_map(y, rim - 1.0, 1.0 - rim, libm::atanh),
        Activation::Sigmoid => pull_and_map(y, rim, 1.0 - rim, logit),
        Activation::Softplus => pull_and_map(y, rim, f64::INFINITY, |y| y + libm::log(-libm::expm1(-y))),
    }
}

/// ln(y/(1 − y)); around ½, where the logarithm's argument comes near 1, by the artanh of 2y − 1, which is exact there.
fn logit(y: f64) -> f64 {
    if (y - 0.5).abs() < 0.25 { 2.0 * libm::atanh(2.0 * y - 1.0) } else { libm::log(y / (1.0 - y)) }
}

fn pull_and_map<T: Real>(y: &mut [T], low: f64, high: f64, inverse: impl Fn(f64) -> f64) -> u64 {
    let mut pulled = 0;
    for y in y {
        let value = y.to_f64();
        pulled += u64::from(value < low || value > high);
        *y = T::from_f64(inverse(if value < low {
            low
        } else if value > high {
            high
        } else {
            value
        }));
    }
    pulled
}

#[cfg(test)]
mod tests {
    use narrows_kernels::Isa;
    use narrows_kernels::activation::activate_in_place;

    use super::*;

    const INVERTIBLE: [Activation; 8] = [
        Activation::Linear,
        Activation::LeakyRelu { slope: 0.5 },
        Activation::LeakyRelu { slope: 1e-3 },
        Activation::Elu { alpha: 1.0 },
        Activation::Elu { alpha: 0.3 },
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Softplus,
    ];

    #[test]
    fn inverses_undo_their_activations() {
        let x: Vec<f64> = (-40..=40).map(|i| f64::from(i) / 8.0).collect();
        for activation in INVERTIBLE {
            let mut y = x.clone();
            activate_in_place(Isa::detect(), activation, &mut y);
            let exact = y.clone();
            assert_eq!(undo(activation, &mut y, f64::EPSILON), 0, "{activation:?}");
            for ((&found, &x), &exact) in y.iter().zip(&x).zip(&exact) {
                // An output rounded by ε·|y| moves its inverse by that over the slope, by central differences.
                let mut near = [x - 1e-4, x + 1e-4];
                activate_in_place(Isa::detect(), activation, &mut near);
                let slope = (near[1] - near[0]) / 2e-4;
                let tolerance = 4.0 * f64::EPSILON * (x.abs() + exact.abs() / slope);
                assert!(
                    (found - x).abs() <= tolerance,
                    "{activation:?}: {found} for {x}, off by more than {tolerance:e}"
                );
            }
        }
    }

    #[test]
    fn leaky_relu_is_undone_exactly_where_the_slope_is_a_power_of_two() {
        let x: Vec<f32> = (-100..100).map(|i| i as f32 * 0.37).collect();
        let mut y = x.clone();
        activate_in_place(Isa::detect(), Activation::LeakyRelu { slope: 0.5 }, &mut y);
        undo(Activation::LeakyRelu { slope: 0.5 }, &mut y, 0.1);
        assert_eq!(y, x);
    }

    #[test]
    fn values_at_the_rim_are_pulled_in_and_counted() {
        let rim = 1.0 / 510.0;
        let mut y = [0.0f32, 1.0, 0.5, 2.0, -3.0, f32::NAN];
        assert_eq!(undo(Activation::Sigmoid, &mut y, rim), 4);
        let edge = (509.0f64).ln() as f32;
        assert!((y[0] + edge).abs() < 1e-5 && (y[1] - edge).abs() < 1e-5 && y[2] == 0.0, "{y:?}");
        assert!(y[3] == y[1] && y[4] == y[0] && y[5].is_nan());
        let mut y = [1.0, -1.0, 0.0];
        assert_eq!(undo(Activation::Tanh, &mut y, 1e-3), 2);
        assert!(y[0] > 3.0 && y[0] == -y[1] && y[2] == 0.0);
        let mut y = [-1.0, 5.0];
        assert_eq!(undo(Activation::Elu { alpha: 0.5 }, &mut y, 1e-3), 1);
        assert!((y[0] - 1e-3f64.ln()).abs() < 1e-9 && y[1] == 5.0);
        let mut y = [0.0, 800.0];
        assert_eq!(undo(Activation::Softplus, &mut y, 1e-3), 1);
        assert!((y[0] - 1e-3f64.exp_m1().ln()).abs() < 1e-9 && y[1] == 800.0);
    }

    #[test]
    #[should_panic(expected = "relu has no inverse")]
    fn relu_is_refused() {
        undo(Activation::Relu, &mut [1.0], 0.1);
    }
}

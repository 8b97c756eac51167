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
        *y = T::from_f64(inverse(value.clamp(low, high)));
    }
    pulled
}

//! Coefficients and limits of each type. Polynomials, lowest order first, are Chebyshev fits made in 60 digits by
//! `tests/golden/coefficients.py`, which prints these lines.

/// The constants with which one definition of each function serves a type.
pub trait Elementary: Sized + 'static {
    /// (eʳ − 1 − r) / r² on |r| ≤ ½ ln 2.
    const EXP: &'static [Self];
    /// (2 artanh(s) − 2s) / s³ as a polynomial of s², on s² ≤ 1/25.
    const LN: &'static [Self];
    /// (tanh(x) − x) / x³ as a polynomial of x², on |x| ≤ 0.35.
    const TANH: &'static [Self];
    /// ln 2 with so few bits that its product with any exponent is exact.
    const LN2_HIGH: Self;
    /// ln 2 less the above.
    const LN2_LOW: Self;
    /// 1 / ln 2.
    const LOG2_E: Self;
    /// An x whose eˣ is infinite and, with the exponent halved, can still be computed.
    const EXP_HIGH: Self;
    /// An x whose eˣ is below half the smallest subnormal.
    const EXP_LOW: Self;
    /// An x whose eˣ − 1 rounds to −1.
    const EXP_M1_LOW: Self;
    /// An x from whose half on tanh rounds to 1.
    const TANH_HIGH: Self;
    /// Where eˣ − 1 = x + x²/2 + … is x to an eighth of an ULP.
    const TINY: Self;
    /// The smallest normal number.
    const MIN_NORMAL: Self;
    /// A power of 2 that makes every subnormal normal, and its exponent.
    const RAISE: (Self, Self);
    /// +∞.
    const INFINITY: Self;
}

impl Elementary for f32 {
    // |error| <= 4.1e-9 on [-0.346608, 0.346608]
    const EXP: &[f32] = &[0.5, 0.16666667, 0.041666467, 0.0083333105, 0.001393365, 0.00019890991];
    // |error| <= 2.8e-8 on [0.0, 0.04]
    const LN: &[f32] = &[0.6666667, 0.4000031, 0.28532743, 0.23747344];
    // |error| <= 2.0e-8 on [0.0, 0.1226]
    const TANH: &[f32] = &[-0.3333333, 0.13332963, -0.053815704, 0.019836433];
    const LN2_HIGH: f32 = 0.69314575;
    const LN2_LOW: f32 = 1.4286068e-06;
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const EXP_HIGH: f32 = 89.0;
    const EXP_LOW: f32 = -104.0;
    const EXP_M1_LOW: f32 = -20.0;
    const TANH_HIGH: f32 = 20.0;
    const TINY: f32 = f32::EPSILON / 4.0;
    const MIN_NORMAL: f32 = f32::MIN_POSITIVE;
    const RAISE: (f32, f32) = (8_388_608.0, 23.0);
    const INFINITY: f32 = f32::INFINITY;
}

impl Elementary for f64 {
    // |error| <= 2.6e-18 on [-0.346608, 0.346608]
    const EXP: &[f64] = &[
        0.5,
        0.1666666666666667,
        0.04166666666666667,
        0.008333333333326136,
        0.0013888888888883748,
        0.00019841269874820627,
        2.4801587325547743e-05,
        2.7557255400206422e-06,
        2.75572736431103e-07,
        2.5105217004720745e-08,
        2.0914686968086876e-09,
    ];
    // |error| <= 3.8e-17 on [0.0, 0.04]
    const LN: &[f64] = &[
        0.6666666666666666,
        0.400000000000078,
        0.2857142856733919,
        0.22222223037807243,
        0.18181738454723026,
        0.15388834677801916,
        0.1321036048513262,
        0.13604015707124079,
    ];
    // |error| <= 1.9e-17 on [0.0, 0.1226]
    const TANH: &[f64] = &[
        -0.3333333333333333,
        0.13333333333333325,
        -0.05396825396823416,
        0.0218694885340826,
        -0.008863235419602601,
        0.0035921246586790535,
        -0.0014557712282109,
        0.0005892929270740269,
        -0.00023391642638023258,
        7.593700258717756e-05,
    ];
    const LN2_HIGH: f64 = 0.693147180559663;
    const LN2_LOW: f64 = 2.8235290563031577e-13;
    const LOG2_E: f64 = std::f64::consts::LOG2_E;
    const EXP_HIGH: f64 = 710.0;
    const EXP_LOW: f64 = -746.0;
    const EXP_M1_LOW: f64 = -40.0;
    const TANH_HIGH: f64 = 44.0;
    const TINY: f64 = f64::EPSILON / 4.0;
    const MIN_NORMAL: f64 = f64::MIN_POSITIVE;
    const RAISE: (f64, f64) = (4_503_599_627_370_496.0, 52.0);
    const INFINITY: f64 = f64::INFINITY;
}

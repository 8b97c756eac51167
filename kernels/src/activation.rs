//! Activations, and their derivatives expressed through their outputs.
//!
//! A layer that keeps y = a(x) and forgets x can still differentiate: dy/dx = f(y).
//!
//! | activation | a(x) | f(y) = dy/dx | f⁽¹⁾(y), f⁽²⁾(y), … |
//! |---|---|---|---|
//! | linear | x | 1 | 0 |
//! | relu | max(x, 0) | y > 0 ? 1 : 0 | 0 |
//! | leaky relu, slope s > 0 | x > 0 ? x : s·x | y > 0 ? 1 : s | 0 |
//! | elu, α > 0 | x > 0 ? x : α(eˣ − 1) | y > 0 ? 1 : y + α | y < 0 ? 1 : 0, then 0 |
//! | tanh | tanh x | 1 − y² | −2y, −2, 0 |
//! | sigmoid | 1 / (1 + e⁻ˣ) | y(1 − y) | 1 − 2y, −2, 0 |
//! | softplus | ln(1 + eˣ) | 1 − e⁻ʸ | e⁻ʸ, −e⁻ʸ, e⁻ʸ, … |
//!
//! At x = 0 relu, leaky relu and elu take the derivative from the left (0, s, α). Every activation of NaN is NaN; relu keeps
//! the sign of zero, relu(−0) = −0. A NaN y counts as not positive: relu's derivative there is 0.

use std::fmt;

use crate::elementwise::drive::{Map, map, map_in_place, maps, with_map};
use crate::once::once;
use crate::reduce::{Summand, columns};
use crate::{Accumulate, Isa, Real, Simd, vecmath};

/// A function that a layer applies to each element of its product.
///
/// Its number is an f64; a kernel rounds it to its element type once a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x.
    Linear,
    /// max(x, 0).
    Relu,
    /// x above zero, else slope · x.
    LeakyRelu {
        /// Above 0, so that y has the sign of x.
        slope: f64,
    },
    /// x above zero, else α(eˣ − 1).
    Elu {
        /// α, above 0.
        alpha: f64,
    },
    /// The hyperbolic tangent.
    Tanh,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// ln(1 + eˣ).
    Softplus,
}

impl Activation {
    /// "linear", "relu", "leaky-relu", …
    pub fn name(&self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky-relu",
            Activation::Elu { .. } => "elu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Softplus => "softplus",
        }
    }

    /// Whether it is linear on either side of zero, so that its derivative is constant there.
    pub fn is_piecewise_linear(&self) -> bool {
        matches!(self, Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. })
    }
}

impl fmt::Display for Activation {
    /// The name, and the number that goes with it: "relu", "leaky-relu 0.5".
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => {
                write!(out, "{} {number}", self.name())
            }
            _ => out.write_str(self.name()),
        }
    }
}

maps! {
    /// 0 > x ? 0 : x, which lets NaN through.
    Relu(simd, x) = simd.max(simd.splat(T::ZERO), x);
    /// x > 0 ? x : slope · x.
    LeakyRelu[slope](simd, x) = simd.select(simd.lt(simd.splat(T::ZERO), x), x, simd.mul(slope, x));
    /// x > 0 ? x : α(eˣ − 1).
    Elu[alpha](simd, x) =
        simd.select(simd.lt(simd.splat(T::ZERO), x), x, simd.mul(alpha, vecmath::exp_m1(simd, x)));
    /// tanh x.
    Tanh(simd, x) = vecmath::tanh(simd, x);
    /// σ(x).
    Sigmoid(simd, x) = vecmath::sigmoid(simd, x);
    /// ln(1 + eˣ).
    Softplus(simd, x) = vecmath::softplus(simd, x);
}

maps! {
    /// 1.
    One(simd, _y) = simd.splat(T::ONE);
    /// 0.
    Zero(simd, _y) = simd.splat(T::ZERO);
    /// −2.
    MinusTwo(simd, _y) = simd.splat(-T::ONE - T::ONE);
    /// y > 0 ? 1 : 0.
    ReluDerivative(simd, y) = {
        let zero = simd.splat(T::ZERO);
        simd.select(simd.lt(zero, y), simd.splat(T::ONE), zero)
    };
    /// y > 0 ? 1 : slope.
    LeakyReluDerivative[slope](simd, y) = simd.select(simd.lt(simd.splat(T::ZERO), y), simd.splat(T::ONE), slope);
    /// y > 0 ? 1 : y + α.
    EluDerivative[alpha](simd, y) = simd.select(simd.lt(simd.splat(T::ZERO), y), simd.splat(T::ONE), simd.add(y, alpha));
    /// y < 0 ? 1 : 0.
    EluSecond(simd, y) = {
        let zero = simd.splat(T::ZERO);
        simd.select(simd.lt(y, zero), simd.splat(T::ONE), zero)
    };
    /// 1 − y².
    TanhDerivative(simd, y) = simd.fnma(y, y, simd.splat(T::ONE));
    /// −2y.
    TanhSecond(simd, y) = simd.neg(simd.add(y, y));
    /// y(1 − y) = y − y², rounded once.
    SigmoidDerivative(simd, y) = simd.fnma(y, y, y);
    /// 1 − 2y.
    SigmoidSecond(simd, y) = simd.sub(simd.splat(T::ONE), simd.add(y, y));
    /// 1 − e⁻ʸ.
    SoftplusDerivative(simd, y) = simd.neg(vecmath::exp_m1(simd, simd.neg(y)));
    /// e⁻ʸ, of the odd orders.
    SoftplusOdd(simd, y) = vecmath::exp(simd, simd.neg(y));
    /// −e⁻ʸ, of the even orders above 0.
    SoftplusEven(simd, y) = simd.neg(vecmath::exp(simd, simd.neg(y)));
}

/// Runs `$then` with `$both` bound to the map of this activation, and to that of its derivative as a function of its output.
macro_rules! with_activation_and_derivative {
    ($activation:expr, $both:ident => $then:expr) => {
        $crate::elementwise::drive::with_map!($activation, $both => $then, {
            Activation::Linear => ($crate::elementwise::Same, $crate::activation::One),
            Activation::Relu => ($crate::activation::Relu, $crate::activation::ReluDerivative),
            Activation::LeakyRelu { slope } => {
                let slope = T::from_f64(slope);
                ($crate::activation::LeakyRelu { slope }, $crate::activation::LeakyReluDerivative { slope })
            },
            Activation::Elu { alpha } => {
                let alpha = T::from_f64(alpha);
                ($crate::activation::Elu { alpha }, $crate::activation::EluDerivative { alpha })
            },
            Activation::Tanh => ($crate::activation::Tanh, $crate::activation::TanhDerivative),
            Activation::Sigmoid => ($crate::activation::Sigmoid, $crate::activation::SigmoidDerivative),
            Activation::Softplus => ($crate::activation::Softplus, $crate::activation::SoftplusDerivative),
        })
    };
}

pub(crate) use with_activation_and_derivative;

/// Runs `$then` with `$f` bound to the map of this activation.
macro_rules! with_activation {
    ($activation:expr, $f:ident => $then:expr) => {
        $crate::activation::with_activation_and_derivative!($activation, both => {
            let ($f, _) = both;
            $then
        })
    };
}

pub(crate) use with_activation;

/// u · f(y).
#[derive(Clone, Copy)]
struct Times<F>(F);

impl<T: Real, F: Map<T, 1>> Map<T, 2> for Times<F> {
    #[inline(always)]
    fn value<S: Simd<T>>(self, simd: S, [y, u]: [S::V; 2]) -> S::V {
        simd.mul(u, self.0.value(simd, [y]))
    }
}

impl<T: Real, F: Map<T, 1>> Summand<T, 2, 1> for Times<F> {
    #[inline(always)]
    fn term<S: Simd<T>>(self, simd: S, inputs: [S::V; 2]) -> (S::V, [S::V; 1]) {
        let value = self.value(simd, inputs);
        (value, [value])
    }
}

once! {
    /// out\[i\] = a(x\[i\]). Moves two elements per element.
    pub fn activate<T: Real>(isa: Isa, activation: Activation, x: &[T], out: &mut [T]) {
        with_activation!(activation, f => map(isa, f, [x], out, Accumulate::Overwrite));
    }

    /// x\[i\] = a(x\[i\]). Moves two elements per element.
    pub fn activate_in_place<T: Real>(isa: Isa, activation: Activation, x: &mut [T]) {
        with_activation!(activation, f => map_in_place(isa, f, x));
    }

    /// out\[i\] (+)= u\[i\] · f⁽ᵒʳᵈᵉʳ⁾(y\[i\]), where f expresses the activation's derivative through its output y (see the
    /// table above). A product in IEEE arithmetic: where the factor is 0, an infinite or NaN u gives NaN. Moves three elements
    /// per element, four when accumulating.
    pub fn activation_derivative<T: Real>(
        isa: Isa,
        activation: Activation,
        order: u32,
        y: &[T],
        u: &[T],
        out: &mut [T],
        accumulate: Accumulate,
    ) {
        if order == 0 {
            with_activation_and_derivative!(activation, both => map(isa, Times(both.1), [y, u], out, accumulate))
        } else {
            with_map!((activation, order), f => map(isa, Times(f), [y, u], out, accumulate), {
                (Activation::Elu { .. }, 1) => EluSecond,
                (Activation::Tanh, 1) => TanhSecond,
                (Activation::Sigmoid, 1) => SigmoidSecond,
                (Activation::Tanh | Activation::Sigmoid, 2) => MinusTwo,
                (Activation::Softplus, order) if order % 2 == 1 => SoftplusOdd,
                (Activation::Softplus, _) => SoftplusEven,
                _ => Zero,
            })
        }
    }

    /// out\[i, j\] = g\[i, j\] · f(y\[i, j\]) and sums\[j\] (+)= Σᵢ out\[i, j\], in one pass; y, g, out [rows, cols], sums \[cols\].
    ///
    /// Each column's sum is one chain of additions over ascending rows, from zero or from the old sum. Moves three elements per
    /// element; the sums stay in registers over 32 rows. With many elements the columns, never the rows, are split over threads.
    #[allow(clippy::too_many_arguments)]
    pub fn activation_derivative_and_column_sums<T: Real>(
        isa: Isa,
        activation: Activation,
        y: &[T],
        g: &[T],
        cols: usize,
        out: &mut [T],
        sums: &mut [T],
        accumulate_sums: Accumulate,
    ) {
        with_activation_and_derivative!(activation, both => {
            columns(isa, Times(both.1), [y, g], [out], cols, sums, accumulate_sums)
        });
    }
}

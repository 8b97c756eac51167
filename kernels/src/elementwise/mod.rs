//! Functions of one or two slices, element by element, and rows and columns spread over a matrix.
//!
//! Matrices are row-major and contiguous. With [`Accumulate::Add`] the value is rounded first and then added to the old
//! output, which rounds once more. Long slices are split over the threads of the current rayon pool; nothing is
//! allocated. Every function panics when the lengths of its slices do not agree.

pub(crate) mod broadcast;
pub(crate) mod drive;

pub use broadcast::{add_row, broadcast_column, broadcast_row};

use crate::once::once;
use crate::{Accumulate, Isa, Real, Simd, vecmath};
use drive::{Map, map, map_in_place, maps, with_map};

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Unary<T> {
    /// eˣ.
    Exp,
    /// The natural logarithm; −∞ at ±0, NaN below.
    Ln,
    /// x · x.
    Square,
    /// |x|.
    Abs,
    /// 1 above zero, −1 below, and x itself at ±0 and NaN.
    Sign,
    /// 1 / x.
    Reciprocal,
    /// x times the number.
    Scale(T),
    /// x plus the number.
    Offset(T),
    /// The nearest number to x within the two; NaN stays.
    Clamp(T, T),
    /// 1 strictly between the two numbers, 0 elsewhere and for NaN: the derivative of the clamp.
    Between(T, T),
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    /// a + b.
    Add,
    /// a − b.
    Sub,
    /// a · b.
    Mul,
}

maps! {
    Same(_simd, x) = x;
    Exp(simd, x) = vecmath::exp(simd, x);
    Ln(simd, x) = vecmath::ln(simd, x);
    Square(simd, x) = simd.mul(x, x);
    Abs(simd, x) = simd.abs(x);
    Sign(simd, x) = {
        let (zero, one) = (simd.splat(T::ZERO), simd.splat(T::ONE));
        simd.select(simd.lt(zero, x), one, simd.select(simd.lt(x, zero), simd.neg(one), x))
    };
    Reciprocal(simd, x) = simd.div(simd.splat(T::ONE), x);
    Scale[by](simd, x) = simd.mul(x, by);
    Offset[by](simd, x) = simd.add(x, by);
    Clamp[low, high](simd, x) = simd.min(high, simd.max(low, x));
    Between[low, high](simd, x) = {
        let (zero, one) = (simd.splat(T::ZERO), simd.splat(T::ONE));
        simd.select(simd.lt(low, x), simd.select(simd.lt(x, high), one, zero), zero)
    };
    Sum(simd, a, b) = simd.add(a, b);
    Difference(simd, a, b) = simd.sub(a, b);
    Product(simd, a, b) = simd.mul(a, b);
}

once! {
    /// out\[i\] (+)= op(x\[i\]).
    pub fn unary<T: Real>(isa: Isa, op: Unary<T>, x: &[T], out: &mut [T], accumulate: Accumulate) {
        with_map!(op, f => map(isa, f, [x], out, accumulate), {
            Unary::Exp => Exp,
            Unary::Ln => Ln,
            Unary::Square => Square,
            Unary::Abs => Abs,
            Unary::Sign => Sign,
            Unary::Reciprocal => Reciprocal,
            Unary::Scale(by) => Scale { by },
            Unary::Offset(by) => Offset { by },
            Unary::Clamp(low, high) => Clamp { low, high },
            Unary::Between(low, high) => Between { low, high },
        });
    }

    /// out\[i\] (+)= op(a\[i\], b\[i\]).
    pub fn binary<T: Real>(isa: Isa, op: Binary, a: &[T], b: &[T], out: &mut [T], accumulate: Accumulate) {
        with_map!(op, f => map(isa, f, [a, b], out, accumulate), {
            Binary::Add => Sum,
            Binary::Sub => Difference,
            Binary::Mul => Product,
        });
    }

    /// out\[i\] (+)= s · x\[i\].
    pub fn mul_scalar<T: Real>(isa: Isa, x: &[T], s: T, out: &mut [T], accumulate: Accumulate) {
        unary(isa, Unary::Scale(s), x, out, accumulate);
    }

    /// x\[i\] = s · x\[i\].
    pub fn scale_in_place<T: Real>(isa: Isa, x: &mut [T], s: T) {
        map_in_place(isa, Scale { by: s }, x);
    }

    /// x\[i\] = the nearest number to it within `low` ..= `high`; NaN stays.
    pub fn clamp_in_place<T: Real>(isa: Isa, x: &mut [T], low: T, high: T) {
        map_in_place(isa, Clamp { low, high }, x);
    }
}

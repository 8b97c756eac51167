//! One lane: the portable code, and the definition that the others are compared with.

use super::Simd;

/// The portable instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

macro_rules! scalar {
    ($t:ident, $bits:ident, $mantissa_bits:expr, $bias:expr) => {
        impl Simd<$t> for Scalar {
            type V = $t;
            type M = bool;
            const LANES: usize = 1;
            const REGISTERS: usize = 16;

            #[inline(always)]
            fn splat(self, value: $t) -> $t {
                value
            }
            #[inline(always)]
            unsafe fn load_ptr(self, source: *const $t) -> $t {
                // SAFETY: the caller promises one element.
                unsafe { source.read_unaligned() }
            }
            #[inline(always)]
            unsafe fn store_ptr(self, target: *mut $t, vector: $t) {
                // SAFETY: the caller promises one element.
                unsafe { target.write_unaligned(vector) }
            }
            #[inline(always)]
            unsafe fn load_ptr_partial(self, source: *const $t, count: usize) -> $t {
                // SAFETY: read only where the caller promises an element.
                if count == 0 { 0.0 } else { unsafe { source.read_unaligned() } }
            }
            #[inline(always)]
            unsafe fn store_ptr_partial(self, target: *mut $t, vector: $t, count: usize) {
                if count > 0 {
                    // SAFETY: written only where the caller promises an element.
                    unsafe { target.write_unaligned(vector) }
                }
            }
            #[inline(always)]
            unsafe fn transpose_ptr(
                self,
                source: *const $t,
                _: usize,
                _: (usize, usize),
                target: *mut $t,
                _: usize,
                _: usize,
            ) {
                // SAFETY: the caller promises a block of one element.
                unsafe { *target = *source }
            }
            #[inline(always)]
            fn add(self, a: $t, b: $t) -> $t {
                a + b
            }
            #[inline(always)]
            fn sub(self, a: $t, b: $t) -> $t {
                a - b
            }
            #[inline(always)]
            fn mul(self, a: $t, b: $t) -> $t {
                a * b
            }
            #[inline(always)]
            fn div(self, a: $t, b: $t) -> $t {
                a / b
            }
            #[inline(always)]
            fn fma(self, a: $t, b: $t, c: $t) -> $t {
                a.mul_add(b, c)
            }
            #[inline(always)]
            fn fnma(self, a: $t, b: $t, c: $t) -> $t {
                (-a).mul_add(b, c)
            }
            #[inline(always)]
            fn max(self, a: $t, b: $t) -> $t {
                if a > b { a } else { b }
            }
            #[inline(always)]
            fn min(self, a: $t, b: $t) -> $t {
                if a < b { a } else { b }
            }
            #[inline(always)]
            fn abs(self, a: $t) -> $t {
                a.abs()
            }
            #[inline(always)]
            fn neg(self, a: $t) -> $t {
                -a
            }
            #[inline(always)]
            fn copysign(self, a: $t, sign: $t) -> $t {
                a.copysign(sign)
            }
            #[inline(always)]
            fn sqrt(self, a: $t) -> $t {
                a.sqrt()
            }
            #[inline(always)]
            fn round(self, a: $t) -> $t {
                a.round_ties_even()
            }
            #[inline(always)]
            fn pow2(self, n: $t) -> $t {
                // Defined for integral n within the range of normal exponents only.
                $t::from_bits(((n as i32 + $bias) as $bits) << $mantissa_bits)
            }
            #[inline(always)]
            fn exponent(self, a: $t) -> $t {
                ((a.to_bits() >> $mantissa_bits) as i32 - $bias) as $t
            }
            #[inline(always)]
            fn reciprocal_guess(self, a: $t) -> $t {
                $t::from_bits(((2 * $bias) << $mantissa_bits) - a.to_bits())
            }
            #[inline(always)]
            fn mantissa(self, a: $t) -> $t {
                const FRACTION: $bits = (1 << $mantissa_bits) - 1;
                $t::from_bits((a.to_bits() & FRACTION) | ($bias << $mantissa_bits))
            }
            #[inline(always)]
            fn lt(self, a: $t, b: $t) -> bool {
                a < b
            }
            #[inline(always)]
            fn le(self, a: $t, b: $t) -> bool {
                a <= b
            }
            #[inline(always)]
            fn eq(self, a: $t, b: $t) -> bool {
                a == b
            }
            #[inline(always)]
            fn select(self, mask: bool, yes: $t, no: $t) -> $t {
                if mask { yes } else { no }
            }
        }
    };
}

scalar!(f32, u32, 23, 127);
scalar!(f64, u64, 52, 1023);

//! 1/d without a division, to the same bits on every CPU.
//!
//! The instructions that estimate a reciprocal give other bits on other makers' CPUs, and a division of 16 lanes is slow: the
//! repulsion of 10,000 points takes 10.2 ms with divisions and 8.3 ms without on one core of an Intel Xeon (Sapphire Rapids) with
//! AVX-512. With AVX2 divisions would be faster, 10.7 ms against 13.6 ms. In three lines:
//! * g = bits of 2 · the exponent bias − bits of d is linear in d between powers of two: t = d·g lies in [1, 9/8].
//! * 1/t there is best approximated (Chebyshev) by c·((51/32 − t)² + 27/32), c = 16384/19601, to a relative error of 1/19601.
//! * One step of Newton squares that error to 2.6e-9, below the rounding of f32.
//!
//! The constant c costs nothing where it is left out: r = g·((51/32 − t)² + 27/32) is s/d with s = 1/c, and r·(2s − d·r) is
//! s²/d, all constants exact.

use crate::Simd;

/// s, twice of which is a number of f32.
const S: f64 = 19601.0 / 16384.0;

/// What [`scaled_reciprocal`] is times d.
pub(crate) const SCALE: f64 = S * S;

/// [`SCALE`] / d for d from 1 to 2¹²⁵, with a relative error of at most 1.5e-7: 2.6e-9 of the method and two roundings.
#[inline(always)]
pub(crate) fn scaled_reciprocal<I: Simd<f32>>(simd: I, d: I::V) -> I::V {
    let guess = simd.reciprocal_guess(d);
    let e = simd.fnma(d, guess, simd.splat(51.0 / 32.0));
    let r = simd.mul(guess, simd.fma(e, e, simd.splat(27.0 / 32.0)));
    simd.mul(r, simd.fnma(d, r, simd.splat((2.0 * S) as f32)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Isa, Kernel, Real};

    struct Reciprocals<'a>(&'a [f32], &'a mut [f32]);

    impl Kernel<f32> for Reciprocals<'_> {
        type Output = ();
        #[inline(always)]
        fn run<I: Simd<f32>>(self, simd: I) {
            for (d, out) in self.0.chunks(I::LANES).zip(self.1.chunks_mut(I::LANES)) {
                simd.store_partial(out, scaled_reciprocal(simd, simd.load_partial(d)));
            }
        }
    }

    #[test]
    fn the_error_is_as_promised_and_the_bits_are_those_of_every_instruction_set() {
        // Every number of [1, 2), and of other binades, where only exponents differ, every 1021st.
        let of = |exponent: u32, step: usize| {
            (0..1u32 << 23).step_by(step).map(move |m| f32::from_bits((exponent << 23) | m))
        };
        let d: Vec<f32> = of(127, 1).chain((128..252).flat_map(|exponent| of(exponent, 1021))).collect();
        let mut first = vec![0.0; d.len()];
        f32::dispatch(Isa::SCALAR, Reciprocals(&d, &mut first));
        let error = |(&d, &r): (&f32, &f32)| (f64::from(r) * f64::from(d) / SCALE - 1.0).abs();
        let errors = || d.iter().zip(&first).map(error);
        println!("largest relative error {:e}", errors().fold(0.0, f64::max));
        assert!(errors().all(|error| error <= 1.5e-7));
        for isa in Isa::available() {
            let mut found = vec![0.0; d.len()];
            f32::dispatch(isa, Reciprocals(&d, &mut found));
            assert!(found.iter().zip(&first).all(|(a, b)| a.to_bits() == b.to_bits()), "{}", isa.name());
        }
    }
}

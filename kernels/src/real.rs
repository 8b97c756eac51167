//! The element type: `f32` or `f64`, and the way from it to vector code.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::isa::{Isa, Level};
use crate::simd::{Scalar, Simd};
use crate::vecmath::Elementary;

/// A computation written once for every instruction set. Mark `run` as `#[inline(always)]`: only then is its body compiled
/// with the instructions of the set it is run with.
pub trait Kernel<T> {
    /// What the computation returns.
    type Output;
    /// The computation.
    fn run<S: Simd<T>>(self, simd: S) -> Self::Output;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// The type of matrix elements: `f32` for training, `f64` for gradient checks and references.
pub trait Real:
    sealed::Sealed
    + Elementary
    + crate::activation::Compiled<Self>
    + crate::conv::Compiled<Self>
    + crate::conv::pool::Compiled<Self>
    + crate::elementwise::Compiled<Self>
    + crate::elementwise::broadcast::Compiled<Self>
    + crate::gemm::Compiled<Self>
    + crate::jacobian::Compiled<Self>
    + crate::losses::Compiled<Self>
    + crate::normalise::Compiled<Self>
    + crate::softmax::Compiled<Self>
    + crate::reduce::Compiled<Self>
    + crate::update::Compiled<Self>
    + Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + Send
    + Sync
    + Sum
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + 'static
{
    /// "f32" or "f64".
    const NAME: &'static str;
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number; exact.
    fn to_f64(self) -> f64;
    /// self · `factor` + `addend`, rounded once.
    fn mul_add(self, factor: Self, addend: Self) -> Self;
    /// Neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The bit pattern, widened with zeros.
    fn bits(self) -> u64;

    /// Runs `kernel` compiled for `isa`.
    fn dispatch<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output;
}

macro_rules! real {
    ($t:ident) => {
        impl Real for $t {
            const NAME: &'static str = stringify!($t);
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn mul_add(self, factor: Self, addend: Self) -> Self {
                $t::mul_add(self, factor, addend)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn bits(self) -> u64 {
                self.to_bits().into()
            }

            fn dispatch<K: Kernel<Self>>(isa: Isa, kernel: K) -> K::Output {
                match isa.level() {
                    Level::Scalar => kernel.run(Scalar),
                    // Every function is compiled for NEON there.
                    #[cfg(target_arch = "aarch64")]
                    Level::Neon(token) => kernel.run(token),
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx2(token) => {
                        #[target_feature(enable = "avx2,fma")]
                        fn enter<K: Kernel<$t>>(kernel: K, token: crate::simd::Avx2) -> K::Output {
                            kernel.run(token)
                        }
                        // SAFETY: the token exists only where the CPU has AVX2 and FMA.
                        unsafe { enter(kernel, token) }
                    }
                    #[cfg(target_arch = "x86_64")]
                    Level::Avx512(token) => {
                        #[target_feature(enable = "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")]
                        fn enter<K: Kernel<$t>>(kernel: K, token: crate::simd::Avx512) -> K::Output {
                            kernel.run(token)
                        }
                        // SAFETY: the token exists only where the CPU has AVX-512 F, DQ, BW and VL.
                        unsafe { enter(kernel, token) }
                    }
                }
            }
        }
    };
}

real!(f32);
real!(f64);

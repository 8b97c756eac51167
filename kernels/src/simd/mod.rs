//! Vectors of an instruction set, behind one trait.

/// Writes a safe method whose body is one expression of intrinsics.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! methods {
    ($($name:ident($($arg:ident: $kind:ty),*) -> $out:ty = $body:expr;)*) => {
        $(
            #[inline(always)]
            fn $name(self, $($arg: $kind),*) -> $out {
                // SAFETY: the token proves that the CPU has the instructions, and registers are all they touch.
                unsafe { $body }
            }
        )*
    };
}

/// Writes `transpose_ptr` around a transpose of as many rows as a vector has lanes. A closure would not be compiled for the
/// instruction set of the function that it is in.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
macro_rules! transpose_ptr {
    ($t:ident, $lanes:literal, $in_registers:path) => {
        #[inline(always)]
        unsafe fn transpose_ptr(
            self,
            source: *const $t,
            source_stride: usize,
            (rows, cols): (usize, usize),
            target: *mut $t,
            target_stride: usize,
            width: usize,
        ) {
            debug_assert!(rows > 0 && rows <= width && width <= $lanes && cols <= $lanes);
            let mut block = [<Self as Simd<$t>>::splat(self, 0.0); $lanes];
            // SAFETY: the caller promises `cols` elements of `rows` source rows and `width` elements of `cols` target rows;
            // the token proves that the CPU has the instructions.
            unsafe {
                for (i, row) in block.iter_mut().enumerate() {
                    // Missing rows repeat the last one, which costs less than a branch for each.
                    let source = source.add(i.min(rows - 1) * source_stride);
                    *row = if cols == $lanes { self.load_ptr(source) } else { self.load_ptr_partial(source, cols) };
                }
                $in_registers(&mut block);
                if (cols, width) == ($lanes, $lanes) {
                    for (j, row) in block.iter().enumerate() {
                        self.store_ptr(target.add(j * target_stride), *row);
                    }
                } else {
                    for (j, row) in block.iter().enumerate().take(cols) {
                        self.store_ptr_partial(target.add(j * target_stride), *row, width);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "aarch64")]
mod neon;
mod scalar;
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
mod transpose;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "aarch64")]
pub use neon::Neon;
pub use scalar::Scalar;
#[cfg(target_arch = "x86_64")]
pub use x86::{Avx2, Avx512};

/// Vector arithmetic of one instruction set on elements of type `T`. An implementor is a token that exists only where the
/// CPU has the instructions, so the methods are safe. Every arithmetic method is the IEEE 754 operation of each lane,
/// rounded once to nearest even: results do not depend on the instruction set.
pub trait Simd<T>: Copy + Send + Sync {
    /// A vector of `LANES` elements.
    type V: Copy;
    /// A truth value for each lane.
    type M: Copy;
    /// Elements in a vector.
    const LANES: usize;
    /// Vector registers that the instruction set has.
    const REGISTERS: usize;

    /// All lanes `value`.
    fn splat(self, value: T) -> Self::V;
    /// The first `LANES` elements of `source`; panics when it is shorter.
    #[inline(always)]
    fn load(self, source: &[T]) -> Self::V {
        assert!(source.len() >= Self::LANES);
        // SAFETY: the slice holds LANES elements.
        unsafe { self.load_ptr(source.as_ptr()) }
    }
    /// Writes to the first `LANES` elements of `target`; panics when it is shorter.
    #[inline(always)]
    fn store(self, target: &mut [T], vector: Self::V) {
        assert!(target.len() >= Self::LANES);
        // SAFETY: the slice holds LANES elements.
        unsafe { self.store_ptr(target.as_mut_ptr(), vector) }
    }
    /// The first min(`LANES`, length) elements of `source`, the other lanes zero.
    #[inline(always)]
    fn load_partial(self, source: &[T]) -> Self::V {
        // SAFETY: the slice holds as many elements as are read.
        unsafe { self.load_ptr_partial(source.as_ptr(), source.len().min(Self::LANES)) }
    }
    /// Writes the first min(`LANES`, length) lanes to `target`.
    #[inline(always)]
    fn store_partial(self, target: &mut [T], vector: Self::V) {
        let count = target.len().min(Self::LANES);
        // SAFETY: the slice holds as many elements as are written.
        unsafe { self.store_ptr_partial(target.as_mut_ptr(), vector, count) }
    }

    /// Loads from any alignment.
    ///
    /// # Safety
    /// `source` is valid for reads of `LANES` elements.
    unsafe fn load_ptr(self, source: *const T) -> Self::V;
    /// Stores to any alignment.
    ///
    /// # Safety
    /// `target` is valid for writes of `LANES` elements.
    unsafe fn store_ptr(self, target: *mut T, vector: Self::V);
    /// Loads the first `count` lanes, the others zero; memory past them is not touched.
    ///
    /// # Safety
    /// `source` is valid for reads of `count` elements, `count` ≤ `LANES`.
    unsafe fn load_ptr_partial(self, source: *const T, count: usize) -> Self::V;
    /// Stores the first `count` lanes; memory past them is not touched.
    ///
    /// # Safety
    /// `target` is valid for writes of `count` elements, `count` ≤ `LANES`.
    unsafe fn store_ptr_partial(self, target: *mut T, vector: Self::V, count: usize);
    /// Transposes the block of (rows, cols), each at most `LANES`, at `source`: element (i, j) goes to
    /// `target + j · target_stride + i`. Each of the `cols` target rows gets `width` elements, rows ≤ width ≤ `LANES`, of
    /// which those past `rows` are unspecified.
    ///
    /// # Safety
    /// Rows and cols are at least 1. `source` is valid for reads of the block with rows `source_stride` apart, `target` for
    /// writes of [cols, width] with rows `target_stride` apart; they do not overlap.
    unsafe fn transpose_ptr(
        self,
        source: *const T,
        source_stride: usize,
        block: (usize, usize),
        target: *mut T,
        target_stride: usize,
        width: usize,
    );

    /// Asks for the cache line of any address; nothing is accessed.
    #[inline(always)]
    fn prefetch(self, _: *const T) {}

    /// a + b.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    /// a − b.
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    /// a · b.
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    /// a / b.
    fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// a · b + c, rounded once.
    fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// c − a · b, rounded once.
    fn fnma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// a if a > b, else b (so b when either is NaN).
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// a if a < b, else b (so b when either is NaN).
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    /// |a|.
    fn abs(self, a: Self::V) -> Self::V;
    /// −a.
    fn neg(self, a: Self::V) -> Self::V;
    /// |a| with the sign of `sign`.
    fn copysign(self, a: Self::V, sign: Self::V) -> Self::V;
    /// √a.
    fn sqrt(self, a: Self::V) -> Self::V;
    /// The nearest integer, ties to even.
    fn round(self, a: Self::V) -> Self::V;
    /// 2ⁿ for integral n in the range of normal exponents; anything else gives a meaningless number.
    fn pow2(self, n: Self::V) -> Self::V;
    /// ⌊log₂ a⌋ for positive normal a; anything else gives a meaningless number.
    fn exponent(self, a: Self::V) -> Self::V;
    /// a / 2^exponent(a), in [1, 2), for positive normal a; anything else gives a meaningless number.
    fn mantissa(self, a: Self::V) -> Self::V;
    /// A first guess at 1/a by an integer subtraction on its bits, for normal a from 1 to a quarter of the largest number: its
    /// product with a lies in [1, 9/8].
    fn reciprocal_guess(self, a: Self::V) -> Self::V;
    /// a < b; false when either is NaN.
    fn lt(self, a: Self::V, b: Self::V) -> Self::M;
    /// a ≤ b; false when either is NaN.
    fn le(self, a: Self::V, b: Self::V) -> Self::M;
    /// a = b; false when either is NaN.
    fn eq(self, a: Self::V, b: Self::V) -> Self::M;
    /// `yes` where the mask holds, else `no`.
    fn select(self, mask: Self::M, yes: Self::V, no: Self::V) -> Self::V;
}

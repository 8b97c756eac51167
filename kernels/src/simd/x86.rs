//! AVX2 with FMA, and AVX-512.

use std::arch::x86_64::*;

use super::{Simd, transpose};

/// Proof that the CPU has AVX2 and FMA.
#[derive(Clone, Copy, Debug)]
pub struct Avx2(());

/// Proof that the CPU has AVX-512 F, DQ, BW and VL (and AVX2 and FMA, which every such CPU has).
#[derive(Clone, Copy, Debug)]
pub struct Avx512(());

impl Avx2 {
    /// The token, where the CPU has the instructions.
    pub fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")).then_some(Avx2(()))
    }
}

impl Avx512 {
    /// The token, where the CPU has the instructions.
    pub fn detect() -> Option<Self> {
        (Avx2::detect().is_some()
            && is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512vl"))
        .then_some(Avx512(()))
    }
}

/// Writes `prefetch`.
macro_rules! prefetch {
    ($t:ident) => {
        #[inline(always)]
        fn prefetch(self, address: *const $t) {
            // SAFETY: a hint, valid for any address, in every x86-64.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address.cast()) }
        }
    };
}

/// Read from element LANES − i on, it is a mask of i leading ones.
static AVX2_MASKS_32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static AVX2_MASKS_64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

impl Simd<f32> for Avx2 {
    type V = __m256;
    type M = __m256;
    const LANES: usize = 8;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f32) -> __m256 {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm256_loadu_ps(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f32, vector: __m256) {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm256_storeu_ps(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f32, count: usize) -> __m256 {
        debug_assert!(count <= 8);
        // SAFETY: count ≤ 8 keeps the mask inside its table, and masked lanes are not read.
        unsafe {
            let mask = _mm256_loadu_si256(AVX2_MASKS_32.as_ptr().add(8 - count).cast());
            _mm256_maskload_ps(source, mask)
        }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f32, vector: __m256, count: usize) {
        debug_assert!(count <= 8);
        // SAFETY: count ≤ 8 keeps the mask inside its table, and masked lanes are not written.
        unsafe {
            // Masked stores are microcode on Zen processors, a dozen cycles each.
            if count == 8 {
                return self.store_ptr(target, vector);
            }
            let mask = _mm256_loadu_si256(AVX2_MASKS_32.as_ptr().add(8 - count).cast());
            _mm256_maskstore_ps(target, mask, vector)
        }
    }

    transpose_ptr!(f32, 8, transpose::avx2_f32);
    prefetch!(f32);

    methods! {
        splat(value: f32) -> __m256 = _mm256_set1_ps(value);
        add(a: __m256, b: __m256) -> __m256 = _mm256_add_ps(a, b);
        sub(a: __m256, b: __m256) -> __m256 = _mm256_sub_ps(a, b);
        mul(a: __m256, b: __m256) -> __m256 = _mm256_mul_ps(a, b);
        div(a: __m256, b: __m256) -> __m256 = _mm256_div_ps(a, b);
        fma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fmadd_ps(a, b, c);
        fnma(a: __m256, b: __m256, c: __m256) -> __m256 = _mm256_fnmadd_ps(a, b, c);
        max(a: __m256, b: __m256) -> __m256 = _mm256_max_ps(a, b);
        min(a: __m256, b: __m256) -> __m256 = _mm256_min_ps(a, b);
        abs(a: __m256) -> __m256 = _mm256_andnot_ps(_mm256_set1_ps(-0.0), a);
        neg(a: __m256) -> __m256 = _mm256_xor_ps(_mm256_set1_ps(-0.0), a);
        copysign(a: __m256, sign: __m256) -> __m256 = _mm256_or_ps(
            _mm256_andnot_ps(_mm256_set1_ps(-0.0), a), _mm256_and_ps(_mm256_set1_ps(-0.0), sign));
        sqrt(a: __m256) -> __m256 = _mm256_sqrt_ps(a);
        round(a: __m256) -> __m256 = _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        pow2(n: __m256) -> __m256 = _mm256_castsi256_ps(
            _mm256_slli_epi32::<23>(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127))));
        exponent(a: __m256) -> __m256 = _mm256_cvtepi32_ps(
            _mm256_sub_epi32(_mm256_srli_epi32::<23>(_mm256_castps_si256(a)), _mm256_set1_epi32(127)));
        mantissa(a: __m256) -> __m256 = _mm256_or_ps(
            _mm256_and_ps(a, _mm256_castsi256_ps(_mm256_set1_epi32(0x007f_ffff))), _mm256_set1_ps(1.0));
        reciprocal_guess(a: __m256) -> __m256 = _mm256_castsi256_ps(_mm256_sub_epi32(
            _mm256_set1_epi32(0x7f00_0000), _mm256_castps_si256(a)));
        lt(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LT_OQ>(a, b);
        le(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_LE_OQ>(a, b);
        eq(a: __m256, b: __m256) -> __m256 = _mm256_cmp_ps::<_CMP_EQ_OQ>(a, b);
        select(mask: __m256, yes: __m256, no: __m256) -> __m256 = _mm256_blendv_ps(no, yes, mask);
    }
}

/// 1.5 · 2⁵²: adding it to an integer of less than 52 bits leaves that integer in the low bits.
const INTEGER_IN_LOW_BITS: f64 = 6_755_399_441_055_744.0;
/// The bits of 2⁵²: an integer below 2⁵² put into its fraction makes 2⁵² + that integer.
const TWO_POW_52_BITS: i64 = 0x4330_0000_0000_0000;

impl Simd<f64> for Avx2 {
    type V = __m256d;
    type M = __m256d;
    const LANES: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f64) -> __m256d {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm256_loadu_pd(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f64, vector: __m256d) {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm256_storeu_pd(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f64, count: usize) -> __m256d {
        debug_assert!(count <= 4);
        // SAFETY: count ≤ 4 keeps the mask inside its table, and masked lanes are not read.
        unsafe {
            let mask = _mm256_loadu_si256(AVX2_MASKS_64.as_ptr().add(4 - count).cast());
            _mm256_maskload_pd(source, mask)
        }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f64, vector: __m256d, count: usize) {
        debug_assert!(count <= 4);
        // SAFETY: count ≤ 4 keeps the mask inside its table, and masked lanes are not written.
        unsafe {
            // Masked stores are microcode on Zen processors, a dozen cycles each.
            if count == 4 {
                return self.store_ptr(target, vector);
            }
            let mask = _mm256_loadu_si256(AVX2_MASKS_64.as_ptr().add(4 - count).cast());
            _mm256_maskstore_pd(target, mask, vector)
        }
    }

    transpose_ptr!(f64, 4, transpose::avx2_f64);
    prefetch!(f64);

    methods! {
        splat(value: f64) -> __m256d = _mm256_set1_pd(value);
        add(a: __m256d, b: __m256d) -> __m256d = _mm256_add_pd(a, b);
        sub(a: __m256d, b: __m256d) -> __m256d = _mm256_sub_pd(a, b);
        mul(a: __m256d, b: __m256d) -> __m256d = _mm256_mul_pd(a, b);
        div(a: __m256d, b: __m256d) -> __m256d = _mm256_div_pd(a, b);
        fma(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fmadd_pd(a, b, c);
        fnma(a: __m256d, b: __m256d, c: __m256d) -> __m256d = _mm256_fnmadd_pd(a, b, c);
        max(a: __m256d, b: __m256d) -> __m256d = _mm256_max_pd(a, b);
        min(a: __m256d, b: __m256d) -> __m256d = _mm256_min_pd(a, b);
        abs(a: __m256d) -> __m256d = _mm256_andnot_pd(_mm256_set1_pd(-0.0), a);
        neg(a: __m256d) -> __m256d = _mm256_xor_pd(_mm256_set1_pd(-0.0), a);
        copysign(a: __m256d, sign: __m256d) -> __m256d = _mm256_or_pd(
            _mm256_andnot_pd(_mm256_set1_pd(-0.0), a), _mm256_and_pd(_mm256_set1_pd(-0.0), sign));
        sqrt(a: __m256d) -> __m256d = _mm256_sqrt_pd(a);
        round(a: __m256d) -> __m256d = _mm256_round_pd::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a);
        pow2(n: __m256d) -> __m256d = _mm256_castsi256_pd(_mm256_slli_epi64::<52>(_mm256_add_epi64(
            _mm256_castpd_si256(_mm256_add_pd(n, _mm256_set1_pd(INTEGER_IN_LOW_BITS))), _mm256_set1_epi64x(1023))));
        exponent(a: __m256d) -> __m256d = _mm256_sub_pd(
            _mm256_castsi256_pd(_mm256_or_si256(
                _mm256_srli_epi64::<52>(_mm256_castpd_si256(a)), _mm256_set1_epi64x(TWO_POW_52_BITS))),
            _mm256_set1_pd(4_503_599_627_370_496.0 + 1023.0));
        mantissa(a: __m256d) -> __m256d = _mm256_or_pd(
            _mm256_and_pd(a, _mm256_castsi256_pd(_mm256_set1_epi64x(0x000f_ffff_ffff_ffff))), _mm256_set1_pd(1.0));
        reciprocal_guess(a: __m256d) -> __m256d = _mm256_castsi256_pd(_mm256_sub_epi64(
            _mm256_set1_epi64x(0x7fe0_0000_0000_0000), _mm256_castpd_si256(a)));
        lt(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LT_OQ>(a, b);
        le(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_LE_OQ>(a, b);
        eq(a: __m256d, b: __m256d) -> __m256d = _mm256_cmp_pd::<_CMP_EQ_OQ>(a, b);
        select(mask: __m256d, yes: __m256d, no: __m256d) -> __m256d = _mm256_blendv_pd(no, yes, mask);
    }
}

impl Simd<f32> for Avx512 {
    type V = __m512;
    type M = __mmask16;
    const LANES: usize = 16;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f32) -> __m512 {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm512_loadu_ps(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f32, vector: __m512) {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm512_storeu_ps(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f32, count: usize) -> __m512 {
        // SAFETY: the caller promises count ≤ 16 elements, and masked lanes are not read.
        unsafe { _mm512_maskz_loadu_ps(((1u32 << count) - 1) as __mmask16, source) }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f32, vector: __m512, count: usize) {
        // SAFETY: the caller promises count ≤ 16 elements, and masked lanes are not written.
        unsafe { _mm512_mask_storeu_ps(target, ((1u32 << count) - 1) as __mmask16, vector) }
    }

    transpose_ptr!(f32, 16, transpose::avx512_f32);
    prefetch!(f32);

    methods! {
        splat(value: f32) -> __m512 = _mm512_set1_ps(value);
        add(a: __m512, b: __m512) -> __m512 = _mm512_add_ps(a, b);
        sub(a: __m512, b: __m512) -> __m512 = _mm512_sub_ps(a, b);
        mul(a: __m512, b: __m512) -> __m512 = _mm512_mul_ps(a, b);
        div(a: __m512, b: __m512) -> __m512 = _mm512_div_ps(a, b);
        fma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fmadd_ps(a, b, c);
        fnma(a: __m512, b: __m512, c: __m512) -> __m512 = _mm512_fnmadd_ps(a, b, c);
        max(a: __m512, b: __m512) -> __m512 = _mm512_max_ps(a, b);
        min(a: __m512, b: __m512) -> __m512 = _mm512_min_ps(a, b);
        abs(a: __m512) -> __m512 = _mm512_andnot_ps(_mm512_set1_ps(-0.0), a);
        neg(a: __m512) -> __m512 = _mm512_xor_ps(_mm512_set1_ps(-0.0), a);
        copysign(a: __m512, sign: __m512) -> __m512 = _mm512_or_ps(
            _mm512_andnot_ps(_mm512_set1_ps(-0.0), a), _mm512_and_ps(_mm512_set1_ps(-0.0), sign));
        sqrt(a: __m512) -> __m512 = _mm512_sqrt_ps(a);
        round(a: __m512) -> __m512 = _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT }>(a);
        pow2(n: __m512) -> __m512 = _mm512_castsi512_ps(
            _mm512_slli_epi32::<23>(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127))));
        exponent(a: __m512) -> __m512 = _mm512_cvtepi32_ps(
            _mm512_sub_epi32(_mm512_srli_epi32::<23>(_mm512_castps_si512(a)), _mm512_set1_epi32(127)));
        mantissa(a: __m512) -> __m512 = _mm512_or_ps(
            _mm512_and_ps(a, _mm512_castsi512_ps(_mm512_set1_epi32(0x007f_ffff))), _mm512_set1_ps(1.0));
        reciprocal_guess(a: __m512) -> __m512 = _mm512_castsi512_ps(_mm512_sub_epi32(
            _mm512_set1_epi32(0x7f00_0000), _mm512_castps_si512(a)));
        lt(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b);
        le(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, b);
        eq(a: __m512, b: __m512) -> __mmask16 = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, b);
        select(mask: __mmask16, yes: __m512, no: __m512) -> __m512 = _mm512_mask_blend_ps(mask, no, yes);
    }
}

impl Simd<f64> for Avx512 {
    type V = __m512d;
    type M = __mmask8;
    const LANES: usize = 8;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f64) -> __m512d {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm512_loadu_pd(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f64, vector: __m512d) {
        // SAFETY: the caller promises LANES elements.
        unsafe { _mm512_storeu_pd(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f64, count: usize) -> __m512d {
        // SAFETY: the caller promises count ≤ 8 elements, and masked lanes are not read.
        unsafe { _mm512_maskz_loadu_pd(((1u32 << count) - 1) as __mmask8, source) }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f64, vector: __m512d, count: usize) {
        // SAFETY: the caller promises count ≤ 8 elements, and masked lanes are not written.
        unsafe { _mm512_mask_storeu_pd(target, ((1u32 << count) - 1) as __mmask8, vector) }
    }

    transpose_ptr!(f64, 8, transpose::avx512_f64);
    prefetch!(f64);

    methods! {
        splat(value: f64) -> __m512d = _mm512_set1_pd(value);
        add(a: __m512d, b: __m512d) -> __m512d = _mm512_add_pd(a, b);
        sub(a: __m512d, b: __m512d) -> __m512d = _mm512_sub_pd(a, b);
        mul(a: __m512d, b: __m512d) -> __m512d = _mm512_mul_pd(a, b);
        div(a: __m512d, b: __m512d) -> __m512d = _mm512_div_pd(a, b);
        fma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fmadd_pd(a, b, c);
        fnma(a: __m512d, b: __m512d, c: __m512d) -> __m512d = _mm512_fnmadd_pd(a, b, c);
        max(a: __m512d, b: __m512d) -> __m512d = _mm512_max_pd(a, b);
        min(a: __m512d, b: __m512d) -> __m512d = _mm512_min_pd(a, b);
        abs(a: __m512d) -> __m512d = _mm512_andnot_pd(_mm512_set1_pd(-0.0), a);
        neg(a: __m512d) -> __m512d = _mm512_xor_pd(_mm512_set1_pd(-0.0), a);
        copysign(a: __m512d, sign: __m512d) -> __m512d = _mm512_or_pd(
            _mm512_andnot_pd(_mm512_set1_pd(-0.0), a), _mm512_and_pd(_mm512_set1_pd(-0.0), sign));
        sqrt(a: __m512d) -> __m512d = _mm512_sqrt_pd(a);
        round(a: __m512d) -> __m512d = _mm512_roundscale_pd::<{ _MM_FROUND_TO_NEAREST_INT }>(a);
        pow2(n: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_slli_epi64::<52>(_mm512_add_epi64(
            _mm512_cvtpd_epi64(n), _mm512_set1_epi64(1023))));
        exponent(a: __m512d) -> __m512d = _mm512_cvtepi64_pd(
            _mm512_sub_epi64(_mm512_srli_epi64::<52>(_mm512_castpd_si512(a)), _mm512_set1_epi64(1023)));
        mantissa(a: __m512d) -> __m512d = _mm512_or_pd(
            _mm512_and_pd(a, _mm512_castsi512_pd(_mm512_set1_epi64(0x000f_ffff_ffff_ffff))), _mm512_set1_pd(1.0));
        reciprocal_guess(a: __m512d) -> __m512d = _mm512_castsi512_pd(_mm512_sub_epi64(
            _mm512_set1_epi64(0x7fe0_0000_0000_0000), _mm512_castpd_si512(a)));
        lt(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LT_OQ>(a, b);
        le(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_LE_OQ>(a, b);
        eq(a: __m512d, b: __m512d) -> __mmask8 = _mm512_cmp_pd_mask::<_CMP_EQ_OQ>(a, b);
        select(mask: __mmask8, yes: __m512d, no: __m512d) -> __m512d = _mm512_mask_blend_pd(mask, no, yes);
    }
}

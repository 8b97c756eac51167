//! NEON, which every 64-bit Arm CPU has.

use std::arch::aarch64::*;

use super::{Simd, transpose};

/// Proof that the CPU has NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon(());

impl Neon {
    /// The token; the instructions belong to the architecture.
    pub fn detect() -> Option<Self> {
        std::arch::is_aarch64_feature_detected!("neon").then_some(Neon(()))
    }
}

/// Asks for the cache line of any address.
#[inline(always)]
fn prefetch_line<T>(address: *const T) {
    // SAFETY: a hint, valid for any address.
    unsafe { std::arch::asm!("prfm pldl1keep, [{}]", in(reg) address, options(nostack, readonly, preserves_flags)) }
}

impl Simd<f32> for Neon {
    type V = float32x4_t;
    type M = uint32x4_t;
    const LANES: usize = 4;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f32) -> float32x4_t {
        // SAFETY: the caller promises LANES elements.
        unsafe { vld1q_f32(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f32, vector: float32x4_t) {
        // SAFETY: the caller promises LANES elements.
        unsafe { vst1q_f32(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f32, count: usize) -> float32x4_t {
        debug_assert!(count <= 4);
        // SAFETY: as many elements are read as the caller promises.
        unsafe {
            let zero = vdup_n_f32(0.0);
            match count {
                0 => vcombine_f32(zero, zero),
                1 => vcombine_f32(vld1_lane_f32::<0>(source, zero), zero),
                2 => vcombine_f32(vld1_f32(source), zero),
                3 => vcombine_f32(vld1_f32(source), vld1_lane_f32::<0>(source.add(2), zero)),
                _ => vld1q_f32(source),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f32, vector: float32x4_t, count: usize) {
        debug_assert!(count <= 4);
        // SAFETY: as many elements are written as the caller promises.
        unsafe {
            match count {
                0 => {}
                1 => vst1q_lane_f32::<0>(target, vector),
                2 => vst1_f32(target, vget_low_f32(vector)),
                3 => {
                    vst1_f32(target, vget_low_f32(vector));
                    vst1q_lane_f32::<2>(target.add(2), vector);
                }
                _ => vst1q_f32(target, vector),
            }
        }
    }
    transpose_ptr!(f32, 4, transpose::neon_f32);
    #[inline(always)]
    fn prefetch(self, address: *const f32) {
        prefetch_line(address);
    }

    methods! {
        splat(value: f32) -> float32x4_t = vdupq_n_f32(value);
        add(a: float32x4_t, b: float32x4_t) -> float32x4_t = vaddq_f32(a, b);
        sub(a: float32x4_t, b: float32x4_t) -> float32x4_t = vsubq_f32(a, b);
        mul(a: float32x4_t, b: float32x4_t) -> float32x4_t = vmulq_f32(a, b);
        div(a: float32x4_t, b: float32x4_t) -> float32x4_t = vdivq_f32(a, b);
        fma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t = vfmaq_f32(c, a, b);
        fnma(a: float32x4_t, b: float32x4_t, c: float32x4_t) -> float32x4_t = vfmsq_f32(c, a, b);
        max(a: float32x4_t, b: float32x4_t) -> float32x4_t = vbslq_f32(vcgtq_f32(a, b), a, b);
        min(a: float32x4_t, b: float32x4_t) -> float32x4_t = vbslq_f32(vcltq_f32(a, b), a, b);
        abs(a: float32x4_t) -> float32x4_t = vabsq_f32(a);
        neg(a: float32x4_t) -> float32x4_t = vnegq_f32(a);
        copysign(a: float32x4_t, sign: float32x4_t) -> float32x4_t = vbslq_f32(vdupq_n_u32(0x8000_0000), sign, a);
        sqrt(a: float32x4_t) -> float32x4_t = vsqrtq_f32(a);
        round(a: float32x4_t) -> float32x4_t = vrndnq_f32(a);
        pow2(n: float32x4_t) -> float32x4_t = vreinterpretq_f32_s32(
            vshlq_n_s32::<23>(vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127))));
        exponent(a: float32x4_t) -> float32x4_t = vcvtq_f32_s32(
            vsubq_s32(vshrq_n_s32::<23>(vreinterpretq_s32_f32(a)), vdupq_n_s32(127)));
        mantissa(a: float32x4_t) -> float32x4_t = vbslq_f32(vdupq_n_u32(0x007f_ffff), a, vdupq_n_f32(1.0));
        reciprocal_guess(a: float32x4_t) -> float32x4_t = vreinterpretq_f32_u32(
            vsubq_u32(vdupq_n_u32(0x7f00_0000), vreinterpretq_u32_f32(a)));
        lt(a: float32x4_t, b: float32x4_t) -> uint32x4_t = vcltq_f32(a, b);
        le(a: float32x4_t, b: float32x4_t) -> uint32x4_t = vcleq_f32(a, b);
        eq(a: float32x4_t, b: float32x4_t) -> uint32x4_t = vceqq_f32(a, b);
        select(mask: uint32x4_t, yes: float32x4_t, no: float32x4_t) -> float32x4_t = vbslq_f32(mask, yes, no);
    }
}

impl Simd<f64> for Neon {
    type V = float64x2_t;
    type M = uint64x2_t;
    const LANES: usize = 2;
    const REGISTERS: usize = 32;

    #[inline(always)]
    unsafe fn load_ptr(self, source: *const f64) -> float64x2_t {
        // SAFETY: the caller promises LANES elements.
        unsafe { vld1q_f64(source) }
    }
    #[inline(always)]
    unsafe fn store_ptr(self, target: *mut f64, vector: float64x2_t) {
        // SAFETY: the caller promises LANES elements.
        unsafe { vst1q_f64(target, vector) }
    }
    #[inline(always)]
    unsafe fn load_ptr_partial(self, source: *const f64, count: usize) -> float64x2_t {
        debug_assert!(count <= 2);
        // SAFETY: as many elements are read as the caller promises.
        unsafe {
            let zero = vdupq_n_f64(0.0);
            match count {
                0 => zero,
                1 => vld1q_lane_f64::<0>(source, zero),
                _ => vld1q_f64(source),
            }
        }
    }
    #[inline(always)]
    unsafe fn store_ptr_partial(self, target: *mut f64, vector: float64x2_t, count: usize) {
        debug_assert!(count <= 2);
        // SAFETY: as many elements are written as the caller promises.
        unsafe {
            match count {
                0 => {}
                1 => vst1q_lane_f64::<0>(target, vector),
                _ => vst1q_f64(target, vector),
            }
        }
    }
    transpose_ptr!(f64, 2, transpose::neon_f64);
    #[inline(always)]
    fn prefetch(self, address: *const f64) {
        prefetch_line(address);
    }

    methods! {
        splat(value: f64) -> float64x2_t = vdupq_n_f64(value);
        add(a: float64x2_t, b: float64x2_t) -> float64x2_t = vaddq_f64(a, b);
        sub(a: float64x2_t, b: float64x2_t) -> float64x2_t = vsubq_f64(a, b);
        mul(a: float64x2_t, b: float64x2_t) -> float64x2_t = vmulq_f64(a, b);
        div(a: float64x2_t, b: float64x2_t) -> float64x2_t = vdivq_f64(a, b);
        fma(a: float64x2_t, b: float64x2_t, c: float64x2_t) -> float64x2_t = vfmaq_f64(c, a, b);
        fnma(a: float64x2_t, b: float64x2_t, c: float64x2_t) -> float64x2_t = vfmsq_f64(c, a, b);
        max(a: float64x2_t, b: float64x2_t) -> float64x2_t = vbslq_f64(vcgtq_f64(a, b), a, b);
        min(a: float64x2_t, b: float64x2_t) -> float64x2_t = vbslq_f64(vcltq_f64(a, b), a, b);
        abs(a: float64x2_t) -> float64x2_t = vabsq_f64(a);
        neg(a: float64x2_t) -> float64x2_t = vnegq_f64(a);
        copysign(a: float64x2_t, sign: float64x2_t) -> float64x2_t = vbslq_f64(vdupq_n_u64(1 << 63), sign, a);
        sqrt(a: float64x2_t) -> float64x2_t = vsqrtq_f64(a);
        round(a: float64x2_t) -> float64x2_t = vrndnq_f64(a);
        pow2(n: float64x2_t) -> float64x2_t = vreinterpretq_f64_s64(
            vshlq_n_s64::<52>(vaddq_s64(vcvtnq_s64_f64(n), vdupq_n_s64(1023))));
        exponent(a: float64x2_t) -> float64x2_t = vcvtq_f64_s64(
            vsubq_s64(vshrq_n_s64::<52>(vreinterpretq_s64_f64(a)), vdupq_n_s64(1023)));
        mantissa(a: float64x2_t) -> float64x2_t = vbslq_f64(vdupq_n_u64(0x000f_ffff_ffff_ffff), a, vdupq_n_f64(1.0));
        reciprocal_guess(a: float64x2_t) -> float64x2_t = vreinterpretq_f64_u64(
            vsubq_u64(vdupq_n_u64(0x7fe0_0000_0000_0000), vreinterpretq_u64_f64(a)));
        lt(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vcltq_f64(a, b);
        le(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vcleq_f64(a, b);
        eq(a: float64x2_t, b: float64x2_t) -> uint64x2_t = vceqq_f64(a, b);
        select(mask: uint64x2_t, yes: float64x2_t, no: float64x2_t) -> float64x2_t = vbslq_f64(mask, yes, no);
    }
}

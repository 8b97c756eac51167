//! Transposes of square blocks in registers.
//!
//! Each round exchanges halves of pairs of rows that lie `distance` apart, so that after log₂ LANES rounds element j of row
//! i has become element i of row j:
//!
//! ```text
//! distance 1      a0 a1 a2 a3     a0 b0 a2 b2        distance 2      a0 b0 a2 b2     a0 b0 c0 d0
//! rows a, b       b0 b1 b2 b3  →  a1 b1 a3 b3        rows a, c       c0 d0 c2 d2  →  a2 b2 c2 d2
//! ```

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::*;
#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Four rows of f32.
///
/// # Safety
/// The CPU has NEON.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) unsafe fn neon_f32(rows: &mut [float32x4_t; 4]) {
    // SAFETY: registers only; the caller promises the instructions.
    unsafe {
        let [a, b, c, d] = *rows;
        let (ab, ba) = (vreinterpretq_f64_f32(vtrn1q_f32(a, b)), vreinterpretq_f64_f32(vtrn2q_f32(a, b)));
        let (cd, dc) = (vreinterpretq_f64_f32(vtrn1q_f32(c, d)), vreinterpretq_f64_f32(vtrn2q_f32(c, d)));
        *rows = [
            vreinterpretq_f32_f64(vtrn1q_f64(ab, cd)),
            vreinterpretq_f32_f64(vtrn1q_f64(ba, dc)),
            vreinterpretq_f32_f64(vtrn2q_f64(ab, cd)),
            vreinterpretq_f32_f64(vtrn2q_f64(ba, dc)),
        ];
    }
}

/// Two rows of f64.
///
/// # Safety
/// The CPU has NEON.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
pub(super) unsafe fn neon_f64(rows: &mut [float64x2_t; 2]) {
    let [a, b] = *rows;
    // SAFETY: registers only; the caller promises the instructions.
    *rows = unsafe { [vtrn1q_f64(a, b), vtrn2q_f64(a, b)] };
}

/// Eight rows of f32.
///
/// # Safety
/// The CPU has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn avx2_f32(rows: &mut [__m256; 8]) {
    // SAFETY: registers only; the caller promises the instructions.
    unsafe {
        let mut t = *rows;
        for i in [0, 2, 4, 6] {
            t[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            t[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut u = t;
        for i in [0, 4] {
            u[i] = _mm256_shuffle_ps::<0b01_00_01_00>(t[i], t[i + 2]);
            u[i + 1] = _mm256_shuffle_ps::<0b11_10_11_10>(t[i], t[i + 2]);
            u[i + 2] = _mm256_shuffle_ps::<0b01_00_01_00>(t[i + 1], t[i + 3]);
            u[i + 3] = _mm256_shuffle_ps::<0b11_10_11_10>(t[i + 1], t[i + 3]);
        }
        for i in 0..4 {
            rows[i] = _mm256_permute2f128_ps::<0x20>(u[i], u[i + 4]);
            rows[i + 4] = _mm256_permute2f128_ps::<0x31>(u[i], u[i + 4]);
        }
    }
}

/// Four rows of f64.
///
/// # Safety
/// The CPU has AVX2.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn avx2_f64(rows: &mut [__m256d; 4]) {
    // SAFETY: registers only; the caller promises the instructions.
    unsafe {
        let [a, b, c, d] = *rows;
        let (ab, ba) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        let (cd, dc) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
        *rows = [
            _mm256_permute2f128_pd::<0x20>(ab, cd),
            _mm256_permute2f128_pd::<0x20>(ba, dc),
            _mm256_permute2f128_pd::<0x31>(ab, cd),
            _mm256_permute2f128_pd::<0x31>(ba, dc),
        ];
    }
}

/// Sixteen rows of f32.
///
/// # Safety
/// The CPU has AVX-512 F.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn avx512_f32(rows: &mut [__m512; 16]) {
    // SAFETY: registers only; the caller promises the instructions.
    unsafe {
        let mut t = *rows;
        for i in (0..16).step_by(2) {
            t[i] = _mm512_unpacklo_ps(rows[i], rows[i + 1]);
            t[i + 1] = _mm512_unpackhi_ps(rows[i], rows[i + 1]);
        }
        // u[4 q + j]: column j of each 128-bit quarter, of rows 4 q … 4 q + 3.
        let mut u = t;
        for i in (0..16).step_by(4) {
            u[i] = _mm512_shuffle_ps::<0b01_00_01_00>(t[i], t[i + 2]);
            u[i + 1] = _mm512_shuffle_ps::<0b11_10_11_10>(t[i], t[i + 2]);
            u[i + 2] = _mm512_shuffle_ps::<0b01_00_01_00>(t[i + 1], t[i + 3]);
            u[i + 3] = _mm512_shuffle_ps::<0b11_10_11_10>(t[i + 1], t[i + 3]);
        }
        for j in 0..4 {
            let even_low = _mm512_shuffle_f32x4::<0b10_00_10_00>(u[j], u[j + 4]);
            let odd_low = _mm512_shuffle_f32x4::<0b11_01_11_01>(u[j], u[j + 4]);
            let even_high = _mm512_shuffle_f32x4::<0b10_00_10_00>(u[j + 8], u[j + 12]);
            let odd_high = _mm512_shuffle_f32x4::<0b11_01_11_01>(u[j + 8], u[j + 12]);
            rows[j] = _mm512_shuffle_f32x4::<0b10_00_10_00>(even_low, even_high);
            rows[j + 4] = _mm512_shuffle_f32x4::<0b10_00_10_00>(odd_low, odd_high);
            rows[j + 8] = _mm512_shuffle_f32x4::<0b11_01_11_01>(even_low, even_high);
            rows[j + 12] = _mm512_shuffle_f32x4::<0b11_01_11_01>(odd_low, odd_high);
        }
    }
}

/// Eight rows of f64.
///
/// # Safety
/// The CPU has AVX-512 F.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) unsafe fn avx512_f64(rows: &mut [__m512d; 8]) {
    // SAFETY: registers only; the caller promises the instructions.
    unsafe {
        let mut t = *rows;
        for i in (0..8).step_by(2) {
            t[i] = _mm512_unpacklo_pd(rows[i], rows[i + 1]);
            t[i + 1] = _mm512_unpackhi_pd(rows[i], rows[i + 1]);
        }
        for j in 0..2 {
            let even_low = _mm512_shuffle_f64x2::<0b10_00_10_00>(t[j], t[j + 2]);
            let odd_low = _mm512_shuffle_f64x2::<0b11_01_11_01>(t[j], t[j + 2]);
            let even_high = _mm512_shuffle_f64x2::<0b10_00_10_00>(t[j + 4], t[j + 6]);
            let odd_high = _mm512_shuffle_f64x2::<0b11_01_11_01>(t[j + 4], t[j + 6]);
            rows[j] = _mm512_shuffle_f64x2::<0b10_00_10_00>(even_low, even_high);
            rows[j + 2] = _mm512_shuffle_f64x2::<0b10_00_10_00>(odd_low, odd_high);
            rows[j + 4] = _mm512_shuffle_f64x2::<0b11_01_11_01>(even_low, even_high);
            rows[j + 6] = _mm512_shuffle_f64x2::<0b11_01_11_01>(odd_low, odd_high);
        }
    }
}

//! The twin for x86-64 with AVX2, FMA and F16C (every such processor since 2013).
//!
//! Called by the dispatch in [`super`], which has asked [`available`] first. A matrix is read row after row, as
//! it lies in memory: taking four rows at a time halved the speed at which weights came (5.8 instead of
//! 14 GB/s on one core, measured), since the processor foresees one stream better than four.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::math;

/// Whether this processor has what the functions here need. The answer is kept by the standard library.
pub fn available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") && is_x86_feature_detected!("f16c")
}

/// Sixteen-bit floats that are loaded eight at a time.
trait Load: Copy {
    /// # Safety
    /// `at` points to eight readable values, and the processor has F16C and AVX2.
    unsafe fn load8(at: *const Self) -> __m256;
    fn wide(self) -> f32;
}

impl Load for f16 {
    #[inline(always)]
    unsafe fn load8(at: *const Self) -> __m256 {
        // SAFETY: the caller's promise; an f16 has the layout of a u16.
        unsafe { _mm256_cvtph_ps(_mm_loadu_si128(at.cast())) }
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        self.to_f32()
    }
}

impl Load for bf16 {
    #[inline(always)]
    unsafe fn load8(at: *const Self) -> __m256 {
        // SAFETY: the caller's promise. A bf16 is the upper half of the f32 with the same value.
        unsafe {
            let bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(at.cast()));
            _mm256_castsi256_ps(_mm256_slli_epi32::<16>(bits))
        }
    }
    #[inline(always)]
    fn wide(self) -> f32 {
        self.to_f32()
    }
}

/// # Safety
/// The processor has AVX2, FMA and F16C, and `rows` has `out.len()` rows of `x.len()` values.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn gemv_f16(rows: &[f16], x: &[f32], out: &mut [f32]) {
    // SAFETY: the caller's promise, handed on.
    unsafe { gemv(rows, x, out) }
}

/// # Safety
/// As [`gemv_f16`].
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn gemv_bf16(rows: &[bf16], x: &[f32], out: &mut [f32]) {
    // SAFETY: the caller's promise, handed on.
    unsafe { gemv(rows, x, out) }
}

#[inline(always)]
unsafe fn gemv<H: Load>(rows: &[H], x: &[f32], out: &mut [f32]) {
    for (row, out) in out.iter_mut().enumerate() {
        // SAFETY: row `row` exists and has as many values as x, as the caller of `gemv_*` promised.
        *out = unsafe { dot(rows.as_ptr().add(row * x.len()), x) };
    }
}

#[inline(always)]
unsafe fn dot<H: Load>(row: *const H, x: &[f32]) -> f32 {
    // SAFETY: `row` has as many values as x; all offsets stay below that.
    unsafe {
        let mut sums = [_mm256_setzero_ps(); 4];
        let mut i = 0;
        while i + 32 <= x.len() {
            for (part, sum) in sums.iter_mut().enumerate() {
                let at = i + 8 * part;
                *sum = _mm256_fmadd_ps(H::load8(row.add(at)), _mm256_loadu_ps(x.as_ptr().add(at)), *sum);
            }
            i += 32;
        }
        while i + 8 <= x.len() {
            sums[0] = _mm256_fmadd_ps(H::load8(row.add(i)), _mm256_loadu_ps(x.as_ptr().add(i)), sums[0]);
            i += 8;
        }
        let mut sum = sum8(_mm256_add_ps(_mm256_add_ps(sums[0], sums[1]), _mm256_add_ps(sums[2], sums[3])));
        for (j, x) in x.iter().enumerate().skip(i) {
            sum += (*row.add(j)).wide() * x;
        }
        sum
    }
}

#[inline(always)]
unsafe fn sum8(v: __m256) -> f32 {
    // SAFETY: register arithmetic only; the caller has AVX2.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

/// # Safety
/// The processor has AVX2, FMA and F16C, and `rows` has `weights.len()` rows of `out.len()` values.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn weighted_sum(weights: &[f32], rows: &[f16], out: &mut [f32]) {
    // Columns are taken 64, then 8, then 1 at a time, so that their sums stay in registers over all rows.
    let width = out.len();
    let mut column = 0;
    while column + 64 <= width {
        // SAFETY: columns `column..column + 64` exist in all rows, as the caller promised.
        unsafe { weighted_columns::<8>(weights, rows, out, column) };
        column += 64;
    }
    while column + 8 <= width {
        // SAFETY: columns `column..column + 8` exist in all rows.
        unsafe { weighted_columns::<1>(weights, rows, out, column) };
        column += 8;
    }
    for column in column..width {
        out[column] =
            weights.iter().enumerate().map(|(row, w)| w * rows[row * width + column].to_f32()).sum();
    }
}

#[inline(always)]
unsafe fn weighted_columns<const N: usize>(weights: &[f32], rows: &[f16], out: &mut [f32], column: usize) {
    // SAFETY: the caller promised N * 8 columns from `column` on in each row and in `out`.
    unsafe {
        let mut sums = [_mm256_setzero_ps(); N];
        for (row, weight) in weights.iter().enumerate() {
            let at = rows.as_ptr().add(row * out.len() + column);
            let weight = _mm256_set1_ps(*weight);
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = _mm256_fmadd_ps(weight, f16::load8(at.add(i * 8)), *sum);
            }
        }
        for (i, sum) in sums.iter().enumerate() {
            _mm256_storeu_ps(out.as_mut_ptr().add(column + i * 8), *sum);
        }
    }
}

/// # Safety
/// The processor has AVX2 and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn widen_f16(values: &[f16], out: &mut [f32]) {
    // SAFETY: the caller's promise, handed on.
    unsafe { widen(values, out) }
}

/// # Safety
/// The processor has AVX2 and F16C.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn widen_bf16(values: &[bf16], out: &mut [f32]) {
    // SAFETY: the caller's promise, handed on.
    unsafe { widen(values, out) }
}

#[inline(always)]
unsafe fn widen<H: Load>(values: &[H], out: &mut [f32]) {
    assert_eq!(values.len(), out.len(), "both have the same length");
    let mut i = 0;
    while i + 8 <= out.len() {
        // SAFETY: i + 8 values exist in both slices, whose lengths are equal.
        unsafe { _mm256_storeu_ps(out.as_mut_ptr().add(i), H::load8(values.as_ptr().add(i))) };
        i += 8;
    }
    for j in i..out.len() {
        out[j] = values[j].wide();
    }
}

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn softmax(scores: &mut [f32]) {
    math::softmax::<true>(scores);
}

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn silu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    math::silu_gate::<true>(gate, up, out);
}

/// # Safety
/// The processor has AVX2 and FMA.
#[target_feature(enable = "avx2,fma,f16c")]
pub unsafe fn gelu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    math::gelu_gate::<true>(gate, up, out);
}

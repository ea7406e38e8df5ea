//! Vectors in sixteen bits: half the memory of full precision, and no loss that a ranking shows.
//!
//! The dot product widens to single precision and adds in one fixed order, so the fast path and its portable twin
//! give the same bits.

use half::f16;

/// Numbers are added in this many lanes.
const WIDTH: usize = 32;

/// The nearest sixteen-bit numbers, as bits.
pub fn encode(vector: &[f32]) -> Vec<i16> {
    vector.iter().map(|&number| f16::from_f32(number).to_bits().cast_signed()).collect()
}

/// The dot product of two vectors of equal length.
pub fn dot(a: &[i16], b: &[i16]) -> f32 {
    debug_assert_eq!(a.len(), b.len());
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx") && is_x86_feature_detected!("f16c") {
        // SAFETY: the processor has AVX and F16C.
        return unsafe { dot_f16c(a, b) };
    }
    dot_portable(a, b)
}

fn dot_portable(a: &[i16], b: &[i16]) -> f32 {
    let mut sums = [0f32; WIDTH];
    let (a, b) = (a.as_chunks::<WIDTH>(), b.as_chunks::<WIDTH>());
    for (a, b) in a.0.iter().zip(b.0) {
        for lane in 0..WIDTH {
            sums[lane] += widen(a[lane]) * widen(b[lane]);
        }
    }
    total(&sums, a.1, b.1)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx,f16c")]
fn dot_f16c(a: &[i16], b: &[i16]) -> f32 {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm256_add_ps, _mm256_cvtph_ps, _mm256_mul_ps, _mm256_setzero_ps, _mm256_storeu_ps,
    };
    let mut registers = [_mm256_setzero_ps(); WIDTH / 8];
    let (a, b) = (a.as_chunks::<WIDTH>(), b.as_chunks::<WIDTH>());
    for (a, b) in a.0.iter().zip(b.0) {
        for (register, (a, b)) in
            registers.iter_mut().zip(a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0))
        {
            // SAFETY: eight numbers of sixteen bits are the 128 bits that are read; loads need no alignment.
            let (a, b) = unsafe { (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast())) };
            *register = _mm256_add_ps(*register, _mm256_mul_ps(_mm256_cvtph_ps(a), _mm256_cvtph_ps(b)));
        }
    }
    let mut sums = [0f32; WIDTH];
    for (register, sums) in registers.iter().zip(sums.as_chunks_mut::<8>().0) {
        // SAFETY: eight numbers of 32 bits are the 256 bits that are written.
        unsafe { _mm256_storeu_ps(sums.as_mut_ptr(), *register) };
    }
    total(&sums, a.1, b.1)
}

fn total(sums: &[f32; WIDTH], a: &[i16], b: &[i16]) -> f32 {
    let tail: f32 = a.iter().zip(b).map(|(&a, &b)| widen(a) * widen(b)).sum();
    sums.iter().sum::<f32>() + tail
}

fn widen(bits: i16) -> f32 {
    f16::from_bits(bits.cast_unsigned()).to_f32()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_fast_path_and_its_twin_give_the_same_bits(
            a in prop::collection::vec(-1f32..1.0, 0..200), b in prop::collection::vec(-1f32..1.0, 200),
        ) {
            let (a, b) = (encode(&a), encode(&b[..a.len()]));
            prop_assert_eq!(dot(&a, &b).to_bits(), dot_portable(&a, &b).to_bits());
        }
    }

    #[test]
    fn it_is_near_the_product_in_full_precision() {
        let a: Vec<f32> = (0..100).map(|n| (n as f32).sin() / 8.0).collect();
        let whole: f32 = a.iter().map(|n| n * n).sum();
        assert!((dot(&encode(&a), &encode(&a)) - whole).abs() < 1e-3 * whole);
    }
}

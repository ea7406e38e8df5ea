//! Vectors in eight bits, and their dot products: what an exact scan reads instead of four times as many bytes.
//!
//! The AVX2 kernel is chosen at run time; its portable twin computes the same integers and is its oracle. Errors of
//! rounding are kept beside each vector, so that a search can tell which candidates it must look at in full.

/// Rows are padded with zeros to a multiple of this: one AVX2 register of bytes.
pub const LANES: usize = 32;

/// A vector as `scale * numbers`, padded, with what rounding cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantized {
    pub numbers: Vec<i8>,
    pub scale: f32,
    /// Length of (vector − scale × numbers).
    pub error: f32,
    /// Length of (scale × numbers).
    pub norm: f32,
}

/// Symmetric: the largest number becomes ±127, so that −128 never occurs and products cannot saturate.
pub fn quantize(vector: &[f32]) -> Quantized {
    let largest = vector.iter().fold(0f32, |largest, number| largest.max(number.abs()));
    let scale = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    let mut numbers = vec![0i8; padded(vector.len())];
    let (mut error, mut norm) = (0f64, 0f64);
    for (place, &number) in numbers.iter_mut().zip(vector) {
        let rounded = (number / scale).round().clamp(-127.0, 127.0);
        *place = rounded as i8;
        let kept = f64::from(rounded) * f64::from(scale);
        error += (f64::from(number) - kept).powi(2);
        norm += kept.powi(2);
    }
    Quantized { numbers, scale, error: error.sqrt() as f32, norm: norm.sqrt() as f32 }
}

/// The length of a row of this many numbers.
pub fn padded(dimensions: usize) -> usize {
    dimensions.next_multiple_of(LANES)
}

/// The dot product of `query` with each of `rows`, which lie behind each other and are as long as `query`.
///
/// # Panics
/// When `query` is not a whole number of [`LANES`], or `rows` is not `out.len()` times as long.
pub fn dots(query: &[i8], rows: &[i8], out: &mut [i32]) {
    assert!(query.len().is_multiple_of(LANES) && rows.len() == query.len() * out.len());
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2, and the lengths were checked above.
        unsafe { avx2::dots(query, rows, out) };
        return;
    }
    dots_portable(query, rows, out);
}

fn dots_portable(query: &[i8], rows: &[i8], out: &mut [i32]) {
    for (row, out) in rows.chunks_exact(query.len()).zip(out) {
        *out = query.iter().zip(row).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
    }
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_add_epi32, _mm_storeu_si128, _mm256_abs_epi8, _mm256_add_epi32, _mm256_castsi256_si128,
        _mm256_extracti128_si256, _mm256_hadd_epi32, _mm256_loadu_si256, _mm256_madd_epi16,
        _mm256_maddubs_epi16, _mm256_set1_epi16, _mm256_setzero_si256, _mm256_sign_epi8,
    };

    use super::LANES;

    /// Four rows at a time share the loads of the query and the sum across lanes.
    ///
    /// # Safety
    /// The processor has AVX2; `query.len()` is a multiple of [`LANES`] and `rows` is `out.len()` times as long.
    #[target_feature(enable = "avx2")]
    pub unsafe fn dots(query: &[i8], rows: &[i8], out: &mut [i32]) {
        let len = query.len();
        let (fours, rest) = out.as_chunks_mut::<4>();
        for (group, sums) in fours.iter_mut().enumerate() {
            // SAFETY: group < out.len() / 4, so four rows of `len` bytes begin here.
            unsafe {
                let base = rows.as_ptr().add(group * 4 * len);
                let totals = four(query, [base, base.add(len), base.add(2 * len), base.add(3 * len)]);
                _mm_storeu_si128(sums.as_mut_ptr().cast(), totals);
            }
        }
        let done = fours.len() * 4;
        for (row, sum) in rest.iter_mut().enumerate() {
            // SAFETY: done + row < out.len(), so a row of `len` bytes begins here; it is read four times over.
            unsafe {
                let base = rows.as_ptr().add((done + row) * len);
                let mut sums = [0i32; 4];
                _mm_storeu_si128(sums.as_mut_ptr().cast(), four(query, [base; 4]));
                *sum = sums[0];
            }
        }
    }

    /// # Safety
    /// The processor has AVX2; `query.len()` bytes can be read from each of `rows`.
    #[target_feature(enable = "avx2")]
    unsafe fn four(query: &[i8], rows: [*const i8; 4]) -> std::arch::x86_64::__m128i {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [_mm256_setzero_si256(); 4];
        for place in (0..query.len()).step_by(LANES) {
            // SAFETY: place + LANES <= query.len(), and each row is as long; loads need no alignment.
            unsafe {
                let numbers = _mm256_loadu_si256(query.as_ptr().add(place).cast::<__m256i>());
                let sizes = _mm256_abs_epi8(numbers);
                for (sum, row) in sums.iter_mut().zip(rows) {
                    let row = _mm256_loadu_si256(row.add(place).cast::<__m256i>());
                    // |q| × (row with the sign of q): pairs of at most 2 × 127 × 127 fit sixteen bits.
                    let pairs = _mm256_maddubs_epi16(sizes, _mm256_sign_epi8(row, numbers));
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                }
            }
        }
        let low = _mm256_hadd_epi32(sums[0], sums[1]);
        let high = _mm256_hadd_epi32(sums[2], sums[3]);
        let both = _mm256_hadd_epi32(low, high);
        _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both))
    }
}

/// The dot product in full precision. The order of additions is fixed, so every machine gives the same bits.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { dot_avx2(a, b) };
    }
    dot_in_order(a, b)
}

/// The same code with wider registers: Rust neither reorders nor fuses floating-point operations.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[f32], b: &[f32]) -> f32 {
    dot_in_order(a, b)
}

#[inline(always)]
fn dot_in_order(a: &[f32], b: &[f32]) -> f32 {
    const WIDTH: usize = 32;
    let mut sums = [0f32; WIDTH];
    let (a, b) = (a.as_chunks::<WIDTH>(), b.as_chunks::<WIDTH>());
    for (a, b) in a.0.iter().zip(b.0) {
        for lane in 0..WIDTH {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let tail: f32 = a.1.iter().zip(b.1).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + tail
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_and_a_zero_vector_are_exact() {
        assert!(quantize(&[]).numbers.is_empty());
        let zero = quantize(&[0.0; 5]);
        assert_eq!((zero.error, zero.norm, zero.numbers.len()), (0.0, 0.0, LANES));
    }

    #[test]
    fn extremes_do_not_saturate() {
        let query = vec![127i8; 64];
        let rows = [vec![127i8; 64], vec![-127i8; 64]].concat();
        let mut out = [0; 2];
        dots(&query, &rows, &mut out);
        assert_eq!(out, [64 * 127 * 127, -64 * 127 * 127]);
    }

    proptest! {
        #[test]
        fn the_kernel_and_its_twin_agree(
            len in 1usize..5, count in 0usize..11, bytes in prop::collection::vec(-127i8..=127, 12 * 128),
        ) {
            let len = len * LANES;
            let (query, rows) = (&bytes[..len], &bytes[len..len + len * count]);
            let (mut fast, mut plain) = (vec![0; count], vec![0; count]);
            dots(query, rows, &mut fast);
            dots_portable(query, rows, &mut plain);
            prop_assert_eq!(fast, plain);
        }

        #[test]
        fn wide_and_narrow_registers_give_the_same_bits(
            a in prop::collection::vec(-1f32..1.0, 0..200), b in prop::collection::vec(-1f32..1.0, 200),
        ) {
            prop_assert_eq!(dot(&a, &b[..a.len()]).to_bits(), dot_in_order(&a, &b[..a.len()]).to_bits());
        }

        #[test]
        fn the_kept_error_bounds_the_dot_product(
            a in prop::collection::vec(-1f32..1.0, 64), b in prop::collection::vec(-1f32..1.0, 64),
        ) {
            let (qa, qb) = (quantize(&a), quantize(&b));
            let mut whole = [0];
            dots(&qa.numbers, &qb.numbers, &mut whole);
            let near = whole[0] as f32 * qa.scale * qb.scale;
            let norm = |v: &[f32]| dot(v, v).sqrt();
            let bound = qa.error * norm(&b) + qa.norm * qb.error + 1e-4;
            prop_assert!((near - dot(&a, &b)).abs() <= bound);
        }
    }
}

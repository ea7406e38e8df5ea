//! What transformers do to activations between matrix products: layer norm, GELU, softmax.
//!
//! In and out: rows of f32, changed in place. `bert.rs` calls them. The loops are plain Rust; on x86-64 each is
//! compiled a second time for AVX2 and FMA and that one is taken where the processor has them.

/// Defines a function whose body is compiled for the processor's wide registers too.
macro_rules! wide {
    ($(#[$doc:meta])* pub fn $name:ident($($arg:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$doc])*
        pub fn $name($($arg: $type),*) {
            #[inline(always)]
            fn plain($($arg: $type),*) $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx2,fma")]
                fn fast($($arg: $type),*) {
                    plain($($arg),*);
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the processor has both features.
                    return unsafe { fast($($arg),*) };
                }
            }
            plain($($arg),*);
        }
    };
}

/// Numbers that are summed side by side, so that sums use wide registers too.
const LANES: usize = 16;

wide! {
    /// Adds `more` to each row of `x`, then brings the row to mean 0 and variance 1, scaled and shifted.
    pub fn add_and_norm(x: &mut [f32], more: &[f32], scale: &[f32], shift: &[f32], epsilon: f32) {
        let width = scale.len();
        for (row, more) in x.chunks_exact_mut(width).zip(more.chunks_exact(width)) {
            for (v, m) in row.iter_mut().zip(more) {
                *v += m;
            }
            let mean = sum(row, |v| v) / width as f32;
            let variance = sum(row, |v| (v - mean) * (v - mean)) / width as f32;
            let factor = 1.0 / (variance + epsilon).sqrt();
            for ((v, s), b) in row.iter_mut().zip(scale).zip(shift) {
                *v = (*v - mean) * factor * s + b;
            }
        }
    }
}

wide! {
    /// `x · Φ(x)` with the exact normal distribution function. erf is Abramowitz and Stegun 7.1.26, whose error is
    /// at most 1.5e-7.
    pub fn gelu(x: &mut [f32]) {
        for v in x {
            let z = v.abs() * std::f32::consts::FRAC_1_SQRT_2;
            let t = 1.0 / (1.0 + 0.327_591_1 * z);
            let poly = t * (0.254_829_6 + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4))));
            let erf = 1.0 - poly * exp(-z * z);
            *v = 0.5 * *v * (1.0 + erf.copysign(*v));
        }
    }
}

wide! {
    /// Softmax over the first `used` numbers of each row of `width`; the others become 0.
    pub fn softmax(x: &mut [f32], width: usize, used: usize) {
        for row in x.chunks_exact_mut(width) {
            let (used, rest) = row.split_at_mut(used);
            let highest = used.iter().fold(f32::MIN, |a, &b| a.max(b));
            for v in used.iter_mut() {
                *v = exp(*v - highest);
            }
            let factor = 1.0 / sum(used, |v| v);
            used.iter_mut().for_each(|v| *v *= factor);
            rest.fill(0.0);
        }
    }
}

#[inline(always)]
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0f32; LANES];
    for part in whole {
        for (lane, &v) in lanes.iter_mut().zip(part) {
            *lane += of(v);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&v| of(v)).sum::<f32>()
}

/// e to the x for x ≤ 0: 2 to a whole power by the exponent's bits, times the Taylor series of 2 to the rest, which
/// is at most a half. The series is right to 1e-7; the rounding of x · log2(e) adds 1e-7 of x.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5 · 2^23 leaves the nearest whole number in the low bits of the sum.
    const SHIFT: f32 = 12_582_912.0;
    let t = x.max(-87.0) * std::f32::consts::LOG2_E;
    let shifted = t + SHIFT;
    let f = t - (shifted - SHIFT);
    let series = 1.0
        + f * (std::f32::consts::LN_2
            + f * (0.240_226_5
                + f * (0.055_504_11 + f * (0.009_618_129 + f * (0.001_333_355_8 + f * 0.000_154_035_3)))));
    f32::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 23))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_as_right_as_its_argument() {
        for i in 0..=8_600 {
            let x = -f64::from(i) / 100.0;
            let relative = f64::from(exp(x as f32)) / f64::from(x as f32).exp() - 1.0;
            assert!(relative.abs() < 1.2e-7 * (2.0 - x), "{x}: {relative}");
        }
        assert!(exp(f32::MIN) < 1e-37);
    }

    #[test]
    fn gelu_has_its_known_values() {
        // Computed with 30 digits from the definition.
        let mut x = [0.0, 1.0, -1.0, 3.0, -3.0, 0.1, -10.0, 10.0];
        gelu(&mut x);
        let right = [0.0, 0.841_344_8, -0.158_655_25, 2.995_950_3, -0.004_049_694, 0.053_982_784, 0.0, 10.0];
        for (got, right) in x.iter().zip(right) {
            assert!((got - right).abs() < 1e-6, "{got} against {right}");
        }
    }

    #[test]
    fn softmax_sums_to_one_over_what_is_used() {
        let mut x: Vec<f32> = (0..64).map(|i| (i % 7) as f32 - 900.0).collect();
        softmax(&mut x, 32, 21);
        for row in x.chunks(32) {
            assert!((row[..21].iter().sum::<f32>() - 1.0).abs() < 1e-6);
            assert!(row[21..].iter().all(|&v| v == 0.0));
            assert!((row[6] / row[5] - std::f32::consts::E).abs() < 1e-5);
        }
    }

    #[test]
    fn a_norm_gives_mean_and_variance() {
        let mut x: Vec<f32> = (0..40).map(|i| (i * i) as f32).collect();
        add_and_norm(&mut x, &[1.0; 40], &[2.0; 20], &[3.0; 20], 0.0);
        for row in x.chunks(20) {
            let mean = row.iter().sum::<f32>() / 20.0;
            let variance = row.iter().map(|v| (v - mean) * (v - mean)).sum::<f32>() / 20.0;
            assert!((mean - 3.0).abs() < 1e-4 && (variance - 4.0).abs() < 1e-3, "{mean} {variance}");
        }
    }
}

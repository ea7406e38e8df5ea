//! Vector loops of the chat model behind one run-time choice: AVX2 with FMA and F16C, else plain Rust.
//!
//! In: slices. Out: slices. Called by the matrices, the attention and the layers beside it; nothing here
//! knows of models, threads or tensors. `portable` is the reference that the other twin is tested against.
//! Weights and the key/value cache are 16-bit floats, since reading them is what limits the speed of an
//! answer; all sums are 32-bit.

mod math;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use half::{bf16, f16};

/// Sixteen-bit weights of either kind.
#[derive(Debug, Clone, Copy)]
pub enum Halves<'a> {
    F16(&'a [f16]),
    Bf16(&'a [bf16]),
}

/// `out[row] = rows[row] · x`, with as many rows as `out` is long, each as long as `x`.
pub fn gemv(rows: Halves<'_>, x: &[f32], out: &mut [f32]) {
    let length = match rows {
        Halves::F16(values) => values.len(),
        Halves::Bf16(values) => values.len(),
    };
    assert_eq!(length, x.len() * out.len(), "the matrix has a row for each output");
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2, FMA and F16C; the lengths were compared above.
        return unsafe {
            match rows {
                Halves::F16(values) => x86::gemv_f16(values, x, out),
                Halves::Bf16(values) => x86::gemv_bf16(values, x, out),
            }
        };
    }
    match rows {
        Halves::F16(values) => portable::gemv(values, x, out),
        Halves::Bf16(values) => portable::gemv(values, x, out),
    }
}

/// `out = sum of weights[row] * rows[row]`, with rows as long as `out`.
pub fn weighted_sum(weights: &[f32], rows: &[f16], out: &mut [f32]) {
    assert_eq!(rows.len(), weights.len() * out.len(), "there is a row for each weight");
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2, FMA and F16C; the lengths were compared above.
        return unsafe { x86::weighted_sum(weights, rows, out) };
    }
    portable::weighted_sum(weights, rows, out);
}

/// 16 bits to 32 bits, exactly.
pub fn widen(values: Halves<'_>, out: &mut [f32]) {
    use half::slice::HalfFloatSliceExt;
    // `half` finds F16C by itself; the AVX2 twin only spares its detection and its call for every four.
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2, FMA and F16C; the function compares the lengths.
        return unsafe {
            match values {
                Halves::F16(values) => x86::widen_f16(values, out),
                Halves::Bf16(values) => x86::widen_bf16(values, out),
            }
        };
    }
    match values {
        Halves::F16(values) => values.convert_to_f32_slice(out),
        Halves::Bf16(values) => values.convert_to_f32_slice(out),
    }
}

/// 32 bits to 16 bits, to the nearest.
pub fn narrow(values: &[f32], out: &mut [f16]) {
    use half::slice::HalfFloatSliceExt;
    out.convert_from_f32_slice(values);
}

/// Turns scores into weights that sum to 1: `exp(score - max) / sum`.
pub fn softmax(scores: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2 and FMA.
        return unsafe { x86::softmax(scores) };
    }
    portable::softmax(scores);
}

/// `out = silu(gate) * up`, the gate of SwiGLU (Shazeer 2020).
pub fn silu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2 and FMA.
        return unsafe { x86::silu_gate(gate, up, out) };
    }
    portable::silu_gate(gate, up, out);
}

/// `out = gelu(gate) * up` with the tanh form of GELU, as Gemma is trained with.
pub fn gelu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if x86::available() {
        // SAFETY: `available` saw AVX2 and FMA.
        return unsafe { x86::gelu_gate(gate, up, out) };
    }
    portable::gelu_gate(gate, up, out);
}

/// Root-mean-square normalisation (Zhang and Sennrich 2019): `out = x / rms(x) * weight`.
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, out: &mut [f32]) {
    let scale = rms_scale(x, epsilon);
    for ((out, x), weight) in out.iter_mut().zip(x).zip(weight) {
        *out = x * scale * weight;
    }
}

/// [`rms_norm`] of a row into itself.
pub fn rms_norm_in_place(x: &mut [f32], weight: &[f32], epsilon: f32) {
    let scale = rms_scale(x, epsilon);
    for (x, weight) in x.iter_mut().zip(weight) {
        *x = *x * scale * weight;
    }
}

fn rms_scale(x: &[f32], epsilon: f32) -> f32 {
    // Eight partial sums let the compiler use vector registers without changing the order between runs.
    let mut sums = [0f32; 8];
    let (chunks, rest) = x.as_chunks::<8>();
    for chunk in chunks {
        for (sum, value) in sums.iter_mut().zip(chunk) {
            *sum += value * value;
        }
    }
    let total: f32 = sums.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>();
    1.0 / (total / x.len() as f32 + epsilon).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(n: usize, seed: u32) -> Vec<f32> {
        let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
        (0..n)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 8) as f32 / (1 << 23) as f32 - 1.0
            })
            .collect()
    }

    fn close(left: &[f32], right: &[f32], tolerance: f32) {
        assert_eq!(left.len(), right.len());
        for (i, (a, b)) in left.iter().zip(right).enumerate() {
            assert!((a - b).abs() <= tolerance * (1.0 + b.abs()), "{i}: {a} and {b}");
        }
    }

    #[test]
    fn both_twins_give_the_same_products_for_every_length() {
        for (rows, k) in [(1, 1), (3, 7), (4, 8), (5, 64), (9, 100), (17, 576), (2, 1000)] {
            let x = noise(k, 1);
            let values = noise(rows * k, 2);
            let as_f16: Vec<f16> = values.iter().map(|v| f16::from_f32(*v)).collect();
            let as_bf16: Vec<bf16> = values.iter().map(|v| bf16::from_f32(*v)).collect();
            let (mut fast, mut plain) = (vec![0f32; rows], vec![0f32; rows]);
            gemv(Halves::F16(&as_f16), &x, &mut fast);
            portable::gemv(&as_f16, &x, &mut plain);
            close(&fast, &plain, 1e-4);
            gemv(Halves::Bf16(&as_bf16), &x, &mut fast);
            portable::gemv(&as_bf16, &x, &mut plain);
            close(&fast, &plain, 1e-4);
            let (mut fast, mut plain) = (vec![0.5f32; k], vec![0.5f32; k]);
            let weights = noise(rows, 3);
            weighted_sum(&weights, &as_f16, &mut fast);
            portable::weighted_sum(&weights, &as_f16, &mut plain);
            close(&fast, &plain, 1e-5);
            let mut wide = vec![0f32; rows * k];
            widen(Halves::F16(&as_f16), &mut wide);
            assert!(wide.iter().zip(&as_f16).all(|(a, b)| *a == b.to_f32()));
            widen(Halves::Bf16(&as_bf16), &mut wide);
            assert!(wide.iter().zip(&as_bf16).all(|(a, b)| *a == b.to_f32()));
        }
    }

    #[test]
    fn softmax_is_the_textbook_one() {
        for n in [1usize, 3, 8, 77, 1024] {
            let scores: Vec<f32> = noise(n, 5).iter().map(|v| v * 30.0).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exps: Vec<f64> = scores.iter().map(|s| f64::from(s - largest).exp()).collect();
            let sum: f64 = exps.iter().sum();
            let want: Vec<f32> = exps.iter().map(|e| (e / sum) as f32).collect();
            let mut got = scores.clone();
            softmax(&mut got);
            close(&got, &want, 2e-6);
            let mut got = scores;
            portable::softmax(&mut got);
            close(&got, &want, 2e-6);
        }
    }

    #[test]
    fn gates_are_the_textbook_ones() {
        let gate: Vec<f32> = noise(1003, 3).iter().map(|v| v * 40.0).collect();
        let up = noise(1003, 4);
        let silu: Vec<f32> = gate
            .iter()
            .zip(&up)
            .map(|(g, u)| (f64::from(*g) / (1.0 + (-f64::from(*g)).exp())) as f32 * u)
            .collect();
        let gelu: Vec<f32> = gate
            .iter()
            .zip(&up)
            .map(|(g, u)| {
                let g = f64::from(*g);
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (g + 0.044715 * g * g * g);
                (0.5 * g * (1.0 + inner.tanh())) as f32 * u
            })
            .collect();
        let mut got = vec![0f32; gate.len()];
        silu_gate(&gate, &up, &mut got);
        close(&got, &silu, 3e-6);
        portable::silu_gate(&gate, &up, &mut got);
        close(&got, &silu, 3e-6);
        gelu_gate(&gate, &up, &mut got);
        close(&got, &gelu, 3e-6);
        portable::gelu_gate(&gate, &up, &mut got);
        close(&got, &gelu, 3e-6);
    }

    #[test]
    fn norms_have_length_one_on_average() {
        let x = noise(577, 9);
        let mut out = vec![0f32; 577];
        rms_norm(&x, &vec![1.0; 577], 0.0, &mut out);
        let mean = out.iter().map(|v| v * v).sum::<f32>() / 577.0;
        assert!((mean - 1.0).abs() < 1e-4);
        let mut same = x;
        rms_norm_in_place(&mut same, &vec![1.0; 577], 0.0);
        assert_eq!(same, out);
    }
}

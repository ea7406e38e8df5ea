//! The plain twin of the vector loops: what runs where no faster one does.
//!
//! Called by the dispatch in [`super`] only, and by the tests, for which it is the reference. The order of sums
//! is fixed, so that an answer does not depend on the run.

use half::{bf16, f16};

use super::math;

/// A 16-bit float that widens.
pub trait Half: Copy {
    fn wide(self) -> f32;
}

impl Half for f16 {
    fn wide(self) -> f32 {
        self.to_f32()
    }
}

impl Half for bf16 {
    fn wide(self) -> f32 {
        self.to_f32()
    }
}

pub fn gemv<H: Half>(rows: &[H], x: &[f32], out: &mut [f32]) {
    if x.is_empty() {
        return out.fill(0.0);
    }
    for (out, row) in out.iter_mut().zip(rows.chunks_exact(x.len())) {
        *out = dot(row, x);
    }
}

fn dot<H: Half>(row: &[H], x: &[f32]) -> f32 {
    let mut sums = [0f32; 8];
    let (row, row_rest) = row.as_chunks::<8>();
    let (x, x_rest) = x.as_chunks::<8>();
    for (row, x) in row.iter().zip(x) {
        for ((sum, weight), x) in sums.iter_mut().zip(row).zip(x) {
            *sum += weight.wide() * x;
        }
    }
    let rest: f32 = row_rest.iter().zip(x_rest).map(|(weight, x)| weight.wide() * x).sum();
    sums.iter().sum::<f32>() + rest
}

pub fn weighted_sum(weights: &[f32], rows: &[f16], out: &mut [f32]) {
    out.fill(0.0);
    if out.is_empty() {
        return;
    }
    for (weight, row) in weights.iter().zip(rows.chunks_exact(out.len())) {
        for (out, value) in out.iter_mut().zip(row) {
            *out += weight * value.to_f32();
        }
    }
}

pub fn softmax(scores: &mut [f32]) {
    math::softmax::<false>(scores);
}

pub fn silu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    math::silu_gate::<false>(gate, up, out);
}

pub fn gelu_gate(gate: &[f32], up: &[f32], out: &mut [f32]) {
    math::gelu_gate::<false>(gate, up, out);
}

//! Weight matrices in the form that is fastest here: dense 16-bit floats, or candle's quantised blocks.
//!
//! In: tensors of the file while loading, rows of 32-bit activations later. Out: their products. Called by
//! [`super::network`]. Threads are those of the pool that the caller runs in.
//!
//! Measured on two cores with AVX2: candle has vector code for the K types and Q8_0 only, so the other types
//! and all small models become dense, where an answer's token costs one pass over the weights at the speed
//! of memory and a prompt is multiplied in 32 bits.

use std::sync::Arc;

use candle_core::{
    Device, Tensor,
    quantized::{GgmlDType, QStorage, QTensor},
};
use half::{bf16, f16};
use rayon::prelude::*;

use super::{
    error::GgufError,
    file::GgufFile,
    kernels::{self, Halves},
    product::{self, Share, View},
};

/// Up to so many rows of activations are multiplied one by one: below it, widening the weights costs more
/// than reading them again (measured).
const FEW_ROWS: usize = 3;
/// Weights that are widened at a time: 4 MiB stay in the cache until the product has read them.
const WIDE_WEIGHTS: usize = 1 << 20;
/// Weights a thread takes at a time when a single row is multiplied.
const WEIGHTS_A_TASK: usize = 1 << 16;
/// The largest 16-bit float. No trained weight is near it: beyond is a damaged file.
const LARGEST_F16: f32 = 65_504.0;

/// How the weights of a model are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// All dense: small models.
    Dense,
    /// Quantised where candle is fast with the type, else dense.
    AsStored,
}

/// A matrix `[rows, columns]` of weights, perhaps several tensors one below the other.
pub struct Matrix {
    parts: Vec<Part>,
    rows: usize,
    columns: usize,
}

#[derive(Clone)]
struct Part {
    rows: usize,
    weights: Weights,
}

#[derive(Clone)]
enum Weights {
    F16(Arc<Vec<f16>>),
    Bf16(Arc<Vec<bf16>>),
    Blocks(Arc<QTensor>),
}

impl Matrix {
    /// Loads tensors with the same columns; `names` gives each with its rows.
    pub fn load(
        file: &mut GgufFile,
        names: &[(String, usize)],
        columns: usize,
        storage: Storage,
    ) -> Result<Self, GgufError> {
        let mut tensors = Vec::with_capacity(names.len());
        for (name, rows) in names {
            tensors.push(file.tensor(name, &[*rows, columns])?);
        }
        let rows = names.iter().map(|(_, rows)| rows).sum();
        let fast = tensors.iter().all(|tensor| is_fast_in_candle(tensor.dtype()));
        let parts = if storage == Storage::AsStored && fast {
            names
                .iter()
                .zip(tensors)
                .map(|((_, rows), tensor)| Part { rows: *rows, weights: Weights::Blocks(Arc::new(tensor)) })
                .collect()
        } else {
            vec![Part { rows, weights: dense(&tensors, columns)? }]
        };
        Ok(Self { parts, rows, columns })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The same weights once more, without a copy: output heads that share the embeddings.
    pub fn share(&self) -> Self {
        Self { parts: self.parts.clone(), rows: self.rows, columns: self.columns }
    }

    /// Row `row`, widened: the embedding of a token.
    pub fn row(&self, row: usize, out: &mut [f32]) -> Result<(), GgufError> {
        let mut row = row;
        for part in &self.parts {
            if row >= part.rows {
                row -= part.rows;
                continue;
            }
            match &part.weights {
                Weights::F16(weights) => {
                    kernels::widen(Halves::F16(&weights[row * self.columns..][..self.columns]), out);
                }
                Weights::Bf16(weights) => {
                    kernels::widen(Halves::Bf16(&weights[row * self.columns..][..self.columns]), out);
                }
                Weights::Blocks(tensor) => out.copy_from_slice(&dequantise(tensor, self.columns, row, 1)?),
            }
            return Ok(());
        }
        Err(GgufError::bad("a token lies outside of the vocabulary"))
    }

    /// `out[i] = weights * x[i]` for each row of `x`. `wide` is room that is kept between calls.
    pub fn multiply(&self, x: &[f32], out: &mut [f32], wide: &mut Vec<f32>) -> Result<(), GgufError> {
        let count = x.len() / self.columns;
        assert!(x.len() == count * self.columns && out.len() == count * self.rows, "sizes fit");
        let mut first = 0;
        for part in &self.parts {
            match &part.weights {
                Weights::Blocks(tensor) => self.multiply_blocks(tensor, part.rows, first, x, out)?,
                Weights::F16(weights) => {
                    self.multiply_dense(
                        |at, n| Halves::F16(&weights[at..at + n]),
                        part.rows,
                        first,
                        x,
                        out,
                        wide,
                    );
                }
                Weights::Bf16(weights) => {
                    self.multiply_dense(
                        |at, n| Halves::Bf16(&weights[at..at + n]),
                        part.rows,
                        first,
                        x,
                        out,
                        wide,
                    );
                }
            }
            first += part.rows;
        }
        Ok(())
    }

    fn multiply_blocks(
        &self,
        tensor: &Arc<QTensor>,
        rows: usize,
        first: usize,
        x: &[f32],
        out: &mut [f32],
    ) -> Result<(), GgufError> {
        let count = x.len() / self.columns;
        let input = Tensor::from_slice(x, (count, self.columns), &Device::Cpu)?;
        let product = input.apply_op1_no_bwd(tensor.as_ref())?;
        let (storage, _) = product.storage_and_layout();
        let candle_core::Storage::Cpu(storage) = &*storage else {
            return Err(GgufError::bad("a product left the processor"));
        };
        for (out, product) in
            out.chunks_exact_mut(self.rows).zip(storage.as_slice::<f32>()?.chunks_exact(rows))
        {
            out[first..first + rows].copy_from_slice(product);
        }
        Ok(())
    }

    fn multiply_dense<'a>(
        &self,
        weights: impl Fn(usize, usize) -> Halves<'a> + Sync,
        rows: usize,
        first: usize,
        x: &[f32],
        out: &mut [f32],
        wide: &mut Vec<f32>,
    ) {
        let columns = self.columns;
        let count = x.len() / columns;
        if count <= FEW_ROWS {
            let rows_a_task = (WEIGHTS_A_TASK / columns).max(4);
            for (x, out) in x.chunks_exact(columns).zip(out.chunks_exact_mut(self.rows)) {
                out[first..first + rows].par_chunks_mut(rows_a_task).enumerate().for_each(|(task, out)| {
                    let at = task * rows_a_task * columns;
                    kernels::gemv(weights(at, out.len() * columns), x, out);
                });
            }
            return;
        }
        let rows_at_once = (WIDE_WEIGHTS / columns).clamp(1, rows);
        wide.resize((rows_at_once * columns).max(wide.len()), 0.0);
        for start in (0..rows).step_by(rows_at_once) {
            let here = rows_at_once.min(rows - start);
            let wide = &mut wide[..here * columns];
            wide.par_chunks_mut(WEIGHTS_A_TASK).enumerate().for_each(|(task, wide)| {
                kernels::widen(weights(start * columns + task * WEIGHTS_A_TASK, wide.len()), wide);
            });
            let left = View::new(x, count, columns);
            let right = View::new(wide, here, columns).transposed();
            product::multiply(&mut out[first + start..], self.rows, left, right, Share::Pool);
        }
    }
}

/// The types for which candle has vector code on this kind of processor.
fn is_fast_in_candle(dtype: GgmlDType) -> bool {
    use GgmlDType::*;
    match dtype {
        Q2K | Q3K | Q4K | Q5K | Q6K | Q8_0 => true,
        Q4_0 => cfg!(target_arch = "aarch64"),
        _ => false,
    }
}

/// All tensors one below the other in 16 bits. Rows are widened a few at a time, so that the 32-bit copy is
/// never in memory as a whole.
fn dense(tensors: &[QTensor], columns: usize) -> Result<Weights, GgufError> {
    let as_bf16 = tensors.iter().any(|tensor| tensor.dtype() == GgmlDType::BF16);
    let mut narrow: Vec<f16> = Vec::new();
    let mut brain: Vec<bf16> = Vec::new();
    let total = tensors.iter().map(|tensor| tensor.shape().elem_count()).sum();
    if as_bf16 {
        brain.reserve_exact(total)
    } else {
        narrow.reserve_exact(total)
    }
    for tensor in tensors {
        let rows = tensor.shape().elem_count() / columns;
        let rows_at_once = (WIDE_WEIGHTS / columns).max(1);
        for start in (0..rows).step_by(rows_at_once) {
            let wide = dequantise(tensor, columns, start, rows_at_once.min(rows - start))?;
            if as_bf16 {
                brain.extend(wide.iter().map(|value| bf16::from_f32(*value)));
                continue;
            }
            if let Some(value) = wide.iter().find(|value| value.abs() > LARGEST_F16 || value.is_nan()) {
                return Err(GgufError::bad(format!("it has a weight of {value}")));
            }
            let at = narrow.len();
            narrow.resize(at + wide.len(), f16::ZERO);
            kernels::narrow(&wide, &mut narrow[at..]);
        }
    }
    Ok(if as_bf16 { Weights::Bf16(Arc::new(brain)) } else { Weights::F16(Arc::new(narrow)) })
}

/// Some rows of a tensor as 32-bit floats.
fn dequantise(tensor: &QTensor, columns: usize, start: usize, rows: usize) -> Result<Vec<f32>, GgufError> {
    let dtype = tensor.dtype();
    let row_bytes = columns / dtype.block_size() * dtype.type_size();
    let data = tensor.data()?;
    let bytes = &data[start * row_bytes..(start + rows) * row_bytes];
    let storage = QStorage::from_data(bytes.into(), &Device::Cpu, dtype)?;
    let some = QTensor::new(storage, (rows, columns))?;
    Ok(some.dequantize(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()?)
}

//! Causal attention with grouped query heads: several query heads read the same keys and values in place.
//!
//! In: turned queries, and the cache that already holds the keys and values of the block. Out: one row for
//! each query. Called by [`super::network`] for each layer. A prompt is done in blocks of queries, one task
//! each, by matrix products; a single token by vector products over the 16-bit cache.

use rayon::prelude::*;

use super::{
    cache::KvCache,
    kernels::{self, Halves},
    product::{self, Share, View},
};

/// Queries of one task: their scores against a thousand keys stay in the second-level cache.
const QUERIES_A_TASK: usize = 32;
/// Up to so many queries go one by one.
const FEW_QUERIES: usize = 3;
/// Below so many multiplications one thread is faster than sharing the work.
const SMALL: usize = 1 << 16;

/// What one call works on.
#[derive(Clone, Copy)]
pub struct Block {
    pub layer: usize,
    /// Position of the first query.
    pub first: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_size: usize,
    /// How far a query looks back, itself included.
    pub window: Option<usize>,
}

/// Room that is kept between calls.
#[derive(Default)]
pub struct Room {
    keys: Vec<f32>,
    values: Vec<f32>,
    results: Vec<f32>,
}

/// `out[i]` is what query `i` sees. Rows of `queries` are `stride` apart and begin with the query heads.
pub fn attend(
    block: Block,
    queries: &[f32],
    stride: usize,
    cache: &KvCache,
    out: &mut [f32],
    room: &mut Room,
) {
    let width = block.heads * block.head_size;
    let count = out.len() / width;
    if count <= FEW_QUERIES {
        for (index, out) in out.chunks_exact_mut(width).enumerate() {
            attend_one(block, &queries[index * stride..][..width], block.first + index, cache, out);
        }
    } else {
        attend_many(block, queries, stride, cache, out, room);
    }
}

impl Block {
    /// Positions that the query at `position` sees.
    fn seen(&self, position: usize) -> std::ops::Range<usize> {
        let first = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        first..position + 1
    }

    /// Softmax is taken of the products divided by the root of their length (Vaswani et al. 2017).
    fn scale(&self) -> f32 {
        1.0 / (self.head_size as f32).sqrt()
    }

    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }
}

fn attend_one(block: Block, query: &[f32], position: usize, cache: &KvCache, out: &mut [f32]) {
    let seen = block.seen(position);
    let one_head = |(head, out): (usize, &mut [f32])| {
        let query: Vec<f32> =
            query[head * block.head_size..][..block.head_size].iter().map(|q| q * block.scale()).collect();
        let mut scores = vec![0f32; seen.len()];
        let kv_head = head / block.group();
        kernels::gemv(Halves::F16(cache.keys(block.layer, kv_head, seen.clone())), &query, &mut scores);
        kernels::softmax(&mut scores);
        kernels::weighted_sum(&scores, cache.values(block.layer, kv_head, seen.clone()), out);
    };
    if seen.len() * out.len() < SMALL {
        out.chunks_exact_mut(block.head_size).enumerate().for_each(one_head);
    } else {
        out.par_chunks_exact_mut(block.head_size).enumerate().for_each(one_head);
    }
}

fn attend_many(
    block: Block,
    queries: &[f32],
    stride: usize,
    cache: &KvCache,
    out: &mut [f32],
    room: &mut Room,
) {
    let size = block.head_size;
    let width = block.heads * size;
    let count = out.len() / width;
    let lowest = block.seen(block.first).start;
    let span = block.first + count - lowest;
    widen_heads(block, cache, lowest, span, room);

    let tasks = count.div_ceil(QUERIES_A_TASK);
    let result_size = block.group() * QUERIES_A_TASK * size;
    let (keys, values) = (&room.keys, &room.values);
    room.results.resize((block.kv_heads * tasks * result_size).max(room.results.len()), 0.0);
    let results = &mut room.results[..block.kv_heads * tasks * result_size];
    results.par_chunks_mut(result_size).enumerate().for_each_init(
        || (Vec::new(), Vec::new()),
        |(gathered, scores), (task, result)| {
            let (kv_head, task) = (task / tasks, task % tasks);
            let from = task * QUERIES_A_TASK;
            let here = QUERIES_A_TASK.min(count - from);
            gather(block, queries, stride, kv_head, from..from + here, gathered);
            let first_key = block.seen(block.first + from).start - lowest;
            let end_key = block.first + from + here - lowest;
            let seen = end_key - first_key;
            let rows = block.group() * here;
            let stretch = (kv_head * span + first_key) * size..(kv_head * span + end_key) * size;
            scores.resize((rows * seen).max(scores.len()), 0.0);
            let scores = &mut scores[..rows * seen];
            let head_keys = View::new(&keys[stretch.clone()], seen, size).transposed();
            product::multiply(scores, seen, View::new(gathered, rows, size), head_keys, Share::Alone);
            for (row, scores) in scores.chunks_exact_mut(seen).enumerate() {
                let position = block.first + from + row % here;
                let visible = block.seen(position);
                let visible = visible.start - lowest - first_key..visible.end - lowest - first_key;
                scores[..visible.start].fill(0.0);
                scores[visible.end..].fill(0.0);
                kernels::softmax(&mut scores[visible]);
            }
            let head_values = View::new(&values[stretch], seen, size);
            product::multiply(result, size, View::new(scores, rows, seen), head_values, Share::Alone);
        },
    );

    // Tasks write one after the other; here each query's heads come together again.
    out.par_chunks_exact_mut(width).enumerate().for_each(|(index, out)| {
        let (task, row) = (index / QUERIES_A_TASK, index % QUERIES_A_TASK);
        let here = QUERIES_A_TASK.min(count - task * QUERIES_A_TASK);
        for (head, out) in out.chunks_exact_mut(size).enumerate() {
            let result = &results[(head / block.group() * tasks + task) * result_size..];
            out.copy_from_slice(&result[((head % block.group()) * here + row) * size..][..size]);
        }
    });
}

/// Keys and values of all heads in 32 bits, once for all tasks.
fn widen_heads(block: Block, cache: &KvCache, lowest: usize, span: usize, room: &mut Room) {
    let stretch = span * block.head_size;
    let needed = block.kv_heads * stretch;
    room.keys.resize(needed.max(room.keys.len()), 0.0);
    room.values.resize(needed.max(room.values.len()), 0.0);
    let keys = room.keys[..needed].par_chunks_mut(stretch);
    let values = room.values[..needed].par_chunks_mut(stretch);
    keys.zip(values).enumerate().for_each(|(head, (keys, values))| {
        let positions = lowest..lowest + span;
        kernels::widen(Halves::F16(cache.keys(block.layer, head, positions.clone())), keys);
        kernels::widen(Halves::F16(cache.values(block.layer, head, positions)), values);
    });
}

/// The queries of a group for some positions, scaled: all positions of its first head, then of the next.
fn gather(
    block: Block,
    queries: &[f32],
    stride: usize,
    kv_head: usize,
    indices: std::ops::Range<usize>,
    out: &mut Vec<f32>,
) {
    out.clear();
    let scale = block.scale();
    for head in kv_head * block.group()..(kv_head + 1) * block.group() {
        for index in indices.clone() {
            let query = &queries[index * stride + head * block.head_size..][..block.head_size];
            out.extend(query.iter().map(|q| q * scale));
        }
    }
}

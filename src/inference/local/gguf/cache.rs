//! Keys and values of the tokens that were read, and which tokens these are.
//!
//! In: rows of keys and values, 32 bits. Out: slices of 16-bit floats, one head after the other, so that the
//! attention of a head reads one stretch of memory. Called by [`super::network`] and [`super::attention`];
//! `generate.rs` cuts it back to the part that a new prompt shares.
//!
//! The room for the whole window is reserved once. The system gives memory for it page by page as it is
//! first written, so a short chat costs little.

use half::{f16, slice::HalfBitsSliceExt};

use super::{config::Config, kernels};

pub struct KvCache {
    layers: Vec<LayerCache>,
    kv_heads: usize,
    head_size: usize,
    capacity: usize,
    tokens: Vec<u32>,
}

/// Bits of f16: a vector of integer zeros is had from the system without being written.
struct LayerCache {
    keys: Vec<u16>,
    values: Vec<u16>,
}

impl KvCache {
    pub fn new(config: &Config, capacity: usize) -> Self {
        let size = config.kv_size() * capacity;
        let layers =
            (0..config.layers).map(|_| LayerCache { keys: vec![0; size], values: vec![0; size] }).collect();
        Self { layers, kv_heads: config.kv_heads, head_size: config.head_size, capacity, tokens: Vec::new() }
    }

    /// Tokens whose keys and values are here, in all layers.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Forgets all but the first `length` tokens.
    pub fn cut(&mut self, length: usize) {
        self.tokens.truncate(length);
    }

    /// Counts tokens as read. Their keys and values have been written in all layers.
    pub fn push(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
    }

    /// Keeps the keys and values of all heads of one token.
    pub fn write(&mut self, layer: usize, position: usize, keys: &[f32], values: &[f32]) {
        let layer = &mut self.layers[layer];
        for head in 0..self.kv_heads {
            let from = head * self.head_size..(head + 1) * self.head_size;
            let to = (head * self.capacity + position) * self.head_size;
            let to = to..to + self.head_size;
            kernels::narrow(&keys[from.clone()], layer.keys[to.clone()].reinterpret_cast_mut());
            kernels::narrow(&values[from], layer.values[to].reinterpret_cast_mut());
        }
    }

    /// The keys of a head at some positions, one after the other.
    pub fn keys(&self, layer: usize, head: usize, positions: std::ops::Range<usize>) -> &[f16] {
        self.layers[layer].keys[self.stretch(head, positions)].reinterpret_cast()
    }

    /// The values of a head at some positions, one after the other.
    pub fn values(&self, layer: usize, head: usize, positions: std::ops::Range<usize>) -> &[f16] {
        self.layers[layer].values[self.stretch(head, positions)].reinterpret_cast()
    }

    fn stretch(&self, head: usize, positions: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let head = head * self.capacity;
        (head + positions.start) * self.head_size..(head + positions.end) * self.head_size
    }
}

//! What a GGUF file says about the shape of its model, checked and in one plain value.
//!
//! In: the values of a file. Out: [`Config`]. Called while loading; the forward pass reads nothing else.
//! The names of the values are those of llama.cpp's converter.

use super::{
    error::GgufError,
    file::{GgufFile, number, unsigned},
};

/// The shape of a decoder-only transformer, for the families that are built here.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub layers: usize,
    pub hidden: usize,
    pub feed_forward: usize,
    pub heads: usize,
    /// Heads of keys and values; each serves `heads / kv_heads` query heads.
    pub kv_heads: usize,
    pub head_size: usize,
    /// The longest context that the model was made for.
    pub trained_context: usize,
    pub epsilon: f32,
    pub rope: RopeConfig,
    /// Tokens that local layers look back, the own one included; none where every layer sees all.
    pub window: Option<SlidingWindow>,
    pub gate: Gate,
    /// Embeddings are multiplied by this.
    pub embedding_scale: f32,
    /// One matrix holds query, key and value, another gate and up: Phi-3.
    pub fused: bool,
    /// Queries and keys are normalised per head: Qwen3 and Gemma 3.
    pub head_norms: bool,
    /// What attention and feed-forward give is normalised before it is added: Gemma 3.
    pub post_norms: bool,
}

/// How positions turn queries and keys.
#[derive(Debug, Clone, PartialEq)]
pub struct RopeConfig {
    pub base: f32,
    /// The base in layers with a window.
    pub local_base: f32,
    /// Positions are divided by this, except in layers with a window.
    pub linear_factor: f32,
    /// Rotated values of each head; the others pass.
    pub size: usize,
    /// Pairs are neighbours (0,1),(2,3) as in Llama's files, else (0,n/2),(1,n/2+1).
    pub neighbours: bool,
    /// Where a file has factors for short and long contexts: from this context on the long ones count.
    pub long_from: Option<usize>,
    /// Scales sine and cosine (Phi-3).
    pub magnitude: f32,
}

/// Gemma 3's local layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlidingWindow {
    pub tokens: usize,
    /// Each so-manyth layer sees all, the others the window.
    pub every: usize,
}

/// The activation of the feed-forward gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    Silu,
    Gelu,
}

impl Config {
    pub fn read(file: &GgufFile) -> Result<Self, GgufError> {
        let architecture = file.architecture();
        if !["llama", "qwen2", "qwen3", "gemma3", "phi3"].contains(&architecture) {
            return Err(GgufError::bad(format!("the architecture `{architecture}` is not built in")));
        }
        if size(file, "expert_count")?.unwrap_or(0) > 0 {
            return Err(GgufError::bad("mixtures of experts are not built in"));
        }
        let gemma = architecture == "gemma3";
        let phi = architecture == "phi3";
        let hidden = needed(file, "embedding_length")?;
        let heads = needed(file, "attention.head_count")?;
        let kv_heads = size(file, "attention.head_count_kv")?.unwrap_or(heads);
        if !heads.is_multiple_of(kv_heads) {
            return Err(GgufError::bad(format!("{heads} heads cannot share {kv_heads} keys")));
        }
        let head_size = size(file, "attention.key_length")?.unwrap_or(hidden / heads);
        if size(file, "attention.value_length")?.is_some_and(|length| length != head_size) {
            return Err(GgufError::bad("keys and values of different lengths are not built in"));
        }
        let rope_size = size(file, "rope.dimension_count")?.unwrap_or(head_size);
        if head_size == 0 || rope_size == 0 || rope_size > head_size || !rope_size.is_multiple_of(2) {
            return Err(GgufError::bad(format!("it rotates {rope_size} of {head_size} values")));
        }
        let base = real(file, "rope.freq_base")?.unwrap_or(if gemma { 1e6 } else { 1e4 });
        let linear_factor = match file.of_architecture("rope.scaling.type").map(|v| v.to_string()) {
            None => 1.0,
            // Factors for each pair, as a tensor, carry what `longrope` says.
            Some(Ok(kind)) if kind == "none" || kind == "longrope" => 1.0,
            Some(Ok(kind)) if kind == "linear" => real(file, "rope.scaling.factor")?.unwrap_or(1.0),
            Some(kind) => {
                let kind = kind.map_or("unknown", String::as_str);
                return Err(GgufError::bad(format!("the position scaling `{kind}` is not built in")));
            }
        };
        let epsilon = real(file, "attention.layer_norm_rms_epsilon")?.unwrap_or(1e-5);
        if !(base > 1.0 && linear_factor > 0.0 && (0.0..1.0).contains(&epsilon)) {
            return Err(GgufError::bad("its constants make no sense"));
        }
        // Phi-3's window is left out as llama.cpp does: it is as long as the short context.
        let window = if gemma {
            let every = size(file, "attention.sliding_window_pattern")?.unwrap_or(6).max(1);
            size(file, "attention.sliding_window")?.map(|tokens| SlidingWindow { tokens, every })
        } else {
            None
        };
        Ok(Self {
            layers: needed(file, "block_count")?,
            hidden,
            feed_forward: needed(file, "feed_forward_length")?,
            heads,
            kv_heads,
            head_size,
            trained_context: needed(file, "context_length")?,
            epsilon,
            rope: RopeConfig {
                base,
                local_base: real(file, "rope.local_freq_base")?.unwrap_or(1e4),
                linear_factor,
                size: rope_size,
                neighbours: architecture == "llama",
                long_from: if phi { size(file, "rope.scaling.original_context_length")? } else { None },
                magnitude: if phi { real(file, "rope.scaling.attn_factor")?.unwrap_or(1.0) } else { 1.0 },
            },
            window,
            gate: if gemma { Gate::Gelu } else { Gate::Silu },
            embedding_scale: if gemma { (hidden as f32).sqrt() } else { 1.0 },
            fused: phi,
            head_norms: gemma || architecture == "qwen3",
            post_norms: gemma,
        })
    }

    /// The window of a layer, if it has one.
    pub fn window_of(&self, layer: usize) -> Option<usize> {
        self.window.filter(|window| !(layer + 1).is_multiple_of(window.every)).map(|window| window.tokens)
    }

    /// Values of all query heads.
    pub fn query_size(&self) -> usize {
        self.heads * self.head_size
    }

    /// Values of all key heads, and of all value heads.
    pub fn kv_size(&self) -> usize {
        self.kv_heads * self.head_size
    }
}

fn needed(file: &GgufFile, key: &str) -> Result<usize, GgufError> {
    size(file, key)?.ok_or_else(|| GgufError::bad(format!("it has no value `{}.{key}`", file.architecture())))
}

/// A count that can be a size: at least 1, except where it is absent, and small enough to multiply freely.
fn size(file: &GgufFile, key: &str) -> Result<Option<usize>, GgufError> {
    let Some(value) = file.of_architecture(key) else { return Ok(None) };
    match unsigned(value) {
        Some(0) if key == "expert_count" => Ok(Some(0)),
        Some(size) if (1..=1 << 24).contains(&size) => Ok(Some(size as usize)),
        _ => Err(GgufError::bad(format!("its value `{key}` is not a sensible size"))),
    }
}

fn real(file: &GgufFile, key: &str) -> Result<Option<f32>, GgufError> {
    let Some(value) = file.of_architecture(key) else { return Ok(None) };
    match number(value) {
        Some(number) if number.is_finite() => Ok(Some(number)),
        _ => Err(GgufError::bad(format!("its value `{key}` is not a number"))),
    }
}

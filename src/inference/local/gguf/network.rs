//! The forward pass: tokens in, the scores of the next token out.
//!
//! One pass for all families; what differs between them is in [`Config`]. Called by `generate.rs`, inside
//! the pool whose threads it may use. Weights are read here and nowhere else; sampling, text and streams
//! are not known here.

use rayon::prelude::*;

use super::{
    attention::{self, Block},
    cache::KvCache,
    config::{Config, Gate},
    error::GgufError,
    file::GgufFile,
    kernels,
    matrix::{Matrix, Storage},
    rope::{Rope, RopeTable},
};

/// A model with fewer weights than this is kept dense: its answers are then limited by reading two bytes for
/// each weight, and its prompts by 32-bit arithmetic (measured on SmolLM2-135M).
const SMALL_MODEL: u64 = 300_000_000;

pub struct Network {
    pub config: Config,
    embeddings: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    head: Matrix,
    rope: Rope,
    /// For layers with a window.
    local_rope: Rope,
}

struct Layer {
    attention_norm: Vec<f32>,
    /// Queries of all heads, then keys, then values.
    qkv: Matrix,
    qkv_bias: Option<Vec<f32>>,
    query_norm: Option<Vec<f32>>,
    key_norm: Option<Vec<f32>>,
    output: Matrix,
    post_attention_norm: Option<Vec<f32>>,
    feed_forward_norm: Vec<f32>,
    /// The gate, then what it multiplies.
    gate_up: Matrix,
    down: Matrix,
    post_feed_forward_norm: Option<Vec<f32>>,
}

/// Room for activations, kept between calls so that an answer's tokens allocate next to nothing.
#[derive(Default)]
pub struct Room {
    x: Vec<f32>,
    normed: Vec<f32>,
    qkv: Vec<f32>,
    seen: Vec<f32>,
    gate_up: Vec<f32>,
    gated: Vec<f32>,
    added: Vec<f32>,
    wide: Vec<f32>,
    table: RopeTable,
    local_table: RopeTable,
    attention: attention::Room,
}

impl Network {
    /// `context` is the window that will be used: Phi-3 has other frequencies for long ones.
    pub fn load(file: &mut GgufFile, context: usize) -> Result<Self, GgufError> {
        let storage = if file.weights() < SMALL_MODEL { Storage::Dense } else { Storage::AsStored };
        Self::load_as(file, context, storage)
    }

    /// [`Self::load`] with a given form of the weights.
    pub fn load_as(file: &mut GgufFile, context: usize, storage: Storage) -> Result<Self, GgufError> {
        let config = Config::read(file)?;
        let vocabulary = file.rows("token_embd.weight")?;
        let hidden = config.hidden;
        let load = |file: &mut GgufFile, names: &[(String, usize)], columns| {
            Matrix::load(file, names, columns, storage)
        };
        let embeddings = load(file, &[("token_embd.weight".to_owned(), vocabulary)], hidden)?;
        let head = if file.has_tensor("output.weight") {
            load(file, &[("output.weight".to_owned(), vocabulary)], hidden)?
        } else {
            embeddings.share()
        };
        let layers = (0..config.layers)
            .map(|layer| Layer::load(file, &config, layer, storage))
            .collect::<Result<_, _>>()?;
        let factors = frequency_factors(file, &config, context)?;
        let rope = &config.rope;
        Ok(Self {
            embeddings,
            layers,
            norm: file.vector("output_norm.weight", hidden)?,
            head,
            rope: Rope::new(rope, rope.base, rope.linear_factor, factors.as_deref()),
            local_rope: Rope::new(rope, rope.local_base, 1.0, None),
            config,
        })
    }

    /// Scores that [`Self::read`] gives.
    pub fn vocabulary(&self) -> usize {
        self.head.rows()
    }

    /// Reads tokens behind those of the cache. Into `logits`, where given, go the scores of what comes next.
    pub fn read(
        &self,
        tokens: &[u32],
        cache: &mut KvCache,
        room: &mut Room,
        logits: Option<&mut Vec<f32>>,
    ) -> Result<(), GgufError> {
        let first = cache.tokens().len();
        let (count, hidden) = (tokens.len(), self.config.hidden);
        assert!(count > 0 && first + count <= cache.capacity(), "the tokens fit into the window");
        room.x.resize(count * hidden, 0.0);
        for (token, x) in tokens.iter().zip(room.x.chunks_exact_mut(hidden)) {
            self.embeddings.row(*token as usize, x)?;
            if self.config.embedding_scale != 1.0 {
                x.iter_mut().for_each(|x| *x *= self.config.embedding_scale);
            }
        }
        self.rope.fill(&mut room.table, first, count);
        if self.config.window.is_some() {
            self.local_rope.fill(&mut room.local_table, first, count);
        }
        for (index, layer) in self.layers.iter().enumerate() {
            self.attention(index, layer, first, cache, room)?;
            self.feed_forward(layer, room)?;
        }
        cache.push(tokens);
        if let Some(logits) = logits {
            let last = &room.x[(count - 1) * hidden..];
            room.normed.resize(hidden, 0.0);
            kernels::rms_norm(last, &self.norm, self.config.epsilon, &mut room.normed);
            logits.resize(self.head.rows(), 0.0);
            self.head.multiply(&room.normed, logits, &mut room.wide)?;
        }
        Ok(())
    }

    fn attention(
        &self,
        index: usize,
        layer: &Layer,
        first: usize,
        cache: &mut KvCache,
        room: &mut Room,
    ) -> Result<(), GgufError> {
        let config = &self.config;
        let count = room.x.len() / config.hidden;
        let (queries, kv) = (config.query_size(), config.kv_size());
        let stride = queries + 2 * kv;
        self.norm_rows(&room.x, &layer.attention_norm, &mut room.normed);
        room.qkv.resize(count * stride, 0.0);
        layer.qkv.multiply(&room.normed, &mut room.qkv, &mut room.wide)?;

        let window = config.window_of(index);
        let (rope, table) =
            if window.is_some() { (&self.local_rope, &room.local_table) } else { (&self.rope, &room.table) };
        each_row(&mut room.qkv, stride, |position, row| {
            if let Some(bias) = &layer.qkv_bias {
                row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
            }
            let (query, rest) = row.split_at_mut(queries);
            for (part, norm) in [(query, &layer.query_norm), (&mut rest[..kv], &layer.key_norm)] {
                for head in part.chunks_exact_mut(config.head_size) {
                    if let Some(norm) = norm {
                        kernels::rms_norm_in_place(head, norm, config.epsilon);
                    }
                    rope.turn(table, position, head);
                }
            }
        });
        for (position, row) in room.qkv.chunks_exact(stride).enumerate() {
            cache.write(index, first + position, &row[queries..queries + kv], &row[queries + kv..]);
        }

        let block = Block {
            layer: index,
            first,
            heads: config.heads,
            kv_heads: config.kv_heads,
            head_size: config.head_size,
            window,
        };
        room.seen.resize(count * queries, 0.0);
        attention::attend(block, &room.qkv, stride, cache, &mut room.seen, &mut room.attention);
        room.added.resize(count * config.hidden, 0.0);
        layer.output.multiply(&room.seen, &mut room.added, &mut room.wide)?;
        self.add(layer.post_attention_norm.as_deref(), room);
        Ok(())
    }

    fn feed_forward(&self, layer: &Layer, room: &mut Room) -> Result<(), GgufError> {
        let config = &self.config;
        let count = room.x.len() / config.hidden;
        let size = config.feed_forward;
        self.norm_rows(&room.x, &layer.feed_forward_norm, &mut room.normed);
        room.gate_up.resize(count * 2 * size, 0.0);
        layer.gate_up.multiply(&room.normed, &mut room.gate_up, &mut room.wide)?;
        room.gated.resize(count * size, 0.0);
        let gate_up = &room.gate_up;
        each_row(&mut room.gated, size, |index, out| {
            let (gate, up) = gate_up[index * 2 * size..][..2 * size].split_at(size);
            match config.gate {
                Gate::Silu => kernels::silu_gate(gate, up, out),
                Gate::Gelu => kernels::gelu_gate(gate, up, out),
            }
        });
        layer.down.multiply(&room.gated, &mut room.added, &mut room.wide)?;
        self.add(layer.post_feed_forward_norm.as_deref(), room);
        Ok(())
    }

    fn norm_rows(&self, x: &[f32], weight: &[f32], out: &mut Vec<f32>) {
        let hidden = self.config.hidden;
        out.resize(x.len(), 0.0);
        each_row(out, hidden, |index, out| {
            kernels::rms_norm(&x[index * hidden..][..hidden], weight, self.config.epsilon, out);
        });
    }

    /// `x += added`, normalised first where the family does so.
    fn add(&self, norm: Option<&[f32]>, room: &mut Room) {
        if let Some(norm) = norm {
            each_row(&mut room.added, self.config.hidden, |_, row| {
                kernels::rms_norm_in_place(row, norm, self.config.epsilon);
            });
        }
        room.x.iter_mut().zip(&room.added).for_each(|(x, added)| *x += added);
    }
}

impl Layer {
    fn load(file: &mut GgufFile, config: &Config, layer: usize, storage: Storage) -> Result<Self, GgufError> {
        let name = |part: &str| format!("blk.{layer}.{part}");
        let (hidden, size) = (config.hidden, config.feed_forward);
        let (queries, kv) = (config.query_size(), config.kv_size());
        let qkv = if config.fused {
            vec![(name("attn_qkv.weight"), queries + 2 * kv)]
        } else {
            vec![(name("attn_q.weight"), queries), (name("attn_k.weight"), kv), (name("attn_v.weight"), kv)]
        };
        let gate_up = if config.fused {
            vec![(name("ffn_up.weight"), 2 * size)]
        } else {
            vec![(name("ffn_gate.weight"), size), (name("ffn_up.weight"), size)]
        };
        let mut bias = Vec::new();
        for (part, length) in [("attn_q.bias", queries), ("attn_k.bias", kv), ("attn_v.bias", kv)] {
            bias.extend(file.optional_vector(&name(part), length)?.into_iter().flatten());
        }
        if !bias.is_empty() && bias.len() != queries + 2 * kv {
            return Err(GgufError::bad(format!(
                "layer {layer} has a bias for a part of its queries and keys only"
            )));
        }
        let head_norm = |file: &mut GgufFile, part: &str| {
            config.head_norms.then(|| file.vector(&name(part), config.head_size)).transpose()
        };
        let post_norm = |file: &mut GgufFile, part: &str| {
            config.post_norms.then(|| file.vector(&name(part), hidden)).transpose()
        };
        Ok(Self {
            attention_norm: file.vector(&name("attn_norm.weight"), hidden)?,
            qkv: Matrix::load(file, &qkv, hidden, storage)?,
            qkv_bias: (!bias.is_empty()).then_some(bias),
            query_norm: head_norm(file, "attn_q_norm.weight")?,
            key_norm: head_norm(file, "attn_k_norm.weight")?,
            output: Matrix::load(file, &[(name("attn_output.weight"), hidden)], queries, storage)?,
            post_attention_norm: post_norm(file, "post_attention_norm.weight")?,
            feed_forward_norm: file.vector(&name("ffn_norm.weight"), hidden)?,
            gate_up: Matrix::load(file, &gate_up, hidden, storage)?,
            down: Matrix::load(file, &[(name("ffn_down.weight"), hidden)], size, storage)?,
            post_feed_forward_norm: post_norm(file, "post_ffw_norm.weight")?,
        })
    }
}

/// What divides the frequency of each pair, if the file says so.
fn frequency_factors(
    file: &mut GgufFile,
    config: &Config,
    context: usize,
) -> Result<Option<Vec<f32>>, GgufError> {
    let pairs = config.rope.size / 2;
    let name = match config.rope.long_from {
        Some(original) if context > original => "rope_factors_long.weight",
        Some(_) => "rope_factors_short.weight",
        None => "rope_freqs.weight",
    };
    let factors = file.optional_vector(name, pairs)?;
    if factors.iter().flatten().any(|factor| !(factor.is_finite() && *factor > 0.0)) {
        return Err(GgufError::bad(format!("its tensor `{name}` has a factor that is not positive")));
    }
    Ok(factors)
}

/// Rows in parallel where there are enough of them to share.
fn each_row(rows: &mut [f32], size: usize, act: impl Fn(usize, &mut [f32]) + Sync) {
    const MANY: usize = 8;
    if rows.len() / size >= MANY {
        rows.par_chunks_exact_mut(size).enumerate().for_each(|(index, row)| act(index, row));
    } else {
        rows.chunks_exact_mut(size).enumerate().for_each(|(index, row)| act(index, row));
    }
}

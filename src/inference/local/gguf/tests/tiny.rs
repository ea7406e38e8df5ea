//! Makes GGUF files with small random weights, of every family and with a tokenizer, for tests.
//!
//! In: [`Tiny`], a description. Out: a file. The same description gives the same bytes everywhere.

use std::{collections::BTreeMap, path::Path};

use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType, QTensor,
        gguf_file::{self, Value},
    },
};

/// What a tiny model is like.
#[derive(Debug, Clone)]
pub struct Tiny {
    pub architecture: &'static str,
    pub layers: usize,
    pub hidden: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub head_size: usize,
    pub feed_forward: usize,
    pub dtype: GgmlDType,
    pub tied: bool,
    /// Gemma's local layers look back so far.
    pub window: u32,
    pub context: u32,
}

impl Tiny {
    pub fn of(architecture: &'static str) -> Self {
        Self {
            architecture,
            layers: 2,
            hidden: 64,
            heads: 4,
            kv_heads: 2,
            head_size: if ["qwen3", "gemma3"].contains(&architecture) { 32 } else { 16 },
            feed_forward: 128,
            dtype: GgmlDType::F32,
            tied: true,
            window: 512,
            context: 256,
        }
    }

    pub fn write(&self, path: &Path) {
        let tensors = self.tensors();
        let values = self.values();
        let values: Vec<(&str, &Value)> = values.iter().map(|(key, value)| (key.as_str(), value)).collect();
        let tensors: Vec<(&str, &QTensor)> =
            tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
        let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a test folder"));
        gguf_file::write(&mut file, &values, &tensors).expect("it can be written");
    }

    fn values(&self) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        let name = self.architecture;
        let size = |size: usize| Value::U32(size as u32);
        values.insert("general.architecture".to_owned(), Value::String(name.to_owned()));
        for (key, value) in [
            ("context_length", Value::U32(self.context)),
            ("embedding_length", size(self.hidden)),
            ("block_count", size(self.layers)),
            ("feed_forward_length", size(self.feed_forward)),
            ("attention.head_count", size(self.heads)),
            ("attention.head_count_kv", size(self.kv_heads)),
            ("attention.layer_norm_rms_epsilon", Value::F32(1e-5)),
            ("attention.key_length", size(self.head_size)),
            ("attention.value_length", size(self.head_size)),
            ("attention.sliding_window", Value::U32(self.window)),
            ("rope.dimension_count", size(self.head_size)),
            ("rope.freq_base", Value::F32(1e4)),
        ] {
            values.insert(format!("{name}.{key}"), value);
        }
        let (tokens, kinds) = tokens();
        let texts = |texts: Vec<String>| Value::Array(texts.into_iter().map(Value::String).collect());
        for (key, value) in [
            ("model", Value::String("gpt2".to_owned())),
            ("pre", Value::String("smollm".to_owned())),
            ("tokens", texts(tokens)),
            ("token_type", Value::Array(kinds.into_iter().map(Value::I32).collect())),
            ("merges", texts(vec!["t h".to_owned(), "th e".to_owned()])),
            ("bos_token_id", Value::U32(0)),
            ("eos_token_id", Value::U32(1)),
        ] {
            values.insert(format!("tokenizer.ggml.{key}"), value);
        }
        values
    }

    fn tensors(&self) -> Vec<(String, QTensor)> {
        let mut noise = Noise(0x1234_5678);
        let mut tensors = Vec::new();
        let (queries, kv) = (self.heads * self.head_size, self.kv_heads * self.head_size);
        let mut matrix = |name: String, rows: usize, columns: usize| {
            let scale = 1.5 / (columns as f32).sqrt();
            let values: Vec<f32> = (0..rows * columns).map(|_| noise.next() * scale).collect();
            let tensor = Tensor::from_vec(values, (rows, columns), &Device::Cpu).expect("a tensor");
            tensors.push((name, QTensor::quantize(&tensor, self.dtype).expect("whole blocks")));
        };
        matrix("token_embd.weight".to_owned(), tokens().0.len(), self.hidden);
        if !self.tied {
            matrix("output.weight".to_owned(), tokens().0.len(), self.hidden);
        }
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}.weight");
            if self.architecture == "phi3" {
                matrix(name("attn_qkv"), queries + 2 * kv, self.hidden);
                matrix(name("ffn_up"), 2 * self.feed_forward, self.hidden);
            } else {
                matrix(name("attn_q"), queries, self.hidden);
                matrix(name("attn_k"), kv, self.hidden);
                matrix(name("attn_v"), kv, self.hidden);
                matrix(name("ffn_gate"), self.feed_forward, self.hidden);
                matrix(name("ffn_up"), self.feed_forward, self.hidden);
            }
            matrix(name("attn_output"), self.hidden, queries);
            matrix(name("ffn_down"), self.hidden, self.feed_forward);
        }
        let mut vector = |name: String, length: usize, middle: f32| {
            let values: Vec<f32> = (0..length).map(|_| middle + 0.3 * noise.next()).collect();
            let tensor = Tensor::from_vec(values, length, &Device::Cpu).expect("a tensor");
            tensors.push((name, QTensor::quantize(&tensor, GgmlDType::F32).expect("any length")));
        };
        vector("output_norm.weight".to_owned(), self.hidden, 1.0);
        for layer in 0..self.layers {
            let name = |part: &str| format!("blk.{layer}.{part}");
            vector(name("attn_norm.weight"), self.hidden, 1.0);
            vector(name("ffn_norm.weight"), self.hidden, 1.0);
            if ["qwen3", "gemma3"].contains(&self.architecture) {
                vector(name("attn_q_norm.weight"), self.head_size, 1.0);
                vector(name("attn_k_norm.weight"), self.head_size, 1.0);
            }
            if self.architecture == "gemma3" {
                vector(name("post_attention_norm.weight"), self.hidden, 1.0);
                vector(name("post_ffw_norm.weight"), self.hidden, 1.0);
            }
            if self.architecture == "qwen2" {
                vector(name("attn_q.bias"), queries, 0.0);
                vector(name("attn_k.bias"), kv, 0.0);
                vector(name("attn_v.bias"), kv, 0.0);
            }
        }
        tensors
    }
}

/// Three control tokens, the printable ASCII letters with space and newline as byte-level BPE writes them, and
/// two merged tokens.
fn tokens() -> (Vec<String>, Vec<i32>) {
    let control = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"].map(str::to_owned);
    let letters = (b'!'..=b'~').map(|byte| char::from(byte).to_string());
    let more = ["Ġ", "Ċ", "th", "the"].map(str::to_owned);
    let tokens: Vec<String> = control.into_iter().chain(letters).chain(more).collect();
    let kinds = (0..tokens.len()).map(|id| if id < 3 { 3 } else { 1 }).collect();
    (tokens, kinds)
}

/// A linear congruential generator: the tests must be the same everywhere.
struct Noise(u32);

impl Noise {
    /// About normal: the sum of a few uniform numbers.
    fn next(&mut self) -> f32 {
        let mut sum = 0.0;
        for _ in 0..4 {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sum += (self.0 >> 8) as f32 / (1 << 24) as f32 - 0.5;
        }
        sum * 1.7
    }
}

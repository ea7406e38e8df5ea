//! The files of models of the BERT family: `config.json` and `model.safetensors`.
//!
//! In: a folder. Out: the shape of its encoder and weights by their names, as 32-bit floats. `bert.rs` and `cross.rs`
//! call it; `tokenizer.json` is theirs to read.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

use super::encoder::Shape;

/// The parts of `config.json` that matter here.
#[derive(Debug, Deserialize)]
pub struct Config {
    #[serde(default)]
    pub model_type: String,
    hidden_size: usize,
    intermediate_size: usize,
    num_attention_heads: usize,
    num_hidden_layers: usize,
    vocab_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "one")]
    type_vocab_size: usize,
    layer_norm_eps: f32,
    hidden_act: String,
    #[serde(default)]
    pad_token_id: usize,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    /// What a classifier's logits stand for, by their numbers.
    #[serde(default)]
    pub id2label: BTreeMap<String, String>,
}

fn one() -> usize {
    1
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl Config {
    pub fn read(folder: &Path) -> Result<Self, String> {
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        serde_json::from_slice(&text).map_err(|e| format!("{}: {e}", path.display()))
    }

    pub fn shape(&self) -> Result<Shape, String> {
        // RoBERTa's family numbers positions from behind the padding token on; E5's small multilingual model is a
        // BERT with such a family's tokenizer, and numbers from 0.
        let first_position = match self.model_type.as_str() {
            "bert" => 0,
            "roberta" | "xlm-roberta" | "camembert" => self.pad_token_id + 1,
            other => return Err(format!("models of the type `{other}` are not supported")),
        };
        if self.hidden_act != "gelu" || self.position_embedding_type != "absolute" {
            let (act, positions) = (&self.hidden_act, &self.position_embedding_type);
            return Err(format!("`{act}` with {positions} positions is not supported"));
        }
        Ok(Shape {
            hidden: self.hidden_size,
            inner: self.intermediate_size,
            heads: self.num_attention_heads,
            layers: self.num_hidden_layers,
            vocabulary: self.vocab_size,
            positions: self.max_position_embeddings,
            token_types: self.type_vocab_size,
            epsilon: self.layer_norm_eps,
            first_position,
        })
    }
}

/// Gives `then` the tensors of a folder.
pub fn with_tensors<T>(
    folder: &Path,
    then: impl FnOnce(&SafeTensors<'_>) -> Result<T, String>,
) -> Result<T, String> {
    let path = folder.join("model.safetensors");
    let file = File::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    // SAFETY: model files are written under another name and renamed when whole, so none changes while mapped.
    let map = unsafe { memmap2::Mmap::map(&file) }.map_err(|e| format!("{}: {e}", path.display()))?;
    let tensors = SafeTensors::deserialize(&map).map_err(|e| format!("{}: {e}", path.display()))?;
    then(&tensors)
}

/// A tensor by its name, with or without the prefix that some checkpoints put before it.
pub fn weights(tensors: &SafeTensors<'_>, name: &str, length: usize) -> Result<Vec<f32>, String> {
    let found =
        ["", "bert.", "roberta.", "model."].iter().find_map(|p| tensors.tensor(&format!("{p}{name}")).ok());
    let tensor = found.ok_or_else(|| format!("the weights lack `{name}`"))?;
    let bytes = tensor.data();
    let numbers: Vec<f32> = match tensor.dtype() {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => bytes.as_chunks().0.iter().map(|b| half::bf16::from_le_bytes(*b).to_f32()).collect(),
        other => return Err(format!("`{name}` is of the type {other:?}")),
    };
    if numbers.len() != length {
        return Err(format!("`{name}` has {} numbers, {length} were expected", numbers.len()));
    }
    Ok(numbers)
}

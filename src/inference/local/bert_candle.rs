//! Sentence embeddings of the BERT family on a graphics card, by candle's own model: the twin of `bert.rs`.
//!
//! In: the same folder, options and texts. Out: the same vectors. `device.rs` opens it where there is a card. It runs
//! on the processor too, several times slower than `bert.rs`, which is how the tests compare the two.

use std::path::Path;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config as CandleConfig};

use super::bert::{BertOptions, Cutter, Pooling, pool};
use super::checkpoint::Config;
use super::embedder::EmbedModel;
use crate::domain::{Embedding, EmbeddingModelId};
use crate::inference::{EmbedInput, ModelError};

/// Bytes of text that keep a card busy for some tens of milliseconds.
const UNIT_BYTES: usize = 64 * 1024;

/// A sentence encoder on a device of candle's.
pub struct CandleBert {
    id: EmbeddingModelId,
    cutter: Cutter,
    model: BertModel,
    device: Device,
    pooling: Pooling,
    vocabulary: u32,
}

impl CandleBert {
    /// Loads a model. Takes seconds; not for async threads.
    pub fn open(folder: &Path, options: &BertOptions, device: &Device) -> Result<Self, ModelError> {
        let unusable = |reason: String| ModelError::Unusable { model: options.name.clone(), reason };
        let kind = Config::read(folder).map_err(unusable)?.model_type;
        if kind != "bert" {
            return Err(unusable(format!("models of the type `{kind}` run on the processor only")));
        }
        let path = folder.join("config.json");
        let text = std::fs::read(&path).map_err(|e| unusable(format!("{}: {e}", path.display())))?;
        let config: CandleConfig =
            serde_json::from_slice(&text).map_err(|e| unusable(format!("{}: {e}", path.display())))?;
        let files = [folder.join("model.safetensors")];
        // SAFETY: model files are written under another name and renamed when whole, so none changes while mapped.
        let tensors = unsafe { VarBuilder::from_mmaped_safetensors(&files, DType::F32, device) };
        let model = tensors.and_then(|t| BertModel::load(t, &config)).map_err(|e| unusable(e.to_string()))?;
        let cutter = Cutter::open(folder, options, config.max_position_embeddings).map_err(unusable)?;
        let (name, revision) = (options.name.clone(), options.revision.clone());
        Ok(Self {
            id: EmbeddingModelId { name, revision, dimensions: config.hidden_size },
            cutter,
            model,
            device: device.clone(),
            pooling: options.pooling,
            vocabulary: u32::try_from(config.vocab_size).unwrap_or(u32::MAX),
        })
    }

    /// One padded batch.
    fn forward(&self, texts: &[Vec<u32>]) -> candle_core::Result<Vec<Embedding>> {
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        let shape = (texts.len(), longest);
        let padded = |text: &Vec<u32>, fill: fn(u32) -> u32| {
            let mut row: Vec<u32> = text.iter().map(|&id| fill(id)).collect();
            row.resize(longest, 0);
            row
        };
        let ids: Vec<u32> = texts.iter().flat_map(|t| padded(t, |id| id)).collect();
        let mask: Vec<u32> = texts.iter().flat_map(|t| padded(t, |_| 1)).collect();
        let ids = Tensor::from_vec(ids, shape, &self.device)?;
        let mask = Tensor::from_vec(mask, shape, &self.device)?;
        let states = self.model.forward(&ids, &ids.zeros_like()?, Some(&mask))?.to_vec3::<f32>()?;
        let width = self.id.dimensions;
        let vectors = texts.iter().zip(states).map(|(text, rows)| {
            let own: Vec<f32> = rows.into_iter().take(text.len()).flatten().collect();
            Embedding(pool(&own, width, self.pooling))
        });
        Ok(vectors.collect())
    }
}

impl EmbedModel for CandleBert {
    fn id(&self) -> &EmbeddingModelId {
        &self.id
    }

    fn embed(&mut self, inputs: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError> {
        let texts =
            inputs.iter().map(|i| self.cutter.cut(i, self.vocabulary)).collect::<Result<Vec<_>, _>>()?;
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        self.forward(&texts).map_err(|e| ModelError::Failed(e.to_string()))
    }

    fn unit_bytes(&self) -> usize {
        UNIT_BYTES
    }
}

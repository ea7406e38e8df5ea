//! Sentence embeddings of the BERT family on the processor: MiniLM, BGE, E5.
//!
//! In: a folder with `config.json`, `tokenizer.json` and `model.safetensors`, then texts. Out: vectors of length 1.
//! `device.rs` opens it, `embedder.rs` gives it a thread. Here texts become token numbers and hidden states become
//! vectors; the files are read in `checkpoint.rs`, the mathematics is `encoder.rs`, and `crew.rs` shares batches out over
//! some threads.

use std::path::Path;

use tokenizers::{Tokenizer, TruncationParams};

use super::checkpoint::{Config, weights, with_tensors};
use super::crew::{Crew, SHARE_TOKENS};
use super::embedder::EmbedModel;
use super::encoder::{Encoder, Scratch};
use crate::domain::{Embedding, EmbeddingModelId};
use crate::inference::{EmbedInput, EmbedRole, ModelError};

/// How hidden states become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Their mean: MiniLM, E5.
    Mean,
    /// The first token's: BGE.
    Cls,
}

/// What the files of a model do not say; the catalogue does.
#[derive(Debug, Clone)]
pub struct BertOptions {
    pub name: String,
    /// Revision or hash of the weights.
    pub revision: String,
    pub pooling: Pooling,
    /// Put before questions: `query: ` for E5, an instruction for BGE.
    pub question_prefix: String,
    /// Put before passages: `passage: ` for E5.
    pub passage_prefix: String,
    /// Texts are cut to this many tokens, special ones included; the model's own limit holds too.
    pub max_tokens: usize,
    /// Threads for batches.
    pub threads: usize,
}

/// Bytes of text that make about one share, at four bytes a token of English.
const SHARE_BYTES: usize = 4 * SHARE_TOKENS;

/// A sentence encoder on the processor.
pub struct Bert {
    id: EmbeddingModelId,
    cutter: Cutter,
    encoder: Encoder,
    pooling: Pooling,
    crew: Crew,
}

impl Bert {
    /// Loads a model. Takes about a second; not for async threads.
    pub fn open(folder: &Path, options: &BertOptions) -> Result<Self, ModelError> {
        let unusable = |reason: String| ModelError::Unusable { model: options.name.clone(), reason };
        let shape = Config::read(folder).and_then(|c| c.shape()).map_err(unusable)?;
        let encoder = with_tensors(folder, |tensors| {
            Encoder::load(shape, &mut |name, length| weights(tensors, name, length))
        })
        .map_err(unusable)?;
        let cutter = Cutter::open(folder, options, encoder.longest()).map_err(unusable)?;
        let dimensions = encoder.hidden();
        let id =
            EmbeddingModelId { name: options.name.clone(), revision: options.revision.clone(), dimensions };
        Ok(Self { id, cutter, encoder, pooling: options.pooling, crew: Crew::of(options.threads) })
    }

    /// The vectors of some texts, all in one forward pass.
    fn share(
        encoder: &Encoder,
        pooling: Pooling,
        texts: &[Vec<u32>],
        scratch: &mut Scratch,
    ) -> Vec<Embedding> {
        let width = encoder.hidden();
        let ids: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
        let mut states = encoder.forward(&ids, scratch);
        let mut vectors = Vec::with_capacity(texts.len());
        for text in texts {
            let (own, rest) = states.split_at(text.len() * width);
            vectors.push(Embedding(pool(own, width, pooling)));
            states = rest;
        }
        vectors
    }
}

impl EmbedModel for Bert {
    fn id(&self) -> &EmbeddingModelId {
        &self.id
    }

    fn embed(&mut self, inputs: &[EmbedInput]) -> Result<Vec<Embedding>, ModelError> {
        let limit = u32::try_from(self.encoder.vocabulary()).unwrap_or(u32::MAX);
        let texts =
            inputs.iter().map(|input| self.cutter.cut(input, limit)).collect::<Result<Vec<_>, _>>()?;
        let (encoder, pooling) = (&self.encoder, self.pooling);
        let share = |texts: &[Vec<u32>], scratch: &mut Scratch| Self::share(encoder, pooling, texts, scratch);
        Ok(self.crew.share_out(&texts, Vec::len, share))
    }

    /// One share for each thread, so that a waiting question waits for one share.
    fn unit_bytes(&self) -> usize {
        self.crew.threads() * SHARE_BYTES
    }
}

/// One vector of length 1 from the states of a text's tokens.
pub(super) fn pool(states: &[f32], width: usize, pooling: Pooling) -> Vec<f32> {
    let mut vector = vec![0f32; width];
    let counted = match pooling {
        Pooling::Mean => states,
        Pooling::Cls => &states[..width.min(states.len())],
    };
    // Mean and sum have the same direction; only the direction is kept.
    for row in counted.chunks_exact(width) {
        vector.iter_mut().zip(row).for_each(|(v, r)| *v += r);
    }
    let length = vector.iter().map(|v| v * v).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|v| *v /= length);
    }
    vector
}

/// Texts to token numbers, prefix and special tokens included.
pub(super) struct Cutter {
    tokenizer: Tokenizer,
    question_prefix: String,
    passage_prefix: String,
}

impl Cutter {
    pub(super) fn open(folder: &Path, options: &BertOptions, longest: usize) -> Result<Self, String> {
        let path = folder.join("tokenizer.json");
        let wrong = |e: tokenizers::Error| format!("{}: {e}", path.display());
        let mut tokenizer = Tokenizer::from_file(&path).map_err(wrong)?;
        // What the file says of padding and truncation is how the model was trained, not how it is used: MiniLM's
        // would pad every text to 128 tokens and cut it there.
        let max_length = options.max_tokens.min(longest);
        let cut = TruncationParams { max_length, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(cut)).map_err(wrong)?;
        let (question_prefix, passage_prefix) =
            (options.question_prefix.clone(), options.passage_prefix.clone());
        Ok(Self { tokenizer, question_prefix, passage_prefix })
    }

    /// The numbers of one text; all are below `limit`, else tokenizer and weights do not belong together.
    pub(super) fn cut(&self, input: &EmbedInput, limit: u32) -> Result<Vec<u32>, ModelError> {
        let prefix = match input.role {
            EmbedRole::Question => &self.question_prefix,
            EmbedRole::Passage => &self.passage_prefix,
        };
        let text = format!("{prefix}{}", input.text);
        let encoding =
            self.tokenizer.encode_fast(text, true).map_err(|e| ModelError::Failed(e.to_string()))?;
        match encoding.get_ids().iter().find(|id| **id >= limit) {
            Some(id) => {
                Err(ModelError::Failed(format!("token {id} is beyond the model's vocabulary of {limit}")))
            }
            None => Ok(encoding.get_ids().to_vec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::local::bert_candle::CandleBert;
    use serde::Deserialize;
    use std::path::PathBuf;

    /// Texts of many lengths and scripts with the vectors that sentence-transformers gives them, as ten-thousandths;
    /// tests/reference/embed_reference.py wrote it.
    #[derive(Deserialize)]
    struct Reference {
        text: String,
        vector: Vec<f32>,
    }

    fn references() -> Vec<Reference> {
        let json = include_str!("../../../tests/fixtures/embedding/minilm.json");
        serde_json::from_str(json).expect("the fixture is well formed")
    }

    fn folder() -> Option<PathBuf> {
        let folder = PathBuf::from(std::env::var_os("NEVERAFK_TEST_MODELS")?).join("all-MiniLM-L6-v2");
        folder.join("model.safetensors").exists().then_some(folder)
    }

    fn options(threads: usize) -> BertOptions {
        BertOptions {
            name: "all-MiniLM-L6-v2".into(),
            revision: "test".into(),
            pooling: Pooling::Mean,
            question_prefix: String::new(),
            passage_prefix: String::new(),
            max_tokens: 256,
            threads,
        }
    }

    fn cosine(a: &[f32], b: &[f32]) -> f64 {
        let dot =
            |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
        dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
    }

    /// The lowest cosine between a model's vectors and the references, in one batch or one by one.
    fn lowest(model: &mut dyn EmbedModel, at_once: usize) -> f64 {
        let references = references();
        let mut lowest = 1f64;
        for part in references.chunks(at_once) {
            let inputs: Vec<_> =
                part.iter().map(|r| EmbedInput { text: r.text.clone(), role: EmbedRole::Passage }).collect();
            let vectors = model.embed(&inputs).expect("it embeds");
            for (Embedding(got), reference) in vectors.iter().zip(part) {
                assert!((cosine(got, got) - 1.0).abs() < 1e-9 && got.len() == 384);
                let near = cosine(got, &reference.vector);
                assert!(near > 0.9999, "{near} for {:?}", reference.text);
                lowest = lowest.min(near);
            }
        }
        lowest
    }

    #[test]
    fn minilm_with_weights_agrees_with_sentence_transformers() {
        let Some(folder) = folder() else {
            eprintln!("skipped: NEVERAFK_TEST_MODELS has no all-MiniLM-L6-v2/model.safetensors");
            return;
        };
        for (threads, at_once) in [(1, 1), (2, 50), (3, 7)] {
            let mut model = Bert::open(&folder, &options(threads)).expect("it loads");
            eprintln!(
                "lowest cosine, {threads} threads, {at_once} at once: {:.7}",
                lowest(&mut model, at_once)
            );
        }
        let mut twin = CandleBert::open(&folder, &options(1), &candle_core::Device::Cpu).expect("it loads");
        eprintln!("lowest cosine of the twin: {:.7}", lowest(&mut twin, 10));
    }

    #[test]
    fn prefixes_and_the_limit_of_tokens_change_what_is_read() {
        let Some(folder) = folder() else {
            eprintln!("skipped: NEVERAFK_TEST_MODELS has no all-MiniLM-L6-v2/model.safetensors");
            return;
        };
        let prefixed = BertOptions { question_prefix: "query: ".into(), max_tokens: 6, ..options(1) };
        let cutter = Cutter::open(&folder, &prefixed, 512).expect("it opens");
        let cut =
            |text: &str, role| cutter.cut(&EmbedInput { text: text.into(), role }, 30_522).expect("it cuts");
        // [CLS] query : and so on up to the limit, [SEP] included.
        assert_eq!(cut("refund", EmbedRole::Question), [101, 23_032, 1_024, 25_416, 8_630, 102]);
        assert_eq!(cut("refund", EmbedRole::Passage), [101, 25_416, 8_630, 102]);
        assert_eq!(cut("refund refund refund", EmbedRole::Passage), [101, 25_416, 8_630, 25_416, 8_630, 102]);
        let input = EmbedInput { text: "refund".into(), role: EmbedRole::Passage };
        assert!(cutter.cut(&input, 1_000).is_err(), "a foreign tokenizer is noticed");
    }

    #[test]
    fn a_folder_without_a_model_is_unusable_with_a_reason() {
        let folder = tempfile::tempdir().expect("a folder");
        let check = |config: Option<&str>, reason: &str| {
            if let Some(config) = config {
                std::fs::write(folder.path().join("config.json"), config).expect("it is written");
            }
            match Bert::open(folder.path(), &options(1)) {
                Err(ModelError::Unusable { reason: why, .. }) => assert!(why.contains(reason), "{why}"),
                _ => panic!("it must not open"),
            }
        };
        check(None, "config.json");
        check(Some("{}"), "missing field");
        let config = |kind: &str, act: &str| {
            format!(
                r#"{{"model_type":"{kind}","hidden_size":384,"intermediate_size":1536,"num_attention_heads":12,
                "num_hidden_layers":6,"vocab_size":30522,"max_position_embeddings":512,"layer_norm_eps":1e-12,
                "hidden_act":"{act}"}}"#
            )
        };
        check(Some(&config("gpt2", "gelu")), "gpt2");
        check(Some(&config("bert", "silu")), "silu");
        check(Some(&config("bert", "gelu")), "model.safetensors");
        std::fs::write(folder.path().join("model.safetensors"), [9u8; 40]).expect("it is written");
        check(None, "model.safetensors");
    }
}

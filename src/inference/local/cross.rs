//! Cross-encoders of the BERT family on the processor: two texts in one forward pass, then a classifier.
//!
//! In: a folder with `config.json`, `tokenizer.json` and `model.safetensors`, then pairs of texts. Out: logits. BERT's
//! head is its pooler and a linear layer (Devlin et al. 2018), RoBERTa's a dense layer of its own before it (Liu et al.
//! 2019); RoBERTa's family does not tell the two texts apart by types. `pairs.rs` gives it a thread; the mathematics of
//! the encoder is `encoder.rs`.

use std::path::Path;

use safetensors::SafeTensors;
use tokenizers::{Tokenizer, TruncationParams};

use super::checkpoint::{Config, weights, with_tensors};
use super::crew::Crew;
use super::encoder::{Encoder, Scratch};
use crate::inference::ModelError;
use crate::inference::pairs::{PairModel, TextPair};

/// What the files of a model do not say.
#[derive(Debug, Clone)]
pub struct CrossOptions {
    pub name: String,
    /// Pairs are cut to this many tokens, special ones included; the model's own limit holds too.
    pub max_tokens: usize,
    /// Threads for batches.
    pub threads: usize,
}

/// Bytes of a question with a passage of usual length: as many pairs as there are threads make a unit.
const PAIR_BYTES: usize = 1_400;
/// A window below this has no room for two texts and the tokens around them.
const SMALLEST_WINDOW: usize = 16;

/// A cross-encoder on the processor.
pub struct CrossEncoder {
    name: String,
    labels: Vec<String>,
    tokenizer: Tokenizer,
    encoder: Encoder,
    head: Head,
    /// Whether the second text has a type of its own.
    has_types: bool,
    crew: Crew,
}

/// A pair as token numbers.
struct Cut {
    ids: Vec<u32>,
    /// Where the second text begins, as types tell it.
    second: usize,
}

impl CrossEncoder {
    /// Loads a model. Takes about a second; not for async threads.
    pub fn open(folder: &Path, options: &CrossOptions) -> Result<Self, ModelError> {
        let unusable = |reason: String| ModelError::Unusable { model: options.name.clone(), reason };
        let config = Config::read(folder).map_err(unusable)?;
        let shape = config.shape().map_err(unusable)?;
        let (encoder, head) = with_tensors(folder, |tensors| {
            let encoder = Encoder::load(shape, &mut |name, length| weights(tensors, name, length))?;
            let head = Head::load(&config, tensors, encoder.hidden())?;
            Ok((encoder, head))
        })
        .map_err(unusable)?;
        let label = |at: usize| {
            config.id2label.get(&at.to_string()).cloned().unwrap_or_else(|| format!("LABEL_{at}"))
        };
        let labels = (0..head.out_bias.len()).map(label).collect();
        let tokenizer = tokenizer(folder, options.max_tokens.min(encoder.longest())).map_err(unusable)?;
        Ok(Self {
            name: options.name.clone(),
            labels,
            tokenizer,
            encoder,
            head,
            has_types: config.model_type == "bert",
            crew: Crew::of(options.threads),
        })
    }

    /// The token numbers of a pair; all are in the vocabulary, else tokenizer and weights do not belong together.
    fn cut(&self, pair: &TextPair) -> Result<Cut, ModelError> {
        let both = (pair.first.as_str(), pair.second.as_str());
        let encoding =
            self.tokenizer.encode_fast(both, true).map_err(|e| ModelError::Failed(e.to_string()))?;
        let (ids, limit) = (encoding.get_ids().to_vec(), self.encoder.vocabulary());
        if let Some(id) = ids.iter().find(|id| **id as usize >= limit) {
            return Err(ModelError::Failed(format!(
                "token {id} is beyond the model's vocabulary of {limit}"
            )));
        }
        let second = if self.has_types {
            encoding.get_type_ids().iter().position(|kind| *kind == 1).unwrap_or(ids.len())
        } else {
            ids.len()
        };
        Ok(Cut { ids, second })
    }
}

/// The logits of some pairs, all in one forward pass.
fn share(encoder: &Encoder, head: &Head, pairs: &[Cut], scratch: &mut Scratch) -> Vec<Vec<f32>> {
    let width = encoder.hidden();
    let ids: Vec<&[u32]> = pairs.iter().map(|pair| pair.ids.as_slice()).collect();
    let seconds: Vec<usize> = pairs.iter().map(|pair| pair.second).collect();
    let mut states = encoder.forward_pairs(&ids, &seconds, scratch);
    let mut all = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (own, rest) = states.split_at(pair.ids.len() * width);
        all.push(head.logits(&own[..width.min(own.len())]));
        states = rest;
    }
    all
}

impl PairModel for CrossEncoder {
    fn name(&self) -> &str {
        &self.name
    }

    fn labels(&self) -> &[String] {
        &self.labels
    }

    fn score(&mut self, pairs: &[TextPair]) -> Result<Vec<Vec<f32>>, ModelError> {
        let cut = pairs.iter().map(|pair| self.cut(pair)).collect::<Result<Vec<_>, _>>()?;
        let (encoder, head) = (&self.encoder, &self.head);
        let work = |pairs: &[Cut], scratch: &mut Scratch| share(encoder, head, pairs, scratch);
        Ok(self.crew.share_out(&cut, |pair| pair.ids.len(), work))
    }

    /// One pair of usual length for each thread, so that a waiting question waits for one forward pass.
    fn unit_bytes(&self) -> usize {
        self.crew.threads() * PAIR_BYTES
    }
}

/// Texts to token numbers: the longer text is cut where both do not fit, and what a text writes as `[SEP]` is ordinary
/// text, so that a document cannot write control tokens.
fn tokenizer(folder: &Path, max_length: usize) -> Result<Tokenizer, String> {
    let path = folder.join("tokenizer.json");
    let wrong = |e: tokenizers::Error| format!("{}: {e}", path.display());
    if max_length < SMALLEST_WINDOW {
        return Err(format!("a window of {max_length} tokens is too small for two texts"));
    }
    let mut tokenizer = Tokenizer::from_file(&path).map_err(wrong)?;
    // The default cuts the longest first: of a question and a passage that is the passage, of evidence and a claim the
    // evidence. The file's own padding and limit are how the model was trained, not how it is used.
    let cut = TruncationParams { max_length, ..TruncationParams::default() };
    tokenizer.with_padding(None).with_truncation(Some(cut)).map_err(wrong)?;
    tokenizer.set_encode_special_tokens(true);
    Ok(tokenizer)
}

/// The classifier: from the state of the first token to logits.
struct Head {
    dense: Vec<f32>,
    dense_bias: Vec<f32>,
    out: Vec<f32>,
    out_bias: Vec<f32>,
}

impl Head {
    fn load(config: &Config, tensors: &SafeTensors<'_>, width: usize) -> Result<Self, String> {
        let (dense, out) = match config.model_type.as_str() {
            "bert" => ("pooler.dense", "classifier"),
            _ => ("classifier.dense", "classifier.out_proj"),
        };
        let shape = tensors.tensor(&format!("{out}.weight"));
        let shape = shape.map_err(|_| format!("the weights lack `{out}.weight`: it is no cross-encoder"))?;
        let labels = shape.shape().first().copied().unwrap_or(0);
        if labels == 0 {
            return Err("its classifier has no labels".to_owned());
        }
        let get = |name: &str, part: &str, length| weights(tensors, &format!("{name}.{part}"), length);
        Ok(Self {
            dense: get(dense, "weight", width * width)?,
            dense_bias: get(dense, "bias", width)?,
            out: get(out, "weight", labels * width)?,
            out_bias: get(out, "bias", labels)?,
        })
    }

    fn logits(&self, state: &[f32]) -> Vec<f32> {
        let mut pooled = linear(&self.dense, &self.dense_bias, state);
        pooled.iter_mut().for_each(|v| *v = v.tanh());
        linear(&self.out, &self.out_bias, &pooled)
    }
}

/// `weights · x + bias`, one row of weights for each number that comes out.
fn linear(weights: &[f32], bias: &[f32], x: &[f32]) -> Vec<f32> {
    let row = |(row, bias): (&[f32], &f32)| bias + row.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    weights.chunks_exact(x.len().max(1)).zip(bias).map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use std::path::PathBuf;

    /// Pairs of many lengths with the logits that transformers gives them; tests/reference/cross_encoders.py made them
    /// and the tiny models, whose weights mean nothing.
    #[derive(Deserialize)]
    struct Reference {
        first: String,
        second: String,
        logits: Vec<f32>,
    }

    #[derive(Deserialize)]
    struct References {
        labels: Vec<String>,
        pairs: Vec<Reference>,
    }

    fn folder(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cross").join(name)
    }

    fn open(name: &str, threads: usize) -> CrossEncoder {
        let options = CrossOptions { name: name.to_owned(), max_tokens: 512, threads };
        CrossEncoder::open(&folder(name), &options).unwrap()
    }

    #[track_caller]
    fn check(name: &str) {
        let text = std::fs::read(folder(name).join("reference.json")).unwrap();
        let References { labels, pairs } = serde_json::from_slice(&text).unwrap();
        let texts: Vec<TextPair> = pairs
            .iter()
            .map(|pair| TextPair { first: pair.first.clone(), second: pair.second.clone() })
            .collect();
        assert!(texts.len() >= 20);
        for (threads, at_once) in [(1, 1), (2, 100), (3, 4)] {
            let mut model = open(name, threads);
            assert_eq!(model.labels(), labels);
            let scores = texts.chunks(at_once).flat_map(|part| model.score(part).unwrap());
            let mut furthest = 0f32;
            for (got, pair) in scores.zip(&pairs) {
                assert_eq!(got.len(), labels.len());
                for (got, right) in got.iter().zip(&pair.logits) {
                    furthest = furthest.max((got - right).abs());
                }
            }
            assert!(furthest <= 1e-4, "{name}, {threads} threads: {furthest}");
        }
    }

    #[test]
    fn a_bert_agrees_with_transformers() {
        check("bert");
    }

    #[test]
    fn a_roberta_agrees_with_transformers() {
        check("roberta");
    }

    #[test]
    fn control_tokens_of_a_text_are_ordinary_text() {
        let model = open("bert", 1);
        let cut = |second: &str| {
            model.cut(&TextPair { first: "a refund".into(), second: second.into() }).unwrap().ids
        };
        let separator = *cut("b").last().unwrap();
        let count = |ids: Vec<u32>| ids.iter().filter(|id| **id == separator).count();
        assert_eq!((count(cut("b")), count(cut("b [SEP] c"))), (2, 2));
    }

    #[test]
    fn a_model_without_a_classifier_is_refused_with_a_reason() {
        let copy = tempfile::tempdir().unwrap();
        for file in ["model.safetensors", "tokenizer.json", "config.json"] {
            std::fs::copy(folder("bert").join(file), copy.path().join(file)).unwrap();
        }
        let config = std::fs::read_to_string(copy.path().join("config.json")).unwrap();
        let check = |from: &str, to: &str, max_tokens, says: &str| {
            std::fs::write(copy.path().join("config.json"), config.replace(from, to)).unwrap();
            let options = CrossOptions { name: "tiny".into(), max_tokens, threads: 1 };
            match CrossEncoder::open(copy.path(), &options) {
                Err(ModelError::Unusable { reason, .. }) => assert!(reason.contains(says), "{reason}"),
                _ => panic!("it must not open"),
            }
        };
        // The same weights read as a RoBERTa's, whose head has other names.
        check(r#""model_type": "bert""#, r#""model_type": "roberta""#, 512, "no cross-encoder");
        check(r#""model_type": "bert""#, r#""model_type": "deberta-v2""#, 512, "deberta-v2");
        check("", "", 8, "too small");
    }
}

//! What kind of model a file or folder holds, read from its first bytes, never from its name.
//!
//! [`super::import`] asks before it copies. GGUF, safetensors and whisper.cpp's ggml are data and nothing else;
//! pickles can run code when they are opened, so they are refused and never parsed.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::catalog::{ModelKind, ModelSettings, Pooling};

/// What a path holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Sniffed {
    pub kind: ModelKind,
    pub settings: ModelSettings,
    /// What to copy: where it is, and its path in the model's folder.
    pub files: Vec<(PathBuf, String)>,
}

/// Why something is no model that can be used.
#[derive(Debug, thiserror::Error)]
pub enum SniffError {
    #[error("`{0}` is a pickle, and opening a pickle can run any code")]
    Pickle(PathBuf),
    #[error("`{0}` is no GGUF, safetensors or whisper.cpp file")]
    Unknown(PathBuf),
    #[error("`{path}` is damaged: {reason}")]
    Damaged { path: PathBuf, reason: &'static str },
    #[error("the folder `{folder}` has no `{missing}`")]
    Missing { folder: PathBuf, missing: &'static str },
    #[error("`{architecture}` is no architecture of an embedding model, a reranker or an entailment model")]
    Architecture { architecture: String },
    #[error("cannot read {path}: {error}")]
    Io { path: PathBuf, error: io::Error },
}

/// Settings of sentence-transformers that are copied along when they are there.
const EXTRAS: [&str; 6] = [
    "tokenizer_config.json",
    "special_tokens_map.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "1_Pooling/config.json",
];
/// JSON settings are small; a larger file is something else.
const MAX_JSON: u64 = 64 << 20;

/// Looks at a file or a folder.
pub fn sniff(path: &Path) -> Result<Sniffed, SniffError> {
    let metadata = fs::metadata(path).map_err(|error| SniffError::Io { path: path.to_owned(), error })?;
    if metadata.is_dir() { of_folder(path) } else { of_file(path) }
}

fn of_file(path: &Path) -> Result<Sniffed, SniffError> {
    let io = |error| SniffError::Io { path: path.to_owned(), error };
    let mut file = BufReader::new(File::open(path).map_err(io)?);
    let mut magic = [0; 4];
    if !fills(&mut file, &mut magic).map_err(io)? {
        return Err(SniffError::Unknown(path.to_owned()));
    }
    let kind = match &magic {
        b"GGUF" => {
            let architecture = gguf_architecture(&mut file)
                .ok_or(SniffError::Damaged { path: path.to_owned(), reason: "its header cannot be read" })?;
            if architecture.contains("bert") { ModelKind::Embedding } else { ModelKind::Chat }
        }
        // 0x67676d6c, little-endian: "ggml", whisper.cpp's format.
        // Silero's weights say their name next, with its length before it.
        b"lmgg" => {
            let mut next = [0; 14];
            let is_voice = fills(&mut file, &mut next).map_err(io)? && next == *b"\x0a\0\0\0silero-16k";
            if is_voice { ModelKind::Voice } else { ModelKind::Transcription }
        }
        magic if is_pickle(magic) => return Err(SniffError::Pickle(path.to_owned())),
        _ => return Err(SniffError::Unknown(path.to_owned())),
    };
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| SniffError::Unknown(path.to_owned()))?;
    Ok(Sniffed { kind, settings: ModelSettings::default(), files: vec![(path.to_owned(), name.to_owned())] })
}

fn of_folder(folder: &Path) -> Result<Sniffed, SniffError> {
    let mut files = Vec::new();
    for missing in ["model.safetensors", "tokenizer.json", "config.json"] {
        let path = folder.join(missing);
        if !path.is_file() {
            let pickle = folder.join("pytorch_model.bin");
            if missing == "model.safetensors" && pickle.is_file() {
                return Err(SniffError::Pickle(pickle));
            }
            return Err(SniffError::Missing { folder: folder.to_owned(), missing });
        }
        files.push((path, missing.to_owned()));
    }
    check_safetensors(&files[0].0)?;
    let config = json(&files[2].0)?;
    let kind = kind_of_config(&config)?;
    let mut settings = ModelSettings::default();
    for extra in EXTRAS {
        let path = folder.join(extra);
        if path.is_file() {
            files.push((path, extra.to_owned()));
        }
    }
    let number = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok())
    };
    settings.context = number(&config, "max_position_embeddings");
    let sentence = folder.join("sentence_bert_config.json");
    if sentence.is_file() {
        settings.context = number(&json(&sentence)?, "max_seq_length").or(settings.context);
    }
    if kind == ModelKind::Embedding {
        settings.dimensions = number(&config, "hidden_size");
        settings.pooling = Some(pooling_of(folder)?);
    }
    Ok(Sniffed { kind, settings, files })
}

/// Mean where nothing else is said, as sentence-transformers does.
fn pooling_of(folder: &Path) -> Result<Pooling, SniffError> {
    let path = folder.join("1_Pooling/config.json");
    if !path.is_file() {
        return Ok(Pooling::Mean);
    }
    let cls = json(&path)?.get("pooling_mode_cls_token").and_then(Value::as_bool).unwrap_or(false);
    Ok(if cls { Pooling::Cls } else { Pooling::Mean })
}

fn kind_of_config(config: &Value) -> Result<ModelKind, SniffError> {
    let names = config.get("architectures").and_then(Value::as_array);
    let name = names.and_then(|names| names.first()).and_then(Value::as_str).unwrap_or("");
    if name.ends_with("ForSequenceClassification") {
        // What its logits stand for tells what it is for.
        let labels = config.get("id2label").and_then(Value::as_object).into_iter().flatten();
        let mut labels = labels.filter_map(|(_, label)| label.as_str());
        let is_entailment = labels.any(|label| label.to_lowercase().starts_with("entail"));
        return Ok(if is_entailment { ModelKind::Entailment } else { ModelKind::Reranker });
    }
    // Encoders only: a decoder's safetensors cannot be run, chat models are read from GGUF.
    if ["BertModel", "RobertaModel", "BertForMaskedLM", "RobertaForMaskedLM"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        return Ok(ModelKind::Embedding);
    }
    Err(SniffError::Architecture { architecture: name.to_owned() })
}

/// The header's length, then JSON: <https://github.com/huggingface/safetensors#format>.
fn check_safetensors(path: &Path) -> Result<(), SniffError> {
    let io = |error| SniffError::Io { path: path.to_owned(), error };
    let damaged = |reason| SniffError::Damaged { path: path.to_owned(), reason };
    let mut file = File::open(path).map_err(io)?;
    let size = file.metadata().map_err(io)?.len();
    let mut length = [0; 8];
    if !fills(&mut file, &mut length).map_err(io)? {
        return Err(damaged("it is empty"));
    }
    if is_pickle(&[length[0], length[1], length[2], length[3]]) {
        return Err(SniffError::Pickle(path.to_owned()));
    }
    let length = u64::from_le_bytes(length);
    // The format's own limit for headers.
    if length > 100_000_000 || length > size.saturating_sub(8) {
        return Err(damaged("its header does not fit into it"));
    }
    let header: Value = serde_json::from_reader(BufReader::new(file.take(length)))
        .map_err(|_| damaged("its header is no JSON"))?;
    let end = header
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, tensor)| tensor.get("data_offsets")?.get(1)?.as_u64())
        .max()
        .ok_or_else(|| damaged("it has no tensors"))?;
    if size - 8 - length != end { Err(damaged("it is cut short")) } else { Ok(()) }
}

/// A ZIP (PyTorch since 1.6) or a bare pickle of protocol 2 to 5.
fn is_pickle(magic: &[u8; 4]) -> bool {
    magic.starts_with(b"PK\x03\x04") || (magic[0] == 0x80 && (2..=5).contains(&magic[1]))
}

fn json(path: &Path) -> Result<Value, SniffError> {
    let io = |error| SniffError::Io { path: path.to_owned(), error };
    let file = File::open(path).map_err(io)?;
    serde_json::from_reader(BufReader::new(file.take(MAX_JSON)))
        .map_err(|_| SniffError::Damaged { path: path.to_owned(), reason: "it is no JSON" })
}

/// Whether there was enough to fill the buffer.
fn fills(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// `general.architecture` of a GGUF header whose magic has been read; `None` for a damaged one.
/// The layout: <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>.
fn gguf_architecture(from: &mut impl Read) -> Option<String> {
    let mut header = Gguf { from, left: 64 << 20 };
    let version = header.u32()?;
    if !(2..=3).contains(&version) {
        return None;
    }
    let _tensors = header.u64()?;
    let pairs = header.u64()?;
    for _ in 0..pairs {
        let key = header.string()?;
        let kind = header.u32()?;
        if key == b"general.architecture" && kind == 8 {
            return String::from_utf8(header.string()?).ok();
        }
        header.skip_value(kind, 0)?;
    }
    None
}

/// Reads a GGUF header within a budget, so that a hostile length costs nothing.
struct Gguf<'a, R> {
    from: &'a mut R,
    left: u64,
}

impl<R: Read> Gguf<'_, R> {
    fn bytes(&mut self, count: u64) -> Option<Vec<u8>> {
        self.left = self.left.checked_sub(count)?;
        let mut bytes = vec![0; usize::try_from(count).ok()?];
        self.from.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.left = self.left.checked_sub(count)?;
        let skipped = io::copy(&mut self.from.by_ref().take(count), &mut io::sink()).ok()?;
        (skipped == count).then_some(())
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.bytes(8)?.try_into().ok()?))
    }

    fn string(&mut self) -> Option<Vec<u8>> {
        let length = self.u64()?;
        self.bytes(length)
    }

    fn skip_value(&mut self, kind: u32, depth: u8) -> Option<()> {
        match kind {
            0 | 1 | 7 => self.skip(1),
            2 | 3 => self.skip(2),
            4..=6 => self.skip(4),
            10..=12 => self.skip(8),
            8 => {
                let length = self.u64()?;
                self.skip(length)
            }
            // An array: the kind of its items, how many, the items. Arrays of arrays are legal; deep ones are not sane.
            9 if depth < 4 => {
                let (item, count) = (self.u32()?, self.u64()?);
                (0..count).try_for_each(|_| self.skip_value(item, depth + 1))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A GGUF header with some pairs before the one that matters.
    fn gguf(architecture: &str) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        let text = |bytes: &mut Vec<u8>, text: &str| {
            bytes.extend((text.len() as u64).to_le_bytes());
            bytes.extend(text.as_bytes());
        };
        bytes.extend(3_u32.to_le_bytes());
        bytes.extend(0_u64.to_le_bytes());
        bytes.extend(3_u64.to_le_bytes());
        text(&mut bytes, "general.alignment");
        bytes.extend(4_u32.to_le_bytes());
        bytes.extend(32_u32.to_le_bytes());
        text(&mut bytes, "tokenizer.ggml.tokens");
        bytes.extend(9_u32.to_le_bytes());
        bytes.extend(8_u32.to_le_bytes());
        bytes.extend(2_u64.to_le_bytes());
        text(&mut bytes, "<s>");
        text(&mut bytes, "</s>");
        text(&mut bytes, "general.architecture");
        bytes.extend(8_u32.to_le_bytes());
        text(&mut bytes, architecture);
        bytes
    }

    pub(crate) fn safetensors() -> Vec<u8> {
        let header = br#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header);
        bytes.extend(1_f32.to_le_bytes());
        bytes
    }

    #[test]
    fn files_are_known_by_their_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            sniff(&path).map(|found| found.kind).map_err(|error| error.to_string())
        };
        assert_eq!(check(&gguf("llama")), Ok(ModelKind::Chat));
        assert_eq!(check(&gguf("nomic-bert")), Ok(ModelKind::Embedding));
        assert_eq!(check(b"lmgg...."), Ok(ModelKind::Transcription));
        assert!(check(b"PK\x03\x04archive/data.pkl").unwrap_err().contains("pickle"));
        assert!(check(b"\x80\x02}q\x00").unwrap_err().contains("pickle"));
        assert!(check(b"<!doctype html>").unwrap_err().contains("no GGUF"));
        assert!(check(b"").unwrap_err().contains("no GGUF"));
        let whole = gguf("llama");
        for cut in 4..whole.len() {
            assert!(check(&whole[..cut]).unwrap_err().contains("damaged"), "cut at {cut}");
        }
        let mut hostile = whole;
        hostile[24..32].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(check(&hostile).unwrap_err().contains("damaged"));
    }

    #[test]
    fn folders_are_known_by_their_settings() {
        let folder = tempfile::tempdir().unwrap();
        let put = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let says = || sniff(folder.path()).unwrap_err().to_string();
        assert!(says().contains("no `model.safetensors`"));
        put("pytorch_model.bin", b"PK\x03\x04");
        assert!(says().contains("pickle"));
        put("model.safetensors", &safetensors());
        put("tokenizer.json", b"{}");
        put(
            "config.json",
            br#"{"architectures":["BertModel"],"hidden_size":384,"max_position_embeddings":512}"#,
        );
        let found = sniff(folder.path()).unwrap();
        assert_eq!((found.kind, found.files.len()), (ModelKind::Embedding, 3));
        assert_eq!((found.settings.dimensions, found.settings.context), (Some(384), Some(512)));
        assert_eq!(found.settings.pooling, Some(Pooling::Mean));

        put("1_Pooling/config.json", br#"{"pooling_mode_cls_token":true}"#);
        put("sentence_bert_config.json", br#"{"max_seq_length":256}"#);
        let found = sniff(folder.path()).unwrap();
        assert_eq!((found.settings.pooling, found.settings.context), (Some(Pooling::Cls), Some(256)));
        assert_eq!(found.files.len(), 5);

        put("config.json", br#"{"architectures":["XLMRobertaForSequenceClassification"]}"#);
        assert_eq!(sniff(folder.path()).unwrap().kind, ModelKind::Reranker);
        put(
            "config.json",
            br#"{"architectures":["RobertaForSequenceClassification"],"id2label":{"0":"neutral","1":"ENTAILMENT"}}"#,
        );
        assert_eq!(sniff(folder.path()).unwrap().kind, ModelKind::Entailment);
        put("config.json", br#"{"architectures":["LlamaForCausalLM"]}"#);
        assert!(says().contains("LlamaForCausalLM"));
        put("model.safetensors", &safetensors()[..20]);
        assert!(says().contains("does not fit"));
        let whole = safetensors();
        put("model.safetensors", &whole[..whole.len() - 1]);
        assert!(says().contains("cut short"));
        put("model.safetensors", b"\x80\x02}q\x00......");
        assert!(says().contains("pickle"));
    }
}

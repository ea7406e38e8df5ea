//! Tokens against the `tokenizers` package of Python and against llama.cpp.
//!
//! `tests/reference/chat_tokens.py` made the fixtures: a small vocabulary of each kind, trained on a text of
//! ours, and the tokens of SmolLM2's. Where `NEVERAFK_TEST_VOCABULARIES` names llama.cpp's folder `models`, its
//! own `ggml-vocab-*.gguf` are compared with what it expects of them.

use std::{collections::BTreeMap, path::Path};

use candle_core::quantized::gguf_file::{self, Value};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use crate::inference::local::gguf::{file::GgufFile, pieces::Writer, tokenizer::Tokenizer};

fn read(path: &Path) -> Tokenizer {
    let mut file = GgufFile::open(path).expect("an honest file");
    Tokenizer::read(&mut file).expect("a tokenizer")
}

fn written(tokenizer: &Tokenizer, tokens: &[u32]) -> String {
    let mut writer = Writer::default();
    let mut text = String::new();
    for token in tokens {
        writer.push(&tokenizer.pieces, *token, &mut text);
    }
    writer.finish(&mut text);
    text
}

#[derive(Deserialize)]
struct Case {
    text: String,
    ids: Vec<u32>,
}

fn check(of: &str, tokenizer: &Tokenizer, cases: &[Case]) {
    for Case { text, ids } in cases {
        assert_eq!(tokenizer.encode(text).expect("tokens"), *ids, "{of}: {text:?}");
    }
}

#[derive(Deserialize)]
struct Small {
    model: String,
    pre: String,
    tokens: Vec<String>,
    kinds: Vec<i32>,
    #[serde(default)]
    merges: Vec<String>,
    #[serde(default)]
    scores: Vec<f32>,
    space_prefix: bool,
    cases: Vec<Case>,
}

#[test]
fn small_vocabularies_of_each_kind() {
    let all: BTreeMap<String, Small> =
        serde_json::from_str(include_str!("../../../../../tests/fixtures/chat/vocabularies.json"))
            .expect("it parses");
    assert!(all.len() >= 4);
    for (name, small) in all {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vocabulary.gguf");
        let texts = |texts: &[String]| Value::Array(texts.iter().cloned().map(Value::String).collect());
        let mut values = vec![
            ("general.architecture", Value::String("llama".to_owned())),
            ("tokenizer.ggml.model", Value::String(small.model.clone())),
            ("tokenizer.ggml.pre", Value::String(small.pre.clone())),
            ("tokenizer.ggml.tokens", texts(&small.tokens)),
            (
                "tokenizer.ggml.token_type",
                Value::Array(small.kinds.iter().copied().map(Value::I32).collect()),
            ),
            ("tokenizer.ggml.add_space_prefix", Value::Bool(small.space_prefix)),
        ];
        if small.merges.is_empty() {
            let scores = small.scores.iter().copied().map(Value::F32).collect();
            values.push(("tokenizer.ggml.scores", Value::Array(scores)));
        } else {
            values.push(("tokenizer.ggml.merges", texts(&small.merges)));
        }
        let values: Vec<(&str, &Value)> = values.iter().map(|(key, value)| (*key, value)).collect();
        let mut file = std::fs::File::create(&path).expect("a file");
        gguf_file::write(&mut file, &values, &[]).expect("it can be written");
        let tokenizer = read(&path);
        check(&name, &tokenizer, &small.cases);
        for Case { text, ids } in &small.cases {
            // Control tokens have no text, and a leading space is the prefix of SentencePiece.
            if !text.contains("<|") && !text.starts_with(' ') && !small.tokens[0].contains("unk") {
                let composed = name == "qwen2" && !unicode_normalization::is_nfc(text);
                let want = if composed { text.nfc().collect() } else { text.clone() };
                assert_eq!(written(&tokenizer, ids), want, "{name}");
            }
        }
    }
}

#[test]
fn smollm2() {
    let Some(path) = super::smollm::weights() else { return };
    let cases: Vec<Case> =
        serde_json::from_str(include_str!("../../../../../tests/fixtures/chat/smollm2-tokens.json"))
            .expect("it parses");
    assert!(cases.len() >= 30);
    let tokenizer = read(&path);
    check("SmolLM2", &tokenizer, &cases);
    for Case { text, ids } in cases.iter().filter(|case| !case.text.contains("<|")) {
        assert_eq!(written(&tokenizer, ids), *text);
    }
}

#[test]
fn vocabularies_of_llama_cpp() {
    let Some(folder) = std::env::var_os("NEVERAFK_TEST_VOCABULARIES") else {
        eprintln!("skipped: NEVERAFK_TEST_VOCABULARIES names no folder with llama.cpp's ggml-vocab-*.gguf");
        return;
    };
    for name in ["llama-bpe", "qwen2", "gpt-2", "llama-spm", "phi-3"] {
        let path = Path::new(&folder).join(format!("ggml-vocab-{name}.gguf"));
        let beside =
            |ending: &str| std::fs::read_to_string(format!("{}.{ending}", path.display())).expect("a file");
        let (texts, tokens) = (beside("inp"), beside("out"));
        let texts: Vec<&str> = texts.split("\n__ggml_vocab_test__\n").collect();
        let cases: Vec<Case> = texts
            .iter()
            .zip(tokens.lines())
            .map(|(text, ids)| Case {
                text: (*text).to_owned(),
                ids: ids.split_whitespace().map(|id| id.parse().expect("a number")).collect(),
            })
            .collect();
        assert!(cases.len() > 30, "{name} has {} cases", cases.len());
        check(name, &read(&path), &cases);
    }
}

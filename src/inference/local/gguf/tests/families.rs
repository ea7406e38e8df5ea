//! The forward pass against candle-transformers' quantised models, on tiny random files of each family.
//!
//! candle is the oracle for what it has: the window of Gemma 3 and its gate are tested apart, since candle has
//! the first one token longer and the second as other families have it.

use std::path::Path;

use candle_core::{
    DType, Device, Tensor,
    quantized::{GgmlDType, gguf_file::Content},
};
use candle_transformers::models::{
    quantized_gemma3, quantized_llama, quantized_phi3, quantized_qwen2, quantized_qwen3,
};

use super::tiny::Tiny;
use crate::inference::local::gguf::{
    cache::KvCache,
    config::Gate,
    file::GgufFile,
    matrix::Storage,
    network::{Network, Room},
};

/// candle's scores after each of `blocks`.
fn candle(architecture: &str, path: &Path, blocks: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut file = std::fs::File::open(path).expect("just written");
    let content = Content::read(&mut file).expect("a header");
    let device = Device::Cpu;
    type Forward = Box<dyn FnMut(&Tensor, usize) -> candle_core::Result<Tensor>>;
    let mut forward: Forward = match architecture {
        "llama" => {
            let mut model =
                quantized_llama::ModelWeights::from_gguf(content, &mut file, &device).expect("llama");
            Box::new(move |x, p| model.forward(x, p))
        }
        "qwen2" => {
            let mut model =
                quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &device).expect("qwen2");
            Box::new(move |x, p| model.forward(x, p))
        }
        "qwen3" => {
            let mut model =
                quantized_qwen3::ModelWeights::from_gguf(content, &mut file, &device).expect("qwen3");
            Box::new(move |x, p| model.forward(x, p))
        }
        "gemma3" => {
            let mut model =
                quantized_gemma3::ModelWeights::from_gguf(content, &mut file, &device).expect("gemma3");
            Box::new(move |x, p| model.forward(x, p))
        }
        _ => {
            let mut model =
                quantized_phi3::ModelWeights::from_gguf(false, content, &mut file, &device).expect("phi3");
            Box::new(move |x, p| model.forward(x, p))
        }
    };
    let mut position = 0;
    let mut all = Vec::new();
    for block in blocks {
        let input = Tensor::new(*block, &device).and_then(|t| t.unsqueeze(0)).expect("tokens");
        let scores = forward(&input, position).expect("a forward pass");
        all.push(scores.flatten_all().and_then(|t| t.to_dtype(DType::F32)?.to_vec1()).expect("scores"));
        position += block.len();
    }
    all
}

/// Our scores after each of `blocks`. candle's Gemma 3 has the gate of other families, so the gate is given.
fn ours(path: &Path, blocks: &[&[u32]], gate: Option<Gate>, storage: Storage) -> Vec<Vec<f32>> {
    let mut file = GgufFile::open(path).expect("an honest file");
    let mut network = Network::load_as(&mut file, 256, storage).expect("a whole model");
    if let Some(gate) = gate {
        network.config.gate = gate;
    }
    let mut cache = KvCache::new(&network.config, 256);
    let mut room = Room::default();
    blocks
        .iter()
        .map(|block| {
            let mut scores = Vec::new();
            network.read(block, &mut cache, &mut room, Some(&mut scores)).expect("it computes");
            scores
        })
        .collect()
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

fn compare(tiny: &Tiny, storage: Storage, least: f64) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    tiny.write(&path);
    let tokens: Vec<u32> = (0..70).map(|i| (i * 37 + 11) % 95).collect();
    let single: Vec<&[u32]> = tokens[40..].iter().map(std::slice::from_ref).collect();
    let blocks: Vec<&[u32]> = std::iter::once(&tokens[..40]).chain(single).collect();
    let gate = (tiny.architecture == "gemma3").then_some(Gate::Silu);
    let want = candle(tiny.architecture, &path, &blocks);
    let got = ours(&path, &blocks, gate, storage);
    for (step, (want, got)) in want.iter().zip(&got).enumerate() {
        let cosine = cosine(want, got);
        assert!(cosine > least, "{tiny:?} differs from candle at step {step}: cosine {cosine}");
    }
    // Other block borders give the same scores, whichever of the two attentions runs.
    for border in [1, 2, 33, 39] {
        let (left, right) = tokens[..41].split_at(border);
        let split = ours(&path, &[left, right], gate, storage);
        let cosine = cosine(&split[1], &got[1]);
        assert!(cosine > 0.99999, "{tiny:?} differs from itself at border {border}: cosine {cosine}");
    }
}

#[test]
fn every_family_agrees_with_candle() {
    for architecture in ["llama", "qwen2", "qwen3", "gemma3", "phi3"] {
        // candle knows Phi-3 with an own head only.
        compare(&Tiny { tied: architecture != "phi3", ..Tiny::of(architecture) }, Storage::Dense, 0.9999);
    }
}

#[test]
fn more_layers_and_an_own_head_agree_with_candle() {
    compare(&Tiny { layers: 7, tied: false, ..Tiny::of("gemma3") }, Storage::Dense, 0.9999);
    compare(&Tiny { kv_heads: 1, tied: false, ..Tiny::of("llama") }, Storage::Dense, 0.9999);
    compare(&Tiny { kv_heads: 4, ..Tiny::of("qwen3") }, Storage::Dense, 0.9999);
}

#[test]
fn quantised_weights_agree_with_candle_dense_or_not() {
    for dtype in [GgmlDType::Q4_0, GgmlDType::Q4_1, GgmlDType::Q5_0, GgmlDType::Q8_0, GgmlDType::BF16] {
        // candle rounds the activations to eight bits for these types, and so it does below: there both do, but
        // our cache has 16 bits, so that some values fall on the other side.
        compare(&Tiny { dtype, ..Tiny::of("llama") }, Storage::Dense, 0.995);
    }
    for dtype in [GgmlDType::Q4K, GgmlDType::Q6K] {
        let wide = Tiny { dtype, hidden: 256, feed_forward: 256, head_size: 64, ..Tiny::of("llama") };
        compare(&wide, Storage::AsStored, 0.995);
        compare(&Tiny { architecture: "qwen3", ..wide }, Storage::AsStored, 0.995);
    }
}

/// A short window against the same model whose keys beyond the window are not there at all: with one layer, what
/// a query sees is then the same, except for the positions, which only count by their differences.
#[test]
fn a_window_hides_what_is_beyond_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    Tiny { layers: 1, window: 8, ..Tiny::of("gemma3") }.write(&path);
    let tokens: Vec<u32> = (0..60).map(|i| (i * 31 + 5) % 95).collect();
    let all = ours(&path, &[&tokens], None, Storage::Dense);
    let last = ours(&path, &[&tokens[52..]], None, Storage::Dense);
    let more = ours(&path, &[&tokens[51..]], None, Storage::Dense);
    let fewer = ours(&path, &[&tokens[53..]], None, Storage::Dense);
    assert!(cosine(&all[0], &last[0]) > 0.99999);
    assert!(cosine(&all[0], &more[0]) > 0.99999);
    assert!(cosine(&all[0], &fewer[0]) < 0.9999);
    let one_by_one: Vec<&[u32]> = tokens.iter().map(std::slice::from_ref).collect();
    let steps = ours(&path, &one_by_one, None, Storage::Dense);
    assert!(cosine(&all[0], &steps[59]) > 0.99999);
}

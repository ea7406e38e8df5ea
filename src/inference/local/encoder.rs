//! The forward pass of BERT-like encoders (Devlin et al. 2018): token numbers -> the last hidden state of each token.
//!
//! In: weights by their names in a checkpoint, and texts as token numbers. Out: one row per token. `bert.rs` loads,
//! cuts and pools. The texts of a call lie one behind the other without padding; only attention looks at where one
//! ends. Query, key and value weights are one matrix, packed at load like all others, and the 1/√d of attention is
//! in the query's weights.

use std::ops::Range;

use super::matrix::{PANEL, Packed, Panel, View, ViewMut, pack_straight, pack_transposed, panel_product};
use super::pointwise::{add_and_norm, gelu, softmax};

/// The shape of an encoder, as its `config.json` tells it.
#[derive(Debug, Clone)]
pub struct Shape {
    pub hidden: usize,
    pub inner: usize,
    pub heads: usize,
    pub layers: usize,
    pub vocabulary: usize,
    pub positions: usize,
    pub token_types: usize,
    pub epsilon: f32,
    /// The position number of a text's first token: 0 for BERT, 2 for RoBERTa's family.
    pub first_position: usize,
}

/// Weights by name and length; the error is a sentence.
pub type Weights<'a> = dyn FnMut(&str, usize) -> Result<Vec<f32>, String> + 'a;

/// Rows that go through the feed-forward part together, so that its wide middle stays in a 1 MiB L2 cache.
const INNER_ROWS: usize = 96;

/// An encoder, ready to run; any number of threads may share it.
pub struct Encoder {
    shape: Shape,
    words: Vec<f32>,
    /// Each position's row with the row of token type 0 added.
    positions: Vec<f32>,
    /// What token type 1 adds beyond that: the second text of a pair has it. Empty where there is one type.
    second: Vec<f32>,
    norm: Norm,
    layers: Vec<Layer>,
}

struct Norm {
    scale: Vec<f32>,
    shift: Vec<f32>,
}

struct Linear {
    weights: Packed,
    bias: Vec<f32>,
}

struct Layer {
    attention: Linear,
    output: Linear,
    attention_norm: Norm,
    widen: Linear,
    narrow: Linear,
    norm: Norm,
}

/// The memory of a forward pass, kept by a thread between calls.
#[derive(Default)]
pub struct Scratch {
    hidden: Vec<f32>,
    attention: Vec<f32>,
    mixed: Vec<f32>,
    more: Vec<f32>,
    inner: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    scores: Vec<f32>,
}

impl Shape {
    /// What the packed kernels need of the numbers.
    fn check(&self) -> Result<(), String> {
        let head = self.hidden.checked_div(self.heads).unwrap_or(0);
        let fits = head > 0
            && head * self.heads == self.hidden
            && [head, self.hidden, self.inner].iter().all(|n| n % PANEL == 0 && *n > 0)
            && self.token_types > 0
            && self.positions > self.first_position;
        if fits { Ok(()) } else { Err(format!("encoders of this shape are not supported: {self:?}")) }
    }
}

impl Encoder {
    /// Takes the weights out of a checkpoint.
    pub fn load(shape: Shape, get: &mut Weights) -> Result<Self, String> {
        shape.check()?;
        let (hidden, inner) = (shape.hidden, shape.inner);
        let words = get("embeddings.word_embeddings.weight", shape.vocabulary * hidden)?;
        let mut positions = get("embeddings.position_embeddings.weight", shape.positions * hidden)?;
        let types = get("embeddings.token_type_embeddings.weight", shape.token_types * hidden)?;
        for row in positions.chunks_exact_mut(hidden) {
            row.iter_mut().zip(&types).for_each(|(p, t)| *p += t);
        }
        let (first_type, other_types) = types.split_at(hidden);
        let second = other_types.iter().zip(first_type).map(|(b, a)| b - a).collect();
        let norm = Norm::load("embeddings.LayerNorm", hidden, get)?;
        let layers =
            (0..shape.layers).map(|i| Layer::load(&shape, &format!("encoder.layer.{i}"), inner, get));
        let layers = layers.collect::<Result<_, _>>()?;
        Ok(Self { shape, words, positions, second, norm, layers })
    }

    pub fn hidden(&self) -> usize {
        self.shape.hidden
    }

    pub fn vocabulary(&self) -> usize {
        self.shape.vocabulary
    }

    /// The most tokens a text may have.
    pub fn longest(&self) -> usize {
        self.shape.positions - self.shape.first_position
    }

    /// The last hidden states of all tokens of all texts, one row each. A text has at most [`Encoder::longest`]
    /// tokens, each below [`Encoder::vocabulary`].
    pub fn forward<'s>(&self, texts: &[&[u32]], scratch: &'s mut Scratch) -> &'s [f32] {
        self.forward_pairs(texts, &[], scratch)
    }

    /// The same for pairs of texts: `seconds` tells where in each the second begins. One that is not told has none.
    pub fn forward_pairs<'s>(
        &self,
        texts: &[&[u32]],
        seconds: &[usize],
        scratch: &'s mut Scratch,
    ) -> &'s [f32] {
        let width = self.shape.hidden;
        let tokens: usize = texts.iter().map(|t| t.len()).sum();
        let Scratch { hidden, attention, mixed, more, .. } = scratch;
        for (buffer, width) in [(&mut *hidden, width), (attention, 3 * width), (mixed, width), (more, width)]
        {
            buffer.clear();
            buffer.resize(tokens * width, 0.0);
        }
        self.embed(texts, seconds, hidden, more);
        for layer in &self.layers {
            self.layer(layer, texts, scratch);
        }
        &scratch.hidden
    }

    /// Words, positions, types and the first norm.
    fn embed(&self, texts: &[&[u32]], seconds: &[usize], hidden: &mut [f32], more: &mut [f32]) {
        let width = self.shape.hidden;
        let mut rows = hidden.chunks_exact_mut(width).zip(more.chunks_exact_mut(width));
        for (at, text) in texts.iter().enumerate() {
            let second = seconds.get(at).copied().unwrap_or(text.len());
            for (place, (&token, (row, more))) in text.iter().zip(rows.by_ref()).enumerate() {
                let position = place + self.shape.first_position;
                row.copy_from_slice(&self.words[token as usize * width..][..width]);
                more.copy_from_slice(&self.positions[position * width..][..width]);
                if place >= second {
                    more.iter_mut().zip(&self.second).for_each(|(v, change)| *v += change);
                }
            }
        }
        add_and_norm(hidden, more, &self.norm.scale, &self.norm.shift, self.shape.epsilon);
    }

    fn layer(&self, layer: &Layer, texts: &[&[u32]], scratch: &mut Scratch) {
        let width = self.shape.hidden;
        layer.attention.run(&scratch.hidden, &mut scratch.attention);
        let mut begin = 0;
        for text in texts {
            let rows = begin..begin + text.len();
            for head in 0..self.shape.heads {
                self.head(rows.clone(), head, scratch);
            }
            begin = rows.end;
        }
        let epsilon = self.shape.epsilon;
        let Scratch { hidden, mixed, more, inner, .. } = scratch;
        layer.output.run(mixed, more);
        let Norm { scale, shift } = &layer.attention_norm;
        add_and_norm(hidden, more, scale, shift, epsilon);
        for (hidden, more) in hidden.chunks_mut(INNER_ROWS * width).zip(more.chunks_mut(INNER_ROWS * width)) {
            inner.resize(hidden.len() / width * self.shape.inner, 0.0);
            layer.widen.run(hidden, inner);
            gelu(inner);
            layer.narrow.run(inner, more);
            add_and_norm(hidden, more, &layer.norm.scale, &layer.norm.shift, epsilon);
        }
    }

    /// One head of one text: softmax(q kᵀ) v, all through the panel kernel.
    fn head(&self, rows: Range<usize>, head: usize, scratch: &mut Scratch) {
        let (width, count) = (self.shape.hidden, rows.len());
        let depth = width / self.shape.heads;
        let stride = 3 * width;
        let padded = count.next_multiple_of(PANEL);
        let Scratch { attention, mixed, keys, values, scores, .. } = scratch;
        let part = &attention[rows.start * stride..rows.end * stride];
        let at = head * depth;
        keys.resize(padded * depth, 0.0);
        values.resize(count * depth, 0.0);
        scores.resize(count * padded, 0.0);
        if count == 0 {
            return;
        }
        pack_transposed(&part[width + at..], stride, count, depth, keys);
        pack_straight(&part[2 * width + at..], stride, depth, count, values);
        let queries = View { data: &part[at..], stride };
        for (p, panel) in keys.chunks_exact(depth * PANEL).enumerate() {
            let to = ViewMut { data: &mut scores[p * PANEL..], stride: padded };
            panel_product(queries, count, Panel::Single(panel), None, to);
        }
        softmax(scores, padded, count);
        let weights = View { data: scores, stride: padded };
        for (p, panel) in values.chunks_exact(count * PANEL).enumerate() {
            let to = ViewMut { data: &mut mixed[rows.start * width + at + p * PANEL..], stride: width };
            panel_product(weights, count, Panel::Single(panel), None, to);
        }
    }
}

impl Layer {
    fn load(shape: &Shape, name: &str, inner: usize, get: &mut Weights) -> Result<Self, String> {
        let hidden = shape.hidden;
        // The scores are divided by the root of a head's width (Vaswani et al. 2017); done once, here.
        let factor = 1.0 / ((hidden / shape.heads) as f32).sqrt();
        let mut weights = Vec::with_capacity(3 * hidden * hidden);
        let mut bias = Vec::with_capacity(3 * hidden);
        for (part, factor) in [("query", factor), ("key", 1.0), ("value", 1.0)] {
            let part = format!("{name}.attention.self.{part}");
            weights.extend(get(&format!("{part}.weight"), hidden * hidden)?.iter().map(|w| w * factor));
            bias.extend(get(&format!("{part}.bias"), hidden)?.iter().map(|b| b * factor));
        }
        let attention = Linear { weights: Packed::from_rows(&weights, 3 * hidden, hidden), bias };
        Ok(Self {
            attention,
            output: Linear::load(&format!("{name}.attention.output.dense"), hidden, hidden, get)?,
            attention_norm: Norm::load(&format!("{name}.attention.output.LayerNorm"), hidden, get)?,
            widen: Linear::load(&format!("{name}.intermediate.dense"), inner, hidden, get)?,
            narrow: Linear::load(&format!("{name}.output.dense"), hidden, inner, get)?,
            norm: Norm::load(&format!("{name}.output.LayerNorm"), hidden, get)?,
        })
    }
}

impl Linear {
    fn load(name: &str, columns: usize, depth: usize, get: &mut Weights) -> Result<Self, String> {
        let weights = Packed::from_rows(&get(&format!("{name}.weight"), columns * depth)?, columns, depth);
        Ok(Self { weights, bias: get(&format!("{name}.bias"), columns)? })
    }

    fn run(&self, rows: &[f32], out: &mut [f32]) {
        self.weights.multiply(rows, &self.bias, out);
    }
}

impl Norm {
    fn load(name: &str, width: usize, get: &mut Weights) -> Result<Self, String> {
        Ok(Self {
            scale: get(&format!("{name}.weight"), width)?,
            shift: get(&format!("{name}.bias"), width)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// A tiny encoder with made-up weights, and the same computed slowly in 64 bits from the paper's formulas.
    struct Tiny {
        shape: Shape,
        weights: HashMap<String, Vec<f32>>,
    }

    impl Tiny {
        fn new(first_position: usize) -> Self {
            let (hidden, inner, layers) = (32, 64, 2);
            let shape = Shape {
                hidden,
                inner,
                heads: 2,
                layers,
                vocabulary: 50,
                positions: 40,
                token_types: 2,
                epsilon: 1e-5,
                first_position,
            };
            Self { shape, weights: HashMap::new() }
        }

        fn encoder(&mut self) -> Encoder {
            let weights = &mut self.weights;
            let mut get = |name: &str, length: usize| {
                let mut state = name.bytes().fold(17u32, |h, b| h.wrapping_mul(31).wrapping_add(b.into()));
                let mut next = || {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 8) as f32 / 8_388_608.0 - 1.0
                };
                let numbers: Vec<f32> = (0..length).map(|_| next() * 0.4).collect();
                weights.insert(name.to_owned(), numbers.clone());
                Ok(numbers)
            };
            Encoder::load(self.shape.clone(), &mut get).expect("the shape is supported")
        }

        fn linear(&self, x: &[Vec<f64>], name: &str) -> Vec<Vec<f64>> {
            let (w, b) = (&self.weights[&format!("{name}.weight")], &self.weights[&format!("{name}.bias")]);
            let row = |x: &Vec<f64>| {
                let sum = |(c, b): (usize, &f32)| {
                    f64::from(*b)
                        + x.iter().zip(&w[c * x.len()..]).map(|(x, w)| x * f64::from(*w)).sum::<f64>()
                };
                b.iter().enumerate().map(sum).collect()
            };
            x.iter().map(row).collect()
        }

        fn norm(&self, x: &mut [Vec<f64>], more: &[Vec<f64>], name: &str) {
            let (w, b) = (&self.weights[&format!("{name}.weight")], &self.weights[&format!("{name}.bias")]);
            for (x, more) in x.iter_mut().zip(more) {
                let sum: Vec<f64> = x.iter().zip(more).map(|(a, b)| a + b).collect();
                let mean = sum.iter().sum::<f64>() / sum.len() as f64;
                let variance = sum.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / sum.len() as f64;
                for (i, v) in sum.iter().enumerate() {
                    let scaled = (v - mean) / (variance + f64::from(self.shape.epsilon)).sqrt();
                    x[i] = scaled * f64::from(w[i]) + f64::from(b[i]);
                }
            }
        }

        fn slowly(&self, text: &[u32], second: usize) -> Vec<Vec<f64>> {
            let width = self.shape.hidden;
            let row = |name: &str, i: usize| -> Vec<f64> {
                self.weights[name][i * width..][..width].iter().map(|v| f64::from(*v)).collect()
            };
            let mut x: Vec<Vec<f64>> =
                text.iter().map(|t| row("embeddings.word_embeddings.weight", *t as usize)).collect();
            let places = (0..text.len()).map(|i| {
                let position = row("embeddings.position_embeddings.weight", i + self.shape.first_position);
                let kind = row("embeddings.token_type_embeddings.weight", usize::from(i >= second));
                position.iter().zip(kind).map(|(a, b)| a + b).collect::<Vec<f64>>()
            });
            self.norm(&mut x, &places.collect::<Vec<_>>(), "embeddings.LayerNorm");
            let depth = width / self.shape.heads;
            for layer in 0..self.shape.layers {
                let name = format!("encoder.layer.{layer}");
                let [q, k, v] = ["query", "key", "value"]
                    .map(|part| self.linear(&x, &format!("{name}.attention.self.{part}")));
                let mut mixed = vec![vec![0f64; width]; x.len()];
                for head in 0..self.shape.heads {
                    let own = head * depth..(head + 1) * depth;
                    for (q, mixed) in q.iter().zip(&mut mixed) {
                        let score = |k: &Vec<f64>| {
                            let dot: f64 = own.clone().map(|i| q[i] * k[i]).sum();
                            (dot / (depth as f64).sqrt()).exp()
                        };
                        let scores: Vec<f64> = k.iter().map(score).collect();
                        let total: f64 = scores.iter().sum();
                        for i in own.clone() {
                            mixed[i] = scores.iter().zip(&v).map(|(s, v)| s / total * v[i]).sum();
                        }
                    }
                }
                let more = self.linear(&mixed, &format!("{name}.attention.output.dense"));
                self.norm(&mut x, &more, &format!("{name}.attention.output.LayerNorm"));
                let mut inner = self.linear(&x, &format!("{name}.intermediate.dense"));
                for v in inner.iter_mut().flatten() {
                    let mut single = [*v as f32];
                    gelu(&mut single);
                    *v = f64::from(single[0]);
                }
                let more = self.linear(&inner, &format!("{name}.output.dense"));
                self.norm(&mut x, &more, &format!("{name}.output.LayerNorm"));
            }
            x
        }
    }

    #[test]
    fn texts_of_any_length_together_are_what_each_is_alone_by_the_formulas() {
        for first_position in [0, 2] {
            let mut tiny = Tiny::new(first_position);
            let encoder = tiny.encoder();
            let texts: Vec<Vec<u32>> =
                [1, 16, 0, 5, 17, 38].iter().map(|n| (0..*n).map(|i| (i * 7 + n) % 50).collect()).collect();
            let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
            let mut scratch = Scratch::default();
            // Each several times, because a pass finds the numbers of the one before in its memory.
            for seconds in [&[][..], &[], &[1, 4, 0, 0, 17], &[0; 6]] {
                let states = encoder.forward_pairs(&texts, seconds, &mut scratch);
                let second = |at: usize| seconds.get(at).copied().unwrap_or(usize::MAX);
                let right = texts.iter().enumerate();
                let right = right.flat_map(|(at, text)| tiny.slowly(text, second(at))).flatten();
                assert_eq!(states.len(), 77 * 32);
                for (got, right) in states.iter().zip(right) {
                    // Weights are kept in 16 bits where the processor widens them for free.
                    assert!((f64::from(*got) - right).abs() < 5e-3, "{got} against {right}");
                }
            }
        }
    }

    #[test]
    fn shapes_that_do_not_fit_the_kernels_are_refused() {
        let check = |change: fn(&mut Shape)| {
            let mut shape = Tiny::new(0).shape;
            change(&mut shape);
            assert!(Encoder::load(shape, &mut |_, length| Ok(vec![0.0; length])).is_err());
        };
        check(|s| s.heads = 0);
        check(|s| s.heads = 3);
        check(|s| s.hidden = 40);
        check(|s| s.inner = 65);
        check(|s| s.token_types = 0);
        check(|s| s.first_position = 40);
    }
}

//! The sentences of the evidence that answer the question, verbatim.
//!
//! Comes in: the question as the word index understood it, the best chunks with their text, and vectors of the
//! question and of each sentence. Goes out: up to three sentences with where they stand, and the signs by which
//! `abstain.rs` judges whether they answer at all. Pure. What is deliberately not here: joining them into a
//! response, and any chat model.
//!
//! What speaks for a sentence is gathered in `candidates.rs`; `tests/reference/fit_sentences.py` measures the weights
//! below, and what weights fitted to other articles would do.

mod asked;
mod candidates;

use std::collections::HashSet;

use crate::domain::{ChunkId, Span};
use crate::index::analyze::Language;

pub use candidates::{Candidate, Features, candidates};

/// A chunk with its words, as retrieval ranked it.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    pub chunk: ChunkId,
    pub title: &'a str,
    pub heading: Option<&'a str>,
    pub text: &'a str,
    /// Where headings stand in `text`: they name what follows and answer nothing.
    pub headings: &'a [Span],
    /// Of [`Fused`](super::fuse::Fused).
    pub score: f32,
    pub language: Language,
}

/// A sentence that was picked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Picked {
    /// Place among the passages.
    pub passage: usize,
    /// Within the passage's text: quoting it is verbatim.
    pub span: Span,
    pub score: f32,
}

/// What was picked, and how well the best sentence fits.
#[derive(Debug, Clone, Default)]
pub struct Extracted {
    /// In reading order, passages by their best sentence; empty when the passages hold no sentence.
    pub sentences: Vec<Picked>,
    /// The best one.
    pub best: Option<Candidate>,
    /// By how much its score leads that of the best sentence of every other passage; `None` where no other has one.
    pub lead: Option<f32>,
}

/// Adds nearness in meaning. `vectors` are those of [`texts`].
pub fn add_meaning(candidates: &mut [Candidate], vectors: &[Vec<f32>]) {
    let Some((question, rest)) = vectors.split_first() else { return };
    let (own, above) = rest.split_at(candidates.len().min(rest.len()));
    for at in 0..candidates.len().min(above.len()) {
        let candidate = &candidates[at];
        let mut together = own[at].clone();
        let is_after = at > 0
            && candidates[at - 1].passage == candidate.passage
            && candidate.before == Some(candidates[at - 1].own);
        if is_after {
            add(&mut together, &own[at - 1], CONTEXT_MEANS);
        }
        add(&mut together, &above[at], CONTEXT_MEANS);
        candidates[at].features.meaning = cosine(question, &own[at]);
        candidates[at].features.context = cosine(question, &together);
    }
}

/// How much the sentence before and the headings count beside the sentence itself.
const CONTEXT_MEANS: f32 = 0.4;

/// What has to be embedded for [`add_meaning`]: the question, each sentence, and what stands above each.
pub fn texts(question: &str, candidates: &[Candidate], passages: &[Passage]) -> Vec<String> {
    let own = candidates.iter().map(|c| c.span.of(passages[c.passage].text).to_owned());
    let above = candidates.iter().map(|c| {
        let passage = &passages[c.passage];
        let heading = c.heading.map(|span| span.of(passage.text)).or(passage.heading).unwrap_or_default();
        format!("{}\n{heading}", passage.title)
    });
    std::iter::once(question.to_owned()).chain(own).chain(above).collect()
}

fn add(sum: &mut [f32], vector: &[f32], weight: f32) {
    sum.iter_mut().zip(vector).for_each(|(sum, value)| *sum += weight * value);
}

/// 0 where one has no direction.
pub(super) fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

/// Picks up to `most` sentences.
pub fn pick(candidates: &[Candidate], passages: &[Passage], most: usize) -> Extracted {
    let mut found: Vec<(Picked, &Candidate)> = candidates
        .iter()
        .map(|c| (Picked { passage: c.passage, span: c.span, score: score(&c.features) }, c))
        .collect();
    for (picked, candidate) in &found {
        let text = passages[picked.passage].text;
        tracing::trace!(
            target: "neverafk::signals",
            row = ?candidate.features.row(), own = candidate.own.of(text), quote = picked.span.of(text), "sentence"
        );
    }
    found.sort_by(|(a, _), (b, _)| {
        b.score.total_cmp(&a.score).then((a.passage, a.span.start).cmp(&(b.passage, b.span.start)))
    });
    let Some(&(best, first)) = found.first() else { return Extracted::default() };
    let elsewhere = found.iter().find(|(picked, _)| picked.passage != best.passage);
    let lead = elsewhere.map(|(picked, _)| best.score - picked.score);
    let mut sentences: Vec<Picked> = Vec::new();
    let mut shown = HashSet::new();
    for (picked, _) in found {
        let text = picked.span.of(passages[picked.passage].text);
        let is_within = |other: &Picked| {
            let (a, b) = (other.span, picked.span);
            other.passage == picked.passage && a.start < b.end && b.start < a.end
        };
        let is_new =
            shown.insert(text.split_whitespace().collect::<String>()) && !sentences.iter().any(is_within);
        if is_new && picked.score >= best.score - SHOWN_BELOW_BEST {
            sentences.push(picked);
        }
        if sentences.len() == most {
            break;
        }
    }
    let best = Some(first.clone());
    in_reading_order(&mut sentences);
    Extracted { sentences, best, lead }
}

/// A sentence this much worse than the best is not shown. On questions with known answers .3 shows 1.7 sentences
/// instead of 3, the best alone for more than half of the questions, and loses the answer of one in fifty.
const SHOWN_BELOW_BEST: f32 = 0.3;

fn score(features: &Features) -> f32 {
    features.row().iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum()
}

/// Of [`Features::row`], in its order. Set by hand on questions with known answers, where each is flat around its
/// value: weights fitted without restraint do no better on articles that they were not fitted to.
const WEIGHTS: [f32; 18] =
    [1.0, 1.0, 0.4, 0.2, 0.2, 0.3, 1.5, 0.0, 0.15, -0.15, 0.2, -0.2, -0.3, -0.3, -0.3, 0.1, 0.1, 0.0];

/// Passages by their best sentence, and the sentences of each as they stand in it: a student reads on, not back.
fn in_reading_order(sentences: &mut [Picked]) {
    let order: Vec<usize> = sentences.iter().map(|picked| picked.passage).collect();
    let rank = |picked: &Picked| order.iter().position(|&passage| passage == picked.passage);
    sentences.sort_by_key(|picked| (rank(picked), picked.span.start));
}

#[cfg(test)]
mod tests;

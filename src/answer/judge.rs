//! The passages of a question become [`Evidence`]: the sentences that answer best, and how surely they do.
//!
//! Comes in: a ranking and the passages with their words. The waiting part is one call of the small embedding table
//! that is always there: microseconds a sentence, so that every sentence can be compared with the question in
//! meaning. What speaks for a sentence is [`extract`], what speaks for an answer is [`abstain`].

use std::borrow::Cow;
use std::sync::Arc;

use super::find::{Finder, Passage, crashed};
use super::retrieve::Retrieved;
use super::route::Agent;
use super::{AnswerError, Evidence, abstain, compose, extract, guard};
use crate::inference::{EmbedInput, EmbedRole, Embedder, Lane};

/// Picks up to `most` sentences of `passages` and judges them. `similarity_counts` as in [`abstain::Signals::of`].
pub async fn judge(
    finder: &Finder,
    question: &str,
    ranked: Retrieved,
    mut passages: Vec<Passage>,
    similarity_counts: bool,
    most: usize,
) -> Result<Evidence, AnswerError> {
    let question = question.to_owned();
    let asked = question.clone();
    let (ranked, passages, mut candidates, texts) = tokio::task::spawn_blocking(move || {
        // Before anything reads them: what is planted in a document neither answers nor reaches a model.
        for passage in &mut passages {
            if let Cow::Owned(clean) = guard::documents::without_instructions(&passage.chunk.text) {
                passage.chunk.text = clean;
            }
        }
        let (candidates, texts) = readable(&passages, |readable| {
            let candidates = extract::candidates(&asked, &ranked.query, readable);
            let texts = extract::texts(&asked, &candidates, readable);
            (candidates, texts)
        });
        (ranked, passages, candidates, texts)
    })
    .await
    .map_err(crashed)?;
    let vectors = embed(finder, texts).await?;
    tokio::task::spawn_blocking(move || {
        let (extracted, confidence) = readable(&passages, |readable| {
            extract::add_meaning(&mut candidates, &vectors);
            let extracted = extract::pick(&candidates, readable, most);
            let signals = abstain::Signals::of(&question, &ranked, &extracted, readable, similarity_counts);
            // For `tests/reference/signals.py`, which fits the weights to what the program itself sees.
            tracing::trace!(target: "neverafk::signals", ?signals, asked = question, "question");
            (extracted, signals.map_or(0.0, |signals| abstain::confidence(&signals)))
        });
        Evidence {
            question,
            passages,
            picked: extracted.sentences,
            confidence,
            language: ranked.language,
            asked_of: Agent::Course,
            is_corrected: false,
            reranking: ranked.reranking,
        }
    })
    .await
    .map_err(crashed)
}

/// Gives `then` the passages as extraction reads them.
fn readable<T>(passages: &[Passage], then: impl FnOnce(&[extract::Passage]) -> T) -> T {
    let headings: Vec<_> = passages.iter().map(compose::headings).collect();
    let texts: Vec<extract::Passage> = passages
        .iter()
        .zip(&headings)
        .map(|(passage, headings)| compose::readable(passage, headings))
        .collect();
    then(&texts)
}

/// The small embedding table that is always there.
pub async fn table(finder: &Finder) -> Result<Arc<dyn Embedder>, AnswerError> {
    let (embedders, name) = (finder.embedders.clone(), finder.table.clone());
    Ok(tokio::task::spawn_blocking(move || embedders.get(Some(&name))).await.map_err(crashed)??)
}

/// Vectors of the same, one for each text.
pub async fn embed(finder: &Finder, texts: Vec<String>) -> Result<Vec<Vec<f32>>, AnswerError> {
    let input = |text| EmbedInput { text, role: EmbedRole::Passage };
    let vectors = table(finder).await?.embed(texts.into_iter().map(input).collect(), Lane::Urgent).await?;
    Ok(vectors.into_iter().map(|vector| vector.0).collect())
}

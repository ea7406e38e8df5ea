//! Questions that the creator answered in person: the answer to the same question is that one, word for word.
//!
//! Comes in: a question in its circumstances. Goes out: [`Evidence`] of the correction alone, or `None`. Two questions are
//! the same as in [`super::cache`]; one that is only near finds the correction as it finds any other document. Called by
//! [`super::run`], before anything else is looked up.

use super::cache::telling;
use super::extract::Picked;
use super::fuse::Fused;
use super::route::Agent;
use super::{AnswerError, Answering, Asked, Evidence};
use crate::domain::Span;
use crate::index::analyze::Language;

/// How sure the creator's own answer to this very question is. Below 1: the same words may mean something else in
/// another lesson.
const SURE: f32 = 0.97;

/// What is the same for two questions that ask the same.
pub fn key(question: &str) -> String {
    let telling = telling(question);
    // The first is the language: one without telling words is compared as it is.
    if telling.len() > 1 { telling.join(" ") } else { question.trim().to_lowercase() }
}

/// The creator's own answer to `text`, or to `whole`, which says what a follow-up means.
pub async fn evidence(
    answering: &Answering,
    asked: &Asked,
    whole: Option<&str>,
) -> Result<Option<Evidence>, AnswerError> {
    let (finder, creator) = (&answering.finder, &asked.creator.id);
    let text = whole.unwrap_or(asked.question.text());
    let Some(case) = finder.store.case_that_asks(creator, &key(text)).await? else { return Ok(None) };
    let chunks = finder.store.document_chunks(&case.document).await?;
    let certain = |chunk| Fused { chunk, score: 1.0, lexical: 1.0, coverage: 1.0, similarity: None };
    let hits: Vec<Fused> = chunks.into_iter().map(certain).collect();
    let passages = finder.passages_with_blocks(creator, &hits).await?;
    let Some(first) = passages.first() else { return Ok(None) };
    let language = first.document.language.as_deref().map_or(Language::ENGLISH, Language::of_code);
    let whole_chunk = |(place, length): (usize, usize)| Picked {
        passage: place,
        span: Span { start: 0, end: length },
        score: 1.0,
    };
    let picked =
        passages.iter().map(|passage| passage.chunk.text.len()).enumerate().map(whole_chunk).collect();
    Ok(Some(Evidence {
        question: text.to_owned(),
        passages,
        picked,
        confidence: SURE,
        language,
        asked_of: Agent::Course,
        is_corrected: true,
        reranking: None,
    }))
}

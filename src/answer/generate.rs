//! An answer phrased by a chat model, and checked: each sentence against the passages it cites.
//!
//! A sentence goes out when it is whole, the passages bear it out with all its facts, and it answers the question
//! (`proved.rs`); any other is left out, because a student cannot tell invention from fact. When nothing is left, or
//! the model fails before anything was proved, the answer is the best sentences of the passages instead. What was sent
//! cannot be taken back, so a model that fails later leaves a shorter answer that is proved.

use super::compose::{Voice, citation, decline, extractive};
use super::proved::{Proved, supporting};
use super::{AnswerError, AnswerOptions, Draft, Events, Evidence, cite, prompt};
use crate::domain::{Citation, Usage};
use crate::index::analyze::Language;
use crate::index::analyze::sentences::pieces as split;
use crate::inference::{ChatModel, ChatPiece, ChatRequest, ModelError, Sampling};

/// Lets `model` answer from the evidence. One that says that the passages do not answer gives a refusal.
pub async fn generate(
    model: &dyn ChatModel,
    question: &str,
    evidence: &Evidence,
    voice: &Voice,
    options: &AnswerOptions,
    events: &mut Events,
) -> Result<Draft, AnswerError> {
    let places: Vec<String> = evidence
        .passages
        .iter()
        .take(options.passages)
        .map(|passage| cite::place(&passage.document.title, &passage.chunk.anchor))
        .collect();
    let excerpts: Vec<prompt::Excerpt> = (1u32..)
        .zip(&places)
        .zip(&evidence.passages)
        .map(|((id, place), passage)| prompt::Excerpt { id, place, text: &passage.chunk.text })
        .collect();
    let budget = model.context_tokens().saturating_sub(options.max_tokens);
    let (messages, used) = prompt::prompt(question, &excerpts, budget, |text| model.count_tokens(text));
    // The evidence goes out before the model has said anything: the best sentence of each passage, verbatim.
    let offered: Vec<Citation> = (1u32..)
        .zip(&evidence.passages[..used])
        .map(|(id, passage)| {
            let picked = evidence
                .picked
                .iter()
                .find(|picked| evidence.passages[picked.passage].chunk.id == passage.chunk.id);
            citation(
                id,
                passage,
                picked.map_or_else(|| supporting(question, passage, evidence.language), |picked| picked.span),
            )
        })
        .collect();
    events.sources(&offered).await;

    let sampling =
        Sampling { max_tokens: options.max_tokens, repeat_penalty: REPEAT_PENALTY, ..Sampling::default() };
    let mut pieces = match model.chat(ChatRequest { messages, sampling }).await {
        Ok(pieces) => pieces,
        // It may work later, and whoever asked is told when.
        Err(error @ ModelError::Busy { .. }) => return Err(error.into()),
        Err(error) => {
            tracing::warn!(model = model.name(), %error, "the chat model did not start; the passages answer");
            return Ok(quoted(evidence, voice, Usage::default(), events).await);
        }
    };
    let (mut said, mut usage) = (String::new(), Usage::default());
    let mut proved = Proved::new(question, evidence, used);
    while let Some(piece) = pieces.recv().await {
        match piece {
            Ok(ChatPiece::Text(text)) => said.push_str(&text),
            Ok(ChatPiece::End { prompt_tokens, completion_tokens, .. }) => {
                usage = Usage { prompt_tokens, completion_tokens };
            }
            Err(error) => {
                // What is proved stands; half a sentence does not.
                tracing::warn!(model = model.name(), %error, "the chat model failed in the middle of an answer");
                said.truncate(whole_sentences(&said, evidence.language));
                break;
            }
        }
        for sentence in proved.advance(&said, false) {
            events.token(sentence).await;
        }
        // A small model that says a sentence again says it for ever.
        if goes_in_circles(&said) {
            break;
        }
    }
    if said.trim().trim_end_matches('.') == prompt::REFUSAL {
        let draft = Draft { model: model.name().to_owned(), usage, ..decline(voice) };
        events.text(&draft.response).await;
        return Ok(draft);
    }
    for sentence in proved.advance(&said, true) {
        events.token(sentence).await;
    }
    if proved.response.is_empty() {
        // Nothing that the model said stands in the passages and answers: the passages speak for themselves.
        return Ok(quoted(evidence, voice, usage, events).await);
    }
    Ok(Draft {
        citations: proved.citations(),
        response: proved.response,
        sentences: proved.sentences,
        abstained: false,
        agent: "course",
        model: model.name().to_owned(),
        usage,
    })
}

/// The best sentences of the passages instead of what a model said.
async fn quoted(evidence: &Evidence, voice: &Voice, usage: Usage, events: &mut Events) -> Draft {
    let draft = Draft { usage, ..extractive(evidence, voice) };
    events.text(&draft.response).await;
    draft
}

/// Where the last sentence that is surely whole ends.
fn whole_sentences(said: &str, language: Language) -> usize {
    let pieces = split(said, language);
    pieces.iter().rev().nth(1).map_or(0, |piece| piece.span.end)
}

/// Tokens said lately are that much less likely: small models repeat themselves without it, and more of it keeps
/// them from using the words of the passages.
const REPEAT_PENALTY: f32 = 1.1;

/// Whether the last whole sentence was said before.
fn goes_in_circles(response: &str) -> bool {
    let sentences: Vec<&str> =
        split(response, Language::OTHER).into_iter().map(|piece| piece.span.of(response)).collect();
    let Some((last, before)) = sentences.split_last() else { return false };
    last.len() >= 20 && last.ends_with(['.', '!', '?']) && before.contains(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_noticed_at_the_end_of_a_sentence() {
        assert!(goes_in_circles("They are better than the others. They are better than the others."));
        assert!(!goes_in_circles("They are better than the others. They are better than the oth"));
        assert!(!goes_in_circles("Yes. Yes."));
        assert!(!goes_in_circles(""));
    }
}

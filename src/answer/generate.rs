//! An answer phrased by a chat model, and checked: each sentence against the passages it cites.
//!
//! A sentence goes out when it is whole, the passages bear it out with all its facts, and it answers the question
//! (`proved.rs`); any other is left out, because a student cannot tell invention from fact. When nothing is left, the
//! answer is the best sentences of the passages instead; when a model breaks off, they complete what was proved.

use super::compose::{citation, decline, extractive};
use super::entail::Entailment;
use super::guard::marks::Marks;
use super::guard::output::Output;
use super::phrases::Voice;
use super::proved::{Claim, Proved, supporting};
use super::{AnswerError, AnswerOptions, Asked, Draft, Events, Evidence, cite, guard, memory, prompt};
use crate::domain::trace::EntailmentTrace;
use crate::domain::{Citation, Usage};
use crate::index::analyze::Language;
use crate::index::analyze::sentences::pieces as split;
use crate::inference::{ChatModel, ChatPiece, ChatRequest, Sampling};

/// Lets `model` answer from the evidence; `entailment` reads each of its sentences beside what it cites. A model that says
/// that the passages do not answer gives a refusal. It fails only as long as nothing was shown.
pub async fn generate(
    model: &dyn ChatModel,
    entailment: Option<&Entailment>,
    asked: &Asked,
    evidence: &Evidence,
    voice: &Voice<'_>,
    options: &AnswerOptions,
    events: &mut Events,
) -> Result<Draft, AnswerError> {
    let question = evidence.question.as_str();
    let system = prompt::system(evidence.asked_of);
    let marks = Marks::of(&asked.message);
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
    let count = |text: &str| model.count_tokens(text);
    let turns: Vec<(&str, &str)> =
        asked.history.iter().map(|turn| (turn.question.as_str(), turn.answer.response.as_str())).collect();
    let before = memory::recollect(&memory::of(&asked.history), &turns, budget / RECALLED, count).text;
    let (messages, used) = prompt::prompt(system, question, &before, &excerpts, &marks, budget, count);
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
                picked.map_or_else(
                    || supporting(question, &passage.chunk.text, evidence.language),
                    |picked| picked.span,
                ),
            )
        })
        .collect();
    events.sources(&offered).await;

    let sampling = Sampling {
        max_tokens: options.max_tokens,
        repeat_penalty: REPEAT_PENALTY,
        seed: options.seed,
        ..Sampling::default()
    };
    let mut pieces = model.chat(ChatRequest { messages, sampling }).await?;
    let texts = evidence.passages[..used].iter().map(|passage| passage.chunk.text.as_str());
    let output = Output::of(&marks, system, texts, guard::hosts(&asked.creator));
    let (mut said, mut usage) = (String::new(), Usage::default());
    let mut proved = Proved::new(question, evidence, used, output);
    let mut judge = Judge::new(entailment, evidence.language);
    while let Some(piece) = pieces.recv().await {
        match piece {
            Ok(ChatPiece::Text(text)) => said.push_str(&text),
            Ok(ChatPiece::End { prompt_tokens, completion_tokens, .. }) => {
                usage = Usage { prompt_tokens, completion_tokens };
            }
            Err(error) if proved.response.is_empty() => return Err(error.into()),
            // No other model may go on with this one's text: the passages do, in their own words.
            Err(error) => {
                tracing::warn!(model = model.name(), %error, "a model broke off; quotations complete its answer");
                for sentence in proved.complete() {
                    events.token(sentence).await;
                }
                return Ok(Draft { entailment: judge.trace, ..proved.draft(model.name(), usage) });
            }
        }
        for claim in proved.advance(&said, false) {
            if let Some(sentence) = judge.shown(&mut proved, claim).await {
                events.token(sentence).await;
            }
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
    for claim in proved.advance(&said, true) {
        if let Some(sentence) = judge.shown(&mut proved, claim).await {
            events.token(sentence).await;
        }
    }
    if proved.response.is_empty() {
        // Nothing that the model said stands in the passages and answers: the passages speak for themselves.
        let draft = Draft { usage, entailment: judge.trace, ..extractive(evidence, &voice.say("intro")) };
        events.text(&draft.response).await;
        return Ok(draft);
    }
    Ok(Draft { entailment: judge.trace, ..proved.draft(model.name(), usage) })
}

/// Asks the entailment model, where there is one, and counts what it said.
struct Judge<'a> {
    entailment: Option<&'a Entailment>,
    language: Language,
    trace: Option<EntailmentTrace>,
}

impl<'a> Judge<'a> {
    fn new(entailment: Option<&'a Entailment>, language: Language) -> Self {
        let trace = entailment.map(|known| EntailmentTrace {
            model: known.model.name().to_owned(),
            ..EntailmentTrace::default()
        });
        Self { entailment, language, trace }
    }

    /// The claim as it is shown, if it is. Where the model cannot be asked, words alone judge.
    async fn shown(&mut self, proved: &mut Proved<'_>, claim: Claim) -> Option<String> {
        let (Some(entailment), Some(trace)) = (self.entailment, &mut self.trace) else {
            return proved.accept(claim, None);
        };
        let premises = proved.premises(&claim);
        if premises.is_empty() {
            return proved.accept(claim, None);
        }
        let verdict = match entailment.verdict(claim.text(), &premises, self.language).await {
            Ok(verdict) => verdict,
            Err(error) => {
                tracing::warn!(model = entailment.model.name(), %error, "a sentence is judged by its words alone");
                None
            }
        };
        match verdict {
            Some(verdict) if verdict.contradicts() => trace.contradicted += 1,
            Some(_) => trace.not_contradicted += 1,
            None => trace.not_asked += 1,
        }
        proved.accept(claim, verdict)
    }
}

/// A quarter of the window at most is for what was said before: the passages hold the answer.
const RECALLED: usize = 4;

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

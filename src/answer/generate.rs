//! An answer phrased by a chat model, and checked: each sentence against the passages it cites.
//!
//! A sentence goes out when it is whole and the passages bear it out; one that they do not is left out, because a
//! student cannot tell invention from fact. When nothing is left, the answer is the best sentences of the passages
//! instead; when a model breaks off, they complete what was proved. A number that no passage has is dropped, and a sentence that names none gets the best one's.

use std::collections::BTreeMap;

use super::compose::{Voice, citation, decline, extractive};
use super::find::Passage;
use super::guard::marks::Marks;
use super::guard::output::Output;
use super::sentence::{PieceKind, split};
use super::{AnswerError, AnswerOptions, Asked, Draft, Events, Evidence, cite, guard, prompt, verify};
use crate::domain::{Citation, Sentence, Span, Usage};
use crate::index::analyze::Language;
use crate::inference::{ChatModel, ChatPiece, ChatRequest, Sampling};

/// Lets `model` answer from the evidence. One that says that the passages do not answer gives a refusal. It fails only
/// as long as nothing was shown.
pub async fn generate(
    model: &dyn ChatModel,
    asked: &Asked,
    evidence: &Evidence,
    voice: &Voice,
    options: &AnswerOptions,
    events: &mut Events,
) -> Result<Draft, AnswerError> {
    let question = asked.question.text();
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
    let (messages, used) =
        prompt::prompt(question, &excerpts, &marks, budget, |text| model.count_tokens(text));
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

    let sampling = Sampling {
        max_tokens: options.max_tokens,
        repeat_penalty: REPEAT_PENALTY,
        seed: options.seed,
        ..Sampling::default()
    };
    let mut pieces = model.chat(ChatRequest { messages, sampling }).await?;
    let texts = evidence.passages[..used].iter().map(|passage| passage.chunk.text.as_str());
    let output = Output::of(&marks, prompt::SYSTEM, texts, guard::hosts(&asked.creator));
    let (mut said, mut proved, mut usage) = (String::new(), Proved::default(), Usage::default());
    while let Some(piece) = pieces.recv().await {
        match piece {
            Ok(ChatPiece::Text(text)) => said.push_str(&text),
            Ok(ChatPiece::End { prompt_tokens, completion_tokens, .. }) => {
                usage = Usage { prompt_tokens, completion_tokens };
            }
            Err(error) if proved.response.is_empty() => return Err(error.into()),
            // No other model may go on with this one's text: the passages do, in their own words.
            Err(error) => {
                tracing::warn!(model = model.name(), %error, "a model broke off; its answer is completed by quotation");
                for sentence in proved.complete(evidence, used) {
                    events.token(sentence).await;
                }
                return Ok(proved.draft(model.name(), evidence, usage));
            }
        }
        for sentence in proved.advance(&said, false, evidence, used, &output) {
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
    for sentence in proved.advance(&said, true, evidence, used, &output) {
        events.token(sentence).await;
    }
    if proved.response.is_empty() {
        // Nothing that the model said stands in the passages: the passages speak for themselves.
        let draft = Draft { usage, ..extractive(evidence, voice) };
        events.text(&draft.response).await;
        return Ok(draft);
    }
    Ok(proved.draft(model.name(), evidence, usage))
}

/// Tokens said lately are that much less likely: small models repeat themselves without it, and more of it keeps
/// them from using the words of the passages.
const REPEAT_PENALTY: f32 = 1.1;

/// Whether the last whole sentence was said before.
fn goes_in_circles(response: &str) -> bool {
    let sentences: Vec<&str> = split(response).into_iter().map(|piece| piece.span.of(response)).collect();
    let Some((last, before)) = sentences.split_last() else { return false };
    last.len() >= 20 && last.ends_with(['.', '!', '?']) && before.contains(last)
}

/// The sentences that are proved, as far as the model has come.
#[derive(Default)]
struct Proved {
    response: String,
    sentences: Vec<Sentence>,
    /// Sentences of what the model said that were looked at.
    seen: usize,
}

impl Proved {
    /// Looks at the sentences that are whole now and gives those that the passages bear out, ready to be sent, each
    /// with the numbers of its passages behind it. One that names no passage is compared with all and gets the best.
    fn advance(
        &mut self,
        said: &str,
        ended: bool,
        evidence: &Evidence,
        used: usize,
        output: &Output,
    ) -> Vec<String> {
        let pieces = split(said);
        let whole = if ended { pieces.len() } else { pieces.len().saturating_sub(1) };
        let mut ready = Vec::new();
        for piece in pieces.iter().take(whole).skip(self.seen) {
            let (claim, mut numbers) = split_citations(piece.span.of(said));
            let claim = claim.trim();
            numbers.retain(|number| (1..=used as u32).contains(number));
            numbers.sort_unstable();
            numbers.dedup();
            if let Some(fault) = output.fault(piece.span.of(said)) {
                tracing::info!(?fault, "the guard dropped a sentence of the model");
                continue;
            }
            let Some((best, support)) = best_passage(claim, &numbers, evidence, used) else { continue };
            if claim.is_empty() || support < verify::DEFAULT_THRESHOLD {
                continue;
            }
            if numbers.is_empty() {
                numbers.push(best);
            }
            let marks: String = numbers.iter().map(|number| format!("[{number}]")).collect();
            let space = if self.response.is_empty() { "" } else { " " };
            let sentence = format!("{space}{claim} {marks}");
            self.response.push_str(&sentence);
            self.sentences.push(Sentence { text: claim.to_owned(), citations: numbers, support });
            ready.push(sentence);
        }
        self.seen = self.seen.max(whole);
        ready
    }

    /// Adds the best sentences of the passages, verbatim, but none that the proved ones say already.
    fn complete(&mut self, evidence: &Evidence, used: usize) -> Vec<String> {
        let said = self.response.clone();
        let mut ready = Vec::new();
        for picked in evidence.picked.iter().filter(|picked| picked.passage < used) {
            let quote = picked.span.of(&evidence.passages[picked.passage].chunk.text);
            if verify::support(quote, &[&said], evidence.language) >= verify::DEFAULT_THRESHOLD {
                continue;
            }
            let number = picked.passage as u32 + 1;
            let sentence = format!(" {quote} [{number}]");
            self.response.push_str(&sentence);
            self.sentences.push(Sentence { text: quote.to_owned(), citations: vec![number], support: 1.0 });
            ready.push(sentence);
        }
        ready
    }

    fn draft(self, model: &str, evidence: &Evidence, usage: Usage) -> Draft {
        Draft {
            citations: self.citations(evidence),
            response: self.response,
            sentences: self.sentences,
            abstained: false,
            agent: "course",
            model: model.to_owned(),
            usage,
        }
    }

    /// A citation for each passage that a sentence names: the part that bears the first such sentence out.
    fn citations(&self, evidence: &Evidence) -> Vec<Citation> {
        let mut cited: BTreeMap<u32, Citation> = BTreeMap::new();
        for sentence in &self.sentences {
            for &number in &sentence.citations {
                let passage = &evidence.passages[number as usize - 1];
                cited.entry(number).or_insert_with(|| {
                    citation(number, passage, supporting(&sentence.text, passage, evidence.language))
                });
            }
        }
        cited.into_values().collect()
    }
}

/// The passage that bears a claim out best, of those it names (else of all), with its support.
fn best_passage(claim: &str, numbers: &[u32], evidence: &Evidence, used: usize) -> Option<(u32, f32)> {
    let passages = (1u32..).zip(&evidence.passages[..used]);
    passages
        .filter(|(number, _)| numbers.is_empty() || numbers.contains(number))
        .map(|(number, passage)| (number, verify::support(claim, &[&passage.chunk.text], evidence.language)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

/// The sentence of a passage that bears a claim out best; all of the passage when it has none.
fn supporting(claim: &str, passage: &Passage, language: Language) -> Span {
    let text = &passage.chunk.text;
    let borne_out = |span: Span| {
        let features = verify::Features::of(claim, &[span.of(text)], language);
        features.recall + features.pairs
    };
    let spans =
        split(text).into_iter().filter(|piece| piece.kind != PieceKind::Heading).map(|piece| piece.span);
    spans.max_by(|a, b| borne_out(*a).total_cmp(&borne_out(*b))).unwrap_or(Span { start: 0, end: text.len() })
}

/// A sentence without its `[n]`, and the numbers.
fn split_citations(sentence: &str) -> (String, Vec<u32>) {
    let (mut words, mut numbers, mut rest) = (String::new(), Vec::new(), sentence);
    while let Some(open) = rest.find('[') {
        let after = &rest[open + 1..];
        let inner = after.find(']').map(|close| (&after[..close], &after[close + 1..]));
        let parsed = inner.and_then(|(inner, behind)| {
            let numbers: Option<Vec<u32>> = inner.split(',').map(|part| part.trim().parse().ok()).collect();
            numbers.map(|numbers| (numbers, behind))
        });
        match parsed {
            Some((found, behind)) => {
                words.push_str(rest[..open].trim_end());
                numbers.extend(found);
                rest = behind;
            }
            None => {
                words.push_str(&rest[..=open]);
                rest = after;
            }
        }
    }
    words.push_str(rest);
    (words, numbers)
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

    #[test]
    fn citations_are_taken_out_of_sentences() {
        for (sentence, words, numbers) in [
            ("Dry them flat [1].", "Dry them flat.", &[1][..]),
            ("Both hold [1][2].", "Both hold.", &[1, 2]),
            ("Both hold [1, 3].", "Both hold.", &[1, 3]),
            ("An array [i] stays.", "An array [i] stays.", &[]),
            ("Open [ only", "Open [ only", &[]),
        ] {
            assert_eq!(split_citations(sentence), (words.to_owned(), numbers.to_vec()));
        }
    }
}

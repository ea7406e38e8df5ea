//! An answer phrased by a chat model, and checked: each sentence against the passages it cites.
//!
//! The model's pieces go out as they come. What it cites is looked up afterwards: a number that no passage has is
//! dropped, a sentence without support is marked so by its `support`, and an answer that cites nothing gets the
//! passage that stood first in its prompt, so that a student always has a place to look at.

use super::compose::{Voice, citation, decline};
use super::find::Passage;
use super::sentence::{PieceKind, split};
use super::{AnswerError, AnswerOptions, Draft, Events, Evidence, cite, prompt, verify};
use crate::domain::{Citation, Sentence, Span, Usage};
use crate::index::analyze::Language;
use crate::inference::{ChatModel, ChatPiece, ChatRequest, Sampling};

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
    let mut pieces = model.chat(ChatRequest { messages, sampling }).await?;
    let (mut response, mut sent, mut usage) = (String::new(), 0, Usage::default());
    while let Some(piece) = pieces.recv().await {
        match piece? {
            ChatPiece::Text(text) => response.push_str(&text),
            ChatPiece::End { prompt_tokens, completion_tokens, .. } => {
                usage = Usage { prompt_tokens, completion_tokens };
            }
        }
        // What may still become the model's refusal is held back: it is not an answer.
        if !prompt::REFUSAL.starts_with(response.trim()) && sent < response.len() {
            events.token(response[sent..].to_owned()).await;
            sent = response.len();
        }
        // A small model that says a sentence again says it for ever.
        if goes_in_circles(&response) {
            break;
        }
    }
    if response.trim().is_empty() || prompt::REFUSAL.starts_with(response.trim()) {
        let draft = Draft { model: model.name().to_owned(), usage, ..decline(voice) };
        events.text(&draft.response).await;
        return Ok(draft);
    }
    let mut checked = check(&response, evidence, used);
    if checked.citations.is_empty() && used > 0 {
        let note = " [1]".to_owned();
        response.push_str(&note);
        events.token(note).await;
        checked = check(&response, evidence, used);
    }
    Ok(Draft {
        response,
        citations: checked.citations,
        sentences: checked.sentences,
        abstained: false,
        agent: "course",
        model: model.name().to_owned(),
        usage,
    })
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

struct Checked {
    citations: Vec<Citation>,
    sentences: Vec<Sentence>,
}

/// The sentences of a response with what they cite and how far that supports them.
fn check(response: &str, evidence: &Evidence, used: usize) -> Checked {
    let mut cited: Vec<(u32, Citation)> = Vec::new();
    let mut checked = Vec::new();
    for piece in split(response) {
        let sentence = piece.span.of(response);
        let (claim, numbers) = split_citations(sentence);
        let numbers: Vec<u32> =
            numbers.into_iter().filter(|&number| (1..=used as u32).contains(&number)).collect();
        if claim.trim().is_empty() {
            // A lone `[2]` belongs to the sentence before it.
            if let Some(last) = checked.last_mut() {
                let last: &mut Sentence = last;
                last.citations.extend(numbers);
            }
            continue;
        }
        checked.push(Sentence { text: claim.trim().to_owned(), citations: numbers, support: 0.0 });
    }
    for sentence in &mut checked {
        sentence.citations.sort_unstable();
        sentence.citations.dedup();
        let texts: Vec<&str> = sentence
            .citations
            .iter()
            .map(|&n| evidence.passages[n as usize - 1].chunk.text.as_str())
            .collect();
        sentence.support =
            if texts.is_empty() { 0.0 } else { verify::support(&sentence.text, &texts, evidence.language) };
        for &number in &sentence.citations {
            if !cited.iter().any(|(known, _)| *known == number) {
                let place = number as usize - 1;
                let passage = &evidence.passages[place];
                let span = supporting(&sentence.text, passage, evidence.language);
                cited.push((number, citation(number, passage, span)));
            }
        }
    }
    cited.sort_by_key(|(number, _)| *number);
    Checked { citations: cited.into_iter().map(|(_, citation)| citation).collect(), sentences: checked }
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

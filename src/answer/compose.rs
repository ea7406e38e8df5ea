//! Answers without a chat model: the best sentences, verbatim, in the creator's voice; and the polite refusal.

use serde_json::Value;

use super::extract::{Pick, Source, best_sentences};
use super::find::Passage;
use super::{Draft, Evidence, cite, verify};
use crate::domain::{Citation, Sentence, Span, Usage};
use crate::store::Creator;

/// Name that extractive answers carry in `model`.
pub const EXTRACTIVE: &str = "extractive";

/// What a creator lets the assistant say around quotations.
pub struct Voice {
    /// Stands before quoted sentences; may be empty.
    pub intro: String,
    /// Said when the content does not hold the answer.
    pub decline: String,
}

impl Voice {
    /// The creator's own words from the settings `intro` and `decline`, else plain ones with their name.
    pub fn of(creator: &Creator) -> Self {
        let own = |name: &str| creator.settings.get(name).and_then(Value::as_str).map(str::to_owned);
        let name = &creator.name;
        Self {
            intro: own("intro").unwrap_or_else(|| "From the course material:".into()),
            decline: own("decline").unwrap_or_else(|| {
                format!(
                    "I did not find an answer to this in the course material, and I would rather not guess. \
                     A person can help: your question is marked for {name}."
                )
            }),
        }
    }
}

/// The answer that is none.
pub fn decline(voice: &Voice) -> Draft {
    Draft {
        response: voice.decline.clone(),
        citations: Vec::new(),
        sentences: Vec::new(),
        abstained: true,
        agent: "escalation",
        model: EXTRACTIVE.to_owned(),
        usage: Usage::default(),
    }
}

/// The best sentences of the evidence, each with its own citation.
pub fn extractive(question: &str, evidence: &Evidence, voice: &Voice, max_sentences: usize) -> Draft {
    let sources: Vec<Source> = evidence.passages.iter().map(source).collect();
    let picks = best_sentences(question, evidence.language, &sources, max_sentences);
    let (mut citations, mut sentences, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (number, pick) in (1u32..).zip(&picks) {
        let passage = &evidence.passages[pick.source];
        let quote = pick.span.of(&passage.chunk.text);
        citations.push(citation(number, passage, pick.span));
        let support = verify::support(quote, &[quote]);
        sentences.push(Sentence { text: quote.to_owned(), citations: vec![number], support });
        lines.push(format!("{} [{number}]", quote.trim()));
    }
    let separator = if lines.iter().any(|line| line.contains('\n')) { "\n\n" } else { " " };
    let body = lines.join(separator);
    let response = if voice.intro.is_empty() { body } else { format!("{}\n\n{body}", voice.intro) };
    Draft {
        response,
        citations,
        sentences,
        abstained: false,
        agent: "course",
        model: EXTRACTIVE.to_owned(),
        usage: Usage::default(),
    }
}

/// A citation of a part of a passage; `span` is within the chunk's text.
pub fn citation(id: u32, passage: &Passage, span: Span) -> Citation {
    Citation {
        id,
        document_id: passage.document.id.clone(),
        external_id: passage.document.external_id.clone(),
        title: passage.document.title.clone(),
        quote: span.of(&passage.chunk.text).to_owned(),
        anchor: passage.chunk.anchor.clone(),
        url: cite::url(&passage.document),
        score: passage.hit.score,
    }
}

fn source(passage: &Passage) -> Source<'_> {
    Source {
        title: &passage.document.title,
        heading: passage.chunk.anchor.heading.as_deref(),
        text: &passage.chunk.text,
        score: passage.hit.score,
    }
}

/// The sentence of a passage that says most of what `claim` says.
pub fn supporting(claim: &str, question: &str, evidence: &Evidence, passage: usize) -> Span {
    let source = source(&evidence.passages[passage]);
    let asked = format!("{question} {claim}");
    let whole = Span { start: 0, end: evidence.passages[passage].chunk.text.len() };
    best_sentences(&asked, evidence.language, &[source], 1).first().map_or(whole, |pick: &Pick| pick.span)
}

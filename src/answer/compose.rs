//! Answers without a chat model: the best sentences, verbatim, in the creator's voice; and the polite refusal.

use serde_json::Value;

use super::find::Passage;
use super::{Draft, Evidence, cite, extract};
use crate::domain::{Anchor, BlockKind, Citation, Sentence, Span, Usage};
use crate::index::analyze::Language;
use crate::store::Creator;

/// Name that extractive answers carry in `model`.
pub const EXTRACTIVE: &str = "extractive";

/// What a creator lets the assistant say around quotations.
pub struct Voice {
    /// Stands before quoted sentences; may be empty.
    pub intro: String,
    /// Said when the content does not hold the answer.
    pub decline: String,
    /// Said to a question that the guard blocks.
    pub refuse: String,
}

impl Voice {
    /// The creator's own words from the settings `intro`, `decline` and `refuse`, else plain ones with their name.
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
            refuse: own("refuse").unwrap_or_else(|| {
                format!(
                    "I can only help with questions about the course material, so I did not act on this message. \
                     If I misread you, please ask again in plain words, or wait for a person: it is marked for {name}."
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

/// The answer to a question that the guard blocks: nothing was looked up and no model was asked.
pub fn refuse(voice: &Voice) -> Draft {
    Draft { response: voice.refuse.clone(), agent: "guard", ..decline(voice) }
}

/// The best sentences of the evidence, each with its own citation.
pub fn extractive(evidence: &Evidence, voice: &Voice) -> Draft {
    let (mut citations, mut sentences, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (number, picked) in (1u32..).zip(&evidence.picked) {
        let passage = &evidence.passages[picked.passage];
        let quote = picked.span.of(&passage.chunk.text);
        citations.push(citation(number, passage, picked.span));
        // What is quoted word for word is supported by what it quotes.
        sentences.push(Sentence { text: quote.to_owned(), citations: vec![number], support: 1.0 });
        lines.push(format!("{quote} [{number}]"));
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
    let anchor = place_of(passage, span);
    Citation {
        id,
        document_id: passage.document.id.clone(),
        external_id: passage.document.external_id.clone(),
        title: passage.document.title.clone(),
        quote: span.of(&passage.chunk.text).to_owned(),
        url: Some(cite::url(passage, span, &anchor)),
        anchor,
        score: passage.hit.score,
    }
}

/// The exact place of a part of a passage: the page, slide, row and time of its own block, and the heading above it.
fn place_of(passage: &Passage, span: Span) -> Anchor {
    let mut anchor = passage.chunk.anchor.clone();
    let Some(block) = passage.blocks.iter().rfind(|block| block.span.start <= span.start) else {
        return anchor;
    };
    anchor.page = block.anchor.page.or(anchor.page);
    anchor.slide = block.anchor.slide.or(anchor.slide);
    anchor.row = block.anchor.row.or(anchor.row);
    if block.anchor.sheet.is_some() {
        anchor.sheet = block.anchor.sheet.clone();
    }
    if block.anchor.start_ms.is_some() {
        (anchor.start_ms, anchor.end_ms) = (block.anchor.start_ms, block.anchor.end_ms);
    }
    if anchor.heading.is_none() {
        let above = headings(passage).into_iter().rfind(|heading| heading.start <= span.start);
        anchor.heading = above.map(|heading| heading.of(&passage.chunk.text).to_owned());
    }
    anchor
}

/// Where headings stand in a passage.
pub fn headings(passage: &Passage) -> Vec<Span> {
    let headings = passage.blocks.iter().filter(|block| matches!(block.kind, BlockKind::Heading(_)));
    headings.map(|block| block.span).collect()
}

/// A passage as extraction reads it.
pub fn readable<'a>(passage: &'a Passage, headings: &'a [Span]) -> extract::Passage<'a> {
    extract::Passage {
        headings,
        chunk: passage.chunk.id,
        title: &passage.document.title,
        heading: passage.chunk.anchor.heading.as_deref(),
        text: &passage.chunk.text,
        score: passage.hit.score,
        language: passage.document.language.as_deref().map_or(Language::ENGLISH, Language::of_code),
    }
}

//! Answers without a chat model: the best sentences, verbatim; the polite refusal; and several answers as one.

use super::find::Passage;
use super::phrases::Voice;
use super::{Draft, Evidence, cite, extract};
use crate::domain::{Anchor, BlockKind, Citation, Escalation, Sentence, Span, Usage, area};
use crate::index::analyze::Language;

/// Name that extractive answers carry in `model`.
pub const EXTRACTIVE: &str = "extractive";

/// Words of the assistant's own, which cite nothing: taken for a refusal, which those who mean otherwise change.
pub fn phrase(response: String) -> Draft {
    Draft {
        response,
        citations: Vec::new(),
        sentences: Vec::new(),
        abstained: true,
        escalation: None,
        confidence: 0.0,
        agents: vec!["escalation"],
        model: EXTRACTIVE.to_owned(),
        usage: Usage::default(),
        entailment: None,
        costs: Vec::new(),
    }
}

/// The answer that is none.
pub fn decline(voice: &Voice) -> Draft {
    Draft { escalation: Some(Escalation::NotInContent), ..phrase(voice.say("decline")) }
}

/// Several answers as one, in their order, with the citations numbered through. `drafts` is not empty.
pub fn together(mut drafts: Vec<Draft>) -> Draft {
    let rest = drafts.split_off(drafts.len().min(1));
    let mut whole = drafts.pop().unwrap_or_else(|| phrase(String::new()));
    for mut next in rest {
        let before = whole.citations.len() as u32;
        for citation in next.citations.iter_mut().rev() {
            let (old, new) = (format!("[{}]", citation.id), format!("[{}]", citation.id + before));
            // From the last to the first, so that no number is changed twice.
            next.response = next.response.replace(&old, &new);
            citation.id += before;
        }
        for number in next.sentences.iter_mut().flat_map(|sentence| &mut sentence.citations) {
            *number += before;
        }
        whole.response = format!("{}\n\n{}", whole.response, next.response);
        whole.citations.append(&mut next.citations);
        whole.sentences.append(&mut next.sentences);
        // Said to be without an answer only where nothing was answered; how sure it is tells the least sure part.
        whole.abstained &= next.abstained;
        whole.escalation = next.escalation.or(whole.escalation);
        whole.confidence = whole.confidence.min(next.confidence);
        whole.agents.extend(next.agents);
    }
    whole
}

/// The best sentences of the evidence, each with its own citation.
/// `intro` stands before them; it may be empty.
pub fn extractive(evidence: &Evidence, intro: &str) -> Draft {
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
    let response = if intro.is_empty() { body } else { format!("{intro}\n\n{body}") };
    Draft {
        response,
        citations,
        sentences,
        abstained: false,
        escalation: None,
        confidence: evidence.confidence,
        agents: vec!["course"],
        model: EXTRACTIVE.to_owned(),
        usage: Usage::default(),
        entailment: None,
        costs: Vec::new(),
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
    anchor.areas = area::within(&anchor.areas, span);
    let Some(block) = passage.blocks.iter().rfind(|block| block.span.start <= span.start) else {
        return anchor;
    };
    // A paragraph may begin on the page before.
    let page = anchor.areas.first().map(|area| area.page);
    anchor.page = page.or(block.anchor.page).or(anchor.page);
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

//! Where sentences begin and end, as byte ranges of the text itself, so that a sentence can be quoted verbatim.
//!
//! Comes in: prose, Markdown or lines of a transcript. Goes out: [`pieces`], what can be quoted, without marks of
//! lists and without headings' signs (answers pick among them and check them); or [`sentences`], which leave out
//! nothing but white space (chunking cuts between them). Both see the same lines and the same stops. Which full stop
//! ends a sentence is decided in `stops.rs`; the words that decide it stand in `abbreviations.rs`.

mod abbreviations;
mod stops;

use std::ops::Range;

use super::Language;
use crate::domain::Span;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Sentence,
    /// A heading of Markdown, or a line that is bold as a whole: it names what follows and answers nothing.
    Heading,
    /// A fenced block of code, with its fences left out.
    Code,
}

/// A sentence, heading or block of code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    pub span: Span,
    pub kind: PieceKind,
}

/// What of `text` can be quoted, in order. Each piece holds a letter or digit.
pub fn pieces(text: &str, language: Language) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for Piece { span, kind } in blocks(text) {
        match kind {
            PieceKind::Sentence => {
                for sentence in stops::sentences(span.of(text), language) {
                    push(text, shifted(sentence, span.start), kind, &mut pieces);
                }
            }
            PieceKind::Heading => push(text, span, kind, &mut pieces),
            PieceKind::Code => push(text, without_fences(text, span), kind, &mut pieces),
        }
    }
    pieces
}

/// The sentences of `text` without surrounding space, in order; every byte that is not space is in one.
pub fn sentences(text: &str, language: Language) -> Vec<Range<usize>> {
    let mut sentences = Vec::new();
    for Piece { span, kind } in blocks(text) {
        let parts = match kind {
            PieceKind::Sentence => stops::sentences(span.of(text), language),
            _ => std::iter::once(0..span.end - span.start).collect(),
        };
        for part in parts {
            let words = &span.of(text)[part.clone()];
            let start = span.start + part.start + (words.len() - words.trim_start().len());
            if !words.trim().is_empty() {
                sentences.push(start..start + words.trim().len());
            }
        }
    }
    sentences
}

/// Whether a piece is worded as a question: it asks and answers nothing.
pub fn is_question(sentence: &str) -> bool {
    let bare = sentence.trim_end_matches(|c: char| c.is_whitespace() || stops::is_closer(c));
    bare.ends_with(['?', '？', '؟'])
}

fn shifted(range: Range<usize>, by: usize) -> Span {
    Span { start: range.start + by, end: range.end + by }
}

/// Paragraphs, headings and fenced code, in order; together they hold every byte that is not space.
fn blocks(text: &str) -> Vec<Piece> {
    let mut blocks: Vec<Piece> = Vec::new();
    let mut open: Option<Piece> = None;
    let mut in_code = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = Span { start, end: start + line.trim_end().len() };
        start += line.len();
        let words = line.trim();
        let is_fence = words.starts_with("```") || words.starts_with("~~~");
        let alone = |kind| Piece { span, kind };
        if in_code {
            if let Some(code) = open.as_mut() {
                code.span.end = span.end.max(code.span.end);
            }
            if is_fence {
                blocks.extend(open.take());
                in_code = false;
            }
        } else if is_fence {
            blocks.extend(open.replace(alone(PieceKind::Code)));
            in_code = true;
        } else if words.is_empty() {
            blocks.extend(open.take());
        } else if is_heading(words) {
            blocks.extend(open.take());
            blocks.push(alone(PieceKind::Heading));
        } else {
            match open.as_mut() {
                Some(paragraph) if goes_on(paragraph.span.of(text), words) => paragraph.span.end = span.end,
                _ => blocks.extend(open.replace(alone(PieceKind::Sentence))),
            }
        }
    }
    blocks.extend(open);
    blocks
}

fn is_heading(line: &str) -> bool {
    let marks = line.bytes().take_while(|&b| b == b'#').count();
    let is_bold = |mark: &str| {
        let inner = line.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark));
        inner.is_some_and(|inner| {
            !inner.is_empty() && !inner.contains(mark) && !inner.ends_with(['.', '!', '?', '。', '！', '？'])
        })
    };
    ((1..=6).contains(&marks) && line[marks..].starts_with(' ')) || is_bold("**") || is_bold("__")
}

/// Lines at least this long that end without a stop were wrapped by an editor.
const WRAPPED_CHARS: usize = 50;

/// Whether `line` continues the paragraph `before`: a wrapped line does, an item of a list or a new statement not.
fn goes_on(before: &str, line: &str) -> bool {
    let last = before.lines().next_back().unwrap_or_default().trim_end();
    let ends_open = !last.ends_with(['.', '!', '?', ':', ';', '。', '！', '？', '|']);
    let begins_small = line.starts_with(|c: char| c.is_lowercase());
    let was_wrapped = last.chars().count() >= WRAPPED_CHARS;
    list_mark(line) == 0
        && !line.starts_with('|')
        && (begins_small || (ends_open && was_wrapped) || (was_wrapped && !last.ends_with(':')))
}

/// Length of the mark that begins an item of a list, white space after it included; 0 when there is none.
fn list_mark(line: &str) -> usize {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let mark = match line.as_bytes().get(digits) {
        Some(b'.' | b')') if (1..=3).contains(&digits) => digits + 1,
        Some(b'-' | b'*' | b'+' | b'>') if digits == 0 => 1,
        _ if line.starts_with('•') => '•'.len_utf8(),
        _ => return 0,
    };
    let space = line[mark..].len() - line[mark..].trim_start().len();
    if space == 0 { 0 } else { mark + space }
}

/// The lines between the fences.
fn without_fences(text: &str, code: Span) -> Span {
    let words = code.of(text);
    let first = words.find('\n').map_or(words.len(), |end| end + 1);
    let last = words.rfind('\n').map_or(words.len(), |at| at + 1);
    let is_closed = last >= first && words[last..].trim().starts_with(['`', '~']);
    let end = if is_closed { last } else { words.len() };
    Span { start: code.start + first.min(end), end: code.start + end }
}

/// Adds what is left of `span` without white space and marks, if it holds a letter or digit.
fn push(text: &str, span: Span, kind: PieceKind, pieces: &mut Vec<Piece>) {
    let words = span.of(text);
    let mut start = span.start;
    if kind != PieceKind::Code {
        start += words.len() - words.trim_start().len();
    }
    start += match kind {
        PieceKind::Sentence => list_mark(words.trim_start()),
        PieceKind::Heading => words.trim_start().find(|c| !matches!(c, '#' | ' ' | '*' | '_')).unwrap_or(0),
        PieceKind::Code => 0,
    };
    let mut end = span.start + words.trim_end().len();
    if kind == PieceKind::Heading {
        end = span.start + words.trim_end().trim_end_matches(['*', '_', '#', ' ']).len();
    }
    let inside = Span { start, end };
    if start < end && inside.of(text).contains(char::is_alphanumeric) {
        pieces.push(Piece { span: inside, kind });
    }
}

#[cfg(test)]
mod tests;

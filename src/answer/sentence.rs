//! Where sentences begin and end, as byte ranges of the text itself, so that a sentence can be quoted verbatim.
//!
//! Comes in: the text of a chunk, prose, Markdown or lines of a transcript. Goes out: its pieces in order, without
//! the marks of lists and without white space around them. `extract.rs` picks among them, `verify.rs` checks them.
//! Full stops after abbreviations, initials and numbers end nothing; Chinese and Japanese stops end at once.

use crate::domain::Span;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PieceKind {
    Sentence,
    /// A heading of Markdown: it names what follows and answers nothing.
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

/// Lines at least this long that end without a stop were wrapped by an editor.
const WRAPPED_CHARS: usize = 50;

/// The pieces of `text` in order.
pub fn split(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut paragraph: Option<Span> = None;
    let mut code: Option<Span> = None;
    let mut in_code = false;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let span = Span { start, end: start + line.trim_end().len() };
        start += line.len();
        let words = line.trim();
        if words.starts_with("```") || words.starts_with("~~~") {
            finish_paragraph(text, &mut paragraph, &mut pieces);
            if let Some(span) = code.take() {
                push(text, span, PieceKind::Code, &mut pieces);
            }
            in_code = !in_code;
        } else if in_code {
            code = Some(code.map_or(span, |code| Span { start: code.start, end: span.end }));
        } else if words.is_empty() {
            finish_paragraph(text, &mut paragraph, &mut pieces);
        } else if is_heading(words) {
            finish_paragraph(text, &mut paragraph, &mut pieces);
            push(text, span, PieceKind::Heading, &mut pieces);
        } else {
            let goes_on = paragraph.is_some_and(|before| goes_on(before.of(text), words));
            if !goes_on {
                finish_paragraph(text, &mut paragraph, &mut pieces);
            }
            paragraph = Some(paragraph.map_or(span, |before| Span { start: before.start, end: span.end }));
        }
    }
    finish_paragraph(text, &mut paragraph, &mut pieces);
    if let Some(span) = code {
        push(text, span, PieceKind::Code, &mut pieces);
    }
    pieces
}

fn is_heading(line: &str) -> bool {
    let marks = line.bytes().take_while(|&b| b == b'#').count();
    (1..=6).contains(&marks) && line[marks..].starts_with(' ')
}

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

fn finish_paragraph(text: &str, paragraph: &mut Option<Span>, pieces: &mut Vec<Piece>) {
    let Some(span) = paragraph.take() else { return };
    let words = span.of(text);
    let mut start = 0;
    for end in stops(words).into_iter().chain([words.len()]) {
        push(text, Span { start: span.start + start, end: span.start + end }, PieceKind::Sentence, pieces);
        start = end;
    }
}

/// Adds what is left of `span` without white space and list marks, if it holds a letter or digit.
fn push(text: &str, span: Span, kind: PieceKind, pieces: &mut Vec<Piece>) {
    let words = span.of(text);
    let mut start = span.start + (words.len() - words.trim_start().len());
    let mark = match kind {
        PieceKind::Sentence => list_mark(words.trim_start()),
        PieceKind::Heading => words.trim_start().find(|c| c != '#' && c != ' ').unwrap_or(0),
        PieceKind::Code => 0,
    };
    start += mark;
    let end = span.start + words.trim_end().len();
    let inside = Span { start, end };
    if start < end && inside.of(text).contains(char::is_alphanumeric) {
        pieces.push(Piece { span: inside, kind });
    }
}

/// Places after which a new sentence begins.
fn stops(paragraph: &str) -> Vec<usize> {
    let chars: Vec<(usize, char)> = paragraph.char_indices().collect();
    let mut stops = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let (place, mark) = chars[at];
        at += 1;
        if matches!(mark, '。' | '！' | '？') {
            stops.push(after_closers(paragraph, &chars, &mut at));
        } else if matches!(mark, '.' | '!' | '?' | '…' | '؟' | '।') {
            while at < chars.len() && matches!(chars[at].1, '.' | '!' | '?' | '…') {
                at += 1;
            }
            let end = after_closers(paragraph, &chars, &mut at);
            let mut next = chars[at..].iter().map(|&(_, c)| c);
            let is_spaced = next.next().is_some_and(char::is_whitespace);
            let next_mark = next.find(|c| !c.is_whitespace());
            let begins_small = next_mark.is_some_and(char::is_lowercase);
            if is_spaced && !begins_small && !(mark == '.' && is_abbreviated(&paragraph[..place], next_mark))
            {
                stops.push(end);
            }
        }
    }
    stops
}

/// Skips closing quotes and brackets and returns where they end.
fn after_closers(paragraph: &str, chars: &[(usize, char)], at: &mut usize) -> usize {
    while *at < chars.len()
        && matches!(chars[*at].1, '"' | '\'' | '”' | '’' | '»' | ')' | ']' | '」' | '』' | '*')
    {
        *at += 1;
    }
    chars.get(*at).map_or(paragraph.len(), |&(place, _)| place)
}

/// Words that a full stop follows without ending the sentence.
const ABBREVIATIONS: &[&str] = &[
    "approx", "bzw", "ca", "cf", "dr", "e.g", "ed", "esp", "gen", "i.e", "inc", "jr", "lt", "mr", "mrs",
    "ms", "mt", "p.ej", "prof", "sr", "sra", "st", "u.s", "usw", "vgl", "viz", "vs", "z.b",
];
/// The same before a number only.
const NUMBERED: &[&str] =
    &["abb", "abs", "art", "ch", "eq", "fig", "figs", "no", "nr", "op", "p", "pp", "sec", "vol"];

/// Whether the full stop after `before` belongs to an abbreviation, an initial or the number of a list.
fn is_abbreviated(before: &str, next: Option<char>) -> bool {
    let word =
        before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"')).next().unwrap_or_default();
    let is_initial = word.chars().count() == 1 && word.chars().all(char::is_uppercase);
    let is_item_number = word.len() == before.trim_start().len() && word.bytes().all(|b| b.is_ascii_digit());
    let word = word.to_lowercase();
    let is_in = |list: &[&str]| list.binary_search(&word.as_str()).is_ok();
    let before_number = next.is_some_and(|c| c.is_ascii_digit()) && is_in(NUMBERED);
    is_initial || is_item_number || before_number || is_in(ABBREVIATIONS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let pieces: Vec<&str> = split(text).iter().map(|piece| piece.span.of(text)).collect();
        assert_eq!(pieces, expected);
    }

    #[test]
    fn stops_end_sentences_but_abbreviations_and_numbers_do_not() {
        check("One. Two! Three? Four", &["One.", "Two!", "Three?", "Four"]);
        check(
            "See Dr. Smith, e.g. on p. 3.14 of J. Doe vs. Roe. Then go.",
            &["See Dr. Smith, e.g. on p. 3.14 of J. Doe vs. Roe.", "Then go."],
        );
        check("He said \"Stop.\" Then he left.", &["He said \"Stop.\"", "Then he left."]);
        check("Run example.com/a.b now. ok it is small", &["Run example.com/a.b now. ok it is small"]);
        check("第一句。第二句！", &["第一句。", "第二句！"]);
        check("", &[]);
        check("…", &[]);
    }

    #[test]
    fn lists_and_headings_stand_alone() {
        check(
            "# Title\n\nIntro:\n- first item\n- Second item. With more.\n1. third",
            &["Title", "Intro:", "first item", "Second item.", "With more.", "third"],
        );
        assert_eq!(split("## A\ntext")[0].kind, PieceKind::Heading);
    }

    #[test]
    fn wrapped_lines_are_one_sentence_and_short_lines_are_their_own() {
        check(
            "In this module we build a small search index by hand\nand call the model ourselves. I want you to see it.",
            &[
                "In this module we build a small search index by hand\nand call the model ourselves.",
                "I want you to see it.",
            ],
        );
        check("Ask in Slack\nRead the FAQ", &["Ask in Slack", "Read the FAQ"]);
    }

    #[test]
    fn code_is_one_piece() {
        let text = "Run this:\n\n```python\nimport os\nprint(1). Ok\n```\n\nDone.";
        check(text, &["Run this:", "import os\nprint(1). Ok", "Done."]);
        assert_eq!(split(text)[1].kind, PieceKind::Code);
        check("```\nopen", &["open"]);
    }

    #[test]
    fn abbreviations_are_sorted() {
        assert!(ABBREVIATIONS.is_sorted() && NUMBERED.is_sorted());
    }

    proptest! {
        #[test]
        fn pieces_are_ordered_and_within_the_text(text in "([a-zA-Z.!?。 \n#`*0-9\"'é-]|```\n|\n\n){0,80}") {
            let mut last = 0;
            for piece in split(&text) {
                prop_assert!(piece.span.start >= last && piece.span.start < piece.span.end);
                prop_assert!(text.get(piece.span.start..piece.span.end).is_some());
                last = piece.span.end;
            }
        }
    }
}

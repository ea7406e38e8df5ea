//! Headings to sections: which pieces belong together, and what stands above them.
//!
//! A section is a heading with what follows up to the next heading. Sections share a chunk only when one of them is
//! tiny, both fit the target together, and one holds the other or one parent holds both; questions never share,
//! because each is an entry of its own in an FAQ.

use std::ops::Range;

use crate::domain::{BlockKind, Text};

use super::pieces::Piece;

/// A heading and the pieces below it, up to the next heading of any level.
#[derive(Debug, Clone)]
pub struct Section {
    /// Headings from the outermost to this section's own; empty before the first heading.
    path: Vec<Heading>,
    /// Range of pieces, its heading first.
    pub pieces: Range<usize>,
    /// There is nothing but the heading.
    bare: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Heading {
    level: u8,
    /// The piece where the heading begins.
    piece: usize,
    words: String,
}

/// Longest heading in a path; longer ones are sentences that someone made bold.
const HEADING_CHARS: usize = 120;

/// The sections of a document, in order.
pub fn outline(text: &Text, pieces: &[Piece]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut path: Vec<Heading> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece.kind {
            // A heading so long that it was cut goes on in further pieces, which are no headings of their own.
            BlockKind::Heading(level) if piece.begins_block => {
                path.retain(|above| above.level < level);
                path.push(Heading { level, piece: at, words: heading_words(piece.span.of(&text.text)) });
                sections.push(Section { path: path.clone(), pieces: at..at + 1, bare: true });
            }
            _ => match sections.last_mut() {
                Some(section) => {
                    section.pieces.end = at + 1;
                    section.bare &= matches!(piece.kind, BlockKind::Heading(_));
                }
                None => sections.push(Section { path: Vec::new(), pieces: at..at + 1, bare: false }),
            },
        }
    }
    sections
}

/// Ranges of sections that are cut into chunks together.
pub fn group(sections: &[Section], pieces: &[Piece], target: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for at in 0..sections.len() {
        match runs.last_mut() {
            Some(run) if belongs(&sections[run.clone()], &sections[at], pieces, target) => run.end = at + 1,
            _ => runs.push(at..at + 1),
        }
    }
    runs
}

/// Whether `next` goes into the same run as the sections before it.
fn belongs(run: &[Section], next: &Section, pieces: &[Piece], target: usize) -> bool {
    let (first, last) = (&run[0], &run[run.len() - 1]);
    let below = |inner: &Section, outer: &Section| {
        inner.path.len() > outer.path.len() && inner.path.starts_with(&outer.path)
    };
    if run.iter().all(|section| section.bare) {
        // A heading without words goes with what it introduces.
        return below(next, last) && !last.path.is_empty();
    }
    let wide = |range: Range<usize>| {
        let (from, to) = (&pieces[range.start], &pieces[range.end - 1]);
        to.offset + to.width - from.offset
    };
    let tiny = target / 4;
    let own = wide(first.pieces.start..last.pieces.end);
    let (parent, other) = (first.path.split_last(), next.path.split_last());
    let related = match (parent, other) {
        (Some((_, parent)), Some((_, other))) => {
            (parent == other && !parent.is_empty()) || below(next, first)
        }
        _ => false,
    };
    let place = |at: usize| (pieces[at].page, pieces[at].slide, &pieces[at].sheet);
    let same_page = place(first.pieces.start) == place(next.pieces.end - 1);
    let question = |section: &Section| section.path.last().is_some_and(|heading| is_question(&heading.words));
    related
        && same_page
        && (own <= tiny || wide(next.pieces.clone()) <= tiny)
        && wide(first.pieces.start..next.pieces.end) <= target
        && !run.iter().any(question)
        && !question(next)
}

/// The headings that stand above all of `pieces`, outermost first, without the document's own title.
pub fn heading_path(text: &Text, sections: &[Section], pieces: Range<usize>) -> Option<String> {
    let touched = |s: &&Section| s.pieces.start < pieces.end && pieces.start < s.pieces.end;
    let mut inside: Vec<&Section> = sections.iter().filter(touched).filter(|section| !section.bare).collect();
    if inside.is_empty() {
        inside = sections.iter().filter(touched).collect();
    }
    let (first, others) = inside.split_first()?;
    let shared = others.iter().fold(first.path.len(), |shared, section| {
        first.path.iter().zip(&section.path).take(shared).take_while(|(a, b)| a == b).count()
    });
    let title = text.title.as_deref().map(heading_words);
    let words: Vec<&str> = first.path[..shared]
        .iter()
        .enumerate()
        .filter(|(depth, heading)| {
            !(*depth == 0 && title.as_ref().is_some_and(|title| same(title, &heading.words)))
        })
        .map(|(_, heading)| heading.words.as_str())
        .filter(|words| !words.is_empty())
        .collect();
    (!words.is_empty()).then(|| words.join(" › "))
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// A heading on one line, without Markdown's marks (the text of a record keeps them), and not endless.
fn heading_words(raw: &str) -> String {
    let bare = raw
        .trim()
        .trim_start_matches('#')
        .trim_end_matches(['#', '=', '-', ' ', '\n'])
        .replace(['*', '`'], "");
    let line = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(HEADING_CHARS) {
        Some((cut, _)) => format!("{}…", line[..cut].trim_end()),
        None => line,
    }
}

fn is_question(words: &str) -> bool {
    words.ends_with(['?', '？', '؟', ';']) || words.starts_with('¿') || words.starts_with("Q:")
}

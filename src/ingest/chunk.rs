//! Text to chunks: the pieces of a document that are searched and quoted.
//!
//! In comes a [`Text`], out come spans of it with the place they stand at. A chunk keeps to one section (tiny
//! neighbours of one parent share a chunk), is about `target` wide and never wider than `max`, and is cut between
//! blocks rather than within them. The words of title and heading path are not repeated in the span: the pipeline
//! gives them to retrieval separately. Pure; called by the pipeline once for each document.
//!
//! How wide a text is: characters, where one of Chinese, Japanese or Korean counts as three, because it carries about
//! as much (and costs an embedding model about as many tokens) as three letters of an alphabet.

mod pieces;
mod sections;

use crate::domain::{Anchor, Span, Text, area};

use pieces::Piece;
use sections::Section;

/// How wide chunks are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkOptions {
    /// The width aimed at. 800 with headings kept measured best on course lessons; small embedding models read about
    /// 256 tokens, which is a little more than that in English.
    pub target: usize,
    /// No chunk is wider, except by a single character.
    pub max: usize,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        Self { target: 800, max: 1200 }
    }
}

/// A chunk that has no id yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChunkDraft {
    pub span: Span,
    /// The page and time where it begins (and the time where it ends), and the headings above it without the title.
    pub anchor: Anchor,
}

/// Cuts a document into chunks: ordered, disjoint, together holding every character that is not space.
pub fn chunk(text: &Text, options: &ChunkOptions) -> Vec<ChunkDraft> {
    let options = ChunkOptions { target: options.target.max(1), max: options.max.max(options.target).max(1) };
    let pieces = pieces::cut(text, &options);
    let sections = sections::outline(text, &pieces);
    let mut drafts = Vec::new();
    for run in sections::group(&sections, &pieces, options.target) {
        let range = sections[run.start].pieces.start..sections[run.end - 1].pieces.end;
        for (from, to) in partition(&pieces[range.clone()], &options) {
            let (from, to) = (range.start + from, range.start + to);
            drafts.push(draft(text, &pieces[from..to], &sections[run.clone()], from..to));
        }
    }
    drafts
}

/// What each break of page, slide or sheet inside a chunk costs: more than a chunk that is too small and any cut together (at most 2), so
/// that none crosses it, since the page of a citation is the page where its chunk begins.
const PAGE_COST: f32 = 4.0;

/// The cheapest way to cut `pieces` (never empty) into chunks, as ranges: dynamic programming over the squared
/// distance of each chunk from the target plus the cost of each cut.
fn partition(pieces: &[Piece], options: &ChunkOptions) -> Vec<(usize, usize)> {
    let target = options.target as f32;
    let mut best = vec![f32::INFINITY; pieces.len() + 1];
    let mut came_from = vec![0usize; pieces.len() + 1];
    best[0] = 0.0;
    for end in 1..=pieces.len() {
        let last = &pieces[end - 1];
        for start in (0..end).rev() {
            let first = &pieces[start];
            let width = last.offset + last.width - first.offset;
            if width > options.max && start + 1 < end {
                break;
            }
            let off = width as f32 / target - 1.0;
            let pages = PAGE_COST * page_breaks(first, last);
            let cut = if start == 0 { 0.0 } else { first.cut_cost };
            let cost = best[start] + off * off + pages + cut;
            if cost < best[end] {
                best[end] = cost;
                came_from[end] = start;
            }
        }
    }
    let mut cuts = Vec::new();
    let mut end = pieces.len();
    while end > 0 {
        cuts.push((came_from[end], end));
        end = came_from[end];
    }
    cuts.reverse();
    cuts
}

fn page_breaks(first: &Piece, last: &Piece) -> f32 {
    match (first.page.or(first.slide), last.page.or(last.slide)) {
        (Some(from), Some(to)) => to.saturating_sub(from) as f32,
        _ if first.sheet != last.sheet => 1.0,
        _ => 0.0,
    }
}

fn draft(text: &Text, pieces: &[Piece], sections: &[Section], range: std::ops::Range<usize>) -> ChunkDraft {
    let (first, last) = (&pieces[0], &pieces[pieces.len() - 1]);
    let span = Span { start: first.span.start, end: last.span.end };
    let areas = area::areas(&text.lines, &text.sheets, span);
    ChunkDraft {
        span,
        anchor: Anchor {
            // A paragraph may begin on the page before.
            page: areas.first().map(|area| area.page).or(first.page),
            slide: first.slide,
            sheet: first.sheet.as_deref().map(str::to_owned),
            row: first.row,
            start_ms: first.start_ms,
            end_ms: last.end_ms,
            heading: sections::heading_path(text, sections, range),
            areas,
        },
    }
}

#[cfg(test)]
mod tests;

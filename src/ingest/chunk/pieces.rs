//! Blocks to pieces: the smallest units that chunks are made of, with the cost of cutting before each.
//!
//! Text that no block names becomes a paragraph of its own, so that nothing is lost by a careless extractor.

use std::ops::Range;
use std::rc::Rc;

use crate::domain::{Block, BlockKind, Span, Text};

use super::ChunkOptions;
use crate::index::analyze::Language;
use crate::index::analyze::sentences::sentences;

/// Part of one block.
#[derive(Debug, Clone)]
pub struct Piece {
    pub span: Span,
    pub kind: BlockKind,
    /// Width of the text before this piece, and of the piece itself.
    pub offset: usize,
    pub width: usize,
    /// What it costs to begin a chunk here; 0 is the best place.
    pub cut_cost: f32,
    /// The first piece of its block.
    pub begins_block: bool,
    pub page: Option<u32>,
    pub slide: Option<u32>,
    /// Shared, because a long sheet has many pieces.
    pub sheet: Option<Rc<str>>,
    pub row: Option<u32>,
    pub start_ms: Option<u64>,
    pub end_ms: Option<u64>,
}

// Costs of cutting, on the scale of (width/target − 1)²: an empty chunk is off by 1, one of half the target by .25.
// They order the places; chosen by hand, and only their order matters much.
const BETWEEN_BLOCKS: f32 = 0.0;
const BETWEEN_ITEMS: f32 = 0.1;
const BETWEEN_ROWS: f32 = 0.15;
const AFTER_COLON: f32 = 0.4;
const BETWEEN_SENTENCES: f32 = 0.35;
const WITHIN_SENTENCE: f32 = 1.0;
const AFTER_HEADING: f32 = 5.0;

/// All pieces of a document, in order; none is empty, none wider than `options.max` (but by one character).
pub fn cut(text: &Text, options: &ChunkOptions) -> Vec<Piece> {
    let mut cutter = Cutter { text: &text.text, options, pieces: Vec::new(), seen: 0, width: 0 };
    for block in &text.blocks {
        let start = block.span.start.max(cutter.seen);
        if start >= block.span.end || text.text.get(start..block.span.end).is_none() {
            continue; // not a range of this text: its words are taken up with the next gap
        }
        cutter.gap(start);
        cutter.block(&Block { span: Span { start, end: block.span.end }, ..block.clone() });
    }
    cutter.gap(text.text.len());
    cutter.pieces
}

struct Cutter<'a> {
    text: &'a str,
    options: &'a ChunkOptions,
    pieces: Vec<Piece>,
    /// Byte up to which the text is measured, and its width.
    seen: usize,
    width: usize,
}

impl Cutter<'_> {
    /// Words between blocks become a paragraph.
    fn gap(&mut self, end: usize) {
        if !self.text[self.seen..end].trim().is_empty() {
            let anchor = Default::default();
            self.block(&Block { kind: BlockKind::Paragraph, span: Span { start: self.seen, end }, anchor });
        }
    }

    fn block(&mut self, block: &Block) {
        let Some(span) = trimmed(self.text, block.span.start..block.span.end) else { return };
        let words = &self.text[span.clone()];
        // Above three quarters of the target a block may be cut; the cost keeps most of them whole.
        let whole = width(words) <= self.options.target * 3 / 4;
        let mut parts = match block.kind {
            _ if whole => vec![(span.clone(), 0.0)],
            BlockKind::Code => lines(words, span.start),
            BlockKind::TableRow | BlockKind::Heading(_) => vec![(span.clone(), 0.0)],
            _ => sentences(words, Language::OTHER)
                .into_iter()
                .map(|r| (span.start + r.start..span.start + r.end, BETWEEN_SENTENCES))
                .collect(),
        };
        if let Some(first) = parts.first_mut() {
            first.1 = self.cost_before(block.kind);
        }
        let before = self.pieces.len();
        for (part, cost) in parts {
            self.part(block, part, cost);
        }
        if let Some(first) = self.pieces.get_mut(before) {
            first.begins_block = true;
        }
    }

    /// Adds a part of a block, cut further where it is wider than a chunk may be.
    fn part(&mut self, block: &Block, part: Range<usize>, mut cost: f32) {
        let mut rest = part;
        loop {
            let end = rest.start + fitting(&self.text[rest.clone()], self.options.max);
            if let Some(span) = trimmed(self.text, rest.start..end) {
                self.push(block, span, cost);
            }
            if end >= rest.end {
                return;
            }
            cost = WITHIN_SENTENCE;
            rest.start = end;
        }
    }

    fn push(&mut self, block: &Block, span: Range<usize>, cut_cost: f32) {
        self.width += width(&self.text[self.seen..span.start]);
        let width = width(&self.text[span.clone()]);
        let anchor = &block.anchor;
        let last = self.pieces.last();
        let sheet = anchor.sheet.as_deref().map(|name| match last.and_then(|last| last.sheet.as_ref()) {
            Some(same) if **same == *name => same.clone(),
            _ => Rc::from(name),
        });
        self.pieces.push(Piece {
            span: Span { start: span.start, end: span.end },
            kind: block.kind,
            offset: self.width,
            width,
            cut_cost,
            begins_block: false,
            page: anchor.page.or(last.and_then(|p| p.page)),
            slide: anchor.slide.or(last.and_then(|p| p.slide)),
            sheet,
            row: anchor.row,
            start_ms: anchor.start_ms,
            end_ms: anchor.end_ms,
        });
        self.width += width;
        self.seen = span.end;
    }

    fn cost_before(&self, kind: BlockKind) -> f32 {
        let Some(last) = self.pieces.last() else { return BETWEEN_BLOCKS };
        let words = last.span.of(self.text);
        match (last.kind, kind) {
            (BlockKind::Heading(_), _) => AFTER_HEADING,
            (_, BlockKind::Heading(_)) => BETWEEN_BLOCKS,
            (BlockKind::Cue, BlockKind::Cue) if !words.ends_with(['.', '!', '?', '。', '！', '？']) => {
                BETWEEN_SENTENCES
            }
            (BlockKind::TableRow, BlockKind::TableRow) => BETWEEN_ROWS,
            (BlockKind::ListItem, BlockKind::ListItem) => BETWEEN_ITEMS,
            _ if words.ends_with([':', '：']) => AFTER_COLON,
            _ => BETWEEN_BLOCKS,
        }
    }
}

/// The lines of code, with their cost: a blank line is the better place to cut.
fn lines(words: &str, offset: usize) -> Vec<(Range<usize>, f32)> {
    let mut start = 0;
    let mut after_blank = false;
    let mut out = Vec::new();
    for line in words.split_inclusive('\n') {
        if line.trim().is_empty() {
            after_blank = true;
        } else {
            let cost = if after_blank { BETWEEN_ROWS } else { BETWEEN_SENTENCES };
            out.push((offset + start..offset + start + line.trim_end().len(), cost));
            after_blank = false;
        }
        start += line.len();
    }
    out
}

/// The range without space at its ends; nothing when only space is there.
fn trimmed(text: &str, range: Range<usize>) -> Option<Range<usize>> {
    let words = &text[range.clone()];
    let start = range.start + (words.len() - words.trim_start().len());
    let trimmed = words.trim();
    (!trimmed.is_empty()).then(|| start..start + trimmed.len())
}

/// How many bytes of `words` make a piece no wider than `max`: all, else up to the last space, else as many as fit.
fn fitting(words: &str, max: usize) -> usize {
    let mut wide = 0;
    let mut last_space = None;
    for (at, c) in words.char_indices() {
        wide += width_of(c);
        if wide > max && at > 0 {
            // A space in the first half would leave a stub.
            return last_space.filter(|&space| space > at / 2).unwrap_or(at);
        }
        if c.is_whitespace() {
            last_space = Some(at + c.len_utf8());
        }
    }
    words.len()
}

/// How wide a text is; see the page of this module's parent.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().map(width_of).sum() }
}

fn width_of(c: char) -> usize {
    match c {
        // Kana, bopomofo, Han with its extensions, Hangul, and full-width forms.
        '\u{3040}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => 3,
        '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{323af}' => 3,
        _ => 1,
    }
}

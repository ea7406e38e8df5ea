//! The words of a document with their places: what extraction gives and chunking takes.
//!
//! `text` is what the store keeps and what every quotation is a verbatim part of; blocks point into it.

use serde::{Deserialize, Serialize};

use super::area::{Line, Sheet};
use super::{Anchor, Span};

/// A document's words. Blocks are in reading order, do not overlap, and lie on character boundaries of `text`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// The title that the document itself gives, if any.
    pub title: Option<String>,
    pub text: String,
    pub blocks: Vec<Block>,
    /// Number of pages, for paged formats.
    pub pages: Option<u32>,
    pub warnings: Vec<ExtractWarning>,
    /// Pages that are pictures, with hardly a word.
    #[serde(default)]
    pub pictures: Vec<u32>,
    /// Where its lines stand on the pages, in the order of the text; those that are known.
    #[serde(default)]
    pub lines: Vec<Line>,
    /// The pages as they are shown, from the first on, where lines are known.
    #[serde(default)]
    pub sheets: Vec<Sheet>,
}

/// A paragraph, heading, list item, table row or the like.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    pub span: Span,
    /// Page, slide, row or time; headings are filled in by chunking.
    pub anchor: Anchor,
}

/// What a block is; chunking cuts before headings and never within a table row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// 1 is the highest level.
    Heading(u8),
    Paragraph,
    ListItem,
    Code,
    TableRow,
    /// One caption cue, with its time in the anchor.
    Cue,
}

/// Something that could not be read, in a sentence for the creator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtractWarning(pub String);

impl Text {
    /// Appends a block with its own line breaks, and returns where it stands.
    pub fn push(&mut self, kind: BlockKind, words: &str, anchor: Anchor) -> Span {
        if !self.text.is_empty() {
            // A row that has a place of its own is a statement of its own.
            let tight = matches!(kind, BlockKind::ListItem | BlockKind::TableRow | BlockKind::Cue)
                && anchor.row.is_none()
                && self.blocks.last().is_some_and(|last| last.kind == kind);
            self.text.push_str(if tight { "\n" } else { "\n\n" });
        }
        let start = self.text.len();
        self.text.push_str(words);
        let span = Span { start, end: self.text.len() };
        self.blocks.push(Block { kind, span, anchor });
        span
    }

    /// The words of a block.
    pub fn words(&self, block: &Block) -> &str {
        block.span.of(&self.text)
    }
}

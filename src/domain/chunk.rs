//! A chunk: the piece of a document that is searched, and the place it came from.

use serde::{Deserialize, Serialize};

use super::{Area, ChunkId, DocumentId};

/// Byte range within a document's text, on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    /// The part of `text` that the span names; empty when it does not fit this text.
    pub fn of(self, text: &str) -> &str {
        text.get(self.start..self.end).unwrap_or_default()
    }
}

/// Where in the original something stands: only what applies is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Anchor {
    /// 1 is the first page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub page: Option<u32>,
    /// 1 is the first slide.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub slide: Option<u32>,
    /// Name of the sheet of a spreadsheet.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sheet: Option<String>,
    /// Row of a sheet or record of a list; 1 is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub row: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub start_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_ms: Option<u64>,
    /// Headings above, outermost first, joined by ` › `.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub heading: Option<String>,
    /// The lines on the pages of the original, where they are known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub areas: Vec<Area>,
}

impl Anchor {
    /// The page for people: its place in the file, and what is printed on it where that is another.
    pub fn page_name(&self) -> Option<String> {
        let page = self.page?;
        let here = self.areas.iter().find(|area| area.page == page);
        Some(match here.and_then(|area| area.sheet.label.as_deref()) {
            Some(label) => format!("{page} ({label})"),
            None => page.to_string(),
        })
    }

    /// Words as models read them: under the title and the headings, which name their subject.
    pub fn under_titles(&self, title: &str, words: &str) -> String {
        let above = [title, self.heading.as_deref().unwrap_or_default()];
        let parts = above.into_iter().chain([words]).filter(|part| !part.trim().is_empty());
        parts.collect::<Vec<_>>().join("\n")
    }
}

/// A chunk as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Chunk {
    pub id: ChunkId,
    pub document: DocumentId,
    /// 0 is the document's first chunk.
    pub ordinal: u32,
    /// Where `text` stands in the document's text.
    pub span: Span,
    /// Verbatim: `document_text[span]`.
    pub text: String,
    pub anchor: Anchor,
}

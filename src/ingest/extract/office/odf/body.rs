//! The body of a text or of a presentation, as blocks.

use std::io::BufRead;

use crate::domain::{Anchor, BlockKind};

use crate::ingest::extract::xml::{Event, Open, Xml};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};

/// Spaces that one element may stand for.
const SPACES: usize = 100;

/// Reads `content.xml`.
pub fn read(
    mut xml: Xml<impl BufRead>,
    slides: bool,
    options: &ExtractOptions,
    out: &mut Builder,
) -> Result<(), ExtractError> {
    let mut reader = Reader {
        out,
        slides,
        slide: 0,
        blocks: Vec::new(),
        mark: None,
        rows: Vec::new(),
        frame: String::new(),
        in_notes: false,
        waiting: Vec::new(),
    };
    let mut in_body = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) if open.name == "body" => in_body = true,
            Event::Open(open) if is_left_out(&open.name) => xml.skip()?,
            Event::Open(open) if in_body => {
                reader.open(&open);
                if reader.slide as usize > options.limits.pages {
                    return Err(ExtractError::TooMany { what: "slides", limit: options.limits.pages });
                }
            }
            Event::Text(text) if in_body => reader.text(&text),
            Event::Close(name) if in_body => reader.close(&name)?,
            _ => {}
        }
    }
    let slides = reader.slide;
    reader.end_block()?;
    if slides > 0 {
        reader.out.pages(slides as usize);
    }
    Ok(())
}

/// What nobody sees in the final version, or sees twice.
fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        "tracked-changes"
            | "annotation"
            | "table-of-content"
            | "alphabetical-index"
            | "illustration-index"
            | "table-index"
            | "bibliography"
            | "ruby-text"
            | "note-citation"
            | "forms"
            | "sequence-decls"
            | "page-number"
            | "event-listeners"
            | "desc"
    )
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    slides: bool,
    slide: u32,
    /// The block at hand, with those around it: a note or a text box stands within a paragraph.
    blocks: Vec<Block>,
    /// What stands before the words of the item that was just opened.
    mark: Option<String>,
    /// Rows that are open, innermost last, with their cells.
    rows: Vec<Vec<String>>,
    /// Class of the frame at hand: `title`, `notes`, `outline`.
    frame: String,
    in_notes: bool,
    /// Blocks that wait for the end of the paragraph that holds them.
    waiting: Vec<(BlockKind, String)>,
}

struct Block {
    kind: BlockKind,
    words: String,
}

impl Reader<'_, '_> {
    fn open(&mut self, open: &Open) {
        match open.name.as_str() {
            "page" if self.slides => self.slide = self.slide.saturating_add(1),
            "notes" if self.slides => self.in_notes = true,
            "frame" => self.frame = open.exact("presentation:class").unwrap_or_default(),
            "h" => {
                let level = open.attr("outline-level").and_then(|n| n.parse().ok()).unwrap_or(1u8);
                self.begin(BlockKind::Heading(level.clamp(1, 9)));
            }
            "p" => {
                let is_title = self.slides && !self.in_notes && self.frame == "title" && self.rows.is_empty();
                self.begin(if is_title { BlockKind::Heading(1) } else { BlockKind::Paragraph });
            }
            "s" => {
                let count = open.attr("c").and_then(|n| n.parse().ok()).unwrap_or(1usize);
                self.text(&" ".repeat(count.min(SPACES)));
            }
            "tab" => self.text("\t"),
            "line-break" => self.text("\n"),
            "list-item" => self.mark = Some("- ".to_owned()),
            "table-row" => self.rows.push(Vec::new()),
            "table-cell" => {
                if let Some(row) = self.rows.last_mut() {
                    row.push(String::new());
                }
            }
            _ => {}
        }
    }

    fn begin(&mut self, kind: BlockKind) {
        self.blocks.push(Block { kind, words: String::new() });
    }

    fn text(&mut self, text: &str) {
        if let Some(block) = self.blocks.last_mut() {
            block.words.push_str(text);
        }
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        match name {
            "h" | "p" => self.end_block()?,
            "list-item" => self.mark = None,
            "notes" => self.in_notes = false,
            "frame" => self.frame.clear(),
            "table-row" => {
                let Some(cells) = self.rows.pop() else { return Ok(()) };
                if cells.iter().all(|cell| cell.trim().is_empty()) {
                    return Ok(());
                }
                let words = cells.iter().map(|cell| cell.trim()).collect::<Vec<_>>().join(" | ");
                let kind = if cells.len() == 1 { BlockKind::Paragraph } else { BlockKind::TableRow };
                self.put(kind, words)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), ExtractError> {
        let Some(Block { mut kind, mut words }) = self.blocks.pop() else { return Ok(()) };
        if !words.trim().is_empty() {
            if kind == BlockKind::Heading(1) && self.slides {
                self.out.title(&words);
            }
            if kind == BlockKind::Paragraph
                && let Some(mark) = self.mark.take()
            {
                (kind, words) = (BlockKind::ListItem, format!("{mark}{}", words.trim_start()));
            }
            if self.blocks.is_empty() {
                self.put(kind, words)?;
            } else {
                self.waiting.push((kind, words));
            }
        }
        if self.blocks.is_empty() {
            for (kind, words) in std::mem::take(&mut self.waiting) {
                self.put(kind, words)?;
            }
        }
        Ok(())
    }

    /// A block goes to the cell around it, else into the text.
    fn put(&mut self, kind: BlockKind, words: String) -> Result<(), ExtractError> {
        if let Some(cell) = self.rows.last_mut().and_then(|row| row.last_mut()) {
            if !cell.is_empty() {
                cell.push(' ');
            }
            cell.push_str(words.trim());
            return Ok(());
        }
        let slide = (self.slide > 0).then_some(self.slide);
        let anchor = Anchor { slide, ..Anchor::default() };
        match kind {
            BlockKind::Paragraph => self.out.lines(kind, &words, anchor),
            _ => self.out.line(kind, &words, anchor),
        }
    }
}

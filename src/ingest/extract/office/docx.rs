//! Word documents: what a reader sees in the final version, as blocks.
//!
//! Headings come from styles and outline levels, lists from the numbering, a table row is its cells between ` | `.
//! Footnotes follow the paragraph that names them, text boxes the paragraph that holds them. Deleted text, hidden
//! text, comments, headers and footers and the table of contents are left out.

mod paragraph;
mod styles;

use std::collections::HashMap;

use bytes::Bytes;

use crate::domain::{Anchor, BlockKind};

use super::numbering::Numbering;
use super::{Parts, Relation};
use crate::ingest::extract::xml::{Event, Open};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};
use paragraph::{Outer, Paragraph, Row, Table};
use styles::{Style, Styles};

const WHAT: &str = "Word document";

/// Reads a Word document.
pub fn extract(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    let mut parts = Parts::open(bytes, options.limits, WHAT)?;
    let main = parts.main("word/document.xml")?;
    let relations = parts.relations(&main)?;
    let styles = match part(&relations, "styles") {
        Some(name) => parts.part(name)?.map(styles::read).transpose()?.unwrap_or_default(),
        None => Styles::default(),
    };
    let numbering = match part(&relations, "numbering") {
        Some(name) => parts.part(name)?.map(Numbering::read).transpose()?.unwrap_or_default(),
        None => Numbering::default(),
    };
    let mut notes = HashMap::new();
    for kind in ["footnotes", "endnotes"] {
        if let Some(name) = part(&relations, kind) {
            read_notes(&mut parts, name, kind, &mut notes)?;
        }
    }
    let title = parts.title("docProps/core.xml")?;
    let mut reader = Reader::new(out, &styles, numbering, &notes);
    let mut xml = parts.needed(&main)?;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) if is_left_out(&open.name) => xml.skip()?,
            Event::Open(open) => reader.open(&open)?,
            Event::Text(text) => reader.text(&text),
            Event::Close(name) => reader.close(&name)?,
        }
    }
    reader.finish()?;
    if let Some(title) = title {
        out.title(&title);
    }
    Ok(())
}

fn part<'a>(relations: &'a [Relation], kind: &str) -> Option<&'a str> {
    relations.iter().find(|relation| relation.kind == kind).map(|relation| relation.target.as_str())
}

/// Elements whose words nobody sees in the final version; `Fallback` repeats what its neighbour `Choice` says.
fn is_left_out(name: &str) -> bool {
    matches!(
        name,
        "del"
            | "moveFrom"
            | "Fallback"
            | "instrText"
            | "delText"
            | "sectPr"
            | "oMathParaPr"
            | "rubyPr"
            | "rt"
    )
}

/// The words of each note, by `footnotes:ID`.
fn read_notes(
    parts: &mut Parts,
    name: &str,
    kind: &str,
    notes: &mut HashMap<String, String>,
) -> Result<(), ExtractError> {
    let Some(mut xml) = parts.part(name)? else { return Ok(()) };
    let mut id = None;
    let mut words = String::new();
    let mut in_text = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "footnote" | "endnote" => {
                    // Notes with a type are the lines that separate notes from the text.
                    id = open.attr("id").filter(|_| open.attr("type").is_none());
                    words.clear();
                }
                "t" => in_text = true,
                "tab" | "br" => words.push(' '),
                name if is_left_out(name) => xml.skip()?,
                _ => {}
            },
            Event::Text(text) if in_text => words.push_str(&text),
            Event::Text(_) => {}
            Event::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "p" => words.push(' '),
                "footnote" | "endnote" => {
                    if let Some(id) = id.take() {
                        notes.insert(format!("{kind}:{id}"), std::mem::take(&mut words));
                    }
                }
                _ => {}
            },
        }
    }
    Ok(())
}

struct Reader<'a, 'b> {
    out: &'a mut Builder<'b>,
    styles: &'a Styles,
    numbering: Numbering,
    notes: &'a HashMap<String, String>,
    /// The paragraph at hand, the innermost of those that hold text boxes.
    paragraph: Option<Paragraph>,
    /// What stands around it: tables and paragraphs with text boxes.
    outer: Vec<Outer>,
    in_text: bool,
    in_run_properties: bool,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(
        out: &'a mut Builder<'b>,
        styles: &'a Styles,
        numbering: Numbering,
        notes: &'a HashMap<String, String>,
    ) -> Self {
        let outer = Vec::new();
        Self {
            out,
            styles,
            numbering,
            notes,
            paragraph: None,
            outer,
            in_text: false,
            in_run_properties: false,
        }
    }

    fn open(&mut self, open: &Open) -> Result<(), ExtractError> {
        match open.name.as_str() {
            "tbl" => self.outer.push(Outer::Table(Table::default())),
            "tr" => {
                if let Some(Outer::Table(table)) = self.outer.last_mut() {
                    table.row = Row::default();
                }
            }
            "tc" => {
                if let Some(Outer::Table(table)) = self.outer.last_mut() {
                    table.row.cells.push(Vec::new());
                }
            }
            "p" => self.paragraph = Some(Paragraph::default()),
            "txbxContent" => self.outer.push(Outer::Box(self.paragraph.take().unwrap_or_default())),
            "rPr" => self.in_run_properties = true,
            "t" => self.in_text = true,
            name => {
                let in_run_properties = self.in_run_properties;
                if let Some(paragraph) = &mut self.paragraph {
                    paragraph.open(name, open, in_run_properties);
                }
            }
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let (true, Some(paragraph)) = (self.in_text, &mut self.paragraph)
            && !paragraph.hidden_run
        {
            paragraph.words.push_str(text);
        }
    }

    fn close(&mut self, name: &str) -> Result<(), ExtractError> {
        match name {
            "t" => self.in_text = false,
            "rPr" => self.in_run_properties = false,
            "r" => {
                if let Some(paragraph) = &mut self.paragraph {
                    paragraph.hidden_run = false;
                }
            }
            "p" => self.end_paragraph()?,
            "txbxContent" => {
                if matches!(self.outer.last(), Some(Outer::Box(_)))
                    && let Some(Outer::Box(paragraph)) = self.outer.pop()
                {
                    self.paragraph = Some(paragraph);
                }
            }
            "tr" => self.end_row()?,
            "tbl" => {
                if matches!(self.outer.last(), Some(Outer::Table(_))) {
                    self.outer.pop();
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end_paragraph(&mut self) -> Result<(), ExtractError> {
        let Some(paragraph) = self.paragraph.take() else { return Ok(()) };
        let blocks = self.blocks(paragraph);
        self.put(blocks)
    }

    /// A paragraph as blocks: itself, the notes it names, the text boxes it held.
    fn blocks(&mut self, paragraph: Paragraph) -> Vec<(BlockKind, String)> {
        let default = Style::default();
        let style = paragraph.style.as_deref().and_then(|id| self.styles.get(id)).unwrap_or(&default);
        if style.is_contents {
            return paragraph.after;
        }
        let mut blocks = Vec::new();
        if !paragraph.words.trim().is_empty() {
            if style.is_title {
                self.out.title(&paragraph.words);
            }
            let list = paragraph.list.clone().or_else(|| style.list.clone());
            let level = paragraph.outline.unwrap_or(style.outline);
            blocks.push(match (level, list) {
                (Some(level), _) => (BlockKind::Heading(level), paragraph.words),
                (None, Some(list)) => match self.numbering.mark(&list.0, paragraph.level.unwrap_or(list.1)) {
                    Some(mark) => (BlockKind::ListItem, format!("{mark}{}", paragraph.words.trim_start())),
                    None => (BlockKind::Paragraph, paragraph.words),
                },
                (None, None) => (BlockKind::Paragraph, paragraph.words),
            });
        }
        let notes = paragraph.notes.iter().filter_map(|id| self.notes.get(id));
        blocks.extend(notes.map(|words| (BlockKind::Paragraph, words.clone())));
        blocks.extend(paragraph.after);
        blocks
    }

    /// Blocks go to what is around: a cell, a paragraph with a text box, or the document.
    fn put(&mut self, blocks: Vec<(BlockKind, String)>) -> Result<(), ExtractError> {
        match self.outer.last_mut() {
            Some(Outer::Box(paragraph)) => paragraph.after.extend(blocks),
            Some(Outer::Table(table)) => {
                if let Some(cell) = table.row.cells.last_mut() {
                    cell.extend(blocks);
                }
            }
            None => {
                for (kind, words) in blocks {
                    if kind == BlockKind::Paragraph {
                        self.out.lines(kind, &words, Anchor::default())?;
                    } else {
                        self.out.line(kind, &words, Anchor::default())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), ExtractError> {
        let Some(Outer::Table(table)) = self.outer.last_mut() else { return Ok(()) };
        let row = std::mem::take(&mut table.row);
        // The table itself is still on the stack; its row belongs to what is around the table.
        let table = self.outer.pop();
        self.put(row.blocks())?;
        self.outer.extend(table);
        Ok(())
    }

    /// What a cut-off document left open.
    fn finish(mut self) -> Result<(), ExtractError> {
        self.end_paragraph()
    }
}

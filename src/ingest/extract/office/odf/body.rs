//! The body of a text or of a presentation, as blocks.

use std::io::BufRead;

use crate::domain::{Anchor, BlockKind};

use crate::ingest::extract::xml::{Event, Open, Xml};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};

/// Longest line at the top of a slide that is taken for its title where the layout names none.
const TITLE_CHARS: usize = 90;
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
        frames: Vec::new(),
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
    reader.end_slide()?;
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
            | "title"
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
    /// What stands on the slide at hand.
    frames: Vec<Frame>,
    in_notes: bool,
    /// Blocks that wait for the end of the paragraph that holds them.
    waiting: Vec<(BlockKind, String)>,
}

/// A box on a slide.
#[derive(Default)]
struct Frame {
    /// What the layout made it for: `title`, `outline`.
    class: String,
    /// Top and left in tenths of a millimetre, tops that are nearly alike being one; unknown for what has no place.
    place: Option<(i64, i64)>,
    in_notes: bool,
    blocks: Vec<(BlockKind, String)>,
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
            "frame" | "custom-shape" | "rect" | "ellipse" if self.slides => {
                let length = |name: &str| open.exact(name).and_then(|length| tenths(&length));
                // Boxes whose tops differ by less than half a centimetre stand in one row.
                let place =
                    length("svg:y").zip(length("svg:x")).map(|(top, left)| (top.div_euclid(50), left));
                let class = open.exact("presentation:class").unwrap_or_default();
                self.frames.push(Frame { class, place, in_notes: self.in_notes, blocks: Vec::new() });
            }
            "h" => {
                let level = open.attr("outline-level").and_then(|n| n.parse().ok()).unwrap_or(1u8);
                self.begin(BlockKind::Heading(level.clamp(1, 9)));
            }
            "p" => self.begin(BlockKind::Paragraph),
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
            "page" if self.slides => self.end_slide()?,
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
        if self.slides {
            if self.frames.is_empty() {
                self.frames.push(Frame { in_notes: self.in_notes, ..Frame::default() });
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.blocks.push((kind, words));
            }
            return Ok(());
        }
        self.write(kind, &words)
    }

    fn write(&mut self, kind: BlockKind, words: &str) -> Result<(), ExtractError> {
        let slide = (self.slide > 0).then_some(self.slide);
        let anchor = Anchor { slide, ..Anchor::default() };
        match kind {
            BlockKind::Paragraph => self.out.lines(kind, words, anchor),
            _ => self.out.line(kind, words, anchor),
        }
    }

    /// Title first, then the boxes from top to bottom, then the notes.
    fn end_slide(&mut self) -> Result<(), ExtractError> {
        let mut frames = std::mem::take(&mut self.frames);
        frames.retain(|frame| !frame.blocks.is_empty());
        frames.sort_by_key(|frame| (frame.in_notes, frame.place.unwrap_or((i64::MIN, 0))));
        let named = frames.iter().position(|frame| frame.class == "title" && !frame.in_notes);
        let title = named.or_else(|| (frames.len() > 1 && frames[0].is_like_title()).then_some(0));
        if let Some(at) = title {
            let words: Vec<String> = frames.remove(at).blocks.into_iter().map(|(_, words)| words).collect();
            let words = words.join(" ");
            self.out.title(&words);
            self.write(BlockKind::Heading(1), &words)?;
        }
        for (kind, words) in frames.into_iter().flat_map(|frame| frame.blocks) {
            self.write(kind, &words)?;
        }
        Ok(())
    }
}

impl Frame {
    /// One short line that is no sentence, where the layout names no title.
    fn is_like_title(&self) -> bool {
        let [(_, words)] = self.blocks.as_slice() else { return false };
        let words = words.trim();
        !self.in_notes && words.chars().count() <= TITLE_CHARS && !words.ends_with(['.', ',', ';', ':'])
    }
}

/// `2.5cm` in tenths of a millimetre.
fn tenths(length: &str) -> Option<i64> {
    let digits = length.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-')).unwrap_or(length.len());
    let (number, unit) = length.split_at(digits);
    let factor = match unit {
        "cm" => 100.0,
        "mm" => 10.0,
        "in" => 254.0,
        "pt" => 254.0 / 72.0,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * factor).round() as i64)
}

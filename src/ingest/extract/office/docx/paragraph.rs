//! A paragraph of Word in the making, and what may stand around it.

use crate::domain::BlockKind;

use crate::ingest::extract::xml::Open;

/// What is known of a paragraph so far.
#[derive(Default)]
pub struct Paragraph {
    pub words: String,
    pub style: Option<String>,
    /// The paragraph's own outline level: of a heading, or certainly of none.
    pub outline: Option<Option<u8>>,
    /// The list and the level that its style would have, in the form in which styles keep them.
    pub list: Option<(String, usize)>,
    pub level: Option<usize>,
    /// Notes that it names.
    pub notes: Vec<String>,
    /// Blocks that follow it: its text boxes.
    pub after: Vec<(BlockKind, String)>,
    pub hidden_run: bool,
}

impl Paragraph {
    /// Takes up an element within the paragraph.
    pub fn open(&mut self, name: &str, open: &Open, in_run_properties: bool) {
        match name {
            // The mark at a paragraph's end has properties of its own, which end here.
            "r" => self.hidden_run = false,
            "vanish" if in_run_properties => self.hidden_run = !open.attr("val").is_some_and(|v| is_off(&v)),
            _ if in_run_properties => {}
            "pStyle" => self.style = open.attr("val"),
            "outlineLvl" => self.outline = Some(outline(open)),
            "ilvl" => self.level = open.attr("val").and_then(|n| n.parse().ok()),
            "numId" => self.list = open.attr("val").map(|list| (list, self.level.unwrap_or(0))),
            // One with a position is a stop of the ruler.
            "tab" | "ptab" if open.attr("pos").is_none() => self.words.push('\t'),
            "br" | "cr" => self.words.push('\n'),
            "noBreakHyphen" => self.words.push('-'),
            "footnoteReference" => self.notes.extend(open.attr("id").map(|id| format!("footnotes:{id}"))),
            "endnoteReference" => self.notes.extend(open.attr("id").map(|id| format!("endnotes:{id}"))),
            _ => {}
        }
    }
}

/// 0 is the highest level, 9 is body text.
pub fn outline(open: &Open) -> Option<u8> {
    let level: u8 = open.attr("val")?.parse().ok()?;
    (level < 9).then_some(level + 1)
}

fn is_off(value: &str) -> bool {
    matches!(value, "0" | "false" | "off")
}

/// What stands around a paragraph.
pub enum Outer {
    Table(Table),
    /// A text box, with the paragraph that holds it.
    Box(Paragraph),
}

#[derive(Default)]
pub struct Table {
    pub row: Row,
}

/// The cells of a row, each with its blocks.
#[derive(Default)]
pub struct Row {
    pub cells: Vec<Vec<(BlockKind, String)>>,
}

impl Row {
    /// One block with the cells between ` | `; a row of one cell is layout, so its blocks stay what they are.
    pub fn blocks(mut self) -> Vec<(BlockKind, String)> {
        if self.cells.len() == 1 {
            return self.cells.pop().unwrap_or_default();
        }
        let cell = |blocks: &Vec<(BlockKind, String)>| {
            blocks.iter().map(|(_, words)| words.trim()).collect::<Vec<_>>().join(" ")
        };
        let cells: Vec<String> = self.cells.iter().map(cell).collect();
        if cells.iter().all(String::is_empty) {
            return Vec::new();
        }
        vec![(BlockKind::TableRow, cells.join(" | "))]
    }
}

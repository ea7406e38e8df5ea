//! Rows of a sheet become blocks: each says `header: value` for its cells, and knows its sheet and its row.
//!
//! Which row is the header is decided from the first rows: the first in which several cells are filled, all with
//! words, and at least as many as in any row above. What stands above it is text of its own.

use crate::domain::{Anchor, BlockKind};

use crate::ingest::extract::{Builder, ExtractError};

/// A cell as people see it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// 0 is column A.
    pub column: usize,
    pub words: String,
    /// Not a number, date or switch.
    pub is_text: bool,
}

/// Rows that are looked at before the header is decided.
const LOOK_AHEAD: usize = 20;
/// Cells of a row that are read.
pub const COLUMNS: usize = 256;
/// Excel's own limit of a cell is 32,767 characters; a file that names one long string a million times must not grow.
pub const CELL_BYTES: usize = 32 << 10;

/// A sheet on its way into the text.
pub struct Sheet<'a, 'b, 'c> {
    out: &'a mut Builder<'b>,
    name: String,
    header: Option<Vec<Cell>>,
    /// The first rows, until the header is known.
    held: Vec<(u32, Vec<Cell>)>,
    decided: bool,
    /// Rows that may still be read in the whole file.
    room: &'c mut usize,
    said: bool,
}

impl<'a, 'b, 'c> Sheet<'a, 'b, 'c> {
    /// Begins a sheet; its name is its heading.
    pub fn begin(out: &'a mut Builder<'b>, name: &str, room: &'c mut usize) -> Result<Self, ExtractError> {
        let anchor = Anchor { sheet: Some(name.to_owned()), ..Anchor::default() };
        out.line(BlockKind::Heading(1), name, anchor)?;
        let name = name.to_owned();
        Ok(Self { out, name, header: None, held: Vec::new(), decided: false, room, said: false })
    }

    /// Takes the next row; `number` is 1 for the first. False when no more rows are wanted.
    pub fn row(&mut self, number: u32, mut cells: Vec<Cell>) -> Result<bool, ExtractError> {
        cells.retain(|cell| !cell.words.trim().is_empty());
        if cells.is_empty() {
            return Ok(true);
        }
        if *self.room == 0 {
            if !self.said {
                self.said = true;
                self.out.warn(format!(
                    "sheet `{}` is longer than is read; it ends before row {number}",
                    self.name
                ));
            }
            return Ok(false);
        }
        *self.room -= 1;
        if self.decided {
            self.put(number, &cells)?;
            return Ok(true);
        }
        self.held.push((number, cells));
        if self.held.len() >= LOOK_AHEAD {
            self.decide()?;
        }
        Ok(true)
    }

    /// Ends the sheet.
    pub fn end(mut self) -> Result<(), ExtractError> {
        self.decide()
    }

    fn decide(&mut self) -> Result<(), ExtractError> {
        if self.decided {
            return Ok(());
        }
        self.decided = true;
        let held = std::mem::take(&mut self.held);
        let at = header_of(&held);
        for (place, (number, cells)) in held.into_iter().enumerate() {
            if Some(place) == at {
                // The header is said with each value; as a row of its own it would answer nothing.
                self.header = Some(cells);
            } else {
                self.put(number, &cells)?;
            }
        }
        Ok(())
    }

    fn put(&mut self, number: u32, cells: &[Cell]) -> Result<(), ExtractError> {
        let mut words = String::new();
        for cell in cells {
            if !words.is_empty() {
                words.push_str("; ");
            }
            let name = self.header.iter().flatten().find(|name| name.column == cell.column);
            if let Some(name) = name {
                words.push_str(name.words.trim().trim_end_matches(':'));
                words.push_str(": ");
            }
            words.push_str(cell.words.trim());
        }
        let anchor = Anchor { sheet: Some(self.name.clone()), row: Some(number), ..Anchor::default() };
        self.out.line(BlockKind::TableRow, &words, anchor)
    }
}

fn header_of(rows: &[(u32, Vec<Cell>)]) -> Option<usize> {
    let widest = rows.iter().map(|(_, cells)| cells.len()).max().unwrap_or(0);
    let at = rows.iter().position(|(_, cells)| {
        cells.len() >= 2 && cells.len() * 2 >= widest && cells.iter().all(|cell| cell.is_text)
    })?;
    // A header without rows below it is all there is to say.
    (at + 1 < rows.len()).then_some(at)
}

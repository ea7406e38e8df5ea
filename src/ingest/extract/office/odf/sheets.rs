//! The sheets of a spreadsheet, row by row, in the words that the program shows.

use std::collections::HashSet;
use std::io::BufRead;

use crate::ingest::extract::office::rows::{CELL_BYTES, COLUMNS, Cell, Sheet};
use crate::ingest::extract::xml::{Event, Xml};
use crate::ingest::extract::{Builder, ExtractError};

/// Reads `content.xml`; `room` is how many rows may be read in all.
pub fn read(
    mut xml: Xml<impl BufRead>,
    hidden: &HashSet<String>,
    mut room: usize,
    out: &mut Builder,
) -> Result<(), ExtractError> {
    let mut left_out = 0usize;
    while let Some(event) = xml.next()? {
        let Event::Open(open) = event else { continue };
        match open.name.as_str() {
            "tracked-changes" => xml.skip()?,
            "table" if open.exact("table:style-name").is_some_and(|style| hidden.contains(&style)) => {
                left_out += 1;
                xml.skip()?;
            }
            "table" => {
                let name = open.exact("table:name").unwrap_or_default();
                let mut sheet = Sheet::begin(out, &name, &mut room)?;
                rows(&mut xml, &mut sheet)?;
                sheet.end()?;
            }
            _ => {}
        }
    }
    if left_out > 0 {
        out.warn(format!("{left_out} hidden sheets are not read"));
    }
    Ok(())
}

/// Rows up to the end of the table that was just opened.
fn rows(xml: &mut Xml<impl BufRead>, sheet: &mut Sheet) -> Result<(), ExtractError> {
    let mut number = 1u32;
    let (mut repeated, mut column) = (1u32, 0usize);
    let (mut cells, mut times) = (Vec::new(), 1usize);
    let mut cell: Option<Cell> = None;
    let mut wanted = true;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => {
                let count =
                    |name: &str| open.attr(name).and_then(|n| n.parse::<u32>().ok()).unwrap_or(1).max(1);
                match open.name.as_str() {
                    "annotation" | "shapes" | "forms" => xml.skip()?,
                    "table-row" => {
                        repeated = count("number-rows-repeated");
                        column = 0;
                    }
                    "table-cell" | "covered-table-cell" => {
                        times = count("number-columns-repeated") as usize;
                        let kind = open.exact("office:value-type").unwrap_or_default();
                        let is_text = kind == "string" || kind.is_empty();
                        cell = Some(Cell { column, words: String::new(), is_text });
                    }
                    "p" => {
                        if let Some(cell) = &mut cell
                            && !cell.words.is_empty()
                        {
                            cell.words.push(' ');
                        }
                    }
                    "s" => {
                        if let Some(cell) = &mut cell {
                            cell.words.push(' ');
                        }
                    }
                    _ => {}
                }
            }
            Event::Text(text) => {
                if let Some(cell) = &mut cell
                    && cell.words.len() + text.len() <= CELL_BYTES
                {
                    cell.words.push_str(&text);
                }
            }
            Event::Close(name) => match name.as_str() {
                "table-cell" | "covered-table-cell" => {
                    if let Some(cell) = cell.take() {
                        // A repeated cell with words is said for the columns that are read, an empty one not at all.
                        let copies = if cell.words.trim().is_empty() { 0 } else { times.min(COLUMNS) };
                        for at in (0..copies).take(COLUMNS.saturating_sub(cells.len())) {
                            cells.push(Cell { column: column + at, ..cell.clone() });
                        }
                        column = column.saturating_add(times);
                    }
                }
                "table-row" => {
                    // Rows that are alike are said once.
                    if wanted {
                        wanted = sheet.row(number, std::mem::take(&mut cells))?;
                    }
                    cells.clear();
                    number = number.saturating_add(repeated);
                }
                "table" => return Ok(()),
                _ => {}
            },
        }
    }
    Ok(())
}

//! Workbooks by Excel (Open XML): each row of each sheet with its headers, its sheet and its row.
//!
//! Shared strings and formats are read first, then each sheet as a stream, so that a long one costs no memory. Hidden
//! sheets are left out. Of a formula the value is read that the program kept.

use std::io::BufRead;

use bytes::Bytes;

use super::numfmt::{self, Format};
use super::rows::{CELL_BYTES, COLUMNS, Cell, Sheet};
use super::{Parts, by_id};
use crate::ingest::extract::xml::{Event, Open, Xml};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};

const WHAT: &str = "workbook";

/// What the sheets refer to.
#[derive(Default)]
struct Shared {
    strings: Vec<String>,
    /// By the number of a cell's style.
    formats: Vec<Format>,
    from_1904: bool,
}

struct Listed {
    name: String,
    relation: String,
}

/// Reads a workbook.
pub fn extract(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    let mut parts = Parts::open(bytes, options.limits, WHAT)?;
    let main = parts.main("xl/workbook.xml")?;
    if main.ends_with(".bin") {
        return Err(ExtractError::Unsupported("a binary workbook (.xlsb)".into()));
    }
    let relations = parts.relations(&main)?;
    let mut shared = Shared::default();
    let mut hidden = 0usize;
    let sheets = sheets(parts.needed(&main)?, &mut shared, &mut hidden)?;
    for relation in &relations {
        match relation.kind.as_str() {
            "sharedStrings" => {
                if let Some(xml) = parts.part(&relation.target)? {
                    shared.strings = strings(xml, options.limits.words_bytes)?;
                }
            }
            "styles" => {
                if let Some(xml) = parts.part(&relation.target)? {
                    shared.formats = formats(xml)?;
                }
            }
            _ => {}
        }
    }
    let relations = by_id(&relations);
    let mut room = options.limits.rows;
    for listed in sheets {
        let Some(relation) = relations.get(listed.relation.as_str()) else { continue };
        if relation.kind != "worksheet" {
            continue;
        }
        let Some(xml) = parts.part(&relation.target)? else {
            out.warn(format!("sheet `{}` is missing in the file", listed.name));
            continue;
        };
        let mut sheet = Sheet::begin(out, &listed.name, &mut room)?;
        rows(xml, &shared, &mut sheet)?;
        sheet.end()?;
    }
    if hidden > 0 {
        out.warn(format!("{hidden} hidden sheets are not read"));
    }
    if let Some(title) = parts.title("docProps/core.xml")? {
        out.title(&title);
    }
    Ok(())
}

fn sheets(
    mut xml: Xml<impl BufRead>,
    shared: &mut Shared,
    hidden: &mut usize,
) -> Result<Vec<Listed>, ExtractError> {
    let mut sheets = Vec::new();
    while let Some(event) = xml.next()? {
        let Event::Open(open) = event else { continue };
        match open.name.as_str() {
            "workbookPr" => shared.from_1904 = open.on("date1904"),
            "sheet" if open.attr("state").is_some_and(|state| state != "visible") => *hidden += 1,
            "sheet" => {
                let relation = open.exact("r:id").or_else(|| open.attr("id")).unwrap_or_default();
                sheets.push(Listed { name: open.attr("name").unwrap_or_default(), relation });
            }
            _ => {}
        }
    }
    Ok(sheets)
}

/// The strings that cells name by number. Together they may be as long as a text may be.
fn strings(mut xml: Xml<impl BufRead>, most: usize) -> Result<Vec<String>, ExtractError> {
    let (mut strings, mut bytes) = (Vec::new(), 0usize);
    let mut words = String::new();
    let mut in_text = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "si" => words.clear(),
                "t" => in_text = true,
                // How Japanese is pronounced.
                "rPh" => xml.skip()?,
                _ => {}
            },
            Event::Text(text) if in_text => words.push_str(&text),
            Event::Text(_) => {}
            Event::Close(name) => match name.as_str() {
                "t" => in_text = false,
                "si" => {
                    // Each entry costs something, also an empty one.
                    bytes += words.len() + 24;
                    if bytes > most {
                        return Err(ExtractError::TooMany { what: "bytes of text", limit: most });
                    }
                    strings.push(std::mem::take(&mut words));
                }
                _ => {}
            },
        }
    }
    Ok(strings)
}

/// The format of each cell style.
fn formats(mut xml: Xml<impl BufRead>) -> Result<Vec<Format>, ExtractError> {
    /// More styles than Excel allows.
    const STYLES: usize = 70_000;
    let mut own = std::collections::HashMap::new();
    let mut formats = Vec::new();
    let mut in_cells = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "numFmt" => {
                    let id = open.attr("numFmtId").and_then(|id| id.parse::<u32>().ok());
                    if let (Some(id), Some(code)) = (id, open.attr("formatCode")) {
                        own.insert(id, numfmt::parse(&code));
                    }
                }
                "cellXfs" => in_cells = true,
                "xf" if in_cells && formats.len() < STYLES => {
                    let id = open.attr("numFmtId").and_then(|id| id.parse().ok()).unwrap_or(0);
                    formats.push(own.get(&id).cloned().unwrap_or_else(|| numfmt::built_in(id)));
                }
                _ => {}
            },
            Event::Close(name) if name == "cellXfs" => in_cells = false,
            _ => {}
        }
    }
    Ok(formats)
}

/// A cell that is being read.
#[derive(Default)]
struct Raw {
    column: usize,
    kind: String,
    style: usize,
    value: String,
}

fn rows(mut xml: Xml<impl BufRead>, shared: &Shared, sheet: &mut Sheet) -> Result<(), ExtractError> {
    let mut number = 0u32;
    let mut cells = Vec::new();
    let mut raw = Raw::default();
    let mut in_value = false;
    while let Some(event) = xml.next()? {
        match event {
            Event::Open(open) => match open.name.as_str() {
                "row" => {
                    let given = open.attr("r").and_then(|n| n.parse().ok());
                    number = given.unwrap_or(number.saturating_add(1));
                    cells.clear();
                }
                "c" => raw = begin_cell(&open, cells.last().map_or(0, |last: &Cell| last.column + 1)),
                "v" | "t" => in_value = true,
                "f" | "rPh" => xml.skip()?,
                _ => {}
            },
            Event::Text(text) if in_value => raw.value.push_str(&text),
            Event::Text(_) => {}
            Event::Close(name) => match name.as_str() {
                "v" | "t" => in_value = false,
                "c" => {
                    let cell = finish_cell(std::mem::take(&mut raw), shared);
                    if cells.len() < COLUMNS && !cell.words.is_empty() {
                        cells.push(cell);
                    }
                }
                // Enough rows were read.
                "row" if !sheet.row(number, std::mem::take(&mut cells))? => return Ok(()),
                "sheetData" => return Ok(()),
                _ => {}
            },
        }
    }
    Ok(())
}

fn begin_cell(open: &Open, next: usize) -> Raw {
    Raw {
        column: open.attr("r").and_then(|place| column(&place)).unwrap_or(next),
        kind: open.attr("t").unwrap_or_default(),
        style: open.attr("s").and_then(|n| n.parse().ok()).unwrap_or(0),
        value: String::new(),
    }
}

fn finish_cell(raw: Raw, shared: &Shared) -> Cell {
    let (words, is_text) = match raw.kind.as_str() {
        "s" => {
            let at = raw.value.trim().parse::<usize>().ok();
            let words = at.and_then(|at| shared.strings.get(at)).map_or("", String::as_str);
            (words[..words.floor_char_boundary(CELL_BYTES)].to_owned(), true)
        }
        "str" | "inlineStr" => (raw.value, true),
        "b" => ((if raw.value.trim() == "1" { "TRUE" } else { "FALSE" }).to_owned(), false),
        // `#DIV/0!` and the like say nothing.
        "e" => (String::new(), false),
        "d" => (raw.value, false),
        _ => match raw.value.trim().parse::<f64>() {
            Ok(number) => {
                let format = shared.formats.get(raw.style).unwrap_or(&Format::General);
                (numfmt::show(number, format, shared.from_1904), false)
            }
            Err(_) => (raw.value, true),
        },
    };
    Cell { column: raw.column, words, is_text }
}

/// `B12` is column 1.
fn column(place: &str) -> Option<usize> {
    let letters = place.bytes().take_while(u8::is_ascii_alphabetic);
    let number =
        letters.take(4).fold(0usize, |sum, b| sum * 26 + usize::from(b.to_ascii_uppercase() - b'A') + 1);
    number.checked_sub(1)
}

//! Files of the older Office (compound files, OLE): which kind they are, and old workbooks (.xls).
//!
//! Old Word and PowerPoint files, Outlook messages and encrypted files of any Office are refused with what to do. The
//! old workbook is read by a library that takes whole sheets into memory, so its cells are counted before.

use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use calamine::{Data, Reader, SheetVisible, Xls};

use super::numfmt::{self, Format};
use super::rows::{COLUMNS, Cell, Sheet};
use crate::ingest::extract::{Builder, ExtractError, ExtractOptions};

const WHAT: &str = "workbook (.xls)";
/// How compound files begin.
pub const MAGIC: &[u8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";
/// Cells that the sheets of an old workbook may span together, empty ones included: 32 bytes each.
const CELLS: u64 = 8 << 20;

/// Says whether a compound file is a workbook, or why it is refused.
pub fn check(bytes: &[u8]) -> Result<(), ExtractError> {
    let names = names(bytes)?;
    let has = |wanted: &str| names.iter().any(|name| name == wanted);
    if has("EncryptedPackage") || has("EncryptionInfo") {
        Err(ExtractError::Locked)
    } else if has("Workbook") || has("Book") {
        Ok(())
    } else if has("WordDocument") {
        Err(ExtractError::OldOffice { what: "an old Word document (.doc)", newer: "docx" })
    } else if has("PowerPoint Document") {
        Err(ExtractError::OldOffice { what: "an old presentation (.ppt)", newer: "pptx" })
    } else if has("__properties_version1.0") {
        Err(ExtractError::OldOffice { what: "an Outlook message (.msg)", newer: "eml" })
    } else {
        Err(ExtractError::Unsupported("a file of an older Office".into()))
    }
}

/// The names at the top of a compound file.
fn names(bytes: &[u8]) -> Result<Vec<String>, ExtractError> {
    let read = guarded(|| {
        let file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
        Some(file.read_root_storage().map(|entry| entry.name().to_owned()).collect())
    });
    read?.ok_or(ExtractError::Damaged("file of an older Office"))
}

/// Runs a library that may give up with a panic on a damaged file.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, ExtractError> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| ExtractError::Damaged(WHAT))
}

/// Reads an old workbook.
pub fn workbook(bytes: &Bytes, options: &ExtractOptions, out: &mut Builder) -> Result<(), ExtractError> {
    check(bytes)?;
    check_span(bytes)?;
    let mut book = guarded(|| Xls::new(Cursor::new(bytes.as_ref())))?.map_err(|error| {
        if matches!(error, calamine::XlsError::Password) {
            ExtractError::Locked
        } else {
            ExtractError::Damaged(WHAT)
        }
    })?;
    let mut room = options.limits.rows;
    let mut hidden = 0usize;
    for listed in book.sheets_metadata().to_vec() {
        if listed.visible != SheetVisible::Visible {
            hidden += 1;
            continue;
        }
        let Ok(Ok(range)) = guarded(|| book.worksheet_range(&listed.name)) else {
            out.warn(format!("sheet `{}` cannot be read", listed.name));
            continue;
        };
        let (first_row, first_column) = range.start().unwrap_or((0, 0));
        let mut sheet = Sheet::begin(out, &listed.name, &mut room)?;
        for (at, row) in range.rows().enumerate() {
            let cells = row.iter().enumerate().take(COLUMNS);
            let cells = cells.map(|(column, data)| cell(first_column as usize + column, data)).collect();
            let number = first_row.saturating_add(u32::try_from(at).unwrap_or(u32::MAX)).saturating_add(1);
            if !sheet.row(number, cells)? {
                break;
            }
        }
        sheet.end()?;
    }
    if hidden > 0 {
        out.warn(format!("{hidden} hidden sheets are not read"));
    }
    Ok(())
}

fn cell(column: usize, data: &Data) -> Cell {
    let (words, is_text) = match data {
        Data::String(words) => (words.clone(), true),
        Data::Int(number) => (number.to_string(), false),
        Data::Float(number) => (numfmt::show(*number, &Format::General, false), false),
        Data::Bool(value) => (if *value { "TRUE" } else { "FALSE" }.to_owned(), false),
        Data::DateTime(moment) => {
            let value = moment.as_f64();
            let format =
                Format::Moment { date: moment.is_datetime() && value >= 1.0, time: value.fract() != 0.0 };
            (numfmt::show(value, &format, false), false)
        }
        Data::DateTimeIso(words) | Data::DurationIso(words) => (words.clone(), false),
        Data::Error(_) | Data::Empty => (String::new(), false),
    };
    Cell { column, words, is_text }
}

/// Refuses a workbook whose cells lie so far apart that the library would need gigabytes for the space between.
fn check_span(bytes: &[u8]) -> Result<(), ExtractError> {
    let stream = guarded(|| {
        let mut file = cfb::CompoundFile::open(Cursor::new(bytes)).ok()?;
        let name = if file.exists("/Workbook") { "/Workbook" } else { "/Book" };
        let mut stream = Vec::new();
        let most = bytes.len() as u64;
        file.open_stream(name).ok()?.take(most).read_to_end(&mut stream).ok()?;
        Some(stream)
    })?;
    let stream = stream.ok_or(ExtractError::Damaged(WHAT))?;
    // Sheets are read from where the list of sheets says that they begin, so they are counted from there.
    let begins = records(&stream, 0)
        .filter(|(kind, _)| *kind == 0x0085)
        .filter_map(|(_, data)| data.first_chunk().map(|offset| u32::from_le_bytes(*offset) as usize));
    let (mut cells, mut walked) = (0u64, 0usize);
    for begin in begins {
        let (span, length) = span_of(&stream, begin);
        (cells, walked) = (cells.saturating_add(span), walked.saturating_add(length));
        // Honest sheets lie one behind the other; many that overlap are a trick.
        if cells > CELLS || walked > stream.len().saturating_mul(4) {
            return Err(ExtractError::TooMany { what: "cells in an old workbook", limit: CELLS as usize });
        }
    }
    Ok(())
}

/// The records from a place on, up to the end of the part that begins there.
fn records(stream: &[u8], mut at: usize) -> impl Iterator<Item = (u16, &[u8])> {
    let mut depth = 0usize;
    std::iter::from_fn(move || {
        let head: &[u8; 4] = stream.get(at..)?.first_chunk()?;
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_le_bytes([head[2], head[3]]));
        let data = stream.get(at + 4..at + 4 + length)?;
        at += 4 + length;
        match kind {
            0x0809 => depth += 1,
            0x000a if depth <= 1 => return None,
            0x000a => depth -= 1,
            _ => {}
        }
        Some((kind, data))
    })
}

/// How many cells the library will hold for the sheet that begins here, and how many bytes it reads for that.
fn span_of(stream: &[u8], begin: usize) -> (u64, usize) {
    let (mut rows, mut columns) = ((u64::MAX, 0u64), (u64::MAX, 0u64));
    let (mut declared, mut walked) = (0u64, 0usize);
    for (kind, data) in records(stream, begin) {
        walked += 4 + data.len();
        let number = |from: usize| Some(u64::from(u16::from_le_bytes(*data.get(from..)?.first_chunk()?)));
        let wide = |from: usize| Some(u64::from(u32::from_le_bytes(*data.get(from..)?.first_chunk()?)));
        match kind {
            // What a sheet declares is reserved at once. Older workbooks have shorter numbers here.
            0x0200 => {
                let [top, bottom, left, right] = if data.len() >= 14 {
                    [wide(0), wide(4), number(8), number(10)]
                } else {
                    [number(0), number(2), number(4), number(6)]
                };
                let between =
                    |from: Option<u64>, to: Option<u64>| to.unwrap_or(0).saturating_sub(from.unwrap_or(0));
                declared = declared.max((between(top, bottom) + 1).saturating_mul(between(left, right) + 1));
            }
            // Formula, number, label, rich string, switch, RK, labels by number, many RKs.
            0x0006 | 0x0203 | 0x0204 | 0x00d6 | 0x0205 | 0x027e | 0x00fd | 0x00bd => {
                let (Some(row), Some(column)) = (number(0), number(2)) else { continue };
                let last = if kind == 0x00bd { number(data.len().saturating_sub(2)) } else { None };
                rows = (rows.0.min(row), rows.1.max(row));
                columns = (columns.0.min(column), columns.1.max(last.unwrap_or(column)).max(column));
            }
            _ => {}
        }
    }
    let held = (rows.1 + 1).saturating_sub(rows.0).saturating_mul((columns.1 + 1).saturating_sub(columns.0));
    (held.max(declared), walked)
}

//! Tar archives packed with gzip (the newer form of Moodle's backups): a stream of headers and files.
//!
//! There is no directory, so each question is one pass. Read are plain files with their names in the header (POSIX
//! ustar), in a GNU `L` entry or in a pax header; links, devices and folders are passed over.

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;

use super::{Budget, Counted, Entry, Source, bomb_or};
use crate::ingest::extract::ExtractError;

const TAR: &str = "archive (.tar.gz)";
const BLOCK: u64 = 512;
/// Longest name that a header of names may give.
const NAME_BYTES: u64 = 16 << 10;

/// The names and sizes of all files.
pub fn entries<'a>(
    source: &mut Box<dyn Source + 'a>,
    budget: &mut Budget,
) -> Result<Vec<Entry>, ExtractError> {
    let most = budget.entries;
    let mut all = Vec::new();
    // Going through costs time, not memory, so it has the same limit of its own as reading has.
    let mut passing = Budget { bytes: budget.whole, entry_bytes: u64::MAX, ..budget.clone() };
    walk(source, &mut passing, |name, size, _| {
        if all.len() >= most {
            return Err(ExtractError::TooMany { what: "files in it", limit: most });
        }
        all.push(Entry { name: name.to_owned(), size });
        Ok(true)
    })?;
    Ok(all)
}

/// Hands the wanted files to `each`.
pub fn read<'a>(
    source: &mut Box<dyn Source + 'a>,
    wanted: &HashSet<String>,
    budget: &mut Budget,
    each: &mut impl FnMut(&str, Result<Bytes, ExtractError>) -> bool,
) -> Result<(), ExtractError> {
    let mut passing = Budget { bytes: budget.whole, entry_bytes: u64::MAX, ..budget.clone() };
    walk(source, &mut passing, |name, size, body| {
        if !wanted.contains(name) {
            return Ok(true);
        }
        if size > budget.entry_bytes {
            return Ok(each(name, Err(ExtractError::Bomb { limit: budget.entry_bytes })));
        }
        if size > budget.bytes {
            return Err(ExtractError::Bomb { limit: budget.whole });
        }
        budget.bytes -= size;
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes).map_err(|error| bomb_or(&error, TAR))?;
        if (bytes.len() as u64) < size {
            return Err(ExtractError::Damaged(TAR));
        }
        Ok(each(name, Ok(Bytes::from(bytes))))
    })
}

/// Goes through all plain files, until `each` says no.
fn walk<'a>(
    source: &mut Box<dyn Source + 'a>,
    budget: &mut Budget,
    mut each: impl FnMut(&str, u64, &mut dyn Read) -> Result<bool, ExtractError>,
) -> Result<(), ExtractError> {
    source.seek(SeekFrom::Start(0)).map_err(|_| ExtractError::Damaged(TAR))?;
    let left = budget.entry_bytes;
    let mut stream = Counted { inner: MultiGzDecoder::new(source), budget, left };
    let mut long_name: Option<String> = None;
    loop {
        let mut header = [0; BLOCK as usize];
        if let Err(error) = stream.read_exact(&mut header) {
            return Err(bomb_or(&error, TAR));
        }
        if header.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let (Some(size), true) = (number(&header[124..136]), checksum_holds(&header)) else {
            return Err(ExtractError::Damaged(TAR));
        };
        let padding = (BLOCK - size % BLOCK) % BLOCK;
        match header[156] {
            b'L' | b'x' => {
                let mut words = Vec::new();
                let read = stream.by_ref().take(size.min(NAME_BYTES)).read_to_end(&mut words);
                read.map_err(|error| bomb_or(&error, TAR))?;
                pass(&mut stream, size.saturating_sub(NAME_BYTES) + padding)?;
                let words = String::from_utf8_lossy(&words);
                let found = match header[156] {
                    b'L' => Some(words.trim_end_matches('\0').to_owned()),
                    _ => pax_path(&words),
                };
                long_name = found.or(long_name);
            }
            b'0' | 0 => {
                let name = long_name.take().unwrap_or_else(|| ustar_name(&header));
                let name = name.trim_start_matches("./").to_owned();
                let mut body = stream.by_ref().take(size);
                let go_on = each(&name, size, &mut body)?;
                let rest = body.limit();
                if !go_on {
                    return Ok(());
                }
                pass(&mut stream, rest.saturating_add(padding))?;
            }
            _ => {
                long_name = None;
                pass(&mut stream, size.saturating_add(padding))?;
            }
        }
    }
}

fn pass(stream: &mut impl Read, bytes: u64) -> Result<(), ExtractError> {
    let passed = io::copy(&mut stream.take(bytes), &mut io::sink()).map_err(|error| bomb_or(&error, TAR))?;
    if passed == bytes { Ok(()) } else { Err(ExtractError::Damaged(TAR)) }
}

/// Octal digits, or GNU's large binary numbers.
fn number(field: &[u8]) -> Option<u64> {
    if field.first()? & 0x80 != 0 {
        return field.last_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    }
    let digits = std::str::from_utf8(field).ok()?.trim_matches(['\0', ' ']);
    u64::from_str_radix(digits, 8).ok()
}

fn checksum_holds(header: &[u8; BLOCK as usize]) -> bool {
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u64::from(b) })
        .sum();
    number(&header[148..156]) == Some(sum)
}

fn ustar_name(header: &[u8; BLOCK as usize]) -> String {
    let text = |field: &[u8]| {
        let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
        String::from_utf8_lossy(&field[..end]).into_owned()
    };
    let (name, prefix) = (text(&header[..100]), text(&header[345..500]));
    let is_posix = header[257..263] == *b"ustar\0";
    if is_posix && !prefix.is_empty() { format!("{prefix}/{name}") } else { name }
}

/// The value of `path` in a pax header: lines of `LENGTH KEY=VALUE`.
fn pax_path(words: &str) -> Option<String> {
    words.lines().find_map(|line| Some(line.split_once(' ')?.1.strip_prefix("path=")?.to_owned()))
}

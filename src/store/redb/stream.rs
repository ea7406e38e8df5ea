//! The file of a backup: items behind each other, with a checksum of all of them at the end.
//!
//! A head with the version of this format and of the rows; then tables with their rows, then blobs; then how many
//! there were, and the BLAKE3 of everything before. Lengths and numbers are eight little-endian bytes. A file that
//! is cut, longer, or changed anywhere does not read.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::migrate::SCHEMA;
use crate::store::StoreError;

const MAGIC: &[u8; 16] = b"neverafk backup\n";
const FORMAT: u64 = 1;

const TABLE: u8 = b'T';
const ROW: u8 = b'R';
const BLOB: u8 = b'B';
const END: u8 = b'E';

/// What a backup holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BackupSummary {
    pub rows: u64,
    pub blobs: u64,
    /// Size of the file.
    pub bytes: u64,
}

/// A piece of a backup.
pub enum Item<'a> {
    /// The rows that follow are of this table.
    Table(&'a str),
    Row(&'a [u8], &'a [u8]),
    Blob(&'a [u8]),
}

/// Writes items, and counts and hashes what it writes.
pub struct Sink<W> {
    out: W,
    hasher: blake3::Hasher,
    written: BackupSummary,
}

impl<W: Write> Sink<W> {
    /// Writes the head.
    pub fn new(out: W) -> io::Result<Self> {
        let mut sink = Self { out, hasher: blake3::Hasher::new(), written: BackupSummary::default() };
        sink.write(MAGIC)?;
        sink.number(FORMAT)?;
        sink.number(u64::from(SCHEMA))?;
        Ok(sink)
    }

    pub fn item(&mut self, item: Item) -> io::Result<()> {
        match item {
            Item::Table(name) => {
                self.write(&[TABLE])?;
                self.bytes(name.as_bytes())
            }
            Item::Row(key, value) => {
                self.written.rows += 1;
                self.write(&[ROW])?;
                self.bytes(key)?;
                self.bytes(value)
            }
            Item::Blob(bytes) => {
                self.written.blobs += 1;
                self.write(&[BLOB])?;
                self.bytes(bytes)
            }
        }
    }

    /// Writes the end; without it the file does not read.
    pub fn finish(mut self) -> io::Result<BackupSummary> {
        self.write(&[END])?;
        self.number(self.written.rows)?;
        self.number(self.written.blobs)?;
        let hash = *self.hasher.finalize().as_bytes();
        self.write(&hash)?;
        self.out.flush()?;
        Ok(self.written)
    }

    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.number(bytes.len() as u64)?;
        self.write(bytes)
    }

    fn number(&mut self, number: u64) -> io::Result<()> {
        self.write(&number.to_le_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.hasher.update(bytes);
        self.written.bytes += bytes.len() as u64;
        self.out.write_all(bytes)
    }
}

/// Reads the backup at `path` to its end, handing each item to `each`. What `each` was given counts only when this
/// returns without an error.
pub fn read_backup(
    path: &Path,
    each: impl FnMut(Item) -> Result<(), StoreError>,
) -> Result<BackupSummary, StoreError> {
    let file = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (left, file) = file.map_err(|error| refused(path, error.to_string()))?;
    let input = BufReader::with_capacity(1 << 16, file);
    Source { path: path.to_owned(), input, left, hasher: blake3::Hasher::new() }.read(each)
}

/// Says why a backup is not used.
pub fn refused(path: &Path, reason: String) -> StoreError {
    StoreError::Backup { path: path.display().to_string(), reason }
}

struct Source<R> {
    path: PathBuf,
    input: R,
    /// Bytes of the file that are not read yet: no length may exceed it.
    left: u64,
    hasher: blake3::Hasher,
}

impl<R: Read> Source<R> {
    fn read(
        mut self,
        mut each: impl FnMut(Item) -> Result<(), StoreError>,
    ) -> Result<BackupSummary, StoreError> {
        let mut summary = BackupSummary { bytes: self.left, ..BackupSummary::default() };
        if self.array()? != *MAGIC {
            return Err(self.refused("it is not a backup"));
        }
        if self.number()? != FORMAT {
            return Err(self.refused("it was written by a newer version"));
        }
        let schema = self.number()?;
        if schema > u64::from(SCHEMA) {
            let found = u32::try_from(schema).unwrap_or(u32::MAX);
            return Err(StoreError::Newer { found, known: SCHEMA });
        }
        loop {
            let [tag] = self.array()?;
            match tag {
                TABLE => {
                    let name = self.bytes()?;
                    let name = std::str::from_utf8(&name).map_err(|_| self.refused("it is damaged"))?;
                    each(Item::Table(name))?;
                }
                ROW => {
                    let (key, value) = (self.bytes()?, self.bytes()?);
                    summary.rows += 1;
                    each(Item::Row(&key, &value))?;
                }
                BLOB => {
                    let bytes = self.bytes()?;
                    summary.blobs += 1;
                    each(Item::Blob(&bytes))?;
                }
                END => break,
                _ => return Err(self.refused("it is damaged")),
            }
        }
        let counted = [self.number()?, self.number()?] == [summary.rows, summary.blobs];
        let hash = *self.hasher.finalize().as_bytes();
        if self.array()? != hash || !counted || self.left != 0 {
            return Err(self.refused("it is damaged"));
        }
        Ok(summary)
    }

    fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        let len = self.number()?;
        if len > self.left {
            return Err(self.refused("it is cut short or damaged"));
        }
        let mut bytes = Vec::new();
        let read = (&mut self.input).take(len).read_to_end(&mut bytes);
        self.took(read.map(|_| ()), len, &bytes)?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let mut bytes = [0; N];
        let read = self.input.read_exact(&mut bytes);
        self.took(read, N as u64, &bytes)?;
        Ok(bytes)
    }

    fn took(&mut self, read: io::Result<()>, len: u64, bytes: &[u8]) -> Result<(), StoreError> {
        match read {
            Ok(()) if bytes.len() as u64 == len && len <= self.left => {}
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(self.refused(&error.to_string()));
            }
            _ => return Err(self.refused("it is cut short")),
        }
        self.left -= len;
        self.hasher.update(bytes);
        Ok(())
    }

    fn refused(&self, reason: &str) -> StoreError {
        refused(&self.path, reason.to_owned())
    }
}

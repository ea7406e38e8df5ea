//! Files within files: ZIP archives and packed tar archives, read by name and within a budget.
//!
//! Nothing is written anywhere, so a name such as `../../x` is only an odd name. Every byte that comes out of a packed
//! entry is counted against the [`Budget`] of the outermost file, whatever sizes the archive declares.

mod tar;

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use bytes::Bytes;
use zip::ZipArchive;
use zip::result::ZipError;

use super::ExtractError;

/// What may still be unpacked from one file, archives within archives included.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Bytes that all entries together may still give.
    pub bytes: u64,
    /// Bytes that one entry may give.
    pub entry_bytes: u64,
    /// Names that one archive may list.
    pub entries: usize,
    /// The budget as it was given, for the sentence.
    pub whole: u64,
    /// Something is missing that could not be read, and nothing else says so.
    pub cut: bool,
}

impl Budget {
    pub fn new(bytes: u64, entry_bytes: u64, entries: usize) -> Self {
        Self { bytes, entry_bytes, entries, whole: bytes, cut: false }
    }
}

/// What an archive is read from.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// An archive that is open.
pub enum Archive<'a> {
    Zip(ZipArchive<Box<dyn Source + 'a>>),
    /// A tar archive packed with gzip, with the names that its first pass found.
    Tar {
        source: Box<dyn Source + 'a>,
        entries: Vec<Entry>,
    },
}

/// One file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the archive has it.
    pub name: String,
    /// As the archive says.
    pub size: u64,
}

impl<'a> Archive<'a> {
    /// Opens a ZIP archive, or a tar archive packed with gzip.
    pub fn open(mut source: Box<dyn Source + 'a>, budget: &mut Budget) -> Result<Self, ExtractError> {
        let mut magic = [0; 2];
        let damaged = |_| ExtractError::Damaged(ARCHIVE);
        source.seek(SeekFrom::Start(0)).map_err(damaged)?;
        source.read_exact(&mut magic).map_err(damaged)?;
        source.seek(SeekFrom::Start(0)).map_err(damaged)?;
        if magic == [0x1f, 0x8b] {
            let entries = tar::entries(&mut source, budget)?;
            return Ok(Self::Tar { source, entries });
        }
        refuse_crowds(&mut source, budget.entries)?;
        let archive = ZipArchive::new(source).map_err(explain)?;
        if archive.len() > budget.entries {
            return Err(ExtractError::TooMany { what: "files in it", limit: budget.entries });
        }
        Ok(Self::Zip(archive))
    }

    /// All files, in the order of the archive; names that are no text are left out.
    pub fn entries(&self) -> Vec<Entry> {
        match self {
            Self::Tar { entries, .. } => entries.clone(),
            Self::Zip(archive) => (0..archive.len())
                .filter_map(|at| {
                    let entry = archive.by_index_data(at).ok()?;
                    let name = archive.name_for_index(at)?.ok()?.replace('\\', "/");
                    (!name.ends_with('/')).then(|| Entry { name, size: entry.size() })
                })
                .collect(),
        }
    }

    /// Whether there is a file of this name.
    pub fn holds(&self, name: &str) -> bool {
        match self {
            Self::Zip(archive) => archive.index_for_name(name).is_some(),
            Self::Tar { entries, .. } => entries.iter().any(|entry| entry.name == name),
        }
    }

    /// What the archive was read from, to be read as a file.
    pub fn into_source(self) -> Option<Box<dyn Source + 'a>> {
        match self {
            Self::Zip(archive) => Some(archive.into_inner()),
            Self::Tar { .. } => None,
        }
    }

    /// The bytes of one file; `None` when it is not there.
    pub fn read(&mut self, name: &str, budget: &mut Budget) -> Result<Option<Bytes>, ExtractError> {
        let mut found = None;
        let wanted = HashSet::from([name.to_owned()]);
        self.read_all(&wanted, budget, |_, bytes| {
            found = Some(bytes);
            false
        })?;
        found.transpose()
    }

    /// Small files by name, such as the parts of a manifest; those that are not there or not readable are left out.
    pub fn read_map(
        &mut self,
        wanted: &HashSet<String>,
        budget: &mut Budget,
    ) -> Result<HashMap<String, Bytes>, ExtractError> {
        let (mut map, mut cut) = (HashMap::new(), false);
        self.read_all(wanted, budget, |name, bytes| {
            match bytes {
                Ok(bytes) => drop(map.insert(name.to_owned(), bytes)),
                Err(_) => cut = true,
            }
            true
        })?;
        budget.cut |= cut;
        Ok(map)
    }

    /// Hands the files with these names to `each`, in the order of the archive, until it wants no more. An error that
    /// concerns one file is handed to `each`, one that ends the work comes back.
    pub fn read_all(
        &mut self,
        wanted: &HashSet<String>,
        budget: &mut Budget,
        mut each: impl FnMut(&str, Result<Bytes, ExtractError>) -> bool,
    ) -> Result<(), ExtractError> {
        match self {
            Self::Tar { source, .. } => tar::read(source, wanted, budget, &mut each),
            Self::Zip(archive) => {
                for at in 0..archive.len() {
                    let Some(Ok(name)) = archive.name_for_index(at) else { continue };
                    let name = name.replace('\\', "/");
                    if !wanted.contains(&name) {
                        continue;
                    }
                    let bytes = match archive.by_index(at) {
                        Ok(entry) => {
                            let expected = entry.size();
                            read_capped(entry, expected, budget)
                        }
                        Err(error) => Err(explain(error)),
                    };
                    if matches!(&bytes, Err(ExtractError::Bomb { .. })) && budget.bytes == 0 {
                        return Err(ExtractError::Bomb { limit: budget.whole });
                    }
                    if !each(&name, bytes) {
                        return Ok(());
                    }
                }
                Ok(())
            }
        }
    }

    /// One file as a stream within the budget, for a part that need not be held whole; `None` when it is not there.
    pub fn stream<'b>(
        &'b mut self,
        name: &str,
        budget: &'b mut Budget,
    ) -> Result<Option<Box<dyn BufRead + 'b>>, ExtractError> {
        let Self::Zip(archive) = self else {
            let bytes = self.read(name, budget)?;
            return Ok(bytes.map(|bytes| Box::new(io::Cursor::new(bytes)) as Box<dyn BufRead>));
        };
        let Some(at) = archive.index_for_name(name) else { return Ok(None) };
        let entry = archive.by_index(at).map_err(explain)?;
        let left = budget.entry_bytes;
        Ok(Some(Box::new(BufReader::with_capacity(64 << 10, Counted { inner: entry, budget, left }))))
    }
}

const ARCHIVE: &str = "archive";

/// Reads an entry whole, within the budget.
fn read_capped(entry: impl Read, expected: u64, budget: &mut Budget) -> Result<Bytes, ExtractError> {
    let left = budget.entry_bytes;
    if expected > left {
        return Err(ExtractError::Bomb { limit: left });
    }
    // What the archive declares is believed only as far as a small buffer.
    let mut bytes = Vec::with_capacity(expected.min(1 << 20) as usize);
    let mut counted = Counted { inner: entry, budget, left };
    match counted.read_to_end(&mut bytes) {
        Ok(_) => Ok(Bytes::from(bytes)),
        Err(error) => Err(bomb_or(&error, ARCHIVE)),
    }
}

/// The limit that an error of reading stands for, else damage.
pub fn bomb_or(error: &io::Error, what: &'static str) -> ExtractError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ExtractError>());
    inner.cloned().unwrap_or(ExtractError::Damaged(what))
}

/// Counts what comes out and ends with [`ExtractError::Bomb`] where the budget does.
struct Counted<'b, R> {
    inner: R,
    budget: &'b mut Budget,
    left: u64,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let count = read as u64;
        if count > self.left || count > self.budget.bytes {
            let limit = if count > self.left { self.budget.entry_bytes } else { self.budget.whole };
            self.budget.bytes = self.budget.bytes.saturating_sub(count);
            return Err(io::Error::other(ExtractError::Bomb { limit }));
        }
        self.left -= count;
        self.budget.bytes -= count;
        Ok(read)
    }
}

fn explain(error: ZipError) -> ExtractError {
    match error {
        ZipError::InvalidPassword => ExtractError::Locked,
        ZipError::UnsupportedArchive(reason) if reason.to_ascii_lowercase().contains("password") => {
            ExtractError::Locked
        }
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => {
            ExtractError::Unsupported("an archive that is packed in an unusual way".into())
        }
        _ => ExtractError::Damaged(ARCHIVE),
    }
}

/// Refuses an archive whose directory claims more files than are read, before that directory is taken into memory.
fn refuse_crowds(source: &mut Box<dyn Source + '_>, most: usize) -> Result<(), ExtractError> {
    /// The end record with the longest comment.
    const END_BYTES: u64 = 22 + 65_535;
    let damaged = |_| ExtractError::Damaged(ARCHIVE);
    let length = source.seek(SeekFrom::End(0)).map_err(damaged)?;
    let from = length.saturating_sub(END_BYTES + 20);
    source.seek(SeekFrom::Start(from)).map_err(damaged)?;
    let mut tail = Vec::new();
    source.by_ref().take(END_BYTES + 20).read_to_end(&mut tail).map_err(damaged)?;
    let crowd = ExtractError::TooMany { what: "files in it", limit: most };
    for at in (0..tail.len().saturating_sub(21)).rev() {
        let Some(record) = tail[at..].strip_prefix(b"PK\x05\x06") else { continue };
        let Some([low, high]) = record.get(6..8).and_then(|n| n.first_chunk().copied()) else { continue };
        let mut count = u64::from(u16::from_le_bytes([low, high]));
        if count == 0xffff {
            // ZIP64: the locator stands before the record and says where the larger record is.
            let locator = at.checked_sub(20).map(|before| &tail[before..at]);
            let offset = locator
                .filter(|locator| locator.starts_with(b"PK\x06\x07"))
                .and_then(|locator| locator.get(8..16)?.first_chunk().copied())
                .map(u64::from_le_bytes);
            if let Some(offset) = offset
                && source.seek(SeekFrom::Start(offset)).is_ok()
            {
                let mut larger = [0; 40];
                if source.read_exact(&mut larger).is_ok()
                    && larger.starts_with(b"PK\x06\x06")
                    && let Some(bytes) = larger[32..].first_chunk::<8>()
                {
                    count = u64::from_le_bytes(*bytes);
                }
            }
        }
        // The directory's own length speaks too: 46 bytes is the shortest entry.
        let size = record.get(8..12).and_then(|n| n.first_chunk().copied()).map_or(0, u32::from_le_bytes);
        let by_size = u64::from(size) / 46;
        if count > most as u64 || (size != u32::MAX && by_size > 40 * most as u64) {
            return Err(crowd);
        }
        break;
    }
    source.seek(SeekFrom::Start(0)).map_err(damaged)?;
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::{Cursor, Write};
    use zip::write::SimpleFileOptions;

    /// A ZIP archive with these files.
    pub(crate) fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in files {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn open(bytes: &[u8], budget: &mut Budget) -> Result<Archive<'static>, ExtractError> {
        Archive::open(Box::new(Cursor::new(bytes.to_vec())), budget)
    }

    #[test]
    fn files_are_read_by_name_within_the_budget() {
        let bytes = zipped(&[("a.txt", b"one"), ("../../b", b"two"), ("big", &[b'x'; 5000])]);
        let mut budget = Budget::new(6000, 5500, 10);
        let mut archive = open(&bytes, &mut budget).unwrap();
        let names: Vec<_> = archive.entries().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["a.txt", "../../b", "big"]);
        assert_eq!(archive.read("a.txt", &mut budget).unwrap().unwrap(), "one");
        assert!(archive.read("no", &mut budget).unwrap().is_none());
        assert_eq!(archive.read("big", &mut budget).unwrap().unwrap().len(), 5000);
        assert_eq!(budget.bytes, 997);
        assert_eq!(archive.read("big", &mut budget), Err(ExtractError::Bomb { limit: 6000 }));
        let mut tight = Budget::new(60_000, 100, 10);
        assert_eq!(archive.read("big", &mut tight), Err(ExtractError::Bomb { limit: 100 }));
    }

    #[test]
    fn crowds_and_damage_are_refused() {
        let names: Vec<String> = (0..30).map(|n| format!("{n}.txt")).collect();
        let files: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
        let bytes = zipped(&files);
        let few = &mut Budget::new(100, 100, 20);
        assert!(matches!(open(&bytes, few).err(), Some(ExtractError::TooMany { .. })));
        for end in [0, 1, 2, 10, bytes.len() / 2, bytes.len() - 1] {
            let error = open(&bytes[..end], &mut Budget::new(100, 100, 100)).err();
            assert_eq!(error, Some(ExtractError::Damaged(ARCHIVE)), "{end}");
        }
        let mut flipped = bytes.clone();
        let directory = bytes.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        flipped[directory + 1] = 0;
        assert!(open(&flipped, &mut Budget::new(100, 100, 100)).is_err());
    }
}

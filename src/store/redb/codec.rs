//! How keys and records are written: each record begins with a version byte.
//!
//! Small records are JSON, bulk is bytes of our own with a checksum where the content cannot speak for itself
//! (vectors and terms: a flipped bit in them would only make answers worse). A record that does not read is
//! [`StoreError::Damaged`] with its name. Old records are kept readable by `tests/fixtures/store`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::area::{Area, Frame, MOST, Mark, Sheet};
use crate::domain::{Anchor, Block, BlockKind, ChunkId, ContentHash, CreatorId, Document, DocumentId, Span};
use crate::store::{Counts, Creator, IndexChange, StoreError};

/// Version of every record below; a new one is read beside the old one, or written by a migration.
const VERSION: u8 = 1;

/// A creator with its number and the number of its last index change.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredCreator {
    pub number: u32,
    pub last_change: u64,
    pub creator: Creator,
}

/// A document with the range of its chunks: they are numbered together, so they lie side by side.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredDocument {
    pub number: u32,
    pub first_chunk: u64,
    pub chunks: u32,
    pub document: Document,
}

impl StoredDocument {
    /// The chunks of the document, in order.
    pub fn chunk_ids(&self) -> impl Iterator<Item = ChunkId> + use<> {
        (self.first_chunk..self.first_chunk + u64::from(self.chunks)).map(ChunkId)
    }
}

/// A chunk without its words: they are a part of its document's text.
#[derive(Debug, PartialEq)]
pub struct StoredChunk {
    pub number: u32,
    pub document: DocumentId,
    pub ordinal: u32,
    pub span: Span,
    pub anchor: Anchor,
}

/// The parts of a key, one after the other.
pub fn key<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}

/// The last `len` bytes of a key as text: the id that ends it.
pub fn id_at_end<T: std::str::FromStr>(key: &[u8]) -> Result<T, StoreError> {
    const ID_LEN: usize = 26;
    key.len()
        .checked_sub(ID_LEN)
        .and_then(|start| std::str::from_utf8(&key[start..]).ok())
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| damaged("the id in a key"))
}

/// The number in the last 8 bytes of a key.
pub fn number_at_end(key: &[u8]) -> Result<u64, StoreError> {
    key.last_chunk().map(|bytes| u64::from_be_bytes(*bytes)).ok_or_else(|| damaged("the number in a key"))
}

pub fn write_json(record: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let mut bytes = vec![VERSION];
    serde_json::to_writer(&mut bytes, record).map_err(|error| StoreError::Invalid(error.to_string()))?;
    Ok(bytes)
}

pub fn read_json<T: DeserializeOwned>(bytes: &[u8], what: impl std::fmt::Display) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((&VERSION, json)) => {
            serde_json::from_slice(json).map_err(|error| StoreError::Damaged(format!("{what}: {error}")))
        }
        _ => Err(StoreError::Damaged(format!("{what}: unknown version"))),
    }
}

pub fn write_number(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

pub fn read_number(bytes: &[u8], what: &str) -> Result<u64, StoreError> {
    bytes.try_into().map(u64::from_be_bytes).map_err(|_| damaged(what))
}

pub fn write_counts(counts: Counts) -> [u8; 24] {
    let mut bytes = [0; 24];
    for (place, number) in
        bytes.chunks_exact_mut(8).zip([counts.documents, counts.chunks, counts.conversations])
    {
        place.copy_from_slice(&number.to_be_bytes());
    }
    bytes
}

pub fn read_counts(bytes: &[u8]) -> Result<Counts, StoreError> {
    match bytes.as_chunks::<8>() {
        ([documents, chunks, conversations], []) => Ok(Counts {
            documents: u64::from_be_bytes(*documents),
            chunks: u64::from_be_bytes(*chunks),
            conversations: u64::from_be_bytes(*conversations),
        }),
        _ => Err(damaged("the counts of a creator")),
    }
}

pub fn write_change(change: IndexChange) -> [u8; 9] {
    let (kind, chunk) = match change {
        IndexChange::Add(chunk) => (b'+', chunk),
        IndexChange::Remove(chunk) => (b'-', chunk),
    };
    let mut bytes = [kind; 9];
    bytes[1..].copy_from_slice(&chunk.0.to_be_bytes());
    bytes
}

pub fn read_change(bytes: &[u8]) -> Result<IndexChange, StoreError> {
    let chunk = ChunkId(number_at_end(bytes)?);
    match bytes {
        [b'+', ..] => Ok(IndexChange::Add(chunk)),
        [b'-', ..] => Ok(IndexChange::Remove(chunk)),
        _ => Err(damaged("an index change")),
    }
}

/// Checksum, then the numbers. The checksum covers the key too, so a value under a wrong key is noticed.
pub fn write_vector(key: &[u8], vector: &[f32]) -> Vec<u8> {
    let numbers: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    with_checksum(key, &[&numbers])
}

pub fn read_vector(key: &[u8], bytes: &[u8]) -> Result<Vec<f32>, StoreError> {
    let checked = checked(key, bytes).and_then(|body| match body.as_chunks::<4>() {
        (numbers, []) => Some(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()),
        _ => None,
    });
    checked.ok_or_else(|| damaged_of_chunk("vector", key))
}

/// Checksum, document, then the terms as they came.
pub fn write_terms(key: &[u8], document: &DocumentId, terms: &[u8]) -> Vec<u8> {
    with_checksum(key, &[document.as_str().as_bytes(), terms])
}

pub fn read_terms(key: &[u8], bytes: &[u8]) -> Result<(DocumentId, Vec<u8>), StoreError> {
    let checked = checked(key, bytes).and_then(|body| {
        let (document, terms) = body.split_at_checked(26)?;
        Some((std::str::from_utf8(document).ok()?.parse().ok()?, terms.to_vec()))
    });
    checked.ok_or_else(|| damaged_of_chunk("terms", key))
}

pub fn write_chunk(chunk: &StoredChunk) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend(chunk.number.to_be_bytes());
    out.extend(chunk.document.as_str().as_bytes());
    put_number(&mut out, u64::from(chunk.ordinal));
    put_span(&mut out, chunk.span);
    put_anchor(&mut out, &chunk.anchor);
    out
}

pub fn read_chunk(bytes: &[u8], id: ChunkId) -> Result<StoredChunk, StoreError> {
    let mut input = Input(bytes);
    let read = |input: &mut Input| {
        (input.byte()? == VERSION).then_some(())?;
        Some(StoredChunk {
            number: u32::from_be_bytes(*input.take(4)?.first_chunk()?),
            document: std::str::from_utf8(input.take(26)?).ok()?.parse().ok()?,
            ordinal: u32::try_from(input.number()?).ok()?,
            span: input.span()?,
            anchor: input.anchor()?,
        })
    };
    read(&mut input).filter(|_| input.0.is_empty()).ok_or_else(|| damaged(&format!("chunk {id}")))
}

pub fn write_blocks(blocks: &[Block]) -> Vec<u8> {
    let mut out = vec![VERSION];
    for block in blocks {
        let (kind, level) = match block.kind {
            BlockKind::Heading(level) => (0, level),
            BlockKind::Paragraph => (1, 0),
            BlockKind::ListItem => (2, 0),
            BlockKind::Code => (3, 0),
            BlockKind::TableRow => (4, 0),
            BlockKind::Cue => (5, 0),
        };
        out.extend([kind, level]);
        put_span(&mut out, block.span);
        put_anchor(&mut out, &block.anchor);
    }
    out
}

pub fn read_blocks(bytes: &[u8], document: &DocumentId) -> Result<Vec<Block>, StoreError> {
    let mut input = Input(bytes);
    let mut read = || {
        (input.byte()? == VERSION).then_some(())?;
        let mut blocks = Vec::new();
        while !input.0.is_empty() {
            let kind = match (input.byte()?, input.byte()?) {
                (0, level) => BlockKind::Heading(level),
                (1, _) => BlockKind::Paragraph,
                (2, _) => BlockKind::ListItem,
                (3, _) => BlockKind::Code,
                (4, _) => BlockKind::TableRow,
                (5, _) => BlockKind::Cue,
                _ => return None,
            };
            blocks.push(Block { kind, span: input.span()?, anchor: input.anchor()? });
        }
        Some(blocks)
    };
    read().ok_or_else(|| damaged(&format!("the blocks of document {document}")))
}

/// The creator and the number that a key of `terms` or `vectors` begins with.
pub fn creator_chunk(number: u32, chunk: ChunkId) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[4..].copy_from_slice(&chunk.0.to_be_bytes());
    bytes
}

pub fn content_key(content: ContentHash, number: u32, document: &DocumentId) -> Vec<u8> {
    key([&content.0, &number.to_be_bytes(), document.as_str().as_bytes()])
}

pub fn no_creator(id: &CreatorId) -> StoreError {
    StoreError::NoCreator(id.clone())
}

pub fn damaged(what: &str) -> StoreError {
    StoreError::Damaged(what.to_owned())
}

fn damaged_of_chunk(what: &str, key: &[u8]) -> StoreError {
    match number_at_end(key) {
        Ok(chunk) => StoreError::Damaged(format!("the {what} of chunk {chunk}")),
        Err(error) => error,
    }
}

fn with_checksum(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    let mut out = vec![0; 4];
    for part in parts {
        hasher.update(part);
        out.extend_from_slice(part);
    }
    out[..4].copy_from_slice(&hasher.finalize().to_le_bytes());
    out
}

fn checked<'a>(key: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let (checksum, body) = bytes.split_first_chunk()?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(body);
    (hasher.finalize() == u32::from_le_bytes(*checksum)).then_some(body)
}

/// Seven bits a byte, low ones first, the eighth bit on all but the last (LEB128).
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_span(out: &mut Vec<u8>, span: Span) {
    put_number(out, span.start as u64);
    put_number(out, span.end as u64);
}

fn put_anchor(out: &mut Vec<u8>, anchor: &Anchor) {
    let numbers = [anchor.page.map(u64::from), anchor.start_ms, anchor.end_ms];
    let mut flags = 0u8;
    for (bit, number) in numbers.iter().enumerate() {
        flags |= u8::from(number.is_some()) << bit;
    }
    // Slide, sheet and row came with schema 2; a record without them reads as it did in schema 1.
    flags |= u8::from(anchor.heading.is_some()) << 3;
    flags |= u8::from(anchor.slide.is_some()) << 4;
    flags |= u8::from(anchor.sheet.is_some()) << 5;
    flags |= u8::from(anchor.row.is_some()) << 6;
    // Areas came with schema 5.
    flags |= u8::from(!anchor.areas.is_empty()) << 7;
    out.push(flags);
    for number in numbers.into_iter().flatten() {
        put_number(out, number);
    }
    put_words(out, anchor.heading.as_deref());
    for number in [anchor.slide, anchor.row].into_iter().flatten() {
        put_number(out, u64::from(number));
    }
    put_words(out, anchor.sheet.as_deref());
    if !anchor.areas.is_empty() {
        put_areas(out, &anchor.areas);
    }
}

/// Lines stand close to each other, so that differences are small: about nine bytes a line.
fn put_areas(out: &mut Vec<u8>, areas: &[Area]) {
    put_number(out, areas.len() as u64);
    let (mut start, mut y) = (0, 0);
    for area in areas {
        put_number(out, u64::from(area.page));
        put_number(out, u64::from(area.sheet.width));
        put_number(out, u64::from(area.sheet.height));
        out.push(u8::from(area.sheet.label.is_some()));
        put_words(out, area.sheet.label.as_deref());
        put_number(out, area.lines.len() as u64);
        for Mark { start: begins, frame } in &area.lines {
            put_number(out, zigzag(i64::from(*begins) - start));
            put_number(out, zigzag(i64::from(frame.y0) - y));
            put_number(out, zigzag(i64::from(frame.y1) - i64::from(frame.y0)));
            put_number(out, u64::from(frame.x0));
            put_number(out, zigzag(i64::from(frame.x1) - i64::from(frame.x0)));
            (start, y) = (i64::from(*begins), i64::from(frame.y0));
        }
    }
}

/// Small numbers of both signs as small numbers: 0, -1, 1, -2 become 0, 1, 2, 3.
fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn put_words(out: &mut Vec<u8>, words: Option<&str>) {
    if let Some(words) = words {
        put_number(out, words.len() as u64);
        out.extend_from_slice(words.as_bytes());
    }
}

/// What is left to read of a record; every step is `None` when the bytes do not fit.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            let moved = bits << shift;
            if moved >> shift != bits {
                return None;
            }
            number |= moved;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn span(&mut self) -> Option<Span> {
        let start = usize::try_from(self.number()?).ok()?;
        let end = usize::try_from(self.number()?).ok()?;
        Some(Span { start, end })
    }

    fn anchor(&mut self) -> Option<Anchor> {
        let flags = self.byte()?;
        let page = self.small_if(flags & 1)?;
        let start_ms = self.number_if(flags & 2)?;
        let end_ms = self.number_if(flags & 4)?;
        let heading = self.words_if(flags & 8)?;
        let slide = self.small_if(flags & 16)?;
        let row = self.small_if(flags & 64)?;
        let sheet = self.words_if(flags & 32)?;
        let areas = if flags & 128 == 0 { Vec::new() } else { self.areas()? };
        Some(Anchor { page, slide, sheet, row, start_ms, end_ms, heading, areas })
    }

    fn areas(&mut self) -> Option<Vec<Area>> {
        let count = self.number()?;
        let (mut start, mut y) = (0, 0);
        let mut areas = Vec::new();
        let most = MOST as u64;
        for _ in 0..Some(count).filter(|&count| count <= most)? {
            let (page, width, height) = (self.small()?, self.small()?, self.small()?);
            let label = self.byte()?;
            let label = self.words_if(label)?;
            let count = self.number().filter(|&count| count <= most)?;
            let mut lines = Vec::new();
            for _ in 0..count {
                let (begins, y0) = (self.step(start)?, self.step(y)?);
                let y1 = self.step(y0)?;
                let x0 = i64::from(self.small::<u16>()?);
                let x1 = self.step(x0)?;
                let short = |length: i64| u16::try_from(length).ok();
                let frame = Frame { x0: short(x0)?, y0: short(y0)?, x1: short(x1)?, y1: short(y1)? };
                lines.push(Mark { start: u32::try_from(begins).ok()?, frame });
                (start, y) = (begins, y0);
            }
            areas.push(Area { page, sheet: Sheet { width, height, label }, lines });
        }
        Some(areas)
    }

    /// A number of fewer bits.
    fn small<T: TryFrom<u64>>(&mut self) -> Option<T> {
        T::try_from(self.number()?).ok()
    }

    /// The number that stands as its difference from another.
    fn step(&mut self, from: i64) -> Option<i64> {
        from.checked_add(unzigzag(self.number()?))
    }

    /// A number where the flag is set; the outer `None` is damage, as in all of these.
    fn number_if(&mut self, flag: u8) -> Option<Option<u64>> {
        if flag == 0 { Some(None) } else { self.number().map(Some) }
    }

    fn small_if(&mut self, flag: u8) -> Option<Option<u32>> {
        match self.number_if(flag)? {
            Some(number) => u32::try_from(number).ok().map(Some),
            None => Some(None),
        }
    }

    fn words_if(&mut self, flag: u8) -> Option<Option<String>> {
        let Some(len) = self.number_if(flag)? else { return Some(None) };
        let words = self.take(usize::try_from(len).ok()?)?;
        Some(Some(std::str::from_utf8(words).ok()?.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn areas() -> Vec<Area> {
        let frame = |x0, y0, x1, y1| Frame { x0, y0, x1, y1 };
        let mark = |(start, frame): (u32, Frame)| Mark { start, frame };
        let frames = [
            (0, frame(720, 1000, 5000, 1110)),
            (81, frame(720, 1120, 5010, 1230)),
            (163, frame(65_535, 0, 0, 65_535)),
        ];
        let lines: Vec<Mark> = frames.into_iter().map(mark).collect();
        let sheet = Sheet { width: 5950, height: 8420, label: Some("iv".into()) };
        let second = Area { page: 4, sheet: Sheet::default(), lines: lines[1..].to_vec() };
        vec![Area { page: 3, sheet, lines }, second]
    }

    fn anchors() -> Vec<Anchor> {
        vec![
            Anchor::default(),
            Anchor { page: Some(u32::MAX), ..Anchor::default() },
            Anchor { start_ms: Some(0), end_ms: Some(u64::MAX), ..Anchor::default() },
            Anchor {
                page: Some(3),
                start_ms: Some(300),
                heading: Some("Öl › Glaze".into()),
                ..Anchor::default()
            },
            Anchor { slide: Some(7), heading: Some("Glaze".into()), ..Anchor::default() },
            Anchor { sheet: Some("Preise ü".into()), row: Some(1_048_576), ..Anchor::default() },
            Anchor { page: Some(3), areas: areas(), ..Anchor::default() },
        ]
    }

    #[test]
    fn chunks_and_blocks_come_back_and_a_cut_record_is_damaged() {
        for (place, anchor) in anchors().into_iter().enumerate() {
            let document = DocumentId::from_bytes([7; 16]);
            let span = Span { start: place * 1000, end: place * 100_000 + 1 };
            let chunk = StoredChunk { number: 9, document: document.clone(), ordinal: 300, span, anchor };
            let bytes = write_chunk(&chunk);
            assert_eq!(read_chunk(&bytes, ChunkId(1)).unwrap(), chunk);
            for len in 0..bytes.len() {
                assert!(
                    matches!(read_chunk(&bytes[..len], ChunkId(1)), Err(StoreError::Damaged(_))),
                    "{len}"
                );
            }
            let kinds = [
                BlockKind::Heading(6),
                BlockKind::Paragraph,
                BlockKind::ListItem,
                BlockKind::Code,
                BlockKind::TableRow,
                BlockKind::Cue,
            ];
            let blocks = kinds.map(|kind| Block { kind, span, anchor: chunk.anchor.clone() }).to_vec();
            assert_eq!(read_blocks(&write_blocks(&blocks), &document).unwrap(), blocks);
        }
    }

    #[test]
    fn an_anchor_of_schema_1_is_written_and_read_as_before() {
        let mut out = Vec::new();
        let heading = Some("Öl".to_owned());
        let anchor = Anchor { page: Some(3), start_ms: Some(300), heading, ..Anchor::default() };
        put_anchor(&mut out, &anchor);
        let schema_1 = [0b1011, 3, 0xac, 2, 3, 0xc3, 0x96, b'l'];
        assert_eq!(out, schema_1);
        assert_eq!(Input(&schema_1).anchor(), Some(anchor));
        assert_eq!(Input(&[0x80]).anchor(), None);
    }

    #[test]
    fn a_flipped_bit_or_a_wrong_key_of_a_vector_is_noticed() {
        let key = creator_chunk(1, ChunkId(42));
        let vector = [0.5, -1.0, f32::MIN_POSITIVE];
        let bytes = write_vector(&key, &vector);
        assert_eq!(read_vector(&key, &bytes).unwrap(), vector);
        for bit in 0..bytes.len() * 8 {
            let mut bad = bytes.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let error = read_vector(&key, &bad).unwrap_err();
            assert_eq!(error.to_string(), "a stored record is damaged: the vector of chunk 42");
        }
        assert!(read_vector(&creator_chunk(1, ChunkId(43)), &bytes).is_err());
    }

    #[test]
    fn small_records_come_back() {
        for change in [IndexChange::Add(ChunkId(7)), IndexChange::Remove(ChunkId(u64::MAX))] {
            assert_eq!(read_change(&write_change(change)).unwrap(), change);
        }
        let counts = Counts { documents: 1, chunks: u64::MAX, conversations: 3 };
        assert_eq!(read_counts(&write_counts(counts)).unwrap(), counts);
        let document = DocumentId::from_bytes([1; 16]);
        let key = creator_chunk(3, ChunkId(4));
        assert_eq!(
            read_terms(&key, &write_terms(&key, &document, b"terms")).unwrap(),
            (document, b"terms".to_vec())
        );
    }
}

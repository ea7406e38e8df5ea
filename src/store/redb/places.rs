//! What opening a place in a document needs: the key of the addresses, and what stands around a place.

use super::Store;
use super::codec::{StoredChunk, StoredDocument, damaged, read_chunk, write_number};
use super::documents::find;
use super::tables::{Reading, Rows};
use crate::domain::{Area, ChunkId, DocumentId, LinkKey, Span, area};
use crate::store::StoreError;

/// The row of `meta` that holds the key.
const LINK_KEY: &[u8] = b"link_key";

impl Store {
    /// The key of this server's addresses, made at its first use. It is kept with the data, so that addresses outlive a
    /// restart and a restored backup.
    pub async fn link_key(&self) -> Result<LinkKey, StoreError> {
        if let Some(key) = self.inner.link_key.get() {
            return Ok(*key);
        }
        let stored = self.read(|tables| tables.meta.fetch(LINK_KEY)).await?;
        let key = match stored {
            Some(bytes) => read_key(&bytes)?,
            None => self.make_link_key().await?,
        };
        Ok(*self.inner.link_key.get_or_init(|| key))
    }

    async fn make_link_key(&self) -> Result<LinkKey, StoreError> {
        let mut fresh = [0; 32];
        getrandom::fill(&mut fresh)
            .map_err(|error| StoreError::Failed(format!("there is no randomness: {error}")))?;
        self.write(move |tables| {
            // Another request may have been first.
            if let Some(bytes) = tables.meta.fetch(LINK_KEY)? {
                return read_key(&bytes);
            }
            tables.meta.insert(LINK_KEY, &fresh[..])?;
            Ok(LinkKey(fresh))
        })
        .await
    }

    /// From the beginning of the chunk before a place to the end of the chunk after it; `None` when no chunk of the
    /// document reaches into the place.
    pub async fn surroundings(&self, id: &DocumentId, place: Span) -> Result<Option<Span>, StoreError> {
        let id = id.clone();
        self.read(move |tables| match find(&tables.documents, &id)? {
            Some(stored) => around(tables, &stored, place),
            None => Ok(None),
        })
        .await
    }

    /// The lines of the pages that a place stands on, as far as chunks near it hold them; they begin at bytes of the
    /// document's text. Empty where lines are not known.
    pub async fn lines_around(&self, id: &DocumentId, place: Span) -> Result<Vec<Area>, StoreError> {
        let id = id.clone();
        self.read(move |tables| match find(&tables.documents, &id)? {
            Some(stored) => page_lines(tables, &stored, place),
            None => Ok(Vec::new()),
        })
        .await
    }
}

fn read_key(bytes: &[u8]) -> Result<LinkKey, StoreError> {
    bytes.try_into().map(LinkKey).map_err(|_| damaged("the key of addresses"))
}

fn around(tables: &Reading, stored: &StoredDocument, place: Span) -> Result<Option<Span>, StoreError> {
    let (first, after) = reaching(tables, stored, place)?;
    if first >= after {
        return Ok(None);
    }
    let start = chunk_of(tables, stored, first.saturating_sub(1))?.span.start;
    let end = chunk_of(tables, stored, after.min(stored.chunks - 1))?.span.end;
    Ok(Some(Span { start, end }))
}

/// The first chunk that reaches into a place, and the first after it. Chunks lie in order and do not overlap, so that
/// halving finds them.
fn reaching(tables: &Reading, stored: &StoredDocument, place: Span) -> Result<(u32, u32), StoreError> {
    let span_of = |number: u32| Ok::<_, StoreError>(chunk_of(tables, stored, number)?.span);
    let first = first_where(stored.chunks, |number| Ok(span_of(number)?.end > place.start))?;
    let after = first_where(stored.chunks, |number| Ok(span_of(number)?.start >= place.end))?;
    Ok((first, after))
}

fn chunk_of(tables: &Reading, stored: &StoredDocument, number: u32) -> Result<StoredChunk, StoreError> {
    let id = ChunkId(stored.first_chunk + u64::from(number));
    let bytes = tables.chunks.get(&write_number(id.0)[..])?;
    let bytes = bytes.ok_or_else(|| damaged(&format!("chunk {id} is not there")))?;
    read_chunk(bytes.value(), id)
}

/// A dense page has about eight chunks of the usual size.
const CHUNKS_OF_A_PAGE: u32 = 12;

fn page_lines(tables: &Reading, stored: &StoredDocument, place: Span) -> Result<Vec<Area>, StoreError> {
    let (first, after) = reaching(tables, stored, place)?;
    if first >= after {
        return Ok(Vec::new());
    }
    let near =
        first.saturating_sub(CHUNKS_OF_A_PAGE)..after.saturating_add(CHUNKS_OF_A_PAGE).min(stored.chunks);
    let mut found: Vec<Area> = Vec::new();
    for number in near {
        let chunk = chunk_of(tables, stored, number)?;
        let begins = u32::try_from(chunk.span.start).unwrap_or(u32::MAX);
        for mut here in chunk.anchor.areas {
            for line in &mut here.lines {
                line.start = line.start.saturating_add(begins);
            }
            match found.last_mut() {
                Some(last) if last.page == here.page => last.lines.append(&mut here.lines),
                _ => found.push(here),
            }
        }
    }
    let pages: Vec<u32> = area::within(&found, place).iter().map(|area| area.page).collect();
    found.retain(|area| pages.contains(&area.page));
    Ok(found)
}

/// The first of `count` numbers for which it holds, where it holds for all that follow; `count` when there is none.
fn first_where(count: u32, holds: impl Fn(u32) -> Result<bool, StoreError>) -> Result<u32, StoreError> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle)? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Anchor, ContentHash, CreatorId, Document, MediaType, Timestamp};
    use crate::store::{Creator, NewChunk, NewDocument};

    #[tokio::test]
    async fn the_key_stays_the_same() {
        let store = Store::in_memory().unwrap();
        let key = store.link_key().await.unwrap();
        assert_ne!(key.0, [0; 32]);
        assert_eq!(store.link_key().await.unwrap(), key);
        store.purge().await.unwrap();
        assert_eq!(store.link_key().await.unwrap(), key);
        assert_ne!(Store::in_memory().unwrap().link_key().await.unwrap(), key);
    }

    #[tokio::test]
    async fn a_place_is_shown_with_one_chunk_on_each_side() {
        let store = Store::in_memory().unwrap();
        let creator: CreatorId = "anna".parse().unwrap();
        let record = Creator { name: "Anna".into(), ..Creator::new(creator.clone(), Timestamp(0)) };
        store.add_creator(record).await.unwrap();
        // Five chunks of ten bytes with two bytes between them.
        let chunk = |number: usize| NewChunk {
            span: Span { start: number * 12, end: number * 12 + 10 },
            anchor: Anchor::default(),
            terms: Vec::new(),
            vector: Vec::new(),
        };
        let id = DocumentId::of_source(&creator, "a.md");
        let document = Document {
            id: id.clone(),
            creator: creator.clone(),
            external_id: None,
            title: "A".into(),
            source: "a.md".into(),
            media: MediaType::Plain,
            content: ContentHash::of(b"a"),
            language: None,
            bytes: 58,
            pages: None,
            created_at: Timestamp(0),
            warnings: Vec::new(),
        };
        let new = NewDocument {
            signature: None,
            document,
            text: "x".repeat(58),
            blocks: Vec::new(),
            chunks: (0..5).map(chunk).collect(),
        };
        store.record(&creator, None, vec![new]).await.unwrap();
        for ((start, end), expected) in [
            ((0, 4), Some((0, 22))),
            ((12, 22), Some((0, 34))),
            ((26, 40), Some((12, 58))),
            ((50, 58), Some((36, 58))),
            ((0, 58), Some((0, 58))),
            ((57, 900), Some((36, 58))),
            // Between two chunks, behind the last one, nothing at all.
            ((22, 24), None),
            ((58, 70), None),
            ((30, 30), Some((12, 46))),
        ] {
            let found = store.surroundings(&id, Span { start, end }).await.unwrap();
            assert_eq!(found.map(|span| (span.start, span.end)), expected, "{start}-{end}");
        }
        let other = DocumentId::of_source(&creator, "b.md");
        assert_eq!(store.surroundings(&other, Span { start: 0, end: 1 }).await.unwrap(), None);
    }
}

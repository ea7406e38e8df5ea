//! What the indexes are made of: rows of terms and vectors, and the numbered list of changes since.

use std::collections::BTreeMap;

use super::Store;
use super::accounts::{creator_of, save_creator};
use super::codec::{
    StoredCreator, creator_chunk, key, number_at_end, read_change, read_terms, read_vector, write_change,
    write_number, write_vector,
};
use super::tables::{Reading, Rows, Writing, clear};
use crate::domain::{ChunkId, CreatorId, EmbeddingModelId};
use crate::store::{IndexChange, IndexRow, StoreError};

impl Store {
    /// Hands every chunk of a creator to `each`, by chunk number, from one snapshot; gives the number of the last
    /// change that is in it, so that later changes can be followed with [`Store::index_changes`]. `each` runs on
    /// a blocking thread.
    pub async fn index_rows(
        &self,
        creator: &CreatorId,
        each: impl FnMut(IndexRow) + Send + 'static,
    ) -> Result<u64, StoreError> {
        let creator = creator.clone();
        self.read_once(move |tables| stream_rows(tables, &creator, each)).await
    }

    /// The changes with a number greater than `after`, in order and without a gap. [`StoreError::Gap`] when they
    /// are not all there or `after` is of another collection: the index is built anew.
    pub async fn index_changes(
        &self,
        creator: &CreatorId,
        after: u64,
    ) -> Result<Vec<(u64, IndexChange)>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let stored = creator_of(&tables.creators, &creator)?;
            let number = stored.number.to_be_bytes();
            let mut changes = Vec::new();
            let mut last = after;
            for row in tables.changes.under_beginning(&key([&number, &after.to_be_bytes()]), &number)? {
                let (name, change) = row?;
                let change_number = number_at_end(name.value())?;
                if change_number == after {
                    continue;
                }
                if change_number - last != 1 {
                    return Err(StoreError::Gap { after });
                }
                last = change_number;
                changes.push((change_number, read_change(change.value())?));
            }
            if last == stored.last_change { Ok(changes) } else { Err(StoreError::Gap { after }) }
        })
        .await
    }

    /// Forgets the changes up to and with `upto`: every index has them.
    pub async fn prune_changes(&self, creator: &CreatorId, upto: u64) -> Result<(), StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number.to_be_bytes();
            let first = key([&number, &[0; 8]]);
            let last = key([&number, &upto.to_be_bytes()]);
            Ok(tables.changes.retain_in::<&[u8], _>(&first[..]..=&last[..], |_, _| false)?)
        })
        .await
    }

    /// The vectors of these chunks; `None` for a chunk without one or of another creator.
    pub async fn vectors(
        &self,
        creator: &CreatorId,
        chunks: &[ChunkId],
    ) -> Result<Vec<Option<Vec<f32>>>, StoreError> {
        let (creator, chunks) = (creator.clone(), chunks.to_vec());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let vector = |&chunk: &ChunkId| {
                let row = creator_chunk(number, chunk);
                let bytes = tables.vectors.get(&row[..])?;
                bytes.map(|bytes| read_vector(&row, bytes.value())).transpose()
            };
            chunks.iter().map(vector).collect()
        })
        .await
    }

    /// Gives the whole collection the vectors of another model, at once. Fails when `vectors` are not of exactly
    /// the chunks that there are now: the collection changed meanwhile, and the caller begins again.
    pub async fn replace_vectors(
        &self,
        creator: &CreatorId,
        model: EmbeddingModelId,
        vectors: Vec<(ChunkId, Vec<f32>)>,
    ) -> Result<(), StoreError> {
        let creator = creator.clone();
        let vectors: BTreeMap<ChunkId, Vec<f32>> = vectors.into_iter().collect();
        self.write(move |tables| replace_all(tables, &creator, &model, &vectors)).await
    }
}

/// Numbers a change and writes it down; the caller saves the creator.
pub fn append_change(
    tables: &mut Writing,
    creator: &mut StoredCreator,
    change: IndexChange,
) -> Result<(), StoreError> {
    creator.last_change += 1;
    let name = key([&creator.number.to_be_bytes(), &write_number(creator.last_change)]);
    tables.changes.insert(&name[..], &write_change(change)[..])?;
    Ok(())
}

fn stream_rows(
    tables: &Reading,
    creator: &CreatorId,
    mut each: impl FnMut(IndexRow),
) -> Result<u64, StoreError> {
    let stored = creator_of(&tables.creators, creator)?;
    let number = stored.number.to_be_bytes();
    let mut vectors = tables.vectors.under(&number)?;
    let mut next_vector = vectors.next().transpose()?;
    for row in tables.terms.under(&number)? {
        let (name, terms) = row?;
        let name = name.value();
        let (document, terms) = read_terms(name, terms.value())?;
        let vector = match &next_vector {
            Some((vector_name, vector)) if vector_name.value() == name => {
                let vector = read_vector(name, vector.value())?;
                next_vector = vectors.next().transpose()?;
                vector
            }
            _ => Vec::new(),
        };
        each(IndexRow { chunk: ChunkId(number_at_end(name)?), document, terms, vector });
    }
    match next_vector {
        None => Ok(stored.last_change),
        Some((name, _)) => Err(StoreError::Damaged(format!(
            "the vector of chunk {} has no chunk",
            number_at_end(name.value())?
        ))),
    }
}

fn replace_all(
    tables: &mut Writing,
    creator: &CreatorId,
    model: &EmbeddingModelId,
    vectors: &BTreeMap<ChunkId, Vec<f32>>,
) -> Result<(), StoreError> {
    let bad = |vector: &Vec<f32>| vector.len() != model.dimensions || !vector.iter().all(|n| n.is_finite());
    if vectors.values().any(bad) {
        return Err(StoreError::Invalid("a vector is not of its model".to_owned()));
    }
    let mut stored = creator_of(&tables.creators, creator)?;
    let number = stored.number;
    let mut chunks = Vec::new();
    for row in tables.terms.under(&number.to_be_bytes())? {
        chunks.push(ChunkId(number_at_end(row?.0.value())?));
    }
    if !chunks.iter().eq(vectors.keys()) {
        return Err(StoreError::Invalid("the collection changed while its vectors were made".to_owned()));
    }
    clear(&mut tables.vectors, &number.to_be_bytes())?;
    for (&chunk, vector) in vectors {
        let row = creator_chunk(number, chunk);
        tables.vectors.insert(&row[..], &write_vector(&row, vector)[..])?;
        append_change(tables, &mut stored, IndexChange::Add(chunk))?;
    }
    stored.creator.embedding = Some(model.clone());
    stored.creator.generation += 1;
    save_creator(tables, &stored)
}

//! Who holds a document: the package it came out of, or another source with the same content.
//!
//! A package that is brought in again says what it holds now ([`Store::hold_only`]), a folder which of its files are gone
//! ([`Store::release`]). A document leaves when its own source has it no more and nothing else holds its content. Documents
//! that only their own source ever held have no rows here. `ingest/holding.rs` calls this.

use std::collections::{BTreeSet, HashSet};

use super::Store;
use super::accounts::creator_of;
use super::codec::{damaged, id_at_end, key};
use super::documents::{delete_all, find};
use super::tables::{Rows, WriteTable, Writing};
use crate::domain::{ChunkId, CreatorId, Document, DocumentId, MediaType};
use crate::store::{Gone, Holding, StoreError, Under};

/// The document came from there.
const OWN: u8 = b'o';
/// Its content is there too, under another source.
const ALSO: u8 = b'a';
/// In the place of a holder: its own source has it no more.
const ORPHAN: [u8; 16] = [0; 16];

impl Store {
    /// Notes who holds what. A source that holds one document only lets go of all others that it held; those that
    /// nobody holds any more leave.
    pub async fn hold(&self, creator: &CreatorId, holdings: Vec<Holding>) -> Result<Gone, StoreError> {
        let creator = creator.clone();
        // Most of what is brought in changes nothing here, and then nothing is written.
        let (of, looked_at) = (creator.clone(), holdings.clone());
        let new: Vec<bool> = self
            .read(move |tables| {
                let number = creator_of(&tables.creators, &of)?.number;
                let new = |one: &Holding| is_new(&tables.holders, &tables.held, number, one);
                looked_at.iter().map(new).collect()
            })
            .await?;
        let holdings: Vec<Holding> =
            holdings.into_iter().zip(new).filter_map(|(one, new)| new.then_some(one)).collect();
        if holdings.is_empty() {
            return Ok(Gone::default());
        }
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut doomed = BTreeSet::new();
            for one in &holdings {
                doomed.extend(note(tables, number, one)?);
            }
            leave(tables, &creator, &doomed)
        })
        .await
    }

    /// Lets the holder hold these documents and no others; what nobody holds any more leaves.
    pub async fn hold_only(
        &self,
        creator: &CreatorId,
        holder: &str,
        documents: HashSet<DocumentId>,
    ) -> Result<Gone, StoreError> {
        let (creator, hash) = (creator.clone(), hash(holder));
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut doomed = BTreeSet::new();
            for document in held_by(&tables.holders, number, hash)? {
                if !documents.contains(&document) && release(tables, number, hash, &document)? {
                    doomed.insert(document);
                }
            }
            leave(tables, &creator, &doomed)
        })
        .await
    }

    /// What lies below a folder or an address by name: whoever holds documents, and documents that their own source
    /// alone brought in.
    pub async fn under(&self, creator: &CreatorId, prefix: &str) -> Result<Under, StoreError> {
        let (creator, prefix) = (creator.clone(), prefix.to_owned());
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut under = Under::default();
            for row in tables.holders.under(&number.to_be_bytes())? {
                let holder = name_of(row?.1.value())?;
                if holder.starts_with(&prefix) && under.holders.last() != Some(&holder) {
                    under.holders.push(holder);
                }
            }
            for row in tables.creator_documents.under(&number.to_be_bytes())? {
                let id: DocumentId = id_at_end(row?.0.value())?;
                let Some(stored) = find(&tables.documents, &id)? else { continue };
                let document = stored.document;
                let is_named = document.media != MediaType::Record && document.source.starts_with(&prefix);
                if is_named && holds(&tables.held, &id)?.own == 0 {
                    under.documents.push((id, document.source));
                }
            }
            Ok(under)
        })
        .await
    }

    /// Sources that are there no more: these holders with all they held, and these documents. What nobody else holds
    /// leaves.
    pub async fn release(
        &self,
        creator: &CreatorId,
        holders: Vec<String>,
        documents: Vec<DocumentId>,
    ) -> Result<Gone, StoreError> {
        let creator = creator.clone();
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut doomed = BTreeSet::new();
            for holder in &holders {
                let hash = hash(holder);
                for document in held_by(&tables.holders, number, hash)? {
                    if release(tables, number, hash, &document)? {
                        doomed.insert(document);
                    }
                }
            }
            for document in &documents {
                if find(&tables.documents, document)?.is_some_and(|stored| stored.number == number)
                    && is_left_alone(&mut tables.held, document)?
                {
                    doomed.insert(document.clone());
                }
            }
            leave(tables, &creator, &doomed)
        })
        .await
    }
}

/// Forgets who held a document that is deleted.
pub fn forget(tables: &mut Writing, number: u32, document: &DocumentId) -> Result<(), StoreError> {
    for row in tables.held.keys_under(document.as_str().as_bytes())? {
        let holder: [u8; 16] = *row.last_chunk().ok_or_else(|| damaged("who holds a document"))?;
        tables.holders.remove(&by_holder(number, holder, document)[..])?;
        tables.held.remove(&row[..])?;
    }
    Ok(())
}

/// Whether noting it would change anything.
fn is_new(holders: &impl Rows, held: &impl Rows, number: u32, one: &Holding) -> Result<bool, StoreError> {
    let hash = hash(&one.holder);
    if one.own && held.has(&by_document(&one.document, ORPHAN))? {
        return Ok(true);
    }
    if one.alone && held_by(holders, number, hash)?.iter().any(|other| *other != one.document) {
        return Ok(true);
    }
    if one.alone && one.own {
        return Ok(false);
    }
    let row = holders.fetch(&by_holder(number, hash, &one.document))?;
    Ok(match row.as_deref().and_then(|row| row.first()) {
        Some(&OWN) => false,
        Some(_) => one.own,
        None => true,
    })
}

/// Notes a holding; gives the documents that nobody holds any more.
fn note(tables: &mut Writing, number: u32, one: &Holding) -> Result<Vec<DocumentId>, StoreError> {
    let is_there = find(&tables.documents, &one.document)?.is_some_and(|stored| stored.number == number);
    if !is_there {
        return Ok(Vec::new());
    }
    let hash = hash(&one.holder);
    let mut left = Vec::new();
    if one.alone {
        for other in held_by(&tables.holders, number, hash)? {
            if other != one.document && release(tables, number, hash, &other)? {
                left.push(other);
            }
        }
    }
    if one.own {
        tables.held.remove(&by_document(&one.document, ORPHAN)[..])?;
    }
    if !(one.alone && one.own) {
        let place = by_holder(number, hash, &one.document);
        let was_own = tables.holders.fetch(&place)?.is_some_and(|row| row.first() == Some(&OWN));
        let how = if one.own || was_own { OWN } else { ALSO };
        tables.holders.insert(&place[..], &key([&[how], one.holder.as_bytes()])[..])?;
        tables.held.insert(&by_document(&one.document, hash)[..], &[how][..])?;
    }
    Ok(left)
}

/// Takes a document from a holder; whether nobody holds it any more.
fn release(
    tables: &mut Writing,
    number: u32,
    hash: [u8; 16],
    document: &DocumentId,
) -> Result<bool, StoreError> {
    let how = match tables.holders.remove(&by_holder(number, hash, document)[..])? {
        Some(row) => row.value().first().copied(),
        None => return Ok(false),
    };
    tables.held.remove(&by_document(document, hash)[..])?;
    if how == Some(OWN) {
        return is_left_alone(&mut tables.held, document);
    }
    let holds = holds(&tables.held, document)?;
    Ok(holds.orphan && holds.own + holds.also == 0)
}

/// Whether nobody holds a document whose own source has it no more; notes that it has not when others do.
fn is_left_alone(held: &mut WriteTable, document: &DocumentId) -> Result<bool, StoreError> {
    let holds = holds(held, document)?;
    if holds.own == 0 && holds.also > 0 {
        held.insert(&by_document(document, ORPHAN)[..], &[][..])?;
    }
    Ok(holds.own + holds.also == 0)
}

/// Deletes the documents; gives what they were, for whoever is told.
fn leave(
    tables: &mut Writing,
    creator: &CreatorId,
    doomed: &BTreeSet<DocumentId>,
) -> Result<Gone, StoreError> {
    let mut documents: Vec<Document> = Vec::new();
    for id in doomed {
        documents.extend(find(&tables.documents, id)?.map(|stored| stored.document));
    }
    let chunks: Vec<ChunkId> = delete_all(tables, creator, doomed)?;
    Ok(Gone { documents, chunks })
}

/// How many hold a document, and how.
#[derive(Default)]
struct Holds {
    own: usize,
    also: usize,
    orphan: bool,
}

fn holds(held: &impl Rows, document: &DocumentId) -> Result<Holds, StoreError> {
    let mut holds = Holds::default();
    for row in held.under(document.as_str().as_bytes())? {
        match row?.1.value().first() {
            None => holds.orphan = true,
            Some(&OWN) => holds.own += 1,
            Some(_) => holds.also += 1,
        }
    }
    Ok(holds)
}

fn held_by(holders: &impl Rows, number: u32, hash: [u8; 16]) -> Result<Vec<DocumentId>, StoreError> {
    let rows = holders.keys_under(&key([&number.to_be_bytes(), &hash]))?;
    rows.iter().map(|row| id_at_end(row)).collect()
}

fn name_of(row: &[u8]) -> Result<String, StoreError> {
    let name = row.split_first().and_then(|(_, name)| std::str::from_utf8(name).ok());
    name.map(str::to_owned).ok_or_else(|| damaged("who holds a document"))
}

/// A source may be long; a key is not.
fn hash(holder: &str) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(holder.as_bytes()).as_bytes()[..16]);
    short
}

fn by_holder(number: u32, hash: [u8; 16], document: &DocumentId) -> Vec<u8> {
    key([&number.to_be_bytes(), &hash, document.as_str().as_bytes()])
}

fn by_document(document: &DocumentId, hash: [u8; 16]) -> Vec<u8> {
    key([document.as_str().as_bytes(), &hash])
}

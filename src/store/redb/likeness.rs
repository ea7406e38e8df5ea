//! Documents that are nearly the same: a signature of each, found again by what nearly equal ones share.
//!
//! Written with the document and removed with it (`documents`). Records of a corpus and short documents have none.

use std::collections::{BTreeSet, HashMap};

use super::Store;
use super::accounts::creator_of;
use super::codec::{damaged, id_at_end, key};
use super::documents::find;
use super::tables::{Rows, Writing, clear};
use crate::domain::likeness::NEAR;
use crate::domain::{CreatorId, DocumentId, Signature};
use crate::store::StoreError;

/// Documents that one look compares with: of many that are all alike some are enough.
const COMPARED: usize = 64;

impl Store {
    /// For each document of a creator that is nearly the same as another one, that other one; pairs of which one is
    /// gone are left out.
    pub async fn near_duplicates(
        &self,
        creator: &CreatorId,
    ) -> Result<HashMap<DocumentId, DocumentId>, StoreError> {
        let creator = creator.clone();
        self.read(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            let mut pairs = HashMap::new();
            for row in tables.near.under(&number.to_be_bytes())? {
                let row = row?;
                let other: DocumentId = id_at_end(row.1.value())?;
                if find(&tables.documents, &other)?.is_some() {
                    pairs.insert(id_at_end(row.0.value())?, other);
                }
            }
            Ok(pairs)
        })
        .await
    }
}

/// Keeps a document's signature; gives the document that it is nearly the same as.
pub fn keep(
    tables: &mut Writing,
    number: u32,
    id: &DocumentId,
    signature: &Signature,
) -> Result<Option<DocumentId>, StoreError> {
    let mut candidates = BTreeSet::new();
    for band in bands(number, signature) {
        for row in tables.bands.under(&band)? {
            if candidates.len() >= COMPARED {
                break;
            }
            candidates.insert(id_at_end(row?.0.value())?);
        }
    }
    candidates.remove(id);
    let mut nearest: Option<(f32, DocumentId)> = None;
    for other in candidates {
        let Some(known) = read(tables, number, &other)? else { continue };
        let likeness = signature.likeness(&known);
        if likeness >= NEAR && nearest.as_ref().is_none_or(|(best, _)| likeness > *best) {
            nearest = Some((likeness, other));
        }
    }
    let name = by_creator(number, id);
    tables.signatures.insert(&name[..], &signature.to_bytes()[..])?;
    for band in bands(number, signature) {
        tables.bands.insert(&key([&band, id.as_str().as_bytes()])[..], &[][..])?;
    }
    let nearest = nearest.map(|(_, other)| other);
    if let Some(other) = &nearest {
        tables.near.insert(&name[..], other.as_str().as_bytes())?;
    }
    Ok(nearest)
}

/// Removes what is kept of a document.
pub fn forget(tables: &mut Writing, number: u32, id: &DocumentId) -> Result<(), StoreError> {
    let Some(signature) = read(tables, number, id)? else { return Ok(()) };
    for band in bands(number, &signature) {
        tables.bands.remove(&key([&band, id.as_str().as_bytes()])[..])?;
    }
    let name = by_creator(number, id);
    tables.signatures.remove(&name[..])?;
    tables.near.remove(&name[..])?;
    Ok(())
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for table in [&mut tables.signatures, &mut tables.bands, &mut tables.near] {
        clear(table, &number.to_be_bytes())?;
    }
    Ok(())
}

fn read(tables: &Writing, number: u32, id: &DocumentId) -> Result<Option<Signature>, StoreError> {
    let Some(bytes) = tables.signatures.fetch(&by_creator(number, id))? else { return Ok(None) };
    let signature = Signature::from_bytes(&bytes);
    signature.map(Some).ok_or_else(|| damaged(&format!("the signature of document {id}")))
}

fn bands(number: u32, signature: &Signature) -> impl Iterator<Item = [u8; 12]> + use<> {
    signature.bands().map(move |band| {
        let mut row = [0; 12];
        row[..4].copy_from_slice(&number.to_be_bytes());
        row[4..].copy_from_slice(&band.to_be_bytes());
        row
    })
}

fn by_creator(number: u32, id: &DocumentId) -> Vec<u8> {
    key([&number.to_be_bytes(), id.as_str().as_bytes()])
}

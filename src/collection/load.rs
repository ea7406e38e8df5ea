//! A collection from the store: one pass over the stored terms and vectors, nothing analysed or embedded again.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Collection, CollectionError};
use crate::domain::CreatorId;
use crate::index::analyze::{ChunkTerms, Language};
use crate::index::exact::ExactIndex;
use crate::index::lexical::LexicalIndex;
use crate::index::IndexError;
use crate::store::{IndexRow, Store};

/// Loads a creator's collection. `_directory` is where a checkpoint of a large vector index would lie.
pub(super) async fn load(store: &Store, creator: &CreatorId, _directory: &Path) -> Result<Collection, CollectionError> {
    let dimensions = store.creator(creator).await?.embedding.map_or(0, |model| model.dimensions);
    let collection = Collection {
        lexical: LexicalIndex::default(),
        vectors: Box::new(ExactIndex::new(dimensions)),
        documents: HashMap::new(),
    };
    let building = Arc::new(Mutex::new((collection, None::<IndexError>)));
    let target = building.clone();
    store
        .index_rows(creator, move |row: IndexRow| {
            let mut place = target.lock().unwrap_or_else(PoisonError::into_inner);
            let (collection, failed) = &mut *place;
            if failed.is_none() {
                *failed = add(collection, &row).err();
            }
        })
        .await?;
    let building = Arc::into_inner(building).map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    match building {
        Some((mut collection, None)) => {
            collection.lexical.pack();
            Ok(collection)
        }
        Some((_, Some(error))) => Err(error.into()),
        None => Err(IndexError::Failed("a collection is still being loaded elsewhere".into()).into()),
    }
}

fn add(collection: &mut Collection, row: &IndexRow) -> Result<(), IndexError> {
    // Terms of another version are those of no words: the chunk is still found by its vector, and `reindex` mends it.
    let terms = ChunkTerms::from_bytes(&row.terms).unwrap_or_else(|error| {
        tracing::error!(%error, chunk = %row.chunk, "stored terms cannot be read; run `neverafk reindex`");
        ChunkTerms { language: Language::ENGLISH, title: Vec::new(), body: Vec::new() }
    });
    collection.add(row.chunk, &row.document, &terms, &row.vector)
}

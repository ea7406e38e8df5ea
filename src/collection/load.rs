//! A collection from the store: one pass over the stored terms and vectors, nothing analysed or embedded again.
//!
//! A small one gets its vectors in the same pass. A large one gets the graph of its checkpoint, where that can be
//! used; else it begins with an exact scan, and `upkeep` makes the graph.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::upkeep::{Upkeep, forget_changes};
use super::{Collection, CollectionError, graph};
use crate::domain::CreatorId;
use crate::index::analyze::{ChunkTerms, Language};
use crate::index::exact::ExactIndex;
use crate::index::{IndexError, VectorIndex};
use crate::store::{IndexRow, Store};

/// Loads a creator's collection; `directory` holds the checkpoints, and more than `limit` chunks make it a large one.
pub(super) async fn load(
    store: &Store,
    creator: &CreatorId,
    directory: &Path,
    limit: u64,
) -> Result<Collection, CollectionError> {
    let model = store.creator(creator).await?.embedding;
    let large = store.counts(creator).await?.chunks > limit;
    let found = match &model {
        Some(model) if large => graph::open(store, creator, model, directory).await?,
        _ => None,
    };
    let dimensions = model.as_ref().map_or(0, |model| model.dimensions);
    let needs_vectors = found.is_none();
    let (vectors, behind): (Box<dyn VectorIndex>, u64) = match found {
        Some(graph) => (Box::new(graph.index), graph.behind),
        None => (Box::new(ExactIndex::new(dimensions)), 0),
    };
    let building = Arc::new(Mutex::new((Collection::over(vectors), None::<IndexError>)));
    let target = building.clone();
    let change = store
        .index_rows(creator, move |mut row: IndexRow| {
            let mut place = target.lock().unwrap_or_else(PoisonError::into_inner);
            let (collection, failed) = &mut *place;
            if !needs_vectors {
                row.vector.clear();
            }
            if failed.is_none() {
                *failed = add(collection, &row).err();
            }
        })
        .await?;
    let building =
        Arc::into_inner(building).map(|place| place.into_inner().unwrap_or_else(PoisonError::into_inner));
    let mut collection = match building {
        Some((collection, None)) => collection,
        Some((_, Some(error))) => return Err(error.into()),
        None => return Err(IndexError::Failed("a collection is still being loaded elsewhere".into()).into()),
    };
    collection.lexical.pack();
    collection.unmade = model.is_none();
    collection.upkeep = Upkeep::of(!needs_vectors, behind);
    if !large {
        // A checkpoint of when it was large holds vectors of what is gone; and nobody needs the changes.
        graph::remove(directory, creator)?;
        // The one write of a load. What a full disk keeps from being forgotten costs no answer: the next load forgets it.
        if let Err(error) = forget_changes(store, creator, change).await {
            tracing::warn!(%error, %creator, "changes that nobody needs are kept until the collection is loaded again");
        }
    }
    Ok(collection)
}

fn add(collection: &mut Collection, row: &IndexRow) -> Result<(), IndexError> {
    // Terms of another version are those of no words: the chunk is still found by its vector, and bringing the
    // document in again mends it.
    let terms = ChunkTerms::from_bytes(&row.terms).unwrap_or_else(|error| {
        tracing::error!(%error, chunk = %row.chunk, "stored terms cannot be read; bring the document in again");
        ChunkTerms { language: Language::ENGLISH, title: Vec::new(), body: Vec::new() }
    });
    collection.add(row.chunk, &row.document, &terms, &row.vector)
}

//! A collection from the store: one pass over the stored terms and vectors, nothing analysed or embedded again.
//!
//! Up to [`EXACT_LIMIT`] chunks the vectors are scanned exactly. Beyond it they stand in a graph that is kept as a
//! checkpoint beside the store: it is followed up by the changes since, and made anew when it is missing, damaged,
//! of another model or too old. A checkpoint is only ever a saving of time.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Collection, CollectionError};
use crate::domain::{ChunkId, CreatorId, EmbeddingModelId};
use crate::index::analyze::{ChunkTerms, Language};
use crate::index::exact::ExactIndex;
use crate::index::lexical::LexicalIndex;
use crate::index::usearch::HnswIndex;
use crate::index::{IndexError, VectorIndex};
use crate::store::{IndexChange, IndexRow, Store, StoreError};

/// More chunks than this are searched through a graph: there an exact scan takes longer than the rest of an answer.
const EXACT_LIMIT: u64 = 50_000;

/// Loads a creator's collection; `directory` holds the checkpoints.
pub(super) async fn load(
    store: &Store,
    creator: &CreatorId,
    directory: &Path,
) -> Result<Collection, CollectionError> {
    let model = store.creator(creator).await?.embedding;
    let chunks = store.counts(creator).await?.chunks;
    let graph = match &model {
        Some(model) if chunks > EXACT_LIMIT => graph(store, creator, model, directory).await?,
        _ => None,
    };
    let needs_vectors = graph.is_none();
    let is_large = chunks > EXACT_LIMIT;
    let dimensions = model.as_ref().map_or(0, |model| model.dimensions);
    let vectors: Box<dyn VectorIndex> = match graph {
        Some(graph) => Box::new(graph),
        None => Box::new(ExactIndex::new(dimensions)),
    };
    let collection = Collection { lexical: LexicalIndex::default(), vectors, documents: HashMap::new() };
    let building = Arc::new(Mutex::new((collection, None::<IndexError>)));
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
    match model {
        // A checkpoint is followed up by the changes since: they stay until the next checkpoint holds them.
        Some(model) if is_large && needs_vectors => {
            build_graph_behind(store.clone(), creator.clone(), model, directory.to_owned());
        }
        _ if is_large => {}
        _ => forget_changes(store, creator, change).await?,
    }
    Ok(collection)
}

/// A small collection is always loaded whole, so nobody needs its changes. Most loads find none and write nothing.
async fn forget_changes(store: &Store, creator: &CreatorId, upto: u64) -> Result<(), StoreError> {
    match store.index_changes(creator, upto.saturating_sub(1)).await {
        Ok(last) if !last.is_empty() => store.prune_changes(creator, upto).await,
        Ok(_) | Err(StoreError::Gap { .. }) => Ok(()),
        Err(error) => Err(error),
    }
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

fn checkpoint(directory: &Path, creator: &CreatorId) -> PathBuf {
    directory.join(format!("{creator}.hnsw"))
}

/// The graph of the checkpoint, brought up to date; `None` when it has to be made anew.
async fn graph(
    store: &Store,
    creator: &CreatorId,
    model: &EmbeddingModelId,
    directory: &Path,
) -> Result<Option<HnswIndex>, CollectionError> {
    let (path, of) = (checkpoint(directory, creator), model.clone());
    if !path.exists() {
        return Ok(None);
    }
    let loaded = tokio::task::spawn_blocking(move || HnswIndex::load(&path, &of)).await;
    let (mut graph, at) = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => return unusable(&error),
        Err(error) => return unusable(&error),
    };
    let changes = match store.index_changes(creator, at).await {
        Ok(changes) => changes,
        Err(error @ StoreError::Gap { .. }) => return unusable(&error),
        Err(error) => return Err(error.into()),
    };
    let added: Vec<ChunkId> = changes
        .iter()
        .filter_map(|(_, change)| if let IndexChange::Add(chunk) = change { Some(*chunk) } else { None })
        .collect();
    let vectors = store.vectors(creator, &added).await?;
    let vectors: HashMap<ChunkId, Vec<f32>> =
        added.into_iter().zip(vectors).filter_map(|(chunk, vector)| Some((chunk, vector?))).collect();
    for (_, change) in changes {
        match change {
            // One that was removed again later has no vector any more.
            IndexChange::Add(chunk) => {
                vectors.get(&chunk).map_or(Ok(()), |vector| graph.add(chunk, vector))?
            }
            IndexChange::Remove(chunk) => graph.remove(chunk)?,
        }
    }
    Ok(Some(graph))
}

fn unusable(error: &dyn std::fmt::Display) -> Result<Option<HnswIndex>, CollectionError> {
    tracing::warn!(%error, "the checkpoint of a vector index is not used; answers come from an exact scan");
    Ok(None)
}

/// Makes the graph from the store while answers come from the exact scan; the next start uses it.
fn build_graph_behind(store: Store, creator: CreatorId, model: EmbeddingModelId, directory: PathBuf) {
    tokio::spawn(async move {
        let graph = match HnswIndex::new(model.dimensions) {
            Ok(graph) => Arc::new(Mutex::new((graph, None::<IndexError>))),
            Err(error) => return tracing::warn!(%error, creator = %creator, "no vector index can be made"),
        };
        let target = graph.clone();
        let rows = store.index_rows(&creator, move |row| {
            let mut place = target.lock().unwrap_or_else(PoisonError::into_inner);
            if place.1.is_none() && !row.vector.is_empty() {
                place.1 = place.0.add(row.chunk, &row.vector).err();
            }
        });
        let saved = match rows.await {
            Err(error) => Err(error.to_string()),
            Ok(change) => {
                let path = checkpoint(&directory, &creator);
                let work = move || {
                    let mut place = graph.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(error) = place.1.take() {
                        return Err(error);
                    }
                    std::fs::create_dir_all(&directory)?;
                    place.0.save(&path, &model, change)
                };
                let saved = tokio::task::spawn_blocking(work).await;
                saved
                    .map_err(|error| error.to_string())
                    .and_then(|saved| saved.map_err(|error| error.to_string()))
            }
        };
        match saved {
            Ok(()) => tracing::info!(creator = %creator, "the vector index has a checkpoint"),
            Err(error) => {
                tracing::warn!(%error, creator = %creator, "the vector index could not be checkpointed")
            }
        }
    });
}

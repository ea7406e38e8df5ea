//! The graph of a large collection and its checkpoint beside the store: opened and brought up to date, made anew, saved.
//!
//! A checkpoint is only ever a saving of time: one that is missing, damaged, of another model or too old is passed
//! over, and the graph is made from the stored vectors. Which index a collection has is decided in `upkeep`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::CollectionError;
use crate::domain::{ChunkId, CreatorId, EmbeddingModelId};
use crate::index::usearch::HnswIndex;
use crate::index::{IndexError, VectorIndex};
use crate::store::{IndexChange, Store, StoreError};

/// Vectors that are fetched and added in one go: few enough to stop soon.
const BATCH: usize = 256;

/// A graph, and how far it has come.
pub(super) struct Graph {
    pub index: HnswIndex,
    /// The last change of the store's list that is in it.
    pub change: u64,
    /// Changes that its checkpoint lacks.
    pub behind: u64,
}

/// The graph of the checkpoint, brought up to date; `None` when it has to be made anew.
pub(super) async fn open(
    store: &Store,
    creator: &CreatorId,
    model: &EmbeddingModelId,
    directory: &Path,
) -> Result<Option<Graph>, CollectionError> {
    let (path, of) = (file(directory, creator), model.clone());
    if !path.exists() {
        return Ok(None);
    }
    let loaded = tokio::task::spawn_blocking(move || HnswIndex::load(&path, &of)).await;
    let (mut index, at) = match loaded {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => return unusable(&error),
        Err(error) => return unusable(&error),
    };
    let changes = match store.index_changes(creator, at).await {
        Ok(changes) => changes,
        Err(error @ StoreError::Gap { .. }) => return unusable(&error),
        Err(error) => return Err(error.into()),
    };
    let (change, behind) = (changes.last().map_or(at, |(number, _)| *number), changes.len() as u64);
    for some in changes.chunks(BATCH) {
        let added: Vec<ChunkId> = some
            .iter()
            .filter_map(|(_, change)| if let IndexChange::Add(chunk) = change { Some(*chunk) } else { None })
            .collect();
        let vectors = store.vectors(creator, &added).await?;
        // One that was removed again later has no vector any more.
        let mut vectors: HashMap<ChunkId, Vec<f32>> =
            added.into_iter().zip(vectors).filter_map(|(chunk, vector)| Some((chunk, vector?))).collect();
        let some = some.iter().filter_map(|(_, change)| match change {
            IndexChange::Add(chunk) => Some((*chunk, Some(vectors.remove(chunk)?))),
            IndexChange::Remove(chunk) => Some((*chunk, None)),
        });
        index = apply(index, some.collect()).await?;
    }
    Ok(Some(Graph { index, change, behind }))
}

/// Makes the graph from the stored vectors. No transaction stays open meanwhile: what is deleted on the way is among
/// the changes after [`Graph::change`].
pub(super) async fn build(
    store: &Store,
    creator: &CreatorId,
    model: &EmbeddingModelId,
) -> Result<Graph, CollectionError> {
    let chunks = Arc::new(Mutex::new(Vec::new()));
    let found = chunks.clone();
    let change = store
        .index_rows(creator, move |row| found.lock().unwrap_or_else(PoisonError::into_inner).push(row.chunk))
        .await?;
    let chunks = std::mem::take(&mut *chunks.lock().unwrap_or_else(PoisonError::into_inner));
    let mut index = HnswIndex::new(model.dimensions)?;
    for some in chunks.chunks(BATCH) {
        let vectors = store.vectors(creator, some).await?;
        let some = some.iter().zip(vectors).filter_map(|(chunk, vector)| Some((*chunk, Some(vector?))));
        index = apply(index, some.collect()).await?;
    }
    Ok(Graph { index, change, behind: 0 })
}

/// Writes the checkpoint; the graph comes back, whatever became of that.
pub(super) async fn save(
    graph: Graph,
    creator: &CreatorId,
    model: &EmbeddingModelId,
    directory: &Path,
) -> Result<(Graph, Result<(), IndexError>), IndexError> {
    let (path, model) = (file(directory, creator), model.clone());
    blocking(move || {
        let saved = graph.index.save(&path, &model, graph.change);
        Ok((graph, saved))
    })
    .await
}

/// Deletes the checkpoint, if there is one.
pub(super) fn remove(directory: &Path, creator: &CreatorId) -> Result<(), IndexError> {
    match std::fs::remove_file(file(directory, creator)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

fn file(directory: &Path, creator: &CreatorId) -> PathBuf {
    directory.join(format!("{creator}.hnsw"))
}

fn unusable(error: &dyn std::fmt::Display) -> Result<Option<Graph>, CollectionError> {
    tracing::warn!(%error, "the checkpoint of a vector index is not used; the index is made anew");
    Ok(None)
}

/// Adds the vectors and removes the chunks without one, in order, off the async threads.
async fn apply(
    mut index: HnswIndex,
    changes: Vec<(ChunkId, Option<Vec<f32>>)>,
) -> Result<HnswIndex, IndexError> {
    blocking(move || {
        for (chunk, vector) in changes {
            match vector {
                Some(vector) => index.add(chunk, &vector)?,
                None => index.remove(chunk)?,
            }
        }
        Ok(index)
    })
    .await
}

/// Runs computing off the async threads; a panic there is an error here.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(IndexError::Failed(error.to_string())),
    }
}

//! A creator's content as retrieval sees it: the word index and the vector index, in memory, in step with the store.
//!
//! [`Collections`] loads one from the store at its first use and applies every later change; ingestion writes
//! through it, answering reads. It is a cache: dropping it loses nothing. Fusion and ranking are not here.

mod load;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::OnceCell;

use crate::domain::{ChunkId, CreatorId, DocumentId};
use crate::index::analyze::ChunkTerms;
use crate::index::lexical::LexicalIndex;
use crate::index::{IndexError, VectorIndex};
use crate::store::{Recorded, Store, StoreError};

/// One creator's indexes.
pub struct Collection {
    pub lexical: LexicalIndex,
    /// Empty when the collection has no vectors.
    pub vectors: Box<dyn VectorIndex>,
    /// Which document a chunk is of, so that ranking can look at documents.
    pub documents: HashMap<ChunkId, DocumentId>,
}

impl Collection {
    fn add(
        &mut self,
        chunk: ChunkId,
        document: &DocumentId,
        terms: &ChunkTerms,
        vector: &[f32],
    ) -> Result<(), IndexError> {
        self.lexical.add(chunk, terms);
        if !vector.is_empty() {
            self.vectors.add(chunk, vector)?;
        }
        self.documents.insert(chunk, document.clone());
        Ok(())
    }

    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError> {
        self.lexical.remove(chunk);
        self.vectors.remove(chunk)?;
        self.documents.remove(&chunk);
        Ok(())
    }
}

/// Why a collection cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// A loaded collection, shared by readers and its writer.
pub struct Shared(RwLock<Collection>);

impl Shared {
    /// For searching. A writer that panicked left an index that only lacks something; it is still readable.
    pub fn read(&self) -> RwLockReadGuard<'_, Collection> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Collection> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

type Slot = Arc<OnceCell<Arc<Shared>>>;

/// What a chunk that was just recorded is found by: its terms and its vector.
pub type Row = (ChunkTerms, Vec<f32>);

/// All collections that are loaded.
pub struct Collections {
    store: Store,
    /// Where checkpoints of large vector indexes lie.
    directory: PathBuf,
    loaded: Mutex<HashMap<CreatorId, Slot>>,
}

impl Collections {
    /// None loaded yet.
    pub fn new(store: Store, directory: PathBuf) -> Self {
        Self { store, directory, loaded: Mutex::default() }
    }

    /// The collection of a creator, loaded at the first call; callers at the same time wait for one load.
    pub async fn get(&self, creator: &CreatorId) -> Result<Arc<Shared>, CollectionError> {
        let slot = self.slots().entry(creator.clone()).or_default().clone();
        let loaded = slot
            .get_or_try_init(|| async {
                let collection = load::load(&self.store, creator, &self.directory).await?;
                Ok::<_, CollectionError>(Arc::new(Shared(RwLock::new(collection))))
            })
            .await?;
        Ok(loaded.clone())
    }

    /// Applies what the store has recorded: `rows[n]` are the chunks of `recorded[n]`. A collection that is not
    /// loaded needs nothing: it will be loaded with the change. Adding twice changes nothing, so a load that saw
    /// the change already does no harm.
    pub async fn apply(
        &self,
        creator: &CreatorId,
        recorded: Vec<Recorded>,
        rows: Vec<Vec<Row>>,
    ) -> Result<(), CollectionError> {
        self.change(creator, move |collection| {
            for (recorded, rows) in recorded.into_iter().zip(rows) {
                for chunk in &recorded.removed {
                    collection.remove(*chunk)?;
                }
                for (chunk, (terms, vector)) in recorded.added.iter().zip(&rows) {
                    collection.add(*chunk, &recorded.document, terms, vector)?;
                }
            }
            Ok(())
        })
        .await
    }

    /// Takes chunks out that the store has deleted.
    pub async fn remove(&self, creator: &CreatorId, chunks: Vec<ChunkId>) -> Result<(), CollectionError> {
        self.change(creator, move |collection| {
            chunks.into_iter().try_for_each(|chunk| collection.remove(chunk))
        })
        .await
    }

    /// Drops a collection: it is loaded afresh at its next use.
    pub fn forget(&self, creator: &CreatorId) {
        self.slots().remove(creator);
    }

    async fn change(
        &self,
        creator: &CreatorId,
        work: impl FnOnce(&mut Collection) -> Result<(), IndexError> + Send + 'static,
    ) -> Result<(), CollectionError> {
        if !self.slots().contains_key(creator) {
            return Ok(());
        }
        let shared = self.get(creator).await?;
        let done = tokio::task::spawn_blocking(move || work(&mut shared.write())).await;
        let done = done.unwrap_or_else(|error| Err(IndexError::Failed(error.to_string())));
        if done.is_err() {
            // What is half applied is not served: the store has the whole.
            self.forget(creator);
        }
        Ok(done?)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<CreatorId, Slot>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

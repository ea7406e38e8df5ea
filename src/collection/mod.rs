//! A creator's content as retrieval sees it: the word index and the vector index, in memory, in step with the store.
//!
//! [`Collections`] loads one from the store at its first use and applies every later change; ingestion writes
//! through it, answering reads. It is a cache: dropping it loses nothing. Fusion and ranking are not here.

mod graph;
mod load;
mod upkeep;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tokio::sync::OnceCell;

use crate::domain::{ChunkId, CreatorId, DocumentId};
use crate::index::analyze::ChunkTerms;
use crate::index::lexical::LexicalIndex;
use crate::index::{IndexError, VectorIndex};
use crate::store::{Recorded, Store, StoreError};
use upkeep::{Keeper, Upkeep};

/// Chunks up to which every search looks at every vector. Beyond it that takes longer than the rest of an answer.
pub const EXACT_LIMIT: u64 = 50_000;

/// One creator's indexes.
pub struct Collection {
    pub lexical: LexicalIndex,
    /// Empty when the collection has no vectors.
    pub vectors: Box<dyn VectorIndex>,
    /// Which document a chunk is of, so that ranking can look at documents.
    pub documents: HashMap<ChunkId, DocumentId>,
    /// Chunks that were removed since loading. Numbers are never given again, so an addition that comes late, after
    /// the removal that the store has recorded after it, is told by this.
    gone: HashSet<ChunkId>,
    upkeep: Upkeep,
    /// Loaded before the first document: of which dimensions vectors will be is not known yet.
    unmade: bool,
}

impl Collection {
    fn over(vectors: Box<dyn VectorIndex>) -> Self {
        Self {
            lexical: LexicalIndex::default(),
            vectors,
            documents: HashMap::new(),
            gone: HashSet::new(),
            upkeep: Upkeep::default(),
            unmade: false,
        }
    }

    /// Whether vectors are found through a graph rather than by looking at all of them.
    pub fn by_graph(&self) -> bool {
        self.upkeep.graph
    }

    fn add(
        &mut self,
        chunk: ChunkId,
        document: &DocumentId,
        terms: &ChunkTerms,
        vector: &[f32],
    ) -> Result<(), IndexError> {
        if self.gone.contains(&chunk) {
            return Ok(());
        }
        self.lexical.add(chunk, terms);
        if !vector.is_empty() {
            self.vectors.add(chunk, vector)?;
            self.upkeep.note(|| (chunk, Some(vector.to_vec())));
        }
        self.documents.insert(chunk, document.clone());
        Ok(())
    }

    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError> {
        self.lexical.remove(chunk);
        self.vectors.remove(chunk)?;
        self.upkeep.note(|| (chunk, None));
        self.documents.remove(&chunk);
        self.gone.insert(chunk);
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
pub struct Shared {
    collection: RwLock<Collection>,
    /// No longer handed out: another one is loaded at the next use.
    retired: AtomicBool,
}

impl Shared {
    fn new(collection: Collection) -> Self {
        Self { collection: RwLock::new(collection), retired: AtomicBool::new(false) }
    }

    /// For searching. A writer that panicked left an index that only lacks something; it is still readable.
    pub fn read(&self) -> RwLockReadGuard<'_, Collection> {
        self.collection.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Collection> {
        self.collection.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_retired(&self) -> bool {
        self.retired.load(Ordering::SeqCst)
    }
}

/// How often a load begins that failed writes break off.
const LOAD_ATTEMPTS: u32 = 5;

type Slot = Arc<OnceCell<Arc<Shared>>>;

/// What a chunk that was just recorded is found by: its terms and its vector.
pub type Row = (ChunkTerms, Vec<f32>);

/// All collections that are loaded.
pub struct Collections {
    keeper: Keeper,
    loaded: Mutex<HashMap<CreatorId, Slot>>,
}

impl Collections {
    /// None loaded yet. Checkpoints of large vector indexes lie in `directory`; `limit` is usually [`EXACT_LIMIT`].
    pub fn new(store: Store, directory: PathBuf, limit: u64) -> Self {
        Self { keeper: Keeper { store, directory, limit }, loaded: Mutex::default() }
    }

    /// The collection of a creator, loaded at the first call; callers at the same time wait for one load.
    pub async fn get(&self, creator: &CreatorId) -> Result<Arc<Shared>, CollectionError> {
        let slot = self.slots().entry(creator.clone()).or_default().clone();
        let loaded = slot
            .get_or_try_init(|| async {
                let shared = Arc::new(Shared::new(self.load(creator).await?));
                self.keeper.look_after(creator, &shared);
                Ok::<_, CollectionError>(shared)
            })
            .await?;
        Ok(loaded.clone())
    }

    /// Begins again where another call's failed write closed the database under it, so that a question over a full disk
    /// is answered.
    async fn load(&self, creator: &CreatorId) -> Result<Collection, CollectionError> {
        let Keeper { store, directory, limit } = &self.keeper;
        for _ in 1..LOAD_ATTEMPTS {
            match load::load(store, creator, directory, *limit).await {
                Err(CollectionError::Store(StoreError::Reopening)) => {}
                loaded => return loaded,
            }
        }
        load::load(store, creator, directory, *limit).await
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
        let slot = self.slots().remove(creator);
        if let Some(shared) = slot.as_ref().and_then(|slot| slot.get()) {
            shared.retired.store(true, Ordering::SeqCst);
        }
    }

    /// Drops a collection with its checkpoint, which keeps vectors of deleted chunks for a while.
    pub async fn erase(&self, creator: &CreatorId) -> Result<(), CollectionError> {
        self.forget(creator);
        let (directory, creator) = (self.keeper.directory.clone(), creator.clone());
        Ok(graph::blocking(move || graph::remove(&directory, &creator)).await?)
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
        if shared.read().unmade {
            // Its first document makes another one: loaded at its next use, with the change.
            self.forget(creator);
            return Ok(());
        }
        let changing = shared.clone();
        let done = graph::blocking(move || work(&mut changing.write())).await;
        match done {
            // What is half applied is not served: the store has the whole.
            Err(_) => self.forget(creator),
            Ok(()) => self.keeper.look_after(creator, &shared),
        }
        Ok(done?)
    }

    fn slots(&self) -> std::sync::MutexGuard<'_, HashMap<CreatorId, Slot>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

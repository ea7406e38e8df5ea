//! Which vector index a collection has, and making the right one while the present one answers.
//!
//! Up to a limit an exact scan; above it a graph with a checkpoint. A graph is renewed when too many of its nodes are
//! dead, its checkpoint when too many changes came after it. What changes meanwhile is written down in the collection
//! and made up for before the new index takes its place. A crash at any moment costs time at the next start, no more.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Collection, CollectionError, Shared, graph};
use crate::domain::{ChunkId, CreatorId};
use crate::index::exact::ExactIndex;
use crate::index::{IndexError, VectorIndex, VectorSearch};
use crate::store::{Store, StoreError};

/// A checkpoint is renewed when it lacks more than this part of the collection (and of the limit): at about a
/// millisecond for each change, following up 50,000 chunks then delays a start by 3 seconds at most.
const STALE_PART: u64 = 16;
/// Missed changes that may be made up for while searches wait, at about a millisecond each.
const FEW: usize = 32;
/// After so many rounds of making up, searches wait however many there are.
const ROUNDS: usize = 50;

/// What a collection knows of its vector index.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    pub graph: bool,
    /// Changes that came since the checkpoint was made or tried.
    behind: u64,
    /// The last try failed: the next one waits for more changes.
    failed: bool,
    /// What the index that is being made will lack; `None` when none is being made.
    missed: Option<Vec<Missed>>,
}

/// A change of a vector; without one the chunk is gone.
pub(super) type Missed = (ChunkId, Option<Vec<f32>>);

impl Upkeep {
    /// Of an index that was just loaded.
    pub fn of(graph: bool, behind: u64) -> Self {
        Self { graph, behind, ..Self::default() }
    }

    /// Notes a change of the present index.
    pub fn note(&mut self, missed: impl FnOnce() -> Missed) {
        self.behind += 1;
        if let Some(all) = &mut self.missed {
            all.push(missed());
        }
    }

    fn due(&self, vectors: &dyn VectorIndex, limit: u64) -> bool {
        let (living, dead) = (vectors.len() as u64, vectors.dead() as u64);
        let stale = self.behind > living.max(limit) / STALE_PART;
        if self.missed.is_some() || (self.failed && !stale) {
            return false;
        }
        // Half the limit, so that a collection at the limit does not go to and fro.
        if self.graph { dead > living || stale || living <= limit / 2 } else { living > limit }
    }
}

/// What upkeep needs beside the collection.
#[derive(Clone)]
pub(super) struct Keeper {
    pub store: Store,
    pub directory: PathBuf,
    pub limit: u64,
}

impl Keeper {
    /// Begins to make another index in the background, if one is due.
    pub fn look_after(&self, creator: &CreatorId, shared: &Arc<Shared>) {
        if !is_due(&shared.read(), self.limit) {
            return;
        }
        let living = {
            let mut collection = shared.write();
            // Somebody else may have been faster.
            if !is_due(&collection, self.limit) {
                return;
            }
            collection.upkeep.missed = Some(Vec::new());
            collection.upkeep.behind = 0;
            collection.vectors.len() as u64
        };
        let (keeper, creator, shared) = (self.clone(), creator.clone(), shared.clone());
        tokio::spawn(async move {
            let done = keeper.renew(&creator, &shared, living).await;
            {
                let mut collection = shared.write();
                collection.upkeep.failed = done.is_err();
                collection.upkeep.missed = None;
            }
            // What came meanwhile may ask for another one.
            if done.is_ok() && !shared.is_retired() {
                keeper.look_after(&creator, &shared);
            }
            if let Err(error) = done {
                tracing::warn!(%error, %creator, "the vector index could not be renewed; the present one goes on");
            }
        });
    }

    async fn renew(
        &self,
        creator: &CreatorId,
        shared: &Arc<Shared>,
        living: u64,
    ) -> Result<(), CollectionError> {
        let Some(model) = self.store.creator(creator).await?.embedding else { return Ok(()) };
        if living <= self.limit {
            let (scan, change) = self.scan(creator, model.dimensions).await?;
            graph::remove(&self.directory, creator)?;
            forget_changes(&self.store, creator, change).await?;
            return Ok(take_place(shared, Box::new(scan), false).await?);
        }
        let graph = match graph::open(&self.store, creator, &model, &self.directory).await? {
            Some(graph) if graph.index.dead() <= graph.index.len() => graph,
            _ => graph::build(&self.store, creator, &model).await?,
        };
        if shared.is_retired() {
            return Ok(());
        }
        let (graph, saved) = graph::save(graph, creator, &model, &self.directory).await?;
        if shared.is_retired() {
            // Erased meanwhile: the checkpoint may hold vectors of what is gone.
            graph::remove(&self.directory, creator)?;
            return Ok(());
        }
        let change = graph.change;
        take_place(shared, Box::new(graph.index), true).await?;
        // Without a checkpoint the graph still answers; the changes stay for one that may come.
        saved?;
        self.store.prune_changes(creator, change).await?;
        tracing::info!(%creator, change, "the vector index has a checkpoint");
        Ok(())
    }

    async fn scan(
        &self,
        creator: &CreatorId,
        dimensions: usize,
    ) -> Result<(ExactIndex, u64), CollectionError> {
        let place = Arc::new(Mutex::new((ExactIndex::new(dimensions), Ok(()))));
        let filling = place.clone();
        let change = self
            .store
            .index_rows(creator, move |row| {
                let mut place = filling.lock().unwrap_or_else(PoisonError::into_inner);
                let (scan, done) = &mut *place;
                if done.is_ok() && !row.vector.is_empty() {
                    *done = scan.add(row.chunk, &row.vector);
                }
            })
            .await?;
        let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut place.1, Ok(()))?;
        Ok((std::mem::replace(&mut place.0, ExactIndex::new(dimensions)), change))
    }
}

fn is_due(collection: &Collection, limit: u64) -> bool {
    collection.upkeep.due(collection.vectors.as_ref(), limit)
}

/// Makes up for what was missed, the last of it while nobody searches, and takes the present index's place.
async fn take_place(
    shared: &Arc<Shared>,
    mut next: Box<dyn VectorIndex>,
    graph: bool,
) -> Result<(), IndexError> {
    let shared = shared.clone();
    graph::blocking(move || {
        let mut rounds = 0;
        loop {
            let mut collection = shared.write();
            let missed = collection.upkeep.missed.replace(Vec::new()).unwrap_or_default();
            rounds += 1;
            if missed.len() <= FEW || rounds > ROUNDS {
                make_up(next.as_mut(), missed)?;
                let former = std::mem::replace(&mut collection.vectors, next);
                collection.upkeep.graph = graph;
                drop(collection);
                // Freeing it takes time, too.
                drop(former);
                return Ok(());
            }
            drop(collection);
            make_up(next.as_mut(), missed)?;
        }
    })
    .await
}

fn make_up(index: &mut dyn VectorIndex, missed: Vec<Missed>) -> Result<(), IndexError> {
    for (chunk, vector) in missed {
        match vector {
            Some(vector) => index.add(chunk, &vector)?,
            None => index.remove(chunk)?,
        }
    }
    Ok(())
}

/// A small collection is always loaded whole, so nobody needs its changes. Most loads find none and write nothing.
pub(super) async fn forget_changes(store: &Store, creator: &CreatorId, upto: u64) -> Result<(), StoreError> {
    match store.index_changes(creator, upto.saturating_sub(1)).await {
        Ok(last) if !last.is_empty() => store.prune_changes(creator, upto).await,
        Ok(_) | Err(StoreError::Gap { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

//! The vectors of a collection, taken aside before another model makes new ones, and put back where those find worse.
//!
//! Held in memory while `reindex --gate` measures. Who decides what is worse is the caller.

use std::sync::{Arc, Mutex, PoisonError};

use super::App;
use crate::domain::{ChunkId, CreatorId, EmbeddingModelId};
use crate::problem::Problem;

/// All vectors of a creator, and the model that made them.
pub struct Aside {
    pub model: EmbeddingModelId,
    vectors: Vec<(ChunkId, Vec<f32>)>,
}

impl App {
    /// The vectors as they are; `None` where there are none yet.
    pub async fn set_aside(&self, creator: &CreatorId) -> Result<Option<Aside>, Problem> {
        let Some(model) = self.store.creator(creator).await?.embedding else { return Ok(None) };
        let vectors = Arc::<Mutex<Vec<_>>>::default();
        let into = vectors.clone();
        let each = move |row: crate::store::IndexRow| {
            into.lock().unwrap_or_else(PoisonError::into_inner).push((row.chunk, row.vector));
        };
        self.store.index_rows(creator, each).await?;
        let vectors = std::mem::take(&mut *vectors.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Some(Aside { model, vectors }))
    }

    /// Puts vectors back, in one transaction. Where the collection changed meanwhile their model makes all of them again,
    /// so that none is missing.
    pub async fn put_back(&self, creator: &CreatorId, aside: Aside) -> Result<(), Problem> {
        let Aside { model, vectors } = aside;
        let name = model.name.clone();
        match self.store.replace_vectors(creator, model, vectors).await {
            Ok(()) => self.collections.forget(creator),
            Err(error) => {
                tracing::info!(%error, %creator, "the former vectors are made again");
                self.reindex(creator, Some(&name), |_, _| {}).await?;
            }
        }
        Ok(())
    }
}

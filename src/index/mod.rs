//! The index seams: finding chunks by vector ([`VectorSearch`], [`VectorIndex`]) and by words ([`lexical`]).
//!
//! An index is a cache of what the store holds: it can always be rebuilt, and nothing in it is the only copy.
//! One index serves one creator, so a search can never see another creator's chunks. Searching computes and
//! does not wait; async callers run it off the async threads.

pub mod analyze;
#[cfg(test)]
mod conformance;
pub mod exact;
mod f16;
pub mod int8;
pub mod lexical;
#[cfg(test)]
mod oracle;
pub mod usearch;

use crate::domain::ChunkId;

/// A chunk found by its vector.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    pub chunk: ChunkId,
    /// Cosine, −1 to 1.
    pub similarity: f32,
}

/// What can go wrong with an index; it is then rebuilt from the store.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error("the vector has {got} dimensions, the index has {want}")]
    Dimensions { got: usize, want: usize },
    #[error("the index file {path} cannot be used: {reason}")]
    Damaged { path: String, reason: String },
    #[error("the index could not be changed: {0}")]
    Failed(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// The reading half: retrieval holds only this.
pub trait VectorSearch: Send + Sync {
    /// The `top` nearest chunks, nearest first; ties by chunk id.
    fn search(&self, query: &[f32], top: usize) -> Result<Vec<Hit>, IndexError>;
    /// The similarity of each of `chunks`, exact, in their order; `None` for a chunk that is not here.
    fn similarities(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>, IndexError>;
    /// How near chunks lie to each other: the mean similarity of a chunk to the nearest other one. `None` where
    /// that is not known; whoever asks then assumes a crowd. The same for the same chunks, however they came in.
    fn crowding(&self) -> Option<f32> {
        None
    }
    /// Number of chunks.
    fn len(&self) -> usize;
    /// Whether there is none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The writing half: ingestion holds both. Adding a chunk again replaces its vector; removing an absent one
/// changes nothing: changes may be replayed.
pub trait VectorIndex: VectorSearch {
    fn add(&mut self, chunk: ChunkId, vector: &[f32]) -> Result<(), IndexError>;
    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError>;
    /// Places of removed and replaced chunks that still cost time and memory. When they are more than the living,
    /// the index is better made anew.
    fn dead(&self) -> usize {
        0
    }
}

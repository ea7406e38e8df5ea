//! The plain scan that the indexes are tested against: slow, and too simple to be wrong.

use std::collections::BTreeMap;

use super::exact::nearest_first;
use super::int8::dot;
use super::{Hit, IndexError, VectorIndex, VectorSearch};
use crate::domain::ChunkId;

/// Every vector, in full, compared one by one.
pub struct BruteForce {
    dimensions: usize,
    vectors: BTreeMap<ChunkId, Vec<f32>>,
}

impl BruteForce {
    pub fn new(dimensions: usize) -> Self {
        Self { dimensions, vectors: BTreeMap::new() }
    }

    fn check(&self, vector: &[f32]) -> Result<(), IndexError> {
        let (got, want) = (vector.len(), self.dimensions);
        if got == want { Ok(()) } else { Err(IndexError::Dimensions { got, want }) }
    }
}

/// Of length 1, with the same rounding as the indexes; what is of length 1 already stays.
fn unit(vector: &[f32]) -> Vec<f32> {
    let length = dot(vector, vector).sqrt();
    let divisor = if length == 0.0 || (length - 1.0).abs() < 1e-4 { 1.0 } else { length };
    vector.iter().map(|number| number / divisor).collect()
}

impl VectorSearch for BruteForce {
    fn search(&self, query: &[f32], top: usize) -> Result<Vec<Hit>, IndexError> {
        self.check(query)?;
        let query = unit(query);
        let hit = |(&chunk, vector): (&ChunkId, &Vec<f32>)| Hit { chunk, similarity: dot(&query, vector) };
        let mut hits: Vec<Hit> = self.vectors.iter().map(hit).collect();
        hits.sort_by(nearest_first);
        hits.truncate(top);
        Ok(hits)
    }

    fn similarities(&self, query: &[f32], chunks: &[ChunkId]) -> Result<Vec<Option<f32>>, IndexError> {
        self.check(query)?;
        let query = unit(query);
        Ok(chunks.iter().map(|chunk| self.vectors.get(chunk).map(|vector| dot(&query, vector))).collect())
    }

    fn len(&self) -> usize {
        self.vectors.len()
    }
}

impl VectorIndex for BruteForce {
    fn add(&mut self, chunk: ChunkId, vector: &[f32]) -> Result<(), IndexError> {
        self.check(vector)?;
        self.vectors.insert(chunk, unit(vector));
        Ok(())
    }

    fn remove(&mut self, chunk: ChunkId) -> Result<(), IndexError> {
        self.vectors.remove(&chunk);
        Ok(())
    }
}

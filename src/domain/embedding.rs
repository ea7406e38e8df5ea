//! Vectors, and the model that made them: vectors of two models are never compared.

use serde::{Deserialize, Serialize};

/// Which model made a vector; travels with every stored vector.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EmbeddingModelId {
    pub name: String,
    /// Revision or hash of the weights.
    pub revision: String,
    pub dimensions: usize,
}

/// A vector of length 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(pub Vec<f32>);

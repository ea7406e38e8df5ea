//! Parts of the program handed out one by one, for those who measure them: the open embedding model, its way of
//! counting tokens, an empty index.
//!
//! Called by `bench`, which knows the seams and no implementation. Nothing here is used to answer a question.

use std::sync::Arc;

use tokenizers::Tokenizer;

use super::{App, blocking, models};
use crate::domain::EmbeddingModelId;
use crate::index::exact::ExactIndex;
use crate::index::usearch::HnswIndex;
use crate::index::{IndexError, VectorIndex};
use crate::inference::library::Library;
use crate::inference::local::static_table::{self, StaticTable};
use crate::inference::{Embedder, ModelError};
use crate::problem::Problem;

/// The ways to find vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    Exact,
    Hnsw,
}

/// An empty index, with room for so many vectors where that can be said beforehand.
pub fn index(kind: IndexKind, dimensions: usize, room: usize) -> Result<Box<dyn VectorIndex>, Problem> {
    match kind {
        IndexKind::Exact => {
            let mut index = ExactIndex::new(dimensions);
            index.reserve(room);
            Ok(Box::new(index))
        }
        IndexKind::Hnsw => HnswIndex::new(dimensions)
            .map(|index| Box::new(index) as Box<dyn VectorIndex>)
            .map_err(|error: IndexError| error.into()),
    }
}

/// The configured embedding model, loaded when it is not open yet.
pub async fn embedder(app: &App) -> Result<Arc<dyn Embedder>, Problem> {
    let embedders = app.finder().embedders;
    Ok(blocking(move || embedders.get(None)).await??)
}

/// How many tokens a text has.
pub type CountTokens = Box<dyn Fn(&str) -> usize + Send + Sync>;

/// Counts as an embedding model does, the marks at a text's ends among them.
pub fn token_counter(app: &App, model: &EmbeddingModelId) -> Result<CountTokens, ModelError> {
    if model.name == static_table::NAME {
        let table = StaticTable::shipped()?;
        return Ok(Box::new(move |text| table.count_tokens(text)));
    }
    let unusable = |reason: String| ModelError::Unusable { model: model.name.clone(), reason };
    let installed = Library::new(&app.config().models_dir)
        .installed(&model.name)
        .map_err(|error| unusable(error.to_string()))?;
    let mut tokenizer = Tokenizer::from_file(installed.folder.join("tokenizer.json"))
        .map_err(|error| unusable(error.to_string()))?;
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).map_err(|error| unusable(error.to_string()))?;
    // A text that cannot be cut has no tokens: embedding it will say why.
    Ok(Box::new(move |text| tokenizer.encode_fast(text, true).map_or(0, |encoding| encoding.len())))
}

/// Threads that models compute with.
pub fn threads(app: &App) -> usize {
    models::threads(&app.config().settings.models)
}

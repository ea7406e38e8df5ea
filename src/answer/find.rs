//! The waiting half of retrieval: embed the question, search off the async threads, fetch the words.
//!
//! How candidates are ranked is [`retrieve`](super::retrieve); this finds what it needs and completes what it gives.

use std::collections::HashSet;
use std::sync::Arc;

use super::AnswerError;
use super::fuse::{Fused, Fusion};
use super::rerank::{self, Reranker};
use super::retrieve::{Gathered, RetrieveOptions, Retrieved, VectorTrust, gather};
use crate::collection::Collections;
use crate::domain::{Block, Chunk, ChunkId, CreatorId, Document, EmbeddingModelId, Links, Span, Timestamp};
use crate::index::VectorSearch;
use crate::index::analyze::Language;
use crate::inference::embedders::Embedders;
use crate::inference::{EmbedInput, EmbedRole, Lane};
use crate::store::{Creator, Hydrated, Store};

/// What finding needs.
#[derive(Clone)]
pub struct Finder {
    pub store: Store,
    pub collections: Arc<Collections>,
    pub embedders: Arc<Embedders>,
    pub trust: Trust,
    pub fusion: Fusion,
    /// Reads the best once more; without one the order of words and nearness stands.
    pub reranker: Option<Reranker>,
    /// Name of the small embedding model that is always there: it compares sentences in microseconds.
    pub table: String,
    /// The time, for the addresses of what is found.
    pub now: fn() -> Timestamp,
}

/// How much the cosines of a model say.
pub type Trust = Arc<dyn Fn(&EmbeddingModelId) -> VectorTrust + Send + Sync>;

/// A found chunk with its document.
#[derive(Debug, Clone)]
pub struct Passage {
    pub chunk: Chunk,
    pub document: Document,
    pub hit: Fused,
    /// What the chunk's words are: places are within the chunk's text.
    pub blocks: Vec<Block>,
    /// What makes the addresses of its parts.
    pub links: Links,
}

impl Finder {
    /// The best `top` chunks of a creator's content, in order, without their words.
    pub async fn rank(
        &self,
        creator: &Creator,
        question: &str,
        language: Option<Language>,
        top: usize,
    ) -> Result<Retrieved, AnswerError> {
        let looked_at = if self.reranker.is_some() { top.max(rerank::DEPTH) } else { top };
        let gathered = self.gather(creator, question, language, looked_at).await?;
        let scale = creator.calibration().and_then(|fitted| fitted.nearness).unwrap_or(1.0);
        let mut ranked = gathered.into_ranked(self.fusion, scale, looked_at);
        if let Some(reranker) = &self.reranker {
            ranked = self.reranked(reranker, creator, question, ranked).await?;
            ranked.hits.truncate(top);
        }
        Ok(ranked)
    }

    /// The ranking in the order of a model that reads its best chunks together with the question.
    async fn reranked(
        &self,
        reranker: &Reranker,
        creator: &Creator,
        question: &str,
        mut ranked: Retrieved,
    ) -> Result<Retrieved, AnswerError> {
        let first: Vec<_> = ranked.hits.iter().take(rerank::DEPTH).map(|hit| hit.chunk).collect();
        let found = self.store.hydrate(&creator.id, &first).await?;
        // What was deleted meanwhile leaves the ranking, so that each text has its hit.
        let gone: HashSet<ChunkId> =
            first.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(id, _)| *id).collect();
        ranked.hits.retain(|hit| !gone.contains(&hit.chunk));
        let texts: Vec<String> = found
            .into_iter()
            .flatten()
            .map(|found| found.chunk.anchor.under_titles(&found.document.title, &found.chunk.text))
            .collect();
        if texts.is_empty() {
            return Ok(ranked);
        }
        let (hits, trace) = reranker.rerank(question, ranked.language, ranked.hits, texts).await?;
        Ok(Retrieved { hits, reranking: Some(trace), ..ranked })
    }

    /// What both searches bring for the best `top`, not ranked yet.
    pub async fn gather(
        &self,
        creator: &Creator,
        question: &str,
        language: Option<Language>,
        top: usize,
    ) -> Result<Gathered, AnswerError> {
        let collection = self.collections.get(&creator.id).await?;
        let vector = match &creator.embedding {
            Some(model) => Some(self.embed(model, question).await?),
            None => None,
        };
        let vectors =
            creator.embedding.as_ref().map_or(VectorTrust::STATIC_TABLE, |model| (self.trust)(model));
        let options = RetrieveOptions { top, candidates: top.max(100), vectors, fusion: self.fusion };
        let question = question.to_owned();
        tokio::task::spawn_blocking(move || {
            let collection = collection.read();
            let index: &dyn VectorSearch = collection.vectors.as_ref();
            let vector = vector.as_deref().filter(|_| !index.is_empty()).map(|vector| (vector, index));
            gather(&question, language, &collection.lexical, vector, &options)
        })
        .await
        .map_err(crashed)?
        .map_err(AnswerError::from)
    }

    /// The chunks of a ranking with their words. What was deleted meanwhile is left out.
    pub async fn passages(&self, creator: &CreatorId, hits: &[Fused]) -> Result<Vec<Passage>, AnswerError> {
        let ids: Vec<_> = hits.iter().map(|hit| hit.chunk).collect();
        let found = self.store.hydrate(creator, &ids).await?;
        let links = Links::new(self.store.link_key().await?, (self.now)());
        let complete = |(hit, found): (&Fused, Option<Hydrated>)| {
            found.map(|Hydrated { chunk, document }| Passage {
                chunk,
                document,
                hit: *hit,
                blocks: Vec::new(),
                links,
            })
        };
        Ok(hits.iter().zip(found).filter_map(complete).collect())
    }

    /// The same with their blocks: for answers, which must tell a heading from a sentence and name the exact place.
    pub async fn passages_with_blocks(
        &self,
        creator: &CreatorId,
        hits: &[Fused],
    ) -> Result<Vec<Passage>, AnswerError> {
        let mut passages = self.passages(creator, hits).await?;
        let spans: Vec<_> = passages.iter().map(|p| (p.document.id.clone(), p.chunk.span)).collect();
        for (passage, blocks) in passages.iter_mut().zip(self.store.blocks_within(&spans).await?) {
            let (start, length) = (passage.chunk.span.start, passage.chunk.text.len());
            passage.blocks = blocks
                .into_iter()
                .map(|block| {
                    let within = |place: usize| place.saturating_sub(start).min(length);
                    let span = Span { start: within(block.span.start), end: within(block.span.end) };
                    Block { span, ..block }
                })
                .collect();
        }
        Ok(passages)
    }

    /// Whether cosines say something about absence for a question in this language.
    pub fn similarity_counts(&self, creator: &Creator, language: Language) -> bool {
        creator.embedding.as_ref().is_some_and(|model| (self.trust)(model).tells_absence(language))
    }

    async fn embed(&self, model: &EmbeddingModelId, question: &str) -> Result<Vec<f32>, AnswerError> {
        let (embedders, name) = (self.embedders.clone(), model.name.clone());
        let embedder =
            tokio::task::spawn_blocking(move || embedders.get(Some(&name))).await.map_err(crashed)??;
        let input = EmbedInput { text: question.to_owned(), role: EmbedRole::Question };
        let mut vectors = embedder.embed(vec![input], Lane::Urgent).await?;
        Ok(vectors.pop().map(|vector| vector.0).unwrap_or_default())
    }
}

/// A computation that panicked: its message is in the log already.
pub(super) fn crashed(error: tokio::task::JoinError) -> AnswerError {
    tracing::error!(%error, "answering crashed");
    AnswerError::Crashed
}

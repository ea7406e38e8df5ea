//! Content: what brings it in, what works through its queue, and its vectors asked for by themselves.
//!
//! Called by `http`, the command line, `eval` and `bench`. The work itself is in `ingest` and `jobs`; uploads come in
//! through `upload.rs`, watched places through `watch.rs`.

use super::{App, SearchReport, blocking, models, now, search};
use crate::domain::{CreatorId, Embedding, EmbeddingModelId};
use crate::inference::{EmbedInput, EmbedRole, Lane};
use crate::ingest::chunk::ChunkOptions;
use crate::ingest::extract::Limits;
use crate::ingest::hear::UnderWay;
use crate::ingest::{Ingest, IngestOptions};
use crate::jobs::Jobs;
use crate::problem::Problem;

impl App {
    /// What brings content in.
    pub fn ingest(&self) -> Ingest {
        let settings = &self.config.settings.ingest;
        let text_bytes = settings.max_text_mb << 20;
        Ingest {
            store: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            options: IngestOptions {
                limits: Limits { text_bytes, pdf_bytes: settings.max_pdf_mb << 20, ..Limits::default() },
                chunks: ChunkOptions { target: settings.chunk_chars, max: settings.chunk_chars * 3 / 2 },
                sandbox: self.config.sandbox.clone(),
                ocr: self.ocr.clone(),
            },
            hearing: self.hearing.clone(),
            now,
        }
    }

    /// How far the recordings are that are being transcribed.
    pub fn listening(&self) -> &UnderWay {
        self.hearing.under_way()
    }

    /// What works through the queue.
    pub fn jobs(&self) -> Jobs {
        let (store, ingest, sources) = (self.store.clone(), self.ingest(), self.source_options());
        Jobs { store, ingest, sources, wake: self.wake.clone(), now }
    }

    /// Retrieval alone.
    pub async fn search(&self, creator: &CreatorId, query: &str, k: usize) -> Result<SearchReport, Problem> {
        search::search(self, creator, query, k).await
    }

    /// Vectors of texts by the model of the creator's collection, as passages are embedded.
    pub async fn embed(
        &self,
        creator: &CreatorId,
        texts: Vec<String>,
    ) -> Result<(EmbeddingModelId, Vec<Embedding>), Problem> {
        let name = self.store.creator(creator).await?.embedding.map(|model| model.name);
        let embedders = self.embedders.clone();
        let embedder = blocking(move || embedders.get(name.as_deref())).await??;
        let inputs = texts.into_iter().map(|text| EmbedInput { text, role: EmbedRole::Passage }).collect();
        Ok((embedder.model().clone(), embedder.embed(inputs, Lane::Urgent).await?))
    }

    /// Makes all vectors of a creator again.
    pub async fn reindex(
        &self,
        creator: &CreatorId,
        embedder: Option<&str>,
        progress: impl FnMut(u64, u64),
    ) -> Result<EmbeddingModelId, Problem> {
        let name = embedder.map(models::canonical);
        Ok(self.ingest().reindex(creator, name.as_deref(), progress).await?)
    }
}

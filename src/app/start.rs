//! What a server does before its first request: models loaded, and what a killed process left behind deleted.
//!
//! Both run in the background and fail into the log alone. Called by `serve`; opening itself is in `mod.rs`.

use super::answer::loaded;
use super::{App, upload};

impl App {
    /// Loads the models of retrieval before the first question needs them. What fails here is told to whoever asks.
    pub fn warm_up(&self) {
        let (embedders, guard) = (self.embedders.clone(), self.guard.clone());
        let pairs = [
            self.reranker.as_ref().map(|reranker| reranker.model.clone()),
            self.entailment.as_ref().map(|entailment| entailment.model.clone()),
        ];
        tokio::task::spawn_blocking(move || {
            if let Err(error) = loaded(&guard) {
                tracing::warn!(%error, "the guard cannot be loaded");
            }
            if let Err(error) = embedders.get(None) {
                tracing::warn!(%error, "the embedding model of new collections cannot be loaded");
            }
            for model in pairs.into_iter().flatten() {
                if let Err(error) = model.load() {
                    tracing::warn!(%error, model = model.name(), "a model of the settings cannot be loaded");
                }
            }
        });
    }

    /// Deletes what requests of a killed process left behind: half-sent files, and originals that no record names. Call
    /// it before the first request; the originals are looked through in the background.
    pub fn tidy_up(&self) {
        match upload::left(&self.config.data_dir) {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deleted half-sent files of an earlier run"),
            Err(error) => tracing::warn!(%error, "half-sent files of an earlier run stay"),
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            match store.sweep_blobs().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "deleted original files that nothing uses"),
                Err(error) => tracing::warn!(%error, "original files that nothing uses stay"),
            }
        });
    }
}

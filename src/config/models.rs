//! `[models]`, `[hub]` and `[index]`: the models of this machine, where they are pulled from, and how vectors are searched.
//!
//! Values with their defaults; `check.rs` says which make sense. Models of other servers are in `providers.rs`.

use serde::{Deserialize, Serialize};

use super::Secret;
use crate::collection::EXACT_LIMIT;

/// `[models]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// `static` (built in), the name of an installed embedding model, or `PROVIDER:MODEL`.
    pub embedding: String,
    /// What writes down recordings: the name of an installed Whisper model, or `auto` for whichever is installed.
    pub transcription: String,
    /// Threads for inference; 0 takes one for each core.
    pub threads: usize,
    /// Questions that may wait for a model; more are told to come back.
    pub queue: usize,
    /// Longest prompt with its answer, in tokens.
    pub context_tokens: usize,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            embedding: "static".into(),
            transcription: "auto".into(),
            threads: 0,
            queue: 64,
            context_tokens: 2048,
        }
    }
}

/// `[hub]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSettings {
    /// Another hub's address; empty is the public one. `HF_ENDPOINT` is read too.
    pub endpoint: String,
    /// For gated models. `HF_TOKEN` is read too.
    pub token: Secret,
}

/// `[index]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSettings {
    /// Passages up to which a search looks at every vector; beyond it, through a graph.
    pub exact_limit: u64,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { exact_limit: EXACT_LIMIT }
    }
}

//! `[answer]` and `[guard]`: which models answer and how, and which questions are not answered.
//!
//! Values with their defaults; `check.rs` says which make sense.

use serde::{Deserialize, Serialize};

use crate::answer::abstain::DEFAULT_THRESHOLD;
use crate::answer::fuse::Fusion;

/// `[answer]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSettings {
    /// `extractive`, or the name of a chat model. Counts when `models` is empty.
    pub model: String,
    /// Chat models in the order in which they are tried; the best sentences verbatim when none answers.
    pub models: Vec<String>,
    /// More models that creators may choose for themselves.
    pub offered: Vec<String>,
    /// Below this confidence the answer is declined and a person offered; 0 to 1.
    pub threshold: f32,
    /// Most sentences in an extractive answer.
    pub max_sentences: usize,
    /// Most tokens that a chat model writes.
    pub max_tokens: usize,
    /// Most passages given to a chat model.
    pub passages: usize,
    /// Answers of each creator that are kept in memory and given again; 0 keeps none.
    pub cache: usize,
    /// Whether a question is also answered from an earlier one that asks the same in other words.
    pub cache_near: bool,
    /// Whether the chat model, where there is one, says follow-up questions in full before they are looked for.
    pub rewrite: bool,
    /// How long a follow-up waits for that, before it is completed by rules.
    pub rewrite_ms: u64,
    /// How words and nearness become one ranking: `score`, `rrf`, `lexical` or `dense`.
    pub fusion: String,
    /// The name of an installed reranker that reads the best passages once more; empty is none.
    pub reranker: String,
    /// How long a question waits for it, before the order stands as it is.
    pub reranker_ms: u64,
    /// The name of an installed entailment model that checks what a chat model writes; empty is none.
    pub entailment: String,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            model: "extractive".into(),
            models: Vec::new(),
            offered: Vec::new(),
            threshold: DEFAULT_THRESHOLD,
            max_sentences: 3,
            max_tokens: 256,
            passages: 4,
            cache: 512,
            cache_near: true,
            rewrite: false,
            rewrite_ms: 2_000,
            fusion: Fusion::default().to_string(),
            reranker: String::new(),
            reranker_ms: 4_000,
            entailment: String::new(),
        }
    }
}

/// `[guard]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// Whether questions are looked at before they are answered.
    pub on: bool,
    /// Probability of an attack from which a question is not answered; 0 to 1.
    pub threshold: f32,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self { on: true, threshold: crate::answer::guard::DEFAULT_THRESHOLD }
    }
}

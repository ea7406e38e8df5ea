//! What each stage of an answer saw, decided and took: kept with the turn, for the creator and for whoever looks for the
//! reason of an answer.
//!
//! It names passages by their numbers and holds no words of documents, so that a deleted document leaves nothing here.

use serde::{Deserialize, Serialize};

use super::{DocumentId, ExperimentId};

/// The stages of one answer, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnswerTrace {
    /// What the guard said; `null` when it is off.
    pub guard: Option<GuardTrace>,
    /// The answer had been given before; the stages behind this were left out.
    pub cached: bool,
    /// How it was looked for among earlier answers: `exact`, `near` (asked in other words), or `miss`; `null` where it was not.
    #[serde(default)]
    pub cache: Option<String>,
    /// The question as one that stands alone, where it leaned on the one before.
    pub standalone: Option<String>,
    /// Facts of the student that were remembered.
    pub facts: usize,
    /// Below this confidence nothing is answered.
    pub threshold: f32,
    /// What the router made of the turn, one or two parts.
    pub parts: Vec<PartTrace>,
    /// What an entailment model said of a chat model's sentences; `null` when none was asked.
    pub entailment: Option<EntailmentTrace>,
    /// Milliseconds since the question came in.
    pub at_ms: StagesMs,
    /// In which circumstances it was answered, so that it can be answered so again.
    #[serde(default)]
    pub circumstances: Option<Circumstances>,
    /// Which variant of an experiment the student had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experiment: Option<VariantTrace>,
    /// What each chat model that was tried took; empty where none was, or the answer had been given before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub costs: Vec<CostTrace>,
}

impl AnswerTrace {
    /// What all models together cost, in the currency of the settings.
    pub fn cost(&self) -> f64 {
        self.costs.iter().map(|cost| cost.amount).sum()
    }

    /// The same without what was asked, looked for and found: numbers alone.
    pub fn without_passages(self) -> Self {
        Self { standalone: None, parts: Vec::new(), ..self }
    }
}

/// A student's variant of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct VariantTrace {
    #[schema(value_type = String)]
    pub experiment_id: ExperimentId,
    /// By its name.
    pub variant: String,
    /// Stands for the student in this experiment and nowhere else.
    pub unit: String,
}

/// What a chat model took for an answer, whether or not the answer is its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CostTrace {
    pub model: String,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// By the prices of its provider, in the currency of the settings.
    pub amount: f64,
}

/// What an answer depends on beside the question, the conversation and the content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Circumstances {
    /// Of the program.
    #[serde(default)]
    pub version: Option<String>,
    /// How often the content had changed.
    pub generation: u64,
    /// The language, the lesson and the place that the page asked for.
    pub language: Option<String>,
    pub lesson: Option<String>,
    pub position_ms: Option<u64>,
    /// The chat models in their order.
    pub models: Vec<String>,
    pub max_sentences: usize,
    pub max_tokens: usize,
    pub passages: usize,
    /// `null` where the guard was off.
    pub guard_threshold: Option<f32>,
    pub seed: u64,
}

/// The guard's judgement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GuardTrace {
    /// Probability of an attack.
    pub score: f32,
    /// Why it was blocked; `null` let it pass.
    pub blocked: Option<String>,
}

/// A part of the turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PartTrace {
    /// The agent that the router chose.
    pub routed: String,
    /// What decided: `rule`, `example`, `correction` or `default`.
    pub by: String,
    /// The agent that answered: a policy question that no policy answers is the course's.
    pub agent: String,
    /// What was looked for; `null` where nothing was.
    pub question: Option<String>,
    /// Probability that the content holds the answer.
    pub confidence: Option<f32>,
    /// What a reranker did with what was found; `null` without one.
    pub reranking: Option<RerankTrace>,
    /// What was found, best first.
    pub hits: Vec<HitTrace>,
}

/// A reranker at work, or the reason why the order of words and nearness stood.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RerankTrace {
    pub model: String,
    /// `reordered`, or why not: `busy`, `late`, `failed`, or `language` where the model does not know the question's.
    pub outcome: String,
    /// Passages that it read.
    pub passages: usize,
    pub took_ms: f64,
}

/// An entailment model beside a chat model: sentences by what it said of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EntailmentTrace {
    pub model: String,
    /// Left out, because the passages say the contrary.
    pub contradicted: usize,
    /// Judged by words and model together.
    pub not_contradicted: usize,
    /// Judged by words alone: the model was busy or broken, or does not know the language.
    pub not_asked: usize,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HitTrace {
    pub chunk_id: u64,
    #[schema(value_type = String)]
    pub document_id: DocumentId,
    pub score: f32,
    /// Sentences of it that were picked.
    pub picked: usize,
}

/// When stages were done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct StagesMs {
    pub guard: f64,
    pub route: f64,
    pub retrieve: f64,
    pub answer: f64,
}

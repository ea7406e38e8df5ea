//! The model seams: [`Embedder`], [`ChatModel`], [`Transcriber`] and [`pairs`], and the one error that every model gives.
//!
//! What implements them lives in `local/` (weights on this machine) and `remote/` (other machines, only where the
//! settings name them); nobody outside `app.rs` names an implementation. `chain/` makes a model out of one that may
//! fail. No tensor type crosses this seam, and dropping what a call returned cancels its work.

pub mod catalog;
pub mod chain;
pub mod digest;
pub mod disk;
pub mod download;
pub mod embedders;
pub mod fault;
pub mod import;
pub mod library;
pub mod local;
pub mod pairs;
pub mod remote;
pub mod sniff;
pub mod transcribers;
pub mod units;
pub mod worker;

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::domain::{Embedding, EmbeddingModelId};

/// What kind of text a vector is for: some models want different prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbedRole {
    Question,
    Passage,
}

/// A text to embed.
#[derive(Debug, Clone)]
pub struct EmbedInput {
    pub text: String,
    pub role: EmbedRole,
}

/// How urgent work is: a student's question overtakes a thousand chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    Urgent,
    Background,
}

/// Turns texts into vectors of length 1.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Which model this is; the same for the life of the value.
    fn model(&self) -> &EmbeddingModelId;
    /// One vector for each input, in order. Texts beyond the model's window are cut. Dropping the future
    /// cancels what has not begun.
    async fn embed(&self, inputs: Vec<EmbedInput>, lane: Lane) -> Result<Vec<Embedding>, ModelError>;
}

/// Who said a message of a chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChatRole {
    System,
    User,
    Assistant,
}

/// A message of a chat.
#[derive(Debug, Clone)]
pub struct ChatMessage {
    pub role: ChatRole,
    pub content: String,
}

/// How to draw tokens.
#[derive(Debug, Clone)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: f32,
    /// Nucleus: the smallest set of tokens with this probability mass; 1 keeps all.
    pub top_p: f32,
    /// Divides the logits of tokens seen lately; 1 is off.
    pub repeat_penalty: f32,
    /// The same seed, prompt and model give the same answer.
    pub seed: u64,
    pub max_tokens: usize,
    /// Generation ends before any of these.
    pub stop: Vec<String>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self {
            temperature: 0.0,
            top_p: 1.0,
            repeat_penalty: 1.0,
            seed: 42,
            max_tokens: 384,
            stop: Vec::new(),
        }
    }
}

/// What a chat model is asked.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    pub messages: Vec<ChatMessage>,
    pub sampling: Sampling,
}

/// What a chat model gives: pieces, then [`ChatPiece::End`] once.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatPiece {
    /// Whole characters, never a part of one.
    Text(String),
    End {
        prompt_tokens: u32,
        completion_tokens: u32,
        reason: EndReason,
    },
}

/// Why generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The model or a stop sequence ended it.
    Stop,
    /// `max_tokens` or the context window is used up.
    Length,
}

/// Pieces as they are made. Dropping the receiver stops the model before its next token.
pub type TokenStream = mpsc::Receiver<Result<ChatPiece, ModelError>>;

/// Continues a chat.
#[async_trait]
pub trait ChatModel: Send + Sync {
    /// Name in the catalogue, shown with each answer.
    fn name(&self) -> &str;
    /// Tokens of prompt and answer together.
    fn context_tokens(&self) -> usize;
    /// Exact for local models.
    fn count_tokens(&self, text: &str) -> usize;
    /// Starts an answer. A full queue is [`ModelError::Busy`] at once.
    async fn chat(&self, request: ChatRequest) -> Result<TokenStream, ModelError>;
}

/// A recording on its way to a [`Transcriber`].
pub struct Recording {
    /// Mono samples at 16 kHz, between -1 and 1, in order. A sentence in their place says that the rest cannot be read; the
    /// end of the channel is the end of the recording.
    pub blocks: mpsc::Receiver<Result<Vec<f32>, String>>,
    /// Where in the whole recording the first block stands; times count from its beginning.
    pub start_ms: u64,
    /// ISO 639-1; found out from the first words when it is not known.
    pub language: Option<String>,
}

/// A stretch of a recording that is done with: what was said in it, which may be nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Everything before is done: a later run may begin here.
    pub end_ms: u64,
    pub language: Option<String>,
    /// In the order of their times, within the window.
    pub segments: Vec<Segment>,
}

/// A sentence or a part of one, with its time in the recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    pub start_ms: u64,
    pub end_ms: u64,
    pub text: String,
    /// Whether somebody else speaks after it, where the model tells.
    pub speaker_turn: bool,
}

/// A window, or `None` once at the end, or why it ends before.
pub type Transcribed = Result<Option<Window>, ModelError>;

/// Windows as they are done. Dropping the receiver stops the model within the window at hand.
pub type WindowStream = mpsc::Receiver<Transcribed>;

/// Writes down what is said in a recording.
#[async_trait]
pub trait Transcriber: Send + Sync {
    /// Name in the catalogue; the same for the life of the value.
    fn name(&self) -> &str;
    /// Tells two models of one name apart: windows of another revision are not gone on from.
    fn revision(&self) -> &str;
    /// What this model does less well than it could, in a sentence for the creator.
    fn warning(&self) -> Option<&str>;
    /// Starts on a recording. A full queue is [`ModelError::Busy`] at once.
    async fn transcribe(&self, recording: Recording) -> Result<WindowStream, ModelError>;
}

/// What can go wrong with a model. The message is a sentence for people, without a final full stop.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ModelError {
    /// The queue is full; it may work later.
    #[error("the model is busy")]
    Busy { retry_after: Duration },
    /// The model's thread has stopped.
    #[error("the model has stopped working: {0}")]
    Unavailable(String),
    /// It has to be pulled or imported first.
    #[error("the model `{model}` is not installed")]
    NotInstalled { model: String },
    /// The files cannot be used.
    #[error("the model `{model}` cannot be loaded: {reason}")]
    Unusable { model: String, reason: String },
    /// The request does not fit into the model's window.
    #[error("the prompt has {tokens} tokens, the model reads at most {window}")]
    TooLong { tokens: usize, window: usize },
    /// A computation failed.
    #[error("the model failed: {0}")]
    Failed(String),
    /// It is on another machine, or was too slow for the time that there was.
    #[error("the model `{model}`: {fault}")]
    Remote { model: String, fault: fault::Fault },
}

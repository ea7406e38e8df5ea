//! What the program talks about: creators, documents, chunks, questions, answers.
//!
//! Plain values without I/O, without async and without clocks: time and randomness come in as values.
//! Everything else in the program may use this module; it uses nothing of the rest.

pub mod account;
pub mod answer;
pub mod chunk;
pub mod conversation;
pub mod document;
pub mod embedding;
pub mod ids;
pub mod job;
pub mod mask;
pub mod question;
pub mod text;

pub use account::{AccountNameError, Email, Role, Scope};
pub use answer::{Answer, AnswerEvent, Citation, Sentence, TimingsMs, Usage};
pub use chunk::{Anchor, Chunk, Span};
pub use conversation::Turn;
pub use document::{ContentHash, Document, MediaType};
pub use embedding::{Embedding, EmbeddingModelId};
pub use ids::{ChunkId, ConversationId, CreatorId, DocumentId, IdError, JobId, MessageId, Timestamp, UserId};
pub use job::{Job, JobKind, JobState};
pub use question::{Question, QuestionError};
pub use text::{Block, BlockKind, ExtractWarning, Text};

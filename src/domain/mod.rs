//! What the program talks about: creators, documents, chunks, questions, answers.
//!
//! Plain values without I/O, without async and without clocks: time and randomness come in as values.
//! Everything else in the program may use this module; it uses nothing of the rest.

pub mod account;
pub mod address;
pub mod answer;
pub mod area;
pub mod chunk;
pub mod conversation;
pub mod document;
pub mod embedding;
pub mod escalation;
pub mod event;
pub mod feedback;
pub mod ids;
pub mod job;
pub mod ledger;
pub mod likeness;
pub mod link;
pub mod mask;
pub mod memory;
pub mod progress;
pub mod question;
pub mod student;
pub mod subscription;
pub mod text;
pub mod trace;
pub mod watched;
pub mod webhook;

pub use account::{AccountNameError, Email, Role, Scope};
pub use answer::{Answer, AnswerEvent, Citation, Escalation, Sentence, TimingsMs, Usage};
pub use area::Area;
pub use chunk::{Anchor, Chunk, Span};
pub use conversation::Turn;
pub use document::{ContentHash, Document, MediaType};
pub use embedding::{Embedding, EmbeddingModelId};
pub use escalation::{Contact, Message, Note, Party, Ticket, TicketState};
pub use event::{Event, EventKind, Matter, Subject, Told};
pub use feedback::{Case, Correction, Feedback, Reason};
pub use ids::{
    ChunkId, ConversationId, CreatorId, DeliveryId, DocumentId, EventId, IdError, JobId, MessageId,
    Timestamp, UserId, WatchId, WebhookId,
};
pub use job::{Job, JobKind, JobState, Receipt};
pub use ledger::{Charge, Entry, EntryKind, MonthUse, NewEntry, Served, Tariff, Terms, Wallet};
pub use likeness::Signature;
pub use link::{LinkKey, Links, Pass, PassFault};
pub use memory::{Fact, Memory};
pub use progress::{Progress, ProgressEvent, ProgressKind};
pub use question::{Question, QuestionError};
pub use student::Student;
pub use subscription::{
    Finding, HeldSubscription, News, Order, Payment, Payments, Purchase, Report, Subscription,
    SubscriptionState, Taken,
};
pub use text::{Block, BlockKind, ExtractWarning, Text};
pub use trace::AnswerTrace;
pub use watched::{Place, Watched};
pub use webhook::{Attempt, Delivery, DeliveryState, Webhook};

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
pub mod experiment;
pub mod feedback;
pub mod figures;
pub mod ids;
pub mod job;
pub mod ledger;
pub mod likeness;
pub mod link;
pub mod mail;
pub mod mask;
pub mod memory;
pub mod outgoing;
pub mod picture;
pub mod privacy;
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
pub use experiment::{Experiment, ExperimentError, Variant};
pub use feedback::{Case, Correction, Feedback, Reason};
pub use figures::Figures;
pub use ids::{
    ChunkId, ConversationId, CreatorId, DAY_MS, DeliveryId, DocumentId, EventId, ExperimentId, IdError,
    JobId, MailId, MessageId, Timestamp, UserId, WatchId, WebhookId,
};
pub use job::{Job, JobKind, JobLane, JobState, Receipt};
pub use ledger::{Charge, Entry, EntryKind, MonthUse, NewEntry, Served, Tariff, Terms, Wallet};
pub use likeness::Signature;
pub use link::{LinkKey, Links, Pass, PassFault};
pub use mail::{About, Mail};
pub use memory::{Fact, Memory};
pub use outgoing::{Attempt, DeliveryState, Outgoing, Standing};
pub use picture::{Picture, PictureError};
pub use privacy::Privacy;
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
pub use webhook::{Delivery, Webhook};

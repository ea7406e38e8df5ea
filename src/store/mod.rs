//! The truth: creators, keys, documents, chunks, vectors, conversations and jobs, in one redb file, and the
//! original bytes beside it in [`blobs`].
//!
//! Each method is a whole unit of work: one transaction, on a blocking thread, durable when it returns
//! (RELIABILITY, durability protocol). No transaction type leaks. Indexes, caches and pages are made from this
//! and can be made again. Types here are the callers' side; the stored records are `redb/codec.rs`.

pub mod blobs;
pub mod people;
pub mod redb;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Anchor, Block, Chunk, ChunkId, CreatorId, Document, DocumentId, Email, EmbeddingModelId,
    HeldSubscription, MonthUse, Scope, Signature, Span, Timestamp, Wallet,
};

pub use self::blobs::{Blobs, Held};
pub use self::people::{Event, Link, Purpose, SecondFactor, Session, User};
pub use self::redb::{BackupSummary, ExportSummary, Options, Store};

/// A document with everything that is made of it, to be recorded in one transaction.
#[derive(Debug, Clone)]
pub struct NewDocument {
    pub document: Document,
    pub text: String,
    pub blocks: Vec<Block>,
    pub chunks: Vec<NewChunk>,
    /// Of its words, where it may be compared with others.
    pub signature: Option<Signature>,
}

/// A chunk before it has its number.
#[derive(Debug, Clone)]
pub struct NewChunk {
    pub span: Span,
    pub anchor: Anchor,
    /// Analysed terms as `index::lexical` wrote them; opaque here.
    pub terms: Vec<u8>,
    /// The vector that the collection's embedding model made; empty when there is none.
    pub vector: Vec<f32>,
}

/// What recording a document did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// When unchanged, the document that has the content already.
    pub document: DocumentId,
    pub outcome: Outcome,
    /// Chunks that the document has now, in the order they came in; empty when it is unchanged.
    pub added: Vec<ChunkId>,
    /// Chunks of its former self, gone now.
    pub removed: Vec<ChunkId>,
    /// Another document of the creator that it is nearly the same as.
    pub near: Option<DocumentId>,
}

/// That a source holds a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The package or file by its source.
    pub holder: String,
    pub document: DocumentId,
    /// The document came from there; else only its content is there too.
    pub own: bool,
    /// The source holds this document and no other.
    pub alone: bool,
}

/// Documents that left because nobody holds them any more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gone {
    pub documents: Vec<Document>,
    pub chunks: Vec<ChunkId>,
}

/// What lies below a folder or an address by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Under {
    /// Sources that hold documents.
    pub holders: Vec<String>,
    /// Documents that no package holds, with their sources.
    pub documents: Vec<(DocumentId, String)>,
}

/// How a file of a watched folder was when it was read; another one means to read it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// When it was changed, in nanoseconds since 1970.
    pub changed: u64,
    pub size: u64,
}

/// A page of a watched site as it was when it was last read, so that the site need not send it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageStamp {
    /// What the site calls this version of it, to be said back to it word for word.
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    /// The source of the document that it is; none of a page that is no document or does not want to be one.
    pub source: Option<String>,
    /// Pages of the site that it leads to.
    pub links: Vec<String>,
    /// Of a sitemap or a feed, what it holds besides; none of a page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListStamp>,
}

/// What a sitemap or a feed holds besides the pages that it names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStamp {
    /// Sitemaps that it names.
    pub lists: Vec<String>,
    /// Sources of the documents whose words stand in it.
    pub sources: Vec<String>,
}

/// What became of a document that was brought in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Added,
    Replaced,
    /// The same bytes are there already (under this or another name): nothing was written.
    Unchanged,
}

/// A creator as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Creator {
    pub id: CreatorId,
    pub name: String,
    pub created_at: Timestamp,
    /// What made the vectors of this creator's collection; `None` before the first document.
    pub embedding: Option<EmbeddingModelId>,
    /// Counts every change of content; caches and indexes carry it.
    pub generation: u64,
    /// Settings that this creator changed, as JSON.
    pub settings: serde_json::Value,
}

/// What was fitted to a creator's own questions, for the embedding model that it was fitted with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Below this confidence the answer is declined, instead of at the usual threshold.
    pub threshold: Option<f32>,
    /// Times the usual weight of nearness beside words.
    pub nearness: Option<f32>,
    /// The collection's embedding model at that time; with another one the rest means nothing.
    pub embedding: Option<EmbeddingModelId>,
    /// Questions that it was fitted to.
    pub questions: usize,
    pub fitted_at: Timestamp,
}

impl Calibration {
    /// Nothing fitted, for the collection as it is now.
    pub fn for_creator(creator: &Creator) -> Self {
        Self {
            threshold: None,
            nearness: None,
            embedding: creator.embedding.clone(),
            questions: 0,
            fitted_at: Timestamp(0),
        }
    }
}

/// Under this name a calibration stands among a creator's settings.
pub const CALIBRATION: &str = "calibration";

impl Creator {
    /// A new one, named as its id is, without content and without settings of its own.
    pub fn new(id: CreatorId, created_at: Timestamp) -> Self {
        let name = id.to_string();
        Self { id, name, created_at, embedding: None, generation: 0, settings: serde_json::json!({}) }
    }

    /// The calibration, where there is one that fits the collection as it is now.
    pub fn calibration(&self) -> Option<Calibration> {
        let stored = self.settings.get(CALIBRATION)?;
        let fitted = Calibration::deserialize(stored).ok()?;
        (fitted.embedding == self.embedding).then_some(fitted)
    }
}

/// An API key; the key itself is never stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: String,
    pub creator: CreatorId,
    pub name: String,
    /// BLAKE3 of the key.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    /// What it opens; all when empty, as keys were before there were scopes.
    #[serde(default)]
    pub scopes: Vec<Scope>,
    /// From then on it opens nothing.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// Numbers of a creator's content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub documents: u64,
    pub chunks: u64,
    pub conversations: u64,
}

/// What decides whether an answer of a creator can be paid, as it was at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub wallet: Wallet,
    /// Of the month that was asked for.
    pub month: MonthUse,
    pub subscriptions: Vec<HeldSubscription>,
    /// For each message that was named, whether it is paid.
    pub spent: Vec<bool>,
}

/// How mails fare: of those that are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailCounts {
    pub waiting: u64,
    pub given_up: u64,
    pub sent: u64,
    /// What went wrong last, and when.
    pub last_fault: Option<(Timestamp, String)>,
}

/// What was deleted of a student of one creator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasedStudent {
    pub creator: CreatorId,
    pub students: u64,
    pub conversations: u64,
    pub turns: u64,
    pub messages: u64,
    pub tickets: u64,
    pub deliveries: u64,
}

impl ErasedStudent {
    /// Nothing was there.
    pub fn none(creator: &CreatorId) -> Self {
        Self {
            creator: creator.clone(),
            students: 0,
            conversations: 0,
            turns: 0,
            messages: 0,
            tickets: 0,
            deliveries: 0,
        }
    }

    pub fn is_nothing(&self) -> bool {
        *self == Self::none(&self.creator)
    }

    /// The same and what went later.
    pub fn add(&mut self, more: &Self) {
        self.students += more.students;
        self.conversations += more.conversations;
        self.turns += more.turns;
        self.messages += more.messages;
        self.tickets += more.tickets;
        self.deliveries += more.deliveries;
    }

    /// What went, in words.
    pub fn counted(&self) -> String {
        format!(
            "{} conversations with {} answers, {} messages and {} tickets",
            self.conversations, self.turns, self.messages, self.tickets
        )
    }
}

/// Everything an index needs of one chunk.
#[derive(Debug, Clone)]
pub struct IndexRow {
    pub chunk: ChunkId,
    pub document: DocumentId,
    pub terms: Vec<u8>,
    pub vector: Vec<f32>,
}

/// A chunk with its document, ready to be cited.
#[derive(Debug, Clone)]
pub struct Hydrated {
    pub chunk: Chunk,
    pub document: Document,
}

/// A change of a creator's chunks, for an index that follows. Applying one again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexChange {
    /// The chunk is new, or its vector is.
    Add(ChunkId),
    Remove(ChunkId),
}

/// What can go wrong with the store. Messages are sentences for people, without a final full stop.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    #[error("the data directory {0} is in use by another process")]
    InUse(String),
    #[error("the data directory {path} cannot be opened: {reason}")]
    Open { path: String, reason: String },
    #[error("the data was written by a newer version (schema {found}, this program reads {known})")]
    Newer { found: u32, known: u32 },
    #[error("there is no creator `{0}`")]
    NoCreator(CreatorId),
    #[error("there is a creator `{0}` already")]
    CreatorExists(CreatorId),
    #[error("there is no document `{0}`")]
    NoDocument(DocumentId),
    #[error("the collection of `{creator}` was made by the embedding model {has}, not by {got}")]
    OtherModel { creator: CreatorId, has: String, got: String },
    /// An index that is at this change cannot follow: it is too old, or of a collection that is gone.
    #[error("the changes after number {after} are not known")]
    Gap { after: u64 },
    #[error("there is an account for `{0}` already")]
    UserExists(Email),
    #[error("there is no account for `{0}`")]
    NoUser(String),
    /// A creator without an owner could be looked after by nobody.
    #[error("`{0}` would have no owner left")]
    LastOwner(CreatorId),
    #[error("the disk is full: {0}")]
    Full(String),
    #[error("a stored record is damaged: {0}")]
    Damaged(String),
    #[error("the backup {path} cannot be used: {reason}")]
    Backup { path: String, reason: String },
    /// A broken promise of the caller: our bug, and nothing was written.
    #[error("the store refused a record: {0}")]
    Invalid(String),
    /// After a failed read or write nothing can be read until the file is open again, which takes a moment.
    #[error("the disk refused a moment ago, and the database is being opened again")]
    Reopening,
    #[error("the store failed: {0}")]
    Failed(String),
}

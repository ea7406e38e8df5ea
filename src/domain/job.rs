//! Work that outlives a request, as the store's queue keeps it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ContentHash, CreatorId, JobId, Timestamp, WatchId};

/// A queued piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub creator: CreatorId,
    pub kind: JobKind,
    /// Jobs of former versions are among the documents.
    #[serde(default)]
    pub lane: JobLane,
    pub state: JobState,
    /// Counted when claimed, so that a job that kills the process is parked after a few tries.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Where a job waits. Each lane is worked through in its own order and beside the others, so that a page of text never
/// waits for a recording of three hours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobLane {
    /// What is read: seconds for each, and for books and packages much longer.
    #[default]
    Documents,
    /// Documents of a few pages, which wait for no book.
    Short,
    /// What is listened to or recognised from its dots: minutes to hours.
    Media,
    /// Looks at watched places, which are as slow as the places are.
    Looks,
}

impl JobLane {
    pub const ALL: [Self; 4] = [Self::Documents, Self::Short, Self::Media, Self::Looks];
}

/// What is to be done. Repeating a job that was done already changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Read the blob and make it searchable.
    IngestDocument { source: String, title: Option<String>, content: ContentHash },
    /// Look at a watched place and bring in what changed.
    LookAgain { watched: WatchId },
}

impl JobKind {
    /// The blob that it will read.
    pub fn content(&self) -> Option<ContentHash> {
        match self {
            Self::IngestDocument { content, .. } => Some(*content),
            Self::LookAgain { .. } => None,
        }
    }

    /// What it brings in, by its source.
    pub fn source(&self) -> Option<&str> {
        match self {
            Self::IngestDocument { source, .. } => Some(source),
            Self::LookAgain { .. } => None,
        }
    }
}

/// Where a job stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum JobState {
    Queued,
    /// Claimed; whoever claimed it must renew before `until`, else it is queued again.
    Running {
        until: Timestamp,
    },
    Done {
        document: String,
        chunks: u32,
        #[serde(default)]
        receipt: Receipt,
    },
    /// Given up, with a sentence for the creator.
    Parked {
        reason: String,
    },
}

/// What bringing something in did to a creator's documents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub added: u32,
    pub changed: u32,
    pub unchanged: u32,
    /// Of a former version, and not of this one.
    pub removed: u32,
}

impl Receipt {
    /// Both together.
    pub fn and(self, other: Self) -> Self {
        Self {
            added: self.added.saturating_add(other.added),
            changed: self.changed.saturating_add(other.changed),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            removed: self.removed.saturating_add(other.removed),
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { added, changed, unchanged, removed } = self;
        write!(f, "{added} added, {changed} changed, {unchanged} unchanged, {removed} removed")
    }
}

//! Work that outlives a request, as the store's queue keeps it.

use serde::{Deserialize, Serialize};

use super::{ContentHash, CreatorId, JobId, Timestamp};

/// A queued piece of work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub id: JobId,
    pub creator: CreatorId,
    pub kind: JobKind,
    pub state: JobState,
    /// Counted when claimed, so that a job that kills the process is parked after a few tries.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// What is to be done. Repeating a job that was done already changes nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum JobKind {
    /// Read the blob and make it searchable.
    IngestDocument { source: String, title: Option<String>, content: ContentHash },
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
    },
    /// Given up, with a sentence for the creator.
    Parked {
        reason: String,
    },
}

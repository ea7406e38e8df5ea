//! What the two processes say to each other.
//!
//! The program sends a [`Start`] and then [`Request`]s; the reading process answers [`Reply`]s. Long things (a document's
//! bytes, its words) travel behind these headers as they are. Nothing here is believed before `checked` saw it.

use serde::{Deserialize, Serialize};

use super::bounds::Bounds;
use super::confine::Confinement;
use crate::domain::{MediaType, Text};
use crate::ingest::extract::links::{Leads, Sought};
use crate::ingest::extract::{ExtractError, Limits};
use crate::ingest::items::Ended;

/// Sent once, before anything else.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    /// Of the program; another one would not understand the rest.
    pub version: String,
    pub parent: u32,
    pub bounds: Bounds,
    pub limits: Limits,
}

/// What is to be done.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Read a document; its bytes follow.
    Read { name: String, is_record: bool, password: Option<String> },
    /// Read the captions of a recording; their bytes follow.
    Captions,
    /// Say where else to read; the bytes that came from this address follow.
    Leads { sought: Sought, address: String },
    /// Draw these pages of a PDF, which follows.
    Pictures { password: Option<String>, pages: Vec<u32> },
    /// Decode the recording on standard input.
    Sound { name: String },
    /// Take the file on standard input apart.
    Apart {
        source: String,
        name: String,
        title: Option<String>,
        path: Vec<String>,
        warnings: Vec<String>,
        /// The bytes are with the program already: an item that is the file itself comes back without them.
        kept: bool,
    },
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Answers [`Start`]: from here on the process is confined.
    Ready(Confinement),
    /// A document; its words follow.
    Text {
        media: MediaType,
        text: Box<Text>,
    },
    Leads(Box<Leads>),
    /// A page that was drawn; its dots follow.
    Picture {
        page: u32,
        width: u32,
        height: u32,
    },
    /// The recording is open.
    Sound {
        duration_ms: Option<u64>,
    },
    /// Samples follow, four bytes each.
    Samples,
    /// The recording is at its end.
    Silence {
        warnings: Vec<String>,
    },
    Failed(ExtractError),
    /// One of many; its bytes follow.
    Item(Part),
    /// One of many that cannot be read.
    ItemFailed {
        name: String,
        error: ExtractError,
    },
    /// A record of a corpus that cannot be read; without a line, nothing further can be.
    RecordFailed {
        name: String,
        line: Option<u64>,
        reason: String,
    },
    /// No more of them is given.
    Done(Ended),
}

/// One of the many that a file holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    pub title: Option<String>,
    pub path: Vec<String>,
    pub warnings: Vec<String>,
    /// Captions that belong to a recording.
    pub captions: Option<String>,
    pub kind: PartKind,
}

#[derive(Debug, Serialize, Deserialize)]
pub enum PartKind {
    /// The file itself, whose bytes the program has.
    Itself,
    /// A file; what follows the source of the whole in its own.
    File { below: String },
    /// A record of a corpus, by its id.
    Record { id: String },
}

//! A document: something a creator brought in, and what is known of it apart from its words.
//!
//! Its words are a [`Text`](super::Text); the pieces that are searched are [`Chunk`](super::Chunk)s.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CreatorId, DocumentId, Timestamp};

/// What kind of bytes a document came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    Plain,
    Markdown,
    Html,
    Pdf,
    Captions,
    Record,
    Docx,
    Pptx,
    /// Excel (old and new) and OpenDocument.
    Spreadsheet,
    Odt,
    Odp,
    Epub,
    Rtf,
    Email,
    Asciidoc,
    Rst,
    Json,
    /// A photograph or a scan, whose words are recognised.
    Picture,
    /// A recording of sound, in any container.
    Audio,
    /// A recording of pictures and sound.
    Video,
}

impl MediaType {
    /// Whether it is heard or watched: its words have times.
    pub fn is_recording(self) -> bool {
        matches!(self, Self::Audio | Self::Video)
    }

    /// The name used in JSON, tables and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "text",
            Self::Markdown => "markdown",
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Captions => "captions",
            Self::Record => "record",
            Self::Docx => "docx",
            Self::Pptx => "pptx",
            Self::Spreadsheet => "spreadsheet",
            Self::Odt => "odt",
            Self::Odp => "odp",
            Self::Epub => "epub",
            Self::Rtf => "rtf",
            Self::Email => "email",
            Self::Asciidoc => "asciidoc",
            Self::Rst => "rst",
            Self::Json => "json",
            Self::Picture => "picture",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// BLAKE3 of the bytes a document was read from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
    /// The hash of everything that a reader gives.
    pub fn of_reader(reader: impl std::io::Read) -> std::io::Result<Self> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok(Self(*hasher.finalize().as_bytes()))
    }
    /// 64 lower-case hexadecimal digits; the name of the blob.
    pub fn to_hex(self) -> String {
        blake3::Hash::from_bytes(self.0).to_hex().to_string()
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex()[..12])
    }
}

/// A document as the store keeps it, without its words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub id: DocumentId,
    pub creator: CreatorId,
    /// The id that another system knows it by (`_id` of a corpus line).
    pub external_id: Option<String>,
    pub title: String,
    /// Where it came from: a path, an address, an upload's file name.
    pub source: String,
    pub media: MediaType,
    pub content: ContentHash,
    /// ISO 639-1, when one language is recognised.
    pub language: Option<String>,
    /// Size of the original, in bytes.
    pub bytes: u64,
    pub pages: Option<u32>,
    pub created_at: Timestamp,
    /// What the reader could not do, in sentences for the creator.
    pub warnings: Vec<String>,
}

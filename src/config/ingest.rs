//! `[ingest]`: how content is read, cut, and looked at again.

use serde::{Deserialize, Serialize};

use super::{ConfigError, Layers};
use crate::ingest::sandbox::Allowance;

/// `[ingest]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IngestSettings {
    /// Length that chunks aim at, in characters.
    pub chunk_chars: usize,
    /// Largest document of text, in MiB; corpora (`.jsonl`, `.csv`) are read line by line without a limit.
    pub max_text_mb: u64,
    /// Largest PDF, in MiB.
    pub max_pdf_mb: u64,
    /// Whether web pages on private and loopback addresses may be read.
    pub allow_private_addresses: bool,
    /// Languages of scans, as tesseract names them: `deu+eng`; `auto` for those that are installed, `off` for none.
    pub ocr_languages: String,
    /// MiB of memory that reading a document may take, before its size is looked at.
    pub reader_memory_mb: u64,
    /// Seconds of computing, likewise.
    pub reader_seconds: u64,
    /// Milliseconds between two requests to a site; its own wish counts when it is longer.
    pub site_pause_ms: u64,
    /// Minutes between two looks at a watched folder; 0 never looks.
    pub watch_minutes: u64,
    /// The same for a watched site, whose pages are all fetched again.
    pub watch_site_minutes: u64,
}

impl Default for IngestSettings {
    fn default() -> Self {
        Self {
            chunk_chars: 800,
            max_text_mb: 64,
            max_pdf_mb: 256,
            allow_private_addresses: false,
            ocr_languages: "auto".into(),
            reader_memory_mb: 512,
            reader_seconds: 60,
            site_pause_ms: 500,
            watch_minutes: 5,
            watch_site_minutes: 1_440,
        }
    }
}

impl IngestSettings {
    /// What a process may take that reads documents.
    pub fn allowance(&self) -> Allowance {
        Allowance { memory: self.reader_memory_mb << 20, cpu_seconds: self.reader_seconds }
    }
}

/// Longest time between two looks: a year.
const MOST_MINUTES: u64 = 525_600;

/// Ranges that types cannot say.
pub fn check(layers: &Layers, settings: &IngestSettings) -> Result<(), ConfigError> {
    let ranges = [
        ("ingest.chunk_chars", settings.chunk_chars as u64, 1, 20_000),
        ("ingest.max_text_mb", settings.max_text_mb, 1, 1 << 20),
        ("ingest.max_pdf_mb", settings.max_pdf_mb, 1, 1 << 20),
        ("ingest.reader_memory_mb", settings.reader_memory_mb, 64, 1 << 20),
        ("ingest.reader_seconds", settings.reader_seconds, 1, 86_400),
        ("ingest.site_pause_ms", settings.site_pause_ms, 0, 60_000),
        ("ingest.watch_minutes", settings.watch_minutes, 0, MOST_MINUTES),
        ("ingest.watch_site_minutes", settings.watch_site_minutes, 0, MOST_MINUTES),
    ];
    for (name, value, least, most) in ranges {
        if value < least || value > most {
            return Err(layers.wrong(name, format!("{value} is not between {least} and {most}")));
        }
    }
    Ok(())
}

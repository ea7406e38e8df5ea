//! Bytes to words: one function, [`extract`], for every kind of document.
//!
//! In come the bytes, what they are (from `detect`) and limits; out come a [`Text`] with blocks and places, or an
//! [`ExtractError`] that says in a sentence what is wrong and in a hint what to do. Everything here is synchronous,
//! does no I/O and reads no clock: `sandbox` runs it in a process that may do no more than that.
//! Three things are not a document but many: `corpus` gives the records of a corpus one by one, `package` the resources
//! of a course package, `mail` the messages of a mailbox and the files of a message.

pub mod archive;
pub mod asciidoc;
pub mod audio;
pub mod captions;
pub mod corpus;
pub mod decode;
pub mod epub;
pub mod html;
pub mod json;
pub mod links;
pub mod mail;
pub mod markdown;
pub mod office;
pub mod package;
pub mod pdf;
pub mod plain;
pub mod rst;
pub mod rtf;

mod build;
mod clean;
mod xml;

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};

use crate::domain::{MediaType, Text};

pub use build::Builder;

/// How much of a document is read. The defaults hold a long textbook and refuse a bomb.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of a text, Markdown or caption file.
    pub text_bytes: u64,
    /// Bytes of an HTML file: its tree takes about ten times as much memory.
    pub html_bytes: u64,
    pub pdf_bytes: u64,
    /// Bytes of an office file, an e-book, a rich text or an e-mail.
    pub office_bytes: u64,
    /// Bytes of a photograph or a scan.
    pub picture_bytes: u64,
    /// Bytes of a recording; it is never held in memory as a whole.
    pub recording_bytes: u64,
    /// Pages or slides.
    pub pages: usize,
    /// Rows that are read of all sheets of a spreadsheet.
    pub rows: usize,
    pub blocks: usize,
    /// Bytes of words that come out.
    pub words_bytes: usize,
    /// Glyphs on one page of a PDF.
    pub page_glyphs: usize,
    /// Bytes that one packed stream of a PDF, or one packed file of an archive, may unpack to.
    pub stream_bytes: u64,
    /// Bytes that all packed files that are read of one office file or package may unpack to.
    pub unpacked_bytes: u64,
    /// Files that an archive may hold.
    pub archive_entries: usize,
    /// Archives within archives.
    pub archive_depth: usize,
}

const MIB: u64 = 1 << 20;

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 64 * MIB,
            html_bytes: 16 * MIB,
            pdf_bytes: 256 * MIB,
            office_bytes: 256 * MIB,
            picture_bytes: 64 * MIB,
            recording_bytes: 8192 * MIB,
            pages: 5_000,
            rows: 100_000,
            blocks: 1_000_000,
            words_bytes: 64 << 20,
            page_glyphs: 500_000,
            stream_bytes: 256 * MIB,
            unpacked_bytes: 2048 * MIB,
            archive_entries: 50_000,
            archive_depth: 3,
        }
    }
}

impl Limits {
    /// How many bytes of this kind of document are read; callers check it before they read a file into memory.
    pub fn bytes(&self, media: MediaType) -> u64 {
        match media {
            MediaType::Pdf => self.pdf_bytes,
            MediaType::Html => self.html_bytes,
            MediaType::Plain
            | MediaType::Markdown
            | MediaType::Captions
            | MediaType::Record
            | MediaType::Asciidoc
            | MediaType::Rst
            | MediaType::Json => self.text_bytes,
            MediaType::Docx
            | MediaType::Pptx
            | MediaType::Spreadsheet
            | MediaType::Odt
            | MediaType::Odp
            | MediaType::Epub
            | MediaType::Rtf
            | MediaType::Email => self.office_bytes,
            MediaType::Picture => self.picture_bytes,
            MediaType::Audio | MediaType::Video => self.recording_bytes,
        }
    }
}

/// What an extraction needs beside the bytes.
#[derive(Clone, Copy)]
pub struct ExtractOptions<'a> {
    pub limits: &'a Limits,
    /// Opens an encrypted PDF.
    pub password: Option<&'a str>,
    /// Asked between pages and now and then between blocks: `true` ends the work with [`ExtractError::Stopped`].
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// A word of a sentence that is written here and not in a document.
pub type Word = &'static str;

/// Why a document gave no words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ExtractError {
    #[error("the file is empty")]
    Empty,
    #[error("the document holds no text")]
    NoText,
    #[error("the document has {pages} pages of pictures and no text")]
    Scanned { pages: usize },
    #[error("a picture cannot be read without text recognition")]
    Picture,
    #[error("the PDF is protected by a password")]
    PasswordNeeded,
    #[error("the password does not open the PDF")]
    PasswordWrong,
    #[error("the PDF is encrypted in a way that cannot be read here")]
    UnknownEncryption,
    #[error("the file is not a PDF, whatever its name says")]
    NotPdf,
    #[error("the PDF is damaged or cut off")]
    DamagedPdf,
    #[error("the PDF has no pages")]
    NoPages,
    #[error("the file is protected by a password or by a shop")]
    Locked,
    #[error("the {0} is damaged or cut off")]
    Damaged(#[serde(deserialize_with = "word")] Word),
    #[error("{what} cannot be read")]
    OldOffice {
        #[serde(deserialize_with = "word")]
        what: Word,
        #[serde(deserialize_with = "word")]
        newer: Word,
    },
    #[error("the package holds nothing that can be read")]
    NothingInside,
    #[error("{0} cannot be read")]
    Unsupported(String),
    #[error("the file is not text: it holds binary data")]
    NotText,
    #[error("the file has {} MB, at most {} MB of this kind are read", .bytes.div_ceil(1 << 20), .limit >> 20)]
    TooLarge { bytes: u64, limit: u64 },
    #[error("the document has more than {limit} {what}")]
    TooMany {
        #[serde(deserialize_with = "word")]
        what: Word,
        limit: usize,
    },
    #[error("a packed part of the file unpacks to more than {} MB", .limit >> 20)]
    Bomb { limit: u64 },
    #[error("the captions hold no cue with a time")]
    NoCues,
    #[error("the recording has no sound")]
    NoSound,
    #[error("the sound of the recording is in {0}, which cannot be read here")]
    UnknownSound(String),
    #[error("reading the document took too long or was stopped")]
    Stopped,
    #[error("reading the document takes more than {} MB of memory", .limit >> 20)]
    TooHungry { limit: u64 },
    #[error("reading the document was not done after {seconds} s")]
    TooSlow { seconds: u64 },
    #[error("the reader of this format failed on the document: {0}")]
    Crashed(String),
    #[error("no process can be started to read the document: {0}")]
    NoReader(String),
}

impl ExtractError {
    /// What the creator can do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Empty => "check that the file was saved and copied whole",
            Self::NoText => "bring in a document with words, or paste its text into a .txt or .md file",
            Self::Scanned { .. } | Self::Picture => {
                "install `tesseract`, which the program then asks to recognise the text; scans without words stay out"
            }
            Self::PasswordNeeded => "give its password, or save a copy without one",
            Self::PasswordWrong => "check the password; upper and lower case matter",
            Self::UnknownEncryption => "open it in a PDF reader and print it to a new PDF",
            Self::NotPdf => "check what the file is, and save it with the right ending",
            Self::DamagedPdf => "download or export the PDF again",
            Self::NoPages => "export the PDF again from the program that made it",
            Self::Unsupported(_) => "save it as PDF, HTML, Markdown or text and bring that in",
            Self::Locked => "open it in the program that made it and save a copy without a password",
            Self::Damaged(_) => {
                "copy or export the file again; a program that opens it may be able to save it anew"
            }
            Self::OldOffice { newer: "docx", .. } => "open it in a word processor and save it as .docx",
            Self::OldOffice { newer: "pptx", .. } => "open it in a presentation program and save it as .pptx",
            Self::OldOffice { .. } => "save the message as .eml or PDF and bring that in",
            Self::NothingInside => "look into it: words must be in documents, pages or captions",
            Self::NotText => {
                "bring in a document (PDF, Word, HTML, Markdown, text), slides, a sheet, captions or a course package"
            }
            Self::TooLarge { .. } => {
                "split it into smaller documents, or bring it in as a corpus of records (.jsonl)"
            }
            Self::TooMany { .. } => "split it into smaller documents",
            Self::Bomb { .. } => "if you trust where it came from, export it again, or print it to a new PDF",
            Self::NoSound => "bring in its captions (.vtt or .srt) if there are any",
            Self::UnknownSound(_) => {
                "install `ffmpeg`, which the program then asks, or convert the recording to .mp3, .m4a or .mp4"
            }
            Self::NoCues => "export the captions again as WebVTT or SRT",
            Self::Stopped => "try again, or split it into smaller documents",
            Self::TooHungry { .. } | Self::TooSlow { .. } => {
                "split it into smaller documents, or open it and print it to a new PDF"
            }
            Self::NoReader(_) => {
                "try again; if it stays, `neverafk doctor` tries to start one and says what is wrong"
            }
            Self::Crashed(_) => "export the document again, or save its text and bring that in",
        }
    }
}

/// A [`Word`] that came from another process of this program. There are few of them; one that sends ever new ones gets
/// the same for all.
fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    static KNOWN: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());
    const MOST: usize = 200;
    const LONGEST: usize = 60;
    let said = String::deserialize(from)?;
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(word) = known.get(said.as_str()) {
        return Ok(word);
    }
    if known.len() >= MOST || said.len() > LONGEST || said.chars().any(char::is_control) {
        return Ok("file");
    }
    let word: Word = Box::leak(said.into_boxed_str());
    known.insert(word);
    Ok(word)
}

/// The words of a document.
pub fn extract(bytes: &Bytes, media: MediaType, options: &ExtractOptions) -> Result<Text, ExtractError> {
    let (size, limit) = (bytes.len() as u64, options.limits.bytes(media));
    if size > limit {
        return Err(ExtractError::TooLarge { bytes: size, limit });
    }
    if bytes.is_empty() {
        return Err(ExtractError::Empty);
    }
    if media == MediaType::Pdf {
        return pdf::extract(bytes, options);
    }
    let mut builder = Builder::new(options);
    let out = &mut builder;
    match media {
        MediaType::Docx => office::docx::extract(bytes, options, out)?,
        MediaType::Pptx => office::pptx::extract(bytes, options, out)?,
        MediaType::Spreadsheet => office::spreadsheet(bytes, options, out)?,
        MediaType::Odt | MediaType::Odp => office::odf::extract(bytes, media, options, out)?,
        MediaType::Epub => epub::extract(bytes, options, out)?,
        MediaType::Rtf => rtf::extract(bytes, out)?,
        MediaType::Email => mail::extract(bytes, out)?,
        // Its words are heard, not read: `ingest::hear` does that before anything comes here.
        MediaType::Audio | MediaType::Video => return Err(ExtractError::NoText),
        // Recognised outside: `ingest::ocr` does that.
        MediaType::Picture => return Err(ExtractError::Picture),
        _ => return text(bytes, media, options, builder),
    }
    builder.finish()
}

/// Formats that are text in some encoding.
fn text(
    bytes: &Bytes,
    media: MediaType,
    options: &ExtractOptions,
    mut builder: Builder,
) -> Result<Text, ExtractError> {
    let is_html = media == MediaType::Html;
    let declared = if is_html { decode::Declared::Html } else { decode::Declared::Nothing };
    let decoded = decode::decode(bytes, declared)?;
    if let Some(warning) = decoded.warning {
        builder.warn(warning);
    }
    match media {
        MediaType::Markdown => markdown::extract(&decoded.text, &mut builder)?,
        MediaType::Html => html::extract(&decoded.text, &mut builder)?,
        MediaType::Captions => captions::extract(&decoded.text, &mut builder)?,
        MediaType::Asciidoc => asciidoc::extract(&decoded.text, &mut builder)?,
        MediaType::Rst => rst::extract(&decoded.text, &mut builder)?,
        MediaType::Json => json::extract(&decoded.text, &mut builder)?,
        MediaType::Record => return corpus::record_text(None, decoded.text, options),
        _ => plain::extract(&decoded.text, &mut builder)?,
    }
    builder.finish()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::BlockKind;

    /// Extracts with default limits; every test of the formats goes through here.
    pub(crate) fn read(bytes: impl Into<Vec<u8>>, media: MediaType) -> Result<Text, ExtractError> {
        let options = ExtractOptions { limits: &Limits::default(), password: None, stop: &|| false };
        let text = extract(&Bytes::from(bytes.into()), media, &options)?;
        let mut end = 0;
        for block in &text.blocks {
            assert!(block.span.start >= end && block.span.end > block.span.start, "{block:?}");
            assert!(text.text.get(block.span.start..block.span.end).is_some(), "{block:?}");
            end = block.span.end;
        }
        Ok(text)
    }

    /// Blocks as `kind words`, one a line.
    pub(crate) fn shown(text: &Text) -> Vec<String> {
        let name = |kind| match kind {
            BlockKind::Heading(level) => format!("h{level}"),
            BlockKind::Paragraph => "p".into(),
            BlockKind::ListItem => "li".into(),
            BlockKind::Code => "code".into(),
            BlockKind::TableRow => "tr".into(),
            BlockKind::Cue => "cue".into(),
        };
        text.blocks.iter().map(|b| format!("{} {}", name(b.kind), text.words(b))).collect()
    }

    #[test]
    fn what_cannot_be_read_says_so_and_what_to_do() {
        assert_eq!(read("", MediaType::Plain), Err(ExtractError::Empty));
        assert_eq!(read(" \n\t ", MediaType::Plain), Err(ExtractError::NoText));
        assert_eq!(read(b"MZ\0\0\x01\x02\xff\0\0".to_vec(), MediaType::Plain), Err(ExtractError::NotText));
        let limits = Limits { text_bytes: 10, ..Limits::default() };
        let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
        let error =
            extract(&Bytes::from_static(b"more than ten bytes"), MediaType::Plain, &options).unwrap_err();
        assert_eq!(error, ExtractError::TooLarge { bytes: 19, limit: 10 });
        assert!(!error.hint().is_empty());
    }

    #[test]
    fn errors_travel_between_processes() {
        for error in [
            ExtractError::Damaged("spreadsheet"),
            ExtractError::OldOffice { what: "an old Word document (.doc)", newer: "docx" },
            ExtractError::TooMany { what: "pages", limit: 3 },
            ExtractError::TooLarge { bytes: 7, limit: 3 },
            ExtractError::Crashed("why".into()),
        ] {
            let json = serde_json::to_string(&error).unwrap();
            assert_eq!(serde_json::from_str::<ExtractError>(&json).unwrap(), error);
        }
        let endless = format!("{{\"Damaged\":\"{}\"}}", "x".repeat(100));
        assert_eq!(serde_json::from_str::<ExtractError>(&endless).unwrap(), ExtractError::Damaged("file"));
    }

    #[test]
    fn limits_and_the_stop_signal_end_the_work() {
        let many = "a\n\n".repeat(5000);
        let limits = Limits { blocks: 100, ..Limits::default() };
        let options = ExtractOptions { limits: &limits, password: None, stop: &|| false };
        let error = extract(&Bytes::from(many.clone()), MediaType::Plain, &options).unwrap_err();
        assert_eq!(error, ExtractError::TooMany { what: "paragraphs", limit: 100 });
        let options = ExtractOptions { limits: &Limits::default(), password: None, stop: &|| true };
        assert_eq!(extract(&Bytes::from(many), MediaType::Plain, &options), Err(ExtractError::Stopped));
    }
}

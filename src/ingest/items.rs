//! What a command line names, as items for the pipeline: documents whole, corpora record by record, packages and
//! mailboxes resource by resource.
//!
//! Blocking; the caller reads on a thread of its own. The same expansion serves uploads and queued files, whose bytes
//! are there already ([`fn@expand`]).

mod expand;

use std::io::Cursor;

use super::detect::Kind;
use super::extract::corpus::{Corpus, RecordError};
use super::extract::{ExtractError, Limits};
use super::source::{Incoming, SourceError, SourceOptions, incoming};
use super::{Item, Payload};
use crate::domain::MediaType;
use expand::Expansion;

/// Why something that was named did not become an item.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{name}: {error}")]
    File { name: String, error: SourceError },
    #[error("{name}, {error}")]
    Record { name: String, error: RecordError },
}

impl ItemError {
    /// What the creator can do about it.
    pub fn hint(&self) -> &str {
        match self {
            Self::Source(error) | Self::File { error, .. } => error.hint(),
            Self::Record { .. } => {
                "each line is one JSON object with `_id`, `title` and `text`, or a CSV row under its header"
            }
        }
    }

    fn of(name: &str, error: impl Into<SourceError>) -> Self {
        Self::File { name: name.to_owned(), error: error.into() }
    }
}

/// Takes items; says whether it wants more.
pub type Each<'a> = dyn FnMut(Result<Item, ItemError>) -> bool + 'a;

/// Hands every item of `arguments` to `each`, in order, until it says that it wants no more.
pub fn read(
    arguments: &[String],
    options: &SourceOptions,
    limits: &Limits,
    mut each: impl FnMut(Result<Item, ItemError>) -> bool,
) {
    for found in incoming(arguments, options) {
        let wanted = match found {
            Ok(found) => one(found, limits, &mut each),
            Err(error) => each(Err(error.into())),
        };
        if !wanted {
            return;
        }
    }
}

/// Hands the items that a file holds to `each`: itself for a document, its parts for a package, a mailbox or a message
/// with files. Items that hold only themselves come back as they are.
pub fn expand(item: Item, limits: &Limits, each: &mut Each) {
    Expansion::new(limits, each).item(item);
}

fn one(found: Incoming, limits: &Limits, each: &mut Each) -> bool {
    let (source, name, path) = (found.source.clone(), found.name.clone(), found.folders.clone());
    match found.kind() {
        Err(error) => each(Err(ItemError::of(&name, error))),
        Ok(Kind::Document(media)) if media.is_recording() => {
            let captions = found.captions(limits.text_bytes);
            match found.into_recording(limits.bytes(media)) {
                Ok(file) => {
                    let item = Item { path, captions, ..Item::recording(source, name, file) };
                    Expansion::new(limits, each).item(item)
                }
                Err(error) => each(Err(ItemError::of(&name, error))),
            }
        }
        // Their words come in with the recording.
        Ok(Kind::Document(MediaType::Captions)) if found.belongs_to_recording() => true,
        Ok(Kind::Document(media)) => match found.read(limits.bytes(media)) {
            Ok(bytes) => {
                let item = Item { path, ..Item::file(source, name, bytes) };
                Expansion::new(limits, each).item(item)
            }
            Err(error) => each(Err(ItemError::of(&name, error))),
        },
        Ok(Kind::Corpus(format)) => records(&source, &name, Corpus::new(found.into_reader(), format), each),
        Ok(Kind::Mailbox) => {
            let item = Item { path, ..Item::file(source, name, bytes::Bytes::new()) };
            Expansion::new(limits, each).mailbox(&item, found.into_reader())
        }
        Ok(Kind::Container | Kind::Package(_)) => {
            let item = Item { path, ..Item::file(source, name.clone(), bytes::Bytes::new()) };
            match found.into_file(limits.office_bytes) {
                Ok(file) => Expansion::new(limits, each).container(item, file),
                Err(error) => each(Err(ItemError::of(&name, error))),
            }
        }
    }
}

/// The records of a corpus; false when no more are wanted.
fn records<R: std::io::BufRead>(source: &str, name: &str, corpus: Corpus<R>, each: &mut Each) -> bool {
    for record in corpus {
        let item = match record {
            Ok(record) => {
                let id = record.id.unwrap_or_else(|| format!("{source}#{}", record.line));
                Ok(Item::record(id, record.title.unwrap_or_default(), record.text))
            }
            Err(error) => Err(ItemError::Record { name: name.to_owned(), error }),
        };
        if !each(item) {
            return false;
        }
    }
    true
}

/// Whether an item's bytes hold more than themselves, as far as their beginning tells.
pub fn may_hold_others(item: &Item) -> bool {
    let Payload::File(bytes) = &item.payload else { return false };
    matches!(
        super::detect::detect(bytes, &item.name),
        Ok(Kind::Container | Kind::Package(_) | Kind::Mailbox | Kind::Document(MediaType::Email))
    )
}

/// The bytes of an item, to be read as a file.
fn cursor(bytes: &bytes::Bytes) -> Cursor<bytes::Bytes> {
    Cursor::new(bytes.clone())
}

/// Errors that mean "this is nothing to read" rather than "something was lost".
fn is_nothing(error: &ExtractError) -> bool {
    matches!(
        error,
        ExtractError::Unsupported(_) | ExtractError::NotText | ExtractError::Empty | ExtractError::NoText
    )
}

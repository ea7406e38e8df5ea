//! What a command line names, as items for the pipeline: documents whole, corpora record by record, packages and
//! mailboxes resource by resource.
//!
//! Blocking; the caller reads on a thread of its own. [`read`] looks at the first bytes of a file only; what takes one
//! apart is [`fn@apart`], which `sandbox` runs in a process of its own.

mod content;
mod expand;

use std::io::Cursor;

use serde::{Deserialize, Serialize};

use super::detect::Kind;
use super::extract::corpus::{Corpus, RecordError};
use super::extract::{ExtractError, Limits};
use super::hear::MediaFile;
use super::sandbox::{self, Reading};
use super::source::{Incoming, Reach, SourceError, SourceOptions, incoming, is_address};
use super::{Item, Payload, site};
use crate::domain::MediaType;
use crate::store::PageStamp;
use expand::Expansion;

pub use content::Content;

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

    pub(super) fn of(name: &str, error: impl Into<SourceError>) -> Self {
        Self::File { name: name.to_owned(), error: error.into() }
    }
}

/// Takes items; says whether it wants more.
pub type Each<'a> = dyn FnMut(Result<Item, ItemError>) -> bool + 'a;

/// How taking a file apart ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ended {
    /// All that it holds was handed out.
    Whole,
    /// Something failed or was left out because of a limit, so what did not come may be there all the same.
    Cut,
    /// No more was wanted.
    Unwanted,
}

impl Ended {
    fn of(wanted: bool) -> Self {
        if wanted { Self::Whole } else { Self::Unwanted }
    }
}

/// What comes of the arguments.
#[derive(Debug)]
pub enum Found {
    Item(Box<Item>),
    Failed(ItemError),
    /// A page of a site that is as it was when it was last read: the document of this source is still there.
    Same {
        package: String,
        source: String,
    },
    /// How a page of a site that is followed is now.
    Page {
        address: String,
        stamp: Box<PageStamp>,
    },
    /// The file of this source was taken apart: all its items have come before.
    End {
        package: String,
        ended: Ended,
    },
}

/// Hands all that `arguments` name to `each`, in order, until it says that it wants no more.
pub fn read(
    arguments: &[String],
    options: &SourceOptions,
    reading: Reading,
    mut each: impl FnMut(Found) -> bool,
) {
    for argument in arguments {
        if is_address(argument)
            && let Some(reach) = options.crawl
        {
            if !site::read(argument, reach, options, reading, &mut each) {
                return;
            }
            continue;
        }
        for found in incoming(std::slice::from_ref(argument), options) {
            let wanted = match found {
                Ok(found) if found.is_list() => {
                    let reach = Reach { depth: 0, pages: options.list_pages };
                    site::read(&found.source, reach, options, reading, &mut each)
                }
                Ok(found) => one(found, reading, &mut each),
                Err(error) => each(Found::Failed(error.into())),
            };
            if !wanted {
                return;
            }
        }
    }
}

/// The same with files that hold many as they are, for those who take them apart later.
pub fn read_whole(
    arguments: &[String],
    options: &SourceOptions,
    reading: Reading,
    mut each: impl FnMut(Found) -> bool,
) {
    for found in incoming(arguments, options) {
        let wanted = match found {
            Ok(found) => match found.kind() {
                Ok(Kind::Corpus(_)) => {
                    let error = ExtractError::Unsupported("a corpus in the queue".into());
                    each(Found::Failed(ItemError::of(&found.name, error)))
                }
                Ok(Kind::Mailbox | Kind::Container | Kind::Package(_) | Kind::Document(MediaType::Email)) => {
                    each(on_the_disk(found, reading.limits))
                }
                _ => one(found, reading, &mut each),
            },
            Err(error) => each(Found::Failed(error.into())),
        };
        if !wanted {
            return;
        }
    }
}

/// A file that nobody looks into now.
fn on_the_disk(found: Incoming, limits: &Limits) -> Found {
    let (source, name) = (found.source.clone(), found.name.clone());
    match found.into_recording(limits.unpacked_bytes) {
        Ok(file) => Found::Item(Box::new(Item::recording(source, name, file))),
        Err(error) => Found::Failed(ItemError::of(&name, error)),
    }
}

/// Hands the items that a file holds to `each`: itself for a document, its parts for a package, a mailbox or a message
/// with files. Items that hold only themselves come back as they are.
pub fn expand(item: Item, limits: &Limits, each: &mut Each) {
    Expansion::new(limits, each).item(item);
}

/// Takes a file apart in a process of its own; each item knows what it came out of.
pub fn parts(reading: Reading, whole: Item, content: Content, each: &mut Each) -> Ended {
    let package = whole.source.clone();
    let mut failed = false;
    let ended = sandbox::apart(reading, whole, content, &mut |found| {
        failed |= found.is_err();
        each(found.map(|item| match item.payload {
            // A record is known by its own id, wherever it comes from.
            Payload::Record(_) => item,
            _ => Item { package: Some(package.clone()), among: true, ..item },
        }))
    });
    if failed && ended == Ended::Whole { Ended::Cut } else { ended }
}

fn one(found: Incoming, reading: Reading, each: &mut impl FnMut(Found) -> bool) -> bool {
    let (source, name, path) = (found.source.clone(), found.name.clone(), found.folders.clone());
    let among = found.is_among_others();
    let item = Item { path, among, ..Item::file(source, name.clone(), bytes::Bytes::new()) };
    let failed = |error: SourceError| Found::Failed(ItemError::of(&name, error));
    match found.kind() {
        Err(error) => each(failed(error.into())),
        Ok(Kind::Document(media)) if media.is_recording() => {
            let captions = found.captions(reading.limits.text_bytes);
            each(match found.into_recording(reading.limits.bytes(media)) {
                Ok(file) => {
                    Found::Item(Box::new(Item { captions, payload: Payload::Recording(file), ..item }))
                }
                Err(error) => failed(error),
            })
        }
        // Their words come in with the recording.
        Ok(Kind::Document(MediaType::Captions)) if found.belongs_to_recording() => true,
        Ok(Kind::Document(media)) => match found.read(reading.limits.bytes(media)) {
            Err(error) => each(failed(error)),
            Ok(bytes) => {
                let item = Item { payload: Payload::File(bytes.clone()), ..item };
                if media == MediaType::Email {
                    many(reading, item, Content::Bytes(bytes), each)
                } else {
                    each(Found::Item(Box::new(item)))
                }
            }
        },
        Ok(Kind::Corpus(_) | Kind::Mailbox | Kind::Container | Kind::Package(_)) => {
            match found.into_content() {
                Ok(content) => many(reading, item, content, each),
                Err(error) => each(failed(error)),
            }
        }
    }
}

/// The parts of a file, then that it has no more.
fn many(reading: Reading, item: Item, content: Content, each: &mut impl FnMut(Found) -> bool) -> bool {
    let package = item.source.clone();
    let ended = parts(reading, item, content, &mut |found| {
        each(match found {
            Ok(item) => Found::Item(Box::new(item)),
            Err(error) => Found::Failed(error),
        })
    });
    ended != Ended::Unwanted && each(Found::End { package, ended })
}

/// Hands the items that a file holds to `each`, here in this process; `item` names the whole.
pub fn apart(item: Item, content: Content, limits: &Limits, each: &mut Each) -> Ended {
    let name = item.name.clone();
    let failed = |each: &mut Each, error: ExtractError| Ended::of(each(Err(ItemError::of(&name, error))));
    let Ok((head, content)) = content.open() else { return failed(each, ExtractError::Damaged("file")) };
    match super::detect::detect(&head, &name) {
        Err(error) => failed(each, error),
        Ok(Kind::Corpus(format)) => {
            let corpus = Corpus::new(content.into_reader(), format);
            Ended::of(records(&item.source, &item.name, corpus, each))
        }
        Ok(Kind::Mailbox) => Expansion::new(limits, each).mailbox(&item, content.into_reader()),
        Ok(Kind::Document(media)) => match content.into_bytes(limits.bytes(media)) {
            Ok(bytes) => Expansion::new(limits, each).item(Item { payload: Payload::File(bytes), ..item }),
            Err(error) => failed(each, error),
        },
        Ok(Kind::Container | Kind::Package(_)) => match content.into_source(limits.office_bytes) {
            Ok(source) => {
                let item = Item { payload: Payload::File(bytes::Bytes::new()), ..item };
                Expansion::new(limits, each).container(item, source)
            }
            Err(error) => failed(each, error),
        },
    }
}

/// A recording out of a package goes to the disk, as several may wait for their turn.
pub fn on_disk(mut item: Item) -> Item {
    let Payload::File(bytes) = &item.payload else { return item };
    if !matches!(super::detect::detect(bytes, &item.name), Ok(Kind::Document(media)) if media.is_recording())
    {
        return item;
    }
    match MediaFile::spool(bytes.as_ref(), u64::MAX) {
        Ok(file) => item.payload = Payload::Recording(file),
        Err(error) => tracing::warn!(%error, "a recording of a package stays in memory"),
    }
    item
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

//! What a command line names, as items for the pipeline: documents whole, corpora record by record.
//!
//! Blocking; the caller reads on a thread of its own.

use super::Item;
use super::detect::Kind;
use super::extract::Limits;
use super::extract::corpus::{Corpus, RecordError};
use super::source::{Incoming, SourceError, SourceOptions, incoming};

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
}

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

fn one(found: Incoming, limits: &Limits, each: &mut impl FnMut(Result<Item, ItemError>) -> bool) -> bool {
    let (source, name) = (found.source.clone(), found.name.clone());
    let failed = |error: SourceError| ItemError::File { name: name.clone(), error };
    match found.kind() {
        Err(error) => each(Err(failed(error.into()))),
        Ok(Kind::Document(media)) => {
            let bytes = found.read(limits.bytes(media)).map_err(failed);
            each(bytes.map(|bytes| Item::file(source, name.clone(), bytes)))
        }
        Ok(Kind::Corpus(format)) => {
            for record in Corpus::new(found.into_reader(), format) {
                let item = match record {
                    Ok(record) => {
                        let id = record.id.unwrap_or_else(|| format!("{source}#{}", record.line));
                        Ok(Item::record(id, record.title.unwrap_or_default(), record.text))
                    }
                    Err(error) => Err(ItemError::Record { name: name.clone(), error }),
                };
                if !each(item) {
                    return false;
                }
            }
            true
        }
    }
}

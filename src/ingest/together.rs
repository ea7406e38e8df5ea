//! Much as one piece of work: a file that holds many documents, a watched folder, a site.
//!
//! A thread of its own reads and takes apart into a bounded queue; batches of what comes out are one transaction each.
//! What a package holds no longer leaves when all of it came.

use std::collections::HashMap;

use tokio::sync::mpsc;

use super::holding::Passes;
use super::items::{self, Content, Found, ItemError};
use super::pictures::Wordless;
use super::sandbox::Reading;
use super::{Ingest, IngestError, Ingested, Item, Payload};
use crate::domain::{CreatorId, DocumentId};
use crate::ingest::extract::ExtractError;
use crate::ingest::source::SourceError;
use crate::store::{Outcome, PageStamp};

/// A batch is recorded when it holds this many documents…
const BATCH_DOCUMENTS: usize = 256;
/// …or this many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// What came of it.
#[derive(Debug, Default)]
pub struct Gathered {
    /// All that came in, counted; the first document names it. Nothing came when there is none.
    pub sum: Option<Ingested>,
    /// What could not be brought in.
    pub failures: Vec<IngestError>,
    /// Pictures that are nothing to read.
    pub wordless: Wordless,
    /// Pages that were not sent again, because they are as they were; they are not in the sum.
    pub same: u32,
    /// Documents that left although nothing came; they are not in the sum.
    pub removed: u32,
    /// How the pages of a site are now.
    pub pages: HashMap<String, PageStamp>,
}

/// Brings in everything that the file holds.
pub async fn all(ingest: &Ingest, creator: &CreatorId, item: Item) -> Result<Ingested, IngestError> {
    let (name, package) = (item.name.clone(), item.source.clone());
    let gathered = gather(ingest, creator, move |reading, each| {
        let Payload::File(bytes) = &item.payload else { return };
        let content = Content::Bytes(bytes.clone());
        let ended = items::parts(reading, item, content, &mut |found| {
            each(match found {
                Ok(item) => Found::Item(Box::new(item)),
                Err(error) => Found::Failed(error),
            })
        });
        each(Found::End { package, ended });
    })
    .await?;
    let mut failures = gathered.failures.into_iter();
    match gathered.sum {
        Some(mut sum) => {
            sum.warnings.extend(failures.map(|error| error.to_string()));
            sum.warnings.extend(gathered.wordless.sentences());
            Ok(sum)
        }
        None => {
            let error = match gathered.wordless.sentences().is_empty() {
                true => ExtractError::NothingInside,
                false => ExtractError::NoText,
            };
            Err(failures.next().unwrap_or(IngestError::Extract { name, error }))
        }
    }
}

/// Brings in everything that `read` hands out, on a thread of its own; it ends when no more is wanted.
pub async fn gather(
    ingest: &Ingest,
    creator: &CreatorId,
    read: impl FnOnce(Reading, &mut dyn FnMut(Found) -> bool) + Send + 'static,
) -> Result<Gathered, IngestError> {
    let options = ingest.options.clone();
    let (sender, mut found) = mpsc::channel(1);
    // When the receiver is gone the work was dropped, and the thread ends with its next item.
    let reader = tokio::task::spawn_blocking(move || {
        let stop = || sender.is_closed();
        let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &stop };
        read(reading, &mut |one| sender.blocking_send(one).is_ok());
    });
    let (mut passes, mut gathered) = (Passes::default(), Gathered::default());
    let mut ended = false;
    while !ended {
        let (mut batch, mut bytes, mut ends) = (Vec::new(), 0, Vec::new());
        while batch.len() < BATCH_DOCUMENTS && bytes < BATCH_BYTES {
            match found.recv().await {
                None => {
                    ended = true;
                    break;
                }
                Some(Found::Item(item)) => {
                    bytes += item.size();
                    batch.push(*item);
                }
                Some(Found::Failed(error)) => gathered.failures.push(failure(error)),
                Some(Found::Same { package, source }) => {
                    passes.saw(&package, DocumentId::of_source(creator, &source));
                    gathered.same = gathered.same.saturating_add(1);
                }
                Some(Found::Page { address, stamp }) => {
                    gathered.pages.insert(address, *stamp);
                }
                Some(Found::End { package, ended }) => ends.push((package, ended)),
            }
        }
        passes.expect(creator, &batch);
        let results = if batch.is_empty() { Vec::new() } else { ingest.batch(creator, batch).await? };
        for result in results {
            match result {
                Ok(one) => {
                    passes.came(&one);
                    gathered.sum = Some(together(gathered.sum.take(), one));
                }
                Err(error) if error.is_temporary() => return Err(error),
                Err(IngestError::Wordless { error, .. }) => gathered.wordless.count(&error),
                Err(error) => gathered.failures.push(error),
            }
        }
        for (package, ended) in ends {
            let removed = passes.end(ingest, creator, &package, ended).await?;
            match &mut gathered.sum {
                Some(sum) => sum.left(removed),
                None => {
                    let removed = u32::try_from(removed.len()).unwrap_or(u32::MAX);
                    gathered.removed = gathered.removed.saturating_add(removed);
                }
            }
        }
    }
    reader.await.map_err(|error| {
        tracing::error!(%error, "reading crashed");
        IngestError::Crashed
    })?;
    Ok(gathered)
}

impl Ingested {
    /// Documents left along with what came.
    pub(super) fn left(&mut self, titles: Vec<String>) {
        let count = u32::try_from(titles.len()).unwrap_or(u32::MAX);
        self.receipt.removed = self.receipt.removed.saturating_add(count);
        self.removed.extend(titles);
    }
}

fn together(sum: Option<Ingested>, one: Ingested) -> Ingested {
    let Some(mut sum) = sum else { return one };
    sum.documents += one.documents;
    sum.chunks += one.chunks;
    sum.warnings.extend(one.warnings);
    sum.receipt = sum.receipt.and(one.receipt);
    sum.removed.extend(one.removed);
    sum.near_duplicate_of = sum.near_duplicate_of.or(one.near_duplicate_of);
    if sum.outcome == Outcome::Unchanged {
        sum.outcome = one.outcome;
    }
    sum
}

fn failure(error: ItemError) -> IngestError {
    match error {
        ItemError::File { name, error: SourceError::Content(error) } => IngestError::Extract { name, error },
        other => IngestError::Item(other),
    }
}

//! One file that holds many documents, as one piece of work: an upload or a queued file.
//!
//! A thread of its own takes the file apart into a bounded queue; batches of what comes out are one transaction each.

use tokio::sync::mpsc;

use super::holding::Passes;
use super::items::{self, Content, Ended, ItemError};
use super::sandbox::Reading;
use super::{Ingest, IngestError, Ingested, Item, Payload};
use crate::domain::CreatorId;
use crate::ingest::extract::ExtractError;
use crate::ingest::source::SourceError;
use crate::store::Outcome;

/// A batch is recorded when it holds this many documents…
const BATCH_DOCUMENTS: usize = 256;
/// …or this many bytes.
const BATCH_BYTES: usize = 4 << 20;

/// Brings in everything that the file holds.
pub async fn all(ingest: &Ingest, creator: &CreatorId, item: Item) -> Result<Ingested, IngestError> {
    let (name, options) = (item.name.clone(), ingest.options.clone());
    let (sender, mut found) = mpsc::channel(1);
    // When the receiver is gone the work was dropped, and the thread ends with its next item.
    let package = item.source.clone();
    let apart = tokio::task::spawn_blocking(move || {
        let Payload::File(bytes) = &item.payload else { return Ended::Cut };
        let content = Content::Bytes(bytes.clone());
        let stop = || sender.is_closed();
        let reading = Reading { sandbox: &options.sandbox, limits: &options.limits, stop: &stop };
        items::parts(reading, item, content, &mut |one| sender.blocking_send(one).is_ok())
    });
    let mut passes = Passes::default();
    let mut sum: Option<Ingested> = None;
    let mut failures: Vec<IngestError> = Vec::new();
    let mut ended = false;
    while !ended {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_DOCUMENTS && bytes < BATCH_BYTES {
            match found.recv().await {
                None => {
                    ended = true;
                    break;
                }
                Some(Ok(item)) => {
                    bytes += item.size();
                    batch.push(item);
                }
                Some(Err(error)) => failures.push(failure(&name, error)),
            }
        }
        if batch.is_empty() {
            continue;
        }
        passes.expect(creator, &batch);
        for result in ingest.batch(creator, batch).await? {
            match result {
                Ok(one) => {
                    passes.came(&one);
                    sum = Some(together(sum, one));
                }
                Err(error) if error.is_temporary() => return Err(error),
                Err(error) => failures.push(error),
            }
        }
    }
    let ended = apart.await.map_err(|error| {
        tracing::error!(%error, "taking a file apart crashed");
        IngestError::Crashed
    })?;
    match sum {
        Some(mut sum) => {
            let removed = passes.end(ingest, creator, &package, ended).await?;
            sum.receipt.removed += u32::try_from(removed.len()).unwrap_or(u32::MAX);
            sum.removed.extend(removed);
            sum.warnings.extend(failures.iter().map(ToString::to_string));
            Ok(sum)
        }
        None => Err(failures
            .into_iter()
            .next()
            .unwrap_or(IngestError::Extract { name, error: ExtractError::NothingInside })),
    }
}

fn together(sum: Option<Ingested>, one: Ingested) -> Ingested {
    let Some(mut sum) = sum else { return one };
    sum.documents += one.documents;
    sum.chunks += one.chunks;
    sum.warnings.extend(one.warnings);
    sum.receipt = sum.receipt.and(one.receipt);
    sum.removed.extend(one.removed);
    if sum.outcome == Outcome::Unchanged {
        sum.outcome = one.outcome;
    }
    sum
}

fn failure(name: &str, error: ItemError) -> IngestError {
    match error {
        ItemError::File { name, error: SourceError::Content(error) } => IngestError::Extract { name, error },
        other => {
            IngestError::Extract { name: name.to_owned(), error: ExtractError::Crashed(other.to_string()) }
        }
    }
}

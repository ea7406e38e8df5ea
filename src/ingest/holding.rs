//! What a package, a site or a folder no longer holds leaves the store.
//!
//! Everything that is brought in is noted with the source that holds it (`store/redb/holders.rs`). Who takes a package
//! apart keeps [`Passes`] meanwhile, and where all of it came ([`Ended::Whole`]) the documents of its former version that did
//! not come are removed. A document that could not be read this time keeps its former words. Called by the pipeline, the
//! command line and the queue.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::items::Ended;
use super::{Ingest, IngestError, Ingested, Item, Payload, blocking};
use crate::domain::{CreatorId, DocumentId, Receipt};
use crate::store::{Gone, Holding, Outcome};

/// Packages that are being brought in: what each was seen to hold.
#[derive(Debug, Default)]
pub struct Passes {
    seen: HashMap<String, HashSet<DocumentId>>,
}

impl Passes {
    /// Items on their way in: whatever becomes of one, its package holds it.
    pub fn expect(&mut self, creator: &CreatorId, items: &[Item]) {
        for item in items {
            if let Some(package) = &item.package {
                self.saw(package, DocumentId::of_source(creator, &item.source));
            }
        }
    }

    /// An item that came in, perhaps as another document with the same content.
    pub fn came(&mut self, ingested: &Ingested) {
        if let Some(package) = &ingested.package {
            self.saw(package, ingested.document.clone());
        }
    }

    /// Something that the package holds although it did not come this time.
    pub fn saw(&mut self, package: &str, document: DocumentId) {
        match self.seen.get_mut(package) {
            Some(seen) => drop(seen.insert(document)),
            None => drop(self.seen.insert(package.to_owned(), HashSet::from([document]))),
        }
    }

    /// The package has no more: removes what it held before and holds no longer, unless something of it may have been
    /// overlooked. Gives the titles of what was removed.
    pub async fn end(
        &mut self,
        ingest: &Ingest,
        creator: &CreatorId,
        package: &str,
        ended: Ended,
    ) -> Result<Vec<String>, IngestError> {
        let seen = self.seen.remove(package).unwrap_or_default();
        // A package that holds nothing at all is more likely a mistake than a wish.
        if ended != Ended::Whole || seen.is_empty() {
            return Ok(Vec::new());
        }
        let gone = ingest.store.hold_only(creator, package, seen).await?;
        ingest.leave(creator, gone).await
    }
}

/// Where an item came from, for when it has come in.
pub struct Origin {
    source: String,
    package: Option<String>,
    is_record: bool,
}

impl Origin {
    pub fn of(item: &Item) -> Self {
        let (source, package) = (item.source.clone(), item.package.clone());
        Self { source, package, is_record: matches!(item.payload, Payload::Record(_)) }
    }
}

/// One document, counted.
pub fn counted(outcome: Outcome) -> Receipt {
    let mut receipt = Receipt::default();
    match outcome {
        Outcome::Added => receipt.added = 1,
        Outcome::Replaced => receipt.changed = 1,
        Outcome::Unchanged => receipt.unchanged = 1,
    }
    receipt
}

impl Ingest {
    /// Notes who holds what came in; what that leaves without a holder leaves.
    pub(super) async fn note_holders(
        &self,
        creator: &CreatorId,
        origins: Vec<Origin>,
        results: &mut [Result<Ingested, IngestError>],
    ) -> Result<(), IngestError> {
        let mut holdings = Vec::new();
        for (origin, result) in origins.into_iter().zip(results.iter_mut()) {
            let Ok(ingested) = result else { continue };
            if origin.is_record {
                continue;
            }
            holdings.push(Holding {
                own: ingested.document == DocumentId::of_source(creator, &origin.source),
                alone: origin.package.is_none(),
                holder: origin.package.clone().unwrap_or(origin.source),
                document: ingested.document.clone(),
            });
            ingested.package = origin.package;
        }
        if holdings.is_empty() {
            return Ok(());
        }
        let gone = self.store.hold(creator, holdings).await?;
        let removed = self.leave(creator, gone).await?;
        if let Some(first) = results.iter_mut().flatten().next() {
            first.left(removed);
        }
        Ok(())
    }

    /// Removes the documents of files that are no longer in a folder, which must be there itself; gives their titles.
    pub async fn forget_missing(
        &self,
        creator: &CreatorId,
        folder: &Path,
    ) -> Result<Vec<String>, IngestError> {
        let Some(name) = folder.to_str() else { return Ok(Vec::new()) };
        let prefix = format!("{}/", name.trim_end_matches('/'));
        let mut under = self.store.under(creator, &prefix).await?;
        let root = folder.to_owned();
        let under = blocking(move || {
            // A disk that is not mounted is an empty folder, or none.
            let mut entries = walkdir::WalkDir::new(&root).into_iter().flatten();
            if !entries.any(|entry| entry.file_type().is_file()) {
                under.holders.clear();
                under.documents.clear();
            }
            under.holders.retain(|source| is_missing(source));
            under.documents.retain(|(_, source)| is_missing(source));
            under
        })
        .await?;
        if under.holders.is_empty() && under.documents.is_empty() {
            return Ok(Vec::new());
        }
        let documents = under.documents.into_iter().map(|(id, _)| id).collect();
        let gone = self.store.release(creator, under.holders, documents).await?;
        self.leave(creator, gone).await
    }

    /// Takes what left the store out of the index; gives the titles.
    pub(super) async fn leave(&self, creator: &CreatorId, gone: Gone) -> Result<Vec<String>, IngestError> {
        if !gone.chunks.is_empty() {
            self.collections.remove(creator, gone.chunks).await?;
        }
        Ok(gone.documents.into_iter().map(|document| document.title).collect())
    }
}

/// Whether the file of a source is gone. A part of a package is named `FILE#PART`, and both may hold `#`: as long as one
/// of the files that may be meant is there, nothing is gone. So it is when nobody may look.
fn is_missing(source: &str) -> bool {
    let ends = source.match_indices('#').map(|(at, _)| at).chain([source.len()]);
    ends.filter(|&end| end > 0).all(|end| {
        let found = std::fs::symlink_metadata(PathBuf::from(&source[..end]));
        found.is_err_and(|error| {
            matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_missing_when_nothing_of_its_name_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let there = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(there("C#.zip"), "PK").unwrap();
        for present in ["C#.zip", "C#.zip#Week 1/a.md", "C#.zip#inner.zip#b.md"] {
            assert!(!is_missing(&there(present)), "{present}");
        }
        for gone in ["C", "C#", "D.zip#a.md", "a.md", "no/folder/a.md", "C#.zip/a.md"] {
            assert!(is_missing(&there(gone)), "{gone}");
        }
    }
}

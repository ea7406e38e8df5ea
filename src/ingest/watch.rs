//! A look at a watched place: what changed since the last one is brought in, and what is gone leaves.
//!
//! Of a folder only files are read whose time or size changed; their content still decides. The queue calls this
//! (`jobs/watch.rs` says when).

use std::path::PathBuf;
use std::sync::Arc;

use super::source::{self, Reach, SourceError, SourceOptions};
use super::together::{Gathered, gather};
use super::{Ingest, IngestError, blocking, items};
use crate::domain::{Place, Receipt, Watched};

/// What a look did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub receipt: Receipt,
    pub chunks: usize,
    /// What could not be brought in, in sentences.
    pub problems: Vec<String>,
}

impl Look {
    fn of(gathered: Gathered) -> Self {
        let problems = gathered.failures.iter().map(ToString::to_string).collect();
        match gathered.sum {
            Some(sum) => Self { receipt: sum.receipt, chunks: sum.chunks, problems },
            None => Self { problems, ..Self::default() },
        }
    }
}

impl Ingest {
    /// Looks at a place.
    pub async fn look(&self, watched: &Watched, options: SourceOptions) -> Result<Look, IngestError> {
        match &watched.place {
            Place::Folder { path } => self.look_at_folder(watched, path, options).await,
            Place::Site { address, depth, max_pages } => {
                let (address, crawl) = (address.clone(), Reach { depth: *depth, pages: *max_pages });
                let options = SourceOptions { crawl: Some(crawl), ..options };
                let gathered = gather(self, &watched.creator, move |reading, each| {
                    items::read(&[address], &options, reading, each);
                });
                Ok(Look::of(gathered.await?))
            }
        }
    }

    async fn look_at_folder(
        &self,
        watched: &Watched,
        path: &str,
        options: SourceOptions,
    ) -> Result<Look, IngestError> {
        let (folder, before) = (PathBuf::from(path), self.store.stamps(&watched.id).await?);
        let walked = folder.clone();
        let now = blocking(move || source::stamps(&walked)).await?.map_err(items::ItemError::from)?;
        if now.is_empty() {
            let error = SourceError::EmptyFolder(path.to_owned());
            return Err(items::ItemError::from(error).into());
        }
        let mut look = Look::default();
        if now.iter().any(|(file, stamp)| before.get(file) != Some(stamp)) {
            let arguments = [path.to_owned()];
            let options = SourceOptions { known: Arc::new(before.clone()), ..options };
            let gathered = gather(self, &watched.creator, move |reading, each| {
                items::read(&arguments, &options, reading, each);
            });
            look = Look::of(gathered.await?);
        }
        // At the first look nothing is known of what was there before.
        if watched.looked_at.is_none() || before.keys().any(|file| !now.contains_key(file)) {
            let gone = self.forget_missing(&watched.creator, &folder).await?;
            let gone = u32::try_from(gone.len()).unwrap_or(u32::MAX);
            look.receipt.removed = look.receipt.removed.saturating_add(gone);
        }
        // Last, so that what fails for a while is read at the next look.
        if before != now {
            self.store.set_stamps(&watched.creator, &watched.id, now).await?;
        }
        Ok(look)
    }
}

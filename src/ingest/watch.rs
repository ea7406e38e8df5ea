//! A look at a watched place: what changed since the last one is brought in, and what is gone leaves.
//!
//! Of a folder only files are read whose time or size changed; their content still decides. Of a site only pages are sent
//! that the site says are other ones than last time. The queue calls this (`jobs/watch.rs` says when).

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::source::{self, Reach, SourceError, SourceOptions};
use super::together::{Gathered, gather};
use super::{Ingest, IngestError, blocking, items};
use crate::domain::{DocumentId, Place, Receipt, Watched};
use crate::store::{PageStamp, StoreError};

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
        let besides = Receipt { unchanged: gathered.same, removed: gathered.removed, ..Receipt::default() };
        match gathered.sum {
            Some(sum) => Self { receipt: sum.receipt.and(besides), chunks: sum.chunks, problems },
            None => Self { receipt: besides, chunks: 0, problems },
        }
    }
}

impl Ingest {
    /// Looks at a place.
    pub async fn look(&self, watched: &Watched, options: SourceOptions) -> Result<Look, IngestError> {
        match &watched.place {
            Place::Folder { path } => self.look_at_folder(watched, path, options).await,
            Place::Site { address, depth, max_pages } => {
                let crawl = Reach { depth: *depth, pages: *max_pages };
                let options = SourceOptions { crawl: Some(crawl), ..options };
                self.look_at_site(watched, address.clone(), options).await
            }
        }
    }

    async fn look_at_site(
        &self,
        watched: &Watched,
        address: String,
        options: SourceOptions,
    ) -> Result<Look, IngestError> {
        let before = self.store.page_stamps(&watched.id).await?;
        let known = self.still_there(watched, before.clone()).await?;
        let options = SourceOptions { pages: Some(Arc::new(known)), ..options };
        let gathered = gather(self, &watched.creator, move |reading, each| {
            items::read(&[address], &options, reading, each);
        });
        let mut gathered = gathered.await?;
        let now = std::mem::take(&mut gathered.pages);
        // Of a site that is away nothing was learnt.
        let is_away = now.is_empty() && !gathered.failures.is_empty();
        // Last, so that what fails for a while is read at the next look.
        if before != now && !is_away {
            self.store.set_page_stamps(&watched.creator, &watched.id, now).await?;
        }
        Ok(Look::of(gathered))
    }

    /// Pages whose documents are there under their own names. Of any other the words are needed again: it was deleted, it
    /// could not be read, or it is kept as another document with the same content.
    async fn still_there(
        &self,
        watched: &Watched,
        mut pages: HashMap<String, PageStamp>,
    ) -> Result<HashMap<String, PageStamp>, StoreError> {
        if pages.is_empty() {
            return Ok(pages);
        }
        let documents = self.store.documents(&watched.creator).await?;
        let there: HashSet<DocumentId> = documents.into_iter().map(|document| document.id).collect();
        pages.retain(|_, page| {
            let within = page.list.iter().flat_map(|list| &list.sources);
            let mut sources = page.source.iter().chain(within);
            sources.all(|source| there.contains(&DocumentId::of_source(&watched.creator, source)))
        });
        Ok(pages)
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

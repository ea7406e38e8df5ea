//! Watched folders and sites, and the files of a folder or the pages of a site as they were when they were last read.
//!
//! Both lie in one table, since a place is either: a file's row is two numbers, a page's is JSON. What they mean is
//! `ingest/watch.rs`.

use std::collections::HashMap;

use super::Store;
use super::accounts::creator_of;
use super::codec::{damaged, id_at_end, key, read_json, write_json};
use super::tables::{Rows, Writing, clear};
use crate::domain::{CreatorId, WatchId, Watched};
use crate::store::{PageStamp, Stamp, StoreError};

/// What rows are called when they are damaged.
const FILE: &str = "a file of a watched folder";
const PAGE: &str = "a page of a watched site";

impl Store {
    /// Adds a place, or writes it anew. Fails when its creator is not there.
    pub async fn watch(&self, watched: Watched) -> Result<(), StoreError> {
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &watched.creator)?.number;
            save(tables, number, &watched)
        })
        .await
    }

    /// Notes how a look went; whether the place is still watched.
    pub async fn looked(&self, watched: Watched) -> Result<bool, StoreError> {
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &watched.creator)?.number;
            let is_there = tables.watched.has(&name(number, &watched.id))?;
            if is_there {
                save(tables, number, &watched)?;
            }
            Ok(is_there)
        })
        .await
    }

    /// Watches a place no longer; what it was, if it was there. What came from it stays.
    pub async fn unwatch(&self, creator: &CreatorId, id: &WatchId) -> Result<Option<Watched>, StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            clear(&mut tables.watched_files, id.as_str().as_bytes())?;
            let row = tables.watched.remove(&name(number, &id)[..])?;
            row.map(|row| read_json(row.value(), "a watched place")).transpose()
        })
        .await
    }

    /// The places of a creator, or all of them, oldest first.
    pub async fn watched(&self, creator: Option<&CreatorId>) -> Result<Vec<Watched>, StoreError> {
        let creator = creator.cloned();
        self.read(move |tables| {
            let prefix = match &creator {
                Some(creator) => creator_of(&tables.creators, creator)?.number.to_be_bytes().to_vec(),
                None => Vec::new(),
            };
            let rows = tables.watched.under(&prefix)?;
            let mut found = rows
                .map(|row| read_json(row?.1.value(), "a watched place"))
                .collect::<Result<Vec<Watched>, _>>()?;
            found.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
            Ok(found)
        })
        .await
    }

    /// The files of a watched folder by path, as they were when they were last read.
    pub async fn stamps(&self, id: &WatchId) -> Result<HashMap<String, Stamp>, StoreError> {
        self.files(id, FILE, |row| {
            let ([changed, size], []) = row.as_chunks::<8>() else { return Err(damaged(FILE)) };
            Ok(Stamp { changed: u64::from_be_bytes(*changed), size: u64::from_be_bytes(*size) })
        })
        .await
    }

    /// Sets how the files of a watched folder are now, and forgets all others; nothing when it is watched no longer.
    pub async fn set_stamps(
        &self,
        creator: &CreatorId,
        id: &WatchId,
        stamps: HashMap<String, Stamp>,
    ) -> Result<(), StoreError> {
        let row = |(path, stamp): (String, Stamp)| {
            (path, key([&stamp.changed.to_be_bytes(), &stamp.size.to_be_bytes()]))
        };
        self.set_files(creator, id, stamps.into_iter().map(row).collect()).await
    }

    /// The pages of a watched site by address, as they were when they were last read.
    pub async fn page_stamps(&self, id: &WatchId) -> Result<HashMap<String, PageStamp>, StoreError> {
        self.files(id, PAGE, |row| read_json(row, PAGE)).await
    }

    /// Sets how the pages of a watched site are now, and forgets all others; nothing when it is watched no longer.
    pub async fn set_page_stamps(
        &self,
        creator: &CreatorId,
        id: &WatchId,
        stamps: HashMap<String, PageStamp>,
    ) -> Result<(), StoreError> {
        let row = |(address, stamp): (String, PageStamp)| Ok((address, write_json(&stamp)?));
        let rows = stamps.into_iter().map(row).collect::<Result<Vec<_>, StoreError>>()?;
        self.set_files(creator, id, rows).await
    }

    /// The rows of a place by path or address; `what` is what a damaged one is called.
    async fn files<T: Send + 'static>(
        &self,
        id: &WatchId,
        what: &'static str,
        read: fn(&[u8]) -> Result<T, StoreError>,
    ) -> Result<HashMap<String, T>, StoreError> {
        let id = id.clone();
        self.read(move |tables| {
            let prefix = id.as_str().as_bytes();
            let mut found = HashMap::new();
            for row in tables.watched_files.under(prefix)? {
                let row = row?;
                let path = std::str::from_utf8(&row.0.value()[prefix.len()..]).map_err(|_| damaged(what))?;
                found.insert(path.to_owned(), read(row.1.value())?);
            }
            Ok(found)
        })
        .await
    }

    async fn set_files(
        &self,
        creator: &CreatorId,
        id: &WatchId,
        files: Vec<(String, Vec<u8>)>,
    ) -> Result<(), StoreError> {
        let (creator, id) = (creator.clone(), id.clone());
        self.write(move |tables| {
            let number = creator_of(&tables.creators, &creator)?.number;
            clear(&mut tables.watched_files, id.as_str().as_bytes())?;
            if !tables.watched.has(&name(number, &id))? {
                return Ok(());
            }
            for (path, value) in &files {
                let place = key([id.as_str().as_bytes(), path.as_bytes()]);
                tables.watched_files.insert(&place[..], &value[..])?;
            }
            Ok(())
        })
        .await
    }
}

/// Removes all of a creator's.
pub fn forget_creator(tables: &mut Writing, number: u32) -> Result<(), StoreError> {
    for row in tables.watched.keys_under(&number.to_be_bytes())? {
        let id: WatchId = id_at_end(&row)?;
        clear(&mut tables.watched_files, id.as_str().as_bytes())?;
    }
    clear(&mut tables.watched, &number.to_be_bytes())
}

fn save(tables: &mut Writing, number: u32, watched: &Watched) -> Result<(), StoreError> {
    tables.watched.insert(&name(number, &watched.id)[..], &write_json(watched)?[..])?;
    Ok(())
}

fn name(number: u32, id: &WatchId) -> Vec<u8> {
    key([&number.to_be_bytes(), id.as_str().as_bytes()])
}

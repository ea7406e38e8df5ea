//! Writing the database anew, so that erased words are in no file of the data directory.
//!
//! redb is copy-on-write: pages of deleted rows keep their bytes until something overwrites them. The live rows
//! are copied into a new file, which takes the old one's name; handles go on with the new one. A crash on the way
//! leaves the old database and a file that the next opening deletes.

use redb::{Database, ReadTransaction, ReadableDatabase, TableError, backends::InMemoryBackend};

use super::error::io_error;
use super::tables::{Definition, NAMES, Rows};
use super::{FILE, Home, NEW_FILE, Shared, Store, remove_if_there, sync_dir};
use crate::store::StoreError;

impl Store {
    /// Leaves nothing in the data directory of what was deleted, neither rows nor blobs. Takes the time of
    /// copying the database; other writes wait, reads wait only at the end.
    pub async fn purge(&self) -> Result<(), StoreError> {
        self.inner.writer.alone(rewrite).await?;
        self.sweep_blobs().await.map(drop)
    }
}

fn rewrite(shared: &Shared) -> Result<(), StoreError> {
    let mut builder = Database::builder();
    builder.set_cache_size(shared.options.cache_bytes);
    let new = match &shared.home {
        Home::Directory { dir, .. } => {
            remove_if_there(&dir.join(NEW_FILE))?;
            builder.create(dir.join(NEW_FILE))?
        }
        Home::Memory => builder.create_with_backend(InMemoryBackend::new())?,
        #[cfg(test)]
        Home::Test(_) => return Err(StoreError::Invalid("storage of a test has no other file".to_owned())),
    };
    let copied =
        shared.with_database(|old| copy_tables(&old.begin_read()?, &new)).and_then(|()| take_name(shared));
    match copied {
        Ok(()) => shared.replace(|| Ok(new)),
        Err(error) => {
            drop(new);
            if let Home::Directory { dir, .. } = &shared.home {
                remove_if_there(&dir.join(NEW_FILE))?;
            }
            Err(error)
        }
    }
}

/// One commit for each table, so that memory does not hold the whole database.
fn copy_tables(old: &ReadTransaction, new: &Database) -> Result<(), StoreError> {
    for name in NAMES {
        let definition = Definition::new(name);
        let from = match old.open_table(definition) {
            Ok(table) => table,
            Err(TableError::TableDoesNotExist(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let mut transaction = new.begin_write()?;
        transaction.set_quick_repair(true);
        {
            let mut to = transaction.open_table(definition)?;
            for row in from.under(b"")? {
                let (key, value) = row?;
                to.insert(key.value(), value.value())?;
            }
        }
        transaction.commit()?;
    }
    Ok(())
}

/// The new file is on disk already: its commits are durable.
fn take_name(shared: &Shared) -> Result<(), StoreError> {
    let Home::Directory { dir, .. } = &shared.home else { return Ok(()) };
    let renamed = std::fs::rename(dir.join(NEW_FILE), dir.join(FILE)).and_then(|()| sync_dir(dir));
    renamed.map_err(|error| io_error("giving the new database its name", &error))
}

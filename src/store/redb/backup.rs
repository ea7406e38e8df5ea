//! Backup and restore: every row and every blob of one snapshot, in one file that does not depend on redb's format.
//!
//! A backup is written under a temporary name and renamed when it is whole. Restoring reads it twice: once to
//! verify all of it, then into a database that gets its name last, so nothing is visible before everything is.
//! The file itself is [`stream`](super::stream).

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use redb::Database;
use tempfile::NamedTempFile;

use super::codec::damaged;
use super::error::io_error;
use super::migrate::migrate;
pub use super::stream::BackupSummary;
use super::stream::{Item, Sink, read_backup, refused};
use super::tables::{Definition, NAMES, Reading, Rows};
use super::{FILE, Home, NEW_FILE, Options, Store, blocking, remove_if_there, sync_dir};
use crate::domain::ContentHash;
use crate::store::StoreError;
use crate::store::blobs::Blobs;

/// Bytes of one commit while restoring: enough for speed, few enough to hold in memory.
const BYTES_PER_COMMIT: usize = 32 << 20;

impl Store {
    /// Writes a backup of one snapshot to `path`; a file of that name is replaced by a whole backup or not at all.
    pub async fn backup(&self, path: &Path) -> Result<BackupSummary, StoreError> {
        // The key of addresses goes along: without it the first restored copy would make another.
        self.link_key().await?;
        let (shared, path) = (self.inner.shared.clone(), path.to_owned());
        blocking(move || {
            let failed = |error: io::Error| io_error(&format!("backup {}", path.display()), &error);
            let folder = match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => folder,
                _ => Path::new("."),
            };
            let mut file = tempfile::Builder::new().prefix(".backup-").tempfile_in(folder).map_err(failed)?;
            let summary = shared.read_once(|tables| write_all(tables, &shared.blobs, &mut file, failed))?;
            file.as_file().sync_all().map_err(failed)?;
            file.persist(&path).map_err(|error| failed(error.error))?;
            sync_dir(folder).map_err(failed)?;
            Ok(summary)
        })
        .await
    }

    /// Restores a backup into a data directory that has no database. Either all of it is there afterwards, or
    /// nothing but perhaps blobs that no document names.
    pub async fn restore(path: &Path, dir: &Path) -> Result<BackupSummary, StoreError> {
        let (path, dir) = (path.to_owned(), dir.to_owned());
        blocking(move || {
            let summary = read_backup(&path, |_| Ok(()))?;
            let _locked = Home::at(&dir)?;
            if dir.join(FILE).exists() {
                return Err(refused(&path, format!("{} holds data already", dir.display())));
            }
            let imported = import(&path, &dir);
            remove_if_there(&dir.join(NEW_FILE))?;
            imported.map(|()| summary)
        })
        .await
    }
}

fn write_all(
    tables: &Reading,
    blobs: &Blobs,
    file: &mut NamedTempFile,
    failed: impl Fn(io::Error) -> StoreError,
) -> Result<BackupSummary, StoreError> {
    let mut sink = Sink::new(BufWriter::with_capacity(1 << 16, file as &mut dyn Write)).map_err(&failed)?;
    for (name, table) in tables.each() {
        sink.item(Item::Table(name)).map_err(&failed)?;
        for row in table.under(b"")? {
            let (key, value) = row?;
            sink.item(Item::Row(key.value(), value.value())).map_err(&failed)?;
        }
    }
    let mut written = HashSet::new();
    for table in [&tables.contents, &tables.job_contents] {
        for row in table.under(b"")? {
            let content = row?.0.value().first_chunk().copied().map(ContentHash);
            let content = content.ok_or_else(|| damaged("a content's key"))?;
            if !written.insert(content) {
                continue;
            }
            // Records of a corpus have no blob, and one may be deleted while this runs.
            if let Some(bytes) = blobs.read_now(&content)? {
                sink.item(Item::Blob(&bytes)).map_err(&failed)?;
            }
        }
    }
    sink.finish().map_err(&failed)
}

/// Reads a verified backup into a database of another name, which it gives its name at the end.
fn import(path: &Path, dir: &Path) -> Result<(), StoreError> {
    remove_if_there(&dir.join(NEW_FILE))?;
    let blobs = Blobs::at(dir.join("blobs"))?;
    let database =
        Database::builder().set_cache_size(Options::default().cache_bytes).create(dir.join(NEW_FILE))?;
    let mut table = None;
    let (mut waiting, mut bytes) = (Vec::new(), 0);
    read_backup(path, |item| match item {
        Item::Table(name) => {
            insert(&database, table, std::mem::take(&mut waiting))?;
            // The name is checked against what is known, so that a strange file makes no strange table.
            let known = NAMES.iter().copied().find(|known| *known == name);
            table = Some(known.ok_or_else(|| refused(path, format!("it has an unknown table `{name}`")))?);
            Ok(())
        }
        Item::Row(key, value) => {
            bytes += key.len() + value.len();
            waiting.push((key.to_vec(), value.to_vec()));
            if bytes < BYTES_PER_COMMIT {
                return Ok(());
            }
            bytes = 0;
            insert(&database, table, std::mem::take(&mut waiting))
        }
        Item::Blob(bytes) => blobs.put_now(bytes).map(drop),
    })?;
    insert(&database, table, waiting)?;
    migrate(&database)?;
    drop(database);
    let named = std::fs::rename(dir.join(NEW_FILE), dir.join(FILE)).and_then(|()| sync_dir(dir));
    named.map_err(|error| io_error("giving the restored database its name", &error))
}

fn insert(
    database: &Database,
    table: Option<&'static str>,
    rows: Vec<(Vec<u8>, Vec<u8>)>,
) -> Result<(), StoreError> {
    let Some(name) = table else { return Ok(()) };
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    {
        let mut table = transaction.open_table(Definition::new(name))?;
        for (key, value) in &rows {
            table.insert(&key[..], &value[..])?;
        }
    }
    transaction.commit()?;
    Ok(())
}

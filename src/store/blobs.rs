//! The original bytes of documents, each in a file named by its content's hash.
//!
//! A blob is written under a temporary name, synced, renamed and its directory synced, so a name never stands
//! over half a file. Names come from hashes alone. What no document and no open job uses is an orphan; the store
//! deletes orphans, and [`Held`] keeps a fresh blob from being taken for one.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tempfile::{NamedTempFile, TempDir};

use super::StoreError;
use super::redb::{io_error, sync_dir};
use crate::domain::ContentHash;

/// Begins the name of a file that is being written.
const TEMPORARY: &str = ".new-";

/// The blobs of a data directory; clones are handles to the same ones.
#[derive(Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    /// Fresh blobs that no record names yet, with the number of their holders.
    held: Mutex<HashMap<ContentHash, usize>>,
    /// Deletes the folder of a store in memory.
    _temporary: Option<TempDir>,
}

/// A blob that is not deleted while this lives: keep it until a document or a job that names it is recorded.
pub struct Held {
    content: ContentHash,
    inner: Arc<Inner>,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({:?})", self.content)
    }
}

impl Held {
    pub fn content(&self) -> ContentHash {
        self.content
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.inner.held();
        if let Some(holders) = held.get_mut(&self.content) {
            *holders -= 1;
            if *holders == 0 {
                held.remove(&self.content);
            }
        }
    }
}

impl Blobs {
    pub(super) fn at(root: PathBuf) -> Result<Self, StoreError> {
        Self::new(root, None)
    }

    pub(super) fn temporary() -> Result<Self, StoreError> {
        let dir = tempfile::tempdir().map_err(|error| io_error("temporary folder", &error))?;
        Self::new(dir.path().join("blobs"), Some(dir))
    }

    fn new(root: PathBuf, temporary: Option<TempDir>) -> Result<Self, StoreError> {
        fs::create_dir_all(&root).map_err(|error| io_error(&root.display().to_string(), &error))?;
        let held = Mutex::new(HashMap::new());
        Ok(Self { inner: Arc::new(Inner { root, held, _temporary: temporary }) })
    }

    /// Keeps the bytes; on disk when this returns. The same bytes are kept once.
    pub async fn put(&self, bytes: Bytes) -> Result<Held, StoreError> {
        let blobs = self.clone();
        super::redb::blocking(move || blobs.put_now(&bytes)).await
    }

    /// The bytes, checked against their hash; `None` when they are not here.
    pub async fn read(&self, content: &ContentHash) -> Result<Option<Vec<u8>>, StoreError> {
        let (blobs, content) = (self.clone(), *content);
        super::redb::blocking(move || blobs.read_now(&content)).await
    }

    /// The blob as an open file with its length, for who wants a part of it; `None` when it is not here. Unlike
    /// [`Blobs::read`] this does not compare the bytes with their hash.
    pub async fn open(&self, content: &ContentHash) -> Result<Option<(fs::File, u64)>, StoreError> {
        let path = self.path(content);
        super::redb::blocking(move || {
            match fs::File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file))) {
                Ok((length, file)) => Ok(Some((file, length))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(io_error(&path.display().to_string(), &error)),
            }
        })
        .await
    }

    /// Deletes a blob, unless it is held or not here.
    pub async fn delete(&self, content: &ContentHash) -> Result<(), StoreError> {
        let (blobs, content) = (self.clone(), *content);
        super::redb::blocking(move || blobs.delete_now(&content)).await
    }

    /// Deletes what is neither in `live` nor held, and what a crash left half-written; gives their number.
    pub async fn sweep(&self, live: &HashSet<ContentHash>) -> Result<usize, StoreError> {
        let (blobs, live) = (self.clone(), live.clone());
        super::redb::blocking(move || blobs.sweep_now(&live)).await
    }

    pub(super) fn put_now(&self, bytes: &[u8]) -> Result<Held, StoreError> {
        let content = ContentHash::of(bytes);
        *self.inner.held().entry(content).or_default() += 1;
        let held = Held { content, inner: self.inner.clone() };
        let path = self.path(&content);
        self.write(&path, bytes).map_err(|error| io_error(&path.display().to_string(), &error))?;
        Ok(held)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.inner.root);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_dir(&self.inner.root)?;
        }
        if !path.is_file() {
            let mut file = tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.inner.root)?;
            file.write_all(bytes)?;
            file.as_file().sync_all()?;
            rename(file, path)?;
        }
        // Also when the file was there: whoever renamed it may not have come this far.
        sync_dir(folder)
    }

    pub(super) fn read_now(&self, content: &ContentHash) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.path(content);
        match fs::read(&path) {
            Ok(bytes) if ContentHash::of(&bytes) == *content => Ok(Some(bytes)),
            Ok(_) => Err(StoreError::Damaged(format!("the original bytes in {}", path.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error(&path.display().to_string(), &error)),
        }
    }

    /// Whether the bytes are here, unread.
    pub(super) fn has(&self, content: &ContentHash) -> bool {
        self.path(content).is_file()
    }

    pub(super) fn delete_now(&self, content: &ContentHash) -> Result<(), StoreError> {
        // Locked until the file is gone, so that nobody finds it there and then loses it.
        let held = self.inner.held();
        if held.contains_key(content) {
            return Ok(());
        }
        let path = self.path(content);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_error(&path.display().to_string(), &error))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sweep_now(&self, live: &HashSet<ContentHash>) -> Result<usize, StoreError> {
        let names: HashSet<String> = live.iter().map(|content| content.to_hex()).collect();
        self.sweep_files(&names).map_err(|error| io_error(&self.inner.root.display().to_string(), &error))
    }

    fn sweep_files(&self, live: &HashSet<String>) -> io::Result<usize> {
        let mut deleted = 0;
        for entry in fs::read_dir(&self.inner.root)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                for file in fs::read_dir(entry.path())? {
                    let file = file?;
                    let name = entry.file_name().to_string_lossy().into_owned()
                        + &file.file_name().to_string_lossy();
                    let held = self.inner.held();
                    let is_held = held.keys().any(|content| content.to_hex() == name);
                    if !live.contains(&name) && !is_held {
                        fs::remove_file(file.path())?;
                        deleted += 1;
                    }
                }
            } else if entry.file_name().to_string_lossy().starts_with(TEMPORARY)
                && self.inner.held().is_empty()
            {
                fs::remove_file(entry.path())?;
                deleted += 1;
            }
        }
        Ok(deleted)
    }

    /// Two digits of the hash are the folder: 256 folders keep each small.
    fn path(&self, content: &ContentHash) -> PathBuf {
        let name = content.to_hex();
        self.inner.root.join(&name[..2]).join(&name[2..])
    }
}

impl Inner {
    fn held(&self) -> MutexGuard<'_, HashMap<ContentHash, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rename(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path).map(drop).map_err(|error| error.error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bytes_are_kept_once_and_come_back() {
        let blobs = Blobs::temporary().unwrap();
        let held = blobs.put_now(b"refunds").unwrap();
        let again = blobs.put_now(b"refunds").unwrap();
        assert_eq!(held.content(), again.content());
        assert_eq!(blobs.read_now(&held.content()).unwrap().unwrap(), b"refunds");
        assert_eq!(blobs.read_now(&ContentHash::of(b"other")).unwrap(), None);
    }

    #[test]
    fn what_is_held_or_live_stays_and_the_rest_goes() {
        let blobs = Blobs::temporary().unwrap();
        let held = blobs.put_now(b"held").unwrap();
        let live = blobs.put_now(b"live").unwrap().content();
        let orphan = blobs.put_now(b"orphan").unwrap().content();
        blobs.delete_now(&held.content()).unwrap();
        assert_eq!(blobs.sweep_now(&HashSet::from([live])).unwrap(), 1);
        assert!(blobs.read_now(&held.content()).unwrap().is_some());
        assert!(blobs.read_now(&live).unwrap().is_some());
        assert!(blobs.read_now(&orphan).unwrap().is_none());
        fs::write(blobs.inner.root.join(format!("{TEMPORARY}x")), b"half").unwrap();
        drop(held);
        assert_eq!(blobs.sweep_now(&HashSet::from([live])).unwrap(), 2);
    }

    #[test]
    fn changed_bytes_are_noticed() {
        let blobs = Blobs::temporary().unwrap();
        let content = blobs.put_now(b"refunds").unwrap().content();
        fs::write(blobs.path(&content), b"refundz").unwrap();
        assert!(matches!(blobs.read_now(&content), Err(StoreError::Damaged(_))));
    }
}

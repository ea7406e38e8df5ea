//! The original bytes of documents, each in a file named by its content's hash.
//!
//! A blob is written under a temporary name, synced, renamed and its directory synced, so a name never stands
//! over half a file. Names come from hashes alone. What no document and no open job uses is an orphan; the store
//! deletes orphans, and [`Held`] keeps a fresh blob from being taken for one.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs;
use std::io::{self, Read, Write};
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

    /// Keeps a file's bytes without holding them in memory; the file stays where it is.
    pub async fn put_file(&self, path: PathBuf) -> Result<Held, StoreError> {
        let blobs = self.clone();
        super::redb::blocking(move || blobs.put_file_now(&path)).await
    }

    /// Where the bytes are, checked against their hash; `None` when they are not here. For what is too large to hold.
    pub async fn file(&self, content: &ContentHash) -> Result<Option<PathBuf>, StoreError> {
        let (blobs, content) = (self.clone(), *content);
        super::redb::blocking(move || blobs.file_now(&content)).await
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
        let held = self.hold(content);
        let path = self.path(&content);
        self.write(&path, bytes).map_err(|error| io_error(&path.display().to_string(), &error))?;
        Ok(held)
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.in_place(path, || {
            let mut file = self.temporary_file()?;
            file.write_all(bytes)?;
            Ok(file)
        })
    }

    /// Puts what `make` gives under its name, unless it is there.
    fn in_place(&self, path: &Path, make: impl FnOnce() -> io::Result<NamedTempFile>) -> io::Result<()> {
        let folder = path.parent().unwrap_or(&self.inner.root);
        if !folder.is_dir() {
            fs::create_dir_all(folder)?;
            sync_dir(&self.inner.root)?;
        }
        if !path.is_file() {
            let file = make()?;
            file.as_file().sync_all()?;
            rename(file, path)?;
        }
        // Also when the file was there: whoever renamed it may not have come this far.
        sync_dir(folder)
    }

    fn temporary_file(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new().prefix(TEMPORARY).tempfile_in(&self.inner.root)
    }

    /// The copy is made first, as the name is only known when all of it was seen.
    fn put_file_now(&self, path: &Path) -> Result<Held, StoreError> {
        let failed = |error: io::Error| io_error(&path.display().to_string(), &error);
        // Held under no name yet: a sweep deletes half-written files only while nothing is held.
        let _nothing_is_swept = self.hold(ContentHash::of(b""));
        let mut from = fs::File::open(path).map_err(failed)?;
        let mut file = self.temporary_file().map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        let mut piece = vec![0; 1 << 20];
        loop {
            let count = match from.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(failed(error)),
            };
            hasher.update(&piece[..count]);
            file.write_all(&piece[..count]).map_err(failed)?;
        }
        let held = self.hold(ContentHash(*hasher.finalize().as_bytes()));
        self.in_place(&self.path(&held.content), || Ok(file)).map_err(failed)?;
        Ok(held)
    }

    fn file_now(&self, content: &ContentHash) -> Result<Option<PathBuf>, StoreError> {
        let path = self.path(content);
        let failed = |error: io::Error| io_error(&path.display().to_string(), &error);
        match fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error)),
            Ok(file) => {
                let is_whole = ContentHash::of_reader(file).map_err(failed)? == *content;
                let damaged = || StoreError::Damaged(format!("the original bytes in {}", path.display()));
                if is_whole { Ok(Some(path)) } else { Err(damaged()) }
            }
        }
    }

    fn hold(&self, content: ContentHash) -> Held {
        *self.inner.held().entry(content).or_default() += 1;
        Held { content, inner: self.inner.clone() }
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
    fn a_file_is_kept_as_its_bytes_are() {
        let blobs = Blobs::temporary().unwrap();
        let source = tempfile::NamedTempFile::new().unwrap();
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
        fs::write(source.path(), &bytes).unwrap();
        let held = blobs.put_file_now(source.path()).unwrap();
        assert_eq!(held.content(), ContentHash::of(&bytes));
        assert_eq!(blobs.put_now(&bytes).unwrap().content(), held.content());
        let path = blobs.file_now(&held.content()).unwrap().unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
        assert!(blobs.file_now(&ContentHash::of(b"other")).unwrap().is_none());
        fs::write(&path, b"changed").unwrap();
        assert!(matches!(blobs.file_now(&held.content()), Err(StoreError::Damaged(_))));
        let left = fs::read_dir(&blobs.inner.root).unwrap().flatten();
        assert!(left.into_iter().all(|entry| entry.path().is_dir()), "nothing half-written stays");
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

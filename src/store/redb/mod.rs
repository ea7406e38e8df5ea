//! The store over redb: [`Store`] opens the data directory and hands each call to one transaction.
//!
//! Reads run on a blocking thread and see one snapshot. Writes run on the one thread of [`writer`], which
//! commits several waiting calls at once; each of them is still whole or absent. The methods themselves are in
//! `documents`, `accounts`, `conversations`, `corrections`, `escalations`, `experiments`, `students`, `webhooks`, `mails`, `tries`, `jobs`, `ledger`,
//! `purchases`, `rows`, `backup` and `export`. No transaction leaves this folder.

mod accounts;
mod backup;
mod codec;
mod conversations;
mod corrections;
mod documents;
mod error;
mod escalations;
mod experiments;
mod expire;
mod export;
mod holders;
mod jobs;
mod ledger;
mod likeness;
mod mails;
mod migrate;
mod outbox;
mod people;
mod pictures;
mod places;
mod progress;
mod purchases;
mod purge;
mod rows;
mod spending;
mod stream;
mod students;
mod tables;
#[cfg(test)]
mod tests;
mod tries;
mod watched;
mod webhooks;
mod writer;

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use tokio::sync::{broadcast, oneshot};

use ::redb::{Database, ReadableDatabase, backends::InMemoryBackend};

pub use self::backup::BackupSummary;
pub(super) use self::error::io_error;
pub use self::export::ExportSummary;
use self::tables::{Reading, Writing};
use self::writer::Writer;
use super::StoreError;
use super::blobs::Blobs;
use crate::domain::{LinkKey, Told};

/// The database within the data directory.
const FILE: &str = "neverafk.redb";
/// Held while the directory is open, so that replacing the database file never lets a second process in.
const LOCK_FILE: &str = "neverafk.lock";
/// A database that is being written anew; worthless after a crash.
const NEW_FILE: &str = "neverafk.redb.new";

/// Events that a listener may be behind: enough for a burst of answers, little enough to hold in memory.
pub const NEWS: usize = 512;

/// How long a call waits each time it meets a database that another call's failed write has closed, before its caller
/// hears of it, in milliseconds. Each further attempt needs another write to fail in between.
const PAUSES: [u64; 6] = [1, 4, 16, 64, 128, 256];

/// How often a read begins that a failed write of another call broke off.
const READ_ATTEMPTS: u32 = 5;

/// How to open a store.
#[derive(Debug, Clone)]
pub struct Options {
    /// Memory for pages of the database.
    pub cache_bytes: usize,
}

impl Default for Options {
    /// 64 MiB: redb's own default is a gibibyte, more than the rest of the program needs, and the indexes hold in
    /// memory what searches read.
    fn default() -> Self {
        Self { cache_bytes: 64 << 20 }
    }
}

/// The store; clones are handles to the same one. It closes when the last handle goes.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

struct Inner {
    shared: Arc<Shared>,
    writer: Writer,
    /// Read once: every answer needs it.
    link_key: OnceLock<LinkKey>,
}

impl Store {
    /// Opens the store of a data directory, which is created if need be, for this process alone.
    pub async fn open(dir: &Path, options: Options) -> Result<Self, StoreError> {
        let dir = dir.to_owned();
        blocking(move || Self::start(Home::at(&dir)?, Blobs::at(dir.join("blobs"))?, options)).await
    }

    /// An empty store that forgets everything when the last handle goes, for tests and trials.
    pub fn in_memory() -> Result<Self, StoreError> {
        Self::start(Home::Memory, Blobs::temporary()?, Options::default())
    }

    /// Hears of every event after it is durable, from now on. Whoever falls behind by more than [`NEWS`] events is
    /// told so and has missed some.
    pub fn news(&self) -> broadcast::Receiver<Arc<Told>> {
        self.inner.shared.news.subscribe()
    }

    /// Tells what is not kept, as that somebody is writing.
    pub fn tell(&self, told: Told) {
        self.inner.shared.tell(told);
    }

    /// The original bytes of documents.
    pub fn blobs(&self) -> &Blobs {
        &self.inner.shared.blobs
    }

    fn start(home: Home, blobs: Blobs, options: Options) -> Result<Self, StoreError> {
        let database = home.open(&options)?;
        let database = RwLock::new(Some(database));
        let news = broadcast::channel(NEWS).0;
        let shared = Arc::new(Shared { database, openings: AtomicU64::new(1), home, options, blobs, news });
        let writer = Writer::start(shared.clone())?;
        Ok(Self { inner: Arc::new(Inner { shared, writer, link_key: OnceLock::new() }) })
    }

    /// One snapshot, on a blocking thread. `work` may run again, when the database was being opened anew.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnMut(&Reading) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.inner.shared.clone();
        blocking(move || shared.read(work)).await
    }

    /// One snapshot for work that hands rows on as it goes and can therefore not begin again.
    async fn read_once<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Reading) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = self.inner.shared.clone();
        blocking(move || shared.read_once(work)).await
    }

    /// One transaction on the writer's thread, durable when this returns. `work` may run twice, when another call
    /// of the same commit fails; dropping the future does not stop it.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut Writing) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.inner.writer.write(work).await
    }
}

/// What reads, the writer and maintenance have in common.
struct Shared {
    /// `None` after a failure, until it opens again. Exclusive use replaces the database.
    database: RwLock<Option<Database>>,
    /// Counts them, so that of several calls that met the same failure one opens the database again. Changes only
    /// under exclusive use of `database`.
    openings: AtomicU64,
    home: Home,
    options: Options,
    blobs: Blobs,
    news: broadcast::Sender<Arc<Told>>,
}

impl Shared {
    /// Nobody may be listening, and nobody is waited for.
    fn tell(&self, told: Told) {
        let _ = self.news.send(Arc::new(told));
    }

    /// Work that may begin again: whoever asks a question notices nothing of a disk that is full.
    fn read<T>(&self, mut work: impl FnMut(&Reading) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut found = None;
        self.snapshots(&mut |tables: &Reading| {
            found = Some(work(tables)?);
            Ok(())
        })?;
        found.ok_or(StoreError::Reopening)
    }

    /// Work that runs once; only getting a snapshot is tried again.
    fn read_once<T>(&self, work: impl FnOnce(&Reading) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let (mut work, mut found) = (Some(work), None);
        self.snapshot(&mut |tables: &Reading| {
            if let Some(work) = work.take() {
                found = Some(work(tables)?);
            }
            Ok(())
        })?;
        found.ok_or(StoreError::Reopening)
    }

    /// One snapshot after the other, until the work has run through in one. From here on down nothing is generic, so
    /// that it is compiled once and not for each of the store's methods.
    fn snapshots(&self, work: &mut dyn FnMut(&Reading) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for _ in 1..READ_ATTEMPTS {
            match self.snapshot(work) {
                Err(StoreError::Reopening) => {}
                result => return result,
            }
        }
        self.snapshot(work)
    }

    /// A snapshot, waited for while the database opens again; the work is called in it once or not at all.
    fn snapshot(&self, work: &mut dyn FnMut(&Reading) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut has_begun = false;
        let mut pauses = PAUSES.iter();
        loop {
            let result = self.with_database(|database| {
                let transaction = database.begin_read()?;
                let tables = Reading::open(&transaction)?;
                // The loop ends with it.
                has_begun = true;
                work(&tables)
            });
            match (result, pauses.next()) {
                (Err(StoreError::Reopening), Some(pause)) if !has_begun => {
                    std::thread::sleep(Duration::from_millis(*pause));
                }
                (result, _) => return result,
            }
        }
    }

    /// Opens the database first if an earlier failure closed it, and again if the work fails in a way after which
    /// redb refuses all work. A failure to open is the next call's, which tries again.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut place = self.guard();
        if place.is_none() {
            drop(place);
            let mut exclusive = self.exclusive();
            // Another call may have been first.
            if exclusive.is_none() {
                self.open_at(&mut exclusive, || self.home.open(&self.options))?;
            }
            drop(exclusive);
            place = self.guard();
        }
        let opening = self.openings.load(Ordering::Acquire);
        // `None` where another call closed it in between and could not open it.
        let result = place.as_ref().ok_or(StoreError::Reopening).and_then(work);
        drop(place);
        if result.as_ref().is_err_and(storage_failed) {
            self.reopen(opening);
        }
        result
    }

    /// Opens the database again after a failure in this opening, unless another call has done so since. Several that
    /// meet one failure would otherwise close it under each other in turn.
    fn reopen(&self, failed: u64) {
        if matches!(self.home, Home::Memory) {
            return;
        }
        let mut place = self.exclusive();
        if self.openings.load(Ordering::Acquire) == failed
            && let Err(error) = self.open_at(&mut place, || self.home.open(&self.options))
        {
            tracing::error!(%error, "the database does not open again after a failure");
        }
    }

    /// Closes the database, then takes the one that `open` gives. Waits until nothing uses the old one.
    fn replace(&self, open: impl FnOnce() -> Result<Database, StoreError>) -> Result<(), StoreError> {
        self.open_at(&mut self.exclusive(), open)
    }

    fn open_at(
        &self,
        place: &mut Option<Database>,
        open: impl FnOnce() -> Result<Database, StoreError>,
    ) -> Result<(), StoreError> {
        *place = None;
        self.openings.fetch_add(1, Ordering::AcqRel);
        *place = Some(open()?);
        Ok(())
    }

    fn exclusive(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn guard(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a database lives, so that it can be opened again.
enum Home {
    Directory {
        dir: PathBuf,
        _lock: File,
    },
    Memory,
    /// Storage that fails on purpose.
    #[cfg(test)]
    Test(Box<dyn Fn() -> Result<Database, ::redb::DatabaseError> + Send + Sync>),
}

impl Home {
    /// Creates the directory for its owner alone, and locks it.
    fn at(dir: &Path) -> Result<Self, StoreError> {
        let failed = |error: &io::Error| StoreError::Open {
            path: dir.display().to_string(),
            reason: error.to_string(),
        };
        create_private(dir).map_err(|error| failed(&error))?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK_FILE))
            .map_err(|error| failed(&error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self::Directory { dir: dir.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(StoreError::InUse(dir.display().to_string())),
            Err(TryLockError::Error(error)) => Err(failed(&error)),
        }
    }

    fn open(&self, options: &Options) -> Result<Database, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(options.cache_bytes);
        let database = match self {
            Self::Directory { dir, .. } => {
                remove_if_there(&dir.join(NEW_FILE))?;
                builder.create(dir.join(FILE))
            }
            Self::Memory => builder.create_with_backend(InMemoryBackend::new()),
            #[cfg(test)]
            Self::Test(open) => open(),
        };
        let database = database.map_err(|error| match (self, error) {
            (Self::Directory { dir, .. }, ::redb::DatabaseError::DatabaseAlreadyOpen) => {
                StoreError::InUse(dir.display().to_string())
            }
            (Self::Directory { dir, .. }, error) => match StoreError::from(error) {
                full @ StoreError::Full(_) => full,
                other => {
                    StoreError::Open { path: dir.join(FILE).display().to_string(), reason: other.to_string() }
                }
            },
            (_, error) => error.into(),
        })?;
        migrate::migrate(&database)?;
        Ok(database)
    }
}

/// Whether redb may refuse further work.
fn storage_failed(error: &StoreError) -> bool {
    matches!(error, StoreError::Full(_) | StoreError::Reopening | StoreError::Failed(_))
}

/// Runs on a blocking thread; a panic there is an error here. The work goes there in a box: the runtime's own part would
/// otherwise be compiled for each of the store's methods.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let (reply, answer) = oneshot::channel();
    on_a_thread(Box::new(move || {
        // The caller may have left; what was done stays done.
        let _ = reply.send(work());
    }))
    .await?;
    // A thread that did not panic has replied.
    answer.await.map_err(|_| StoreError::Failed("a storage thread ended without a word".to_owned()))?
}

async fn on_a_thread(work: Box<dyn FnOnce() + Send>) -> Result<(), StoreError> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|error| StoreError::Failed(format!("a storage thread ended: {error}")))
}

fn create_private(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn remove_if_there(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error(&path.display().to_string(), &error))
        }
        _ => Ok(()),
    }
}

/// A renamed or created file survives a power loss only once its directory is on disk.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

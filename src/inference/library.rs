//! The models on this machine: `MODELS_DIR/<name>/` holds a model's files and `model.json`, which is written last.
//!
//! A folder without a readable `model.json` is no installed model, so a pull that was cut short is never loaded.
//! [`super::download`] and [`super::import`] fill folders, loaders ask [`Library::installed`] for one, the command
//! line lists, verifies and removes. Nothing here touches the network or reads weights as anything but bytes.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use super::catalog::{CatalogEntry, ModelKind, ModelSettings};
use super::{digest, disk};
use crate::domain::Timestamp;

/// The lock record's name in a model's folder.
const RECORD: &str = "model.json";
/// Its layout; a record with another number is not ours to read.
const FORMAT: u32 = 1;
/// Held while a model is changed. Kept apart from the models, as removing a held file would let two in.
const LOCKS: &str = ".locks";

/// A folder of models.
#[derive(Debug, Clone)]
pub struct Library {
    root: PathBuf,
}

/// A name that is safe as a folder's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ModelName(String);

/// What is locked about an installed model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelRecord {
    format: u32,
    pub name: ModelName,
    pub kind: ModelKind,
    pub licence: String,
    pub source: Source,
    pub pulled_at: Timestamp,
    #[serde(default)]
    pub settings: ModelSettings,
    pub files: Vec<FileRecord>,
}

/// A file as it was when the model was installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Relative to the model's folder.
    pub path: String,
    pub size: u64,
    pub sha256: String,
}

/// Where a model came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Source {
    Hub { repository: String, revision: String },
    Pip { package: String, version: String },
    Import { path: String },
}

/// A model that can be loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    pub folder: PathBuf,
    pub record: ModelRecord,
}

/// What a model's folder holds.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Absent,
    /// Begun and not finished; pulling again resumes.
    Partial {
        bytes: u64,
    },
    Installed(Installed),
    /// It was installed, and a file is gone or has another size.
    Damaged {
        record: ModelRecord,
        reason: String,
    },
}

/// What checking a file found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    Intact,
    Missing,
    /// Another size or other bytes.
    Changed,
}

/// What can go wrong with the folder of models.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error("`{0}` cannot be the name of a model")]
    BadName(String),
    #[error("the model `{0}` is not installed")]
    NotInstalled(String),
    #[error("the model `{name}` is damaged: {reason}")]
    Damaged { name: String, reason: String },
    #[error("another process is changing the model `{0}`")]
    Busy(String),
    #[error("stopped")]
    Cancelled,
    #[error("cannot {doing} {path}: {error}")]
    Io { doing: &'static str, path: PathBuf, error: io::Error },
}

impl LibraryError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::BadName(_) => {
                "use letters, digits, `-`, `_` and `.`, and begin with a letter or digit".to_owned()
            }
            Self::NotInstalled(name) => format!("run `neverafk models pull {name}`"),
            Self::Damaged { name, .. } => format!("run `neverafk models pull {name}` to fetch it again"),
            Self::Busy(_) => "wait until it is done, or stop it".to_owned(),
            Self::Cancelled => "run the command again to go on".to_owned(),
            Self::Io { error, .. } if disk::is_full(error) => {
                "make room on the disk and try again".to_owned()
            }
            Self::Io { .. } => "check that the models folder exists and may be read and written".to_owned(),
        }
    }
}

impl Library {
    /// The folder need not exist yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where a model's files are, or would be.
    pub fn folder(&self, name: &ModelName) -> PathBuf {
        self.root.join(name.as_str())
    }

    /// Every model that can be loaded, by name.
    pub fn list(&self) -> Result<Vec<Installed>, LibraryError> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(io_error("read", &self.root, error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| io_error("read", &self.root, error))?;
            let Some(name) = entry.file_name().to_str().and_then(|name| ModelName::parse(name).ok()) else {
                continue;
            };
            if let State::Installed(model) = self.state(&name)? {
                found.push(model);
            }
        }
        found.sort_by(|a, b| a.record.name.cmp(&b.record.name));
        Ok(found)
    }

    /// A model that is to be loaded. Sizes are compared, hashes are not: that is what [`Library::verify`] is for.
    pub fn installed(&self, name: &str) -> Result<Installed, LibraryError> {
        let name = ModelName::parse(name)?;
        match self.state(&name)? {
            State::Installed(model) => Ok(model),
            State::Damaged { reason, .. } => Err(LibraryError::Damaged { name: name.0, reason }),
            State::Absent | State::Partial { .. } => Err(LibraryError::NotInstalled(name.0)),
        }
    }

    /// What is there of a model.
    pub fn state(&self, name: &ModelName) -> Result<State, LibraryError> {
        let folder = self.folder(name);
        if !folder.is_dir() {
            return Ok(State::Absent);
        }
        let Some(record) = read_record(&folder, name)? else {
            let files: Vec<u64> = walkdir::WalkDir::new(&folder)
                .into_iter()
                .filter_map(|entry| entry.ok()?.metadata().ok())
                .filter(|metadata| metadata.is_file())
                .map(|metadata| metadata.len())
                .collect();
            return Ok(if files.is_empty() {
                State::Absent
            } else {
                State::Partial { bytes: files.iter().sum() }
            });
        };
        for file in &record.files {
            let reason = match fs::metadata(folder.join(&file.path)) {
                Ok(metadata) if metadata.len() == file.size => continue,
                Ok(metadata) => {
                    format!("`{}` has {} bytes instead of {}", file.path, metadata.len(), file.size)
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => format!("`{}` is gone", file.path),
                Err(error) => return Err(io_error("read", &folder.join(&file.path), error)),
            };
            return Ok(State::Damaged { record, reason });
        }
        Ok(State::Installed(Installed { folder, record }))
    }

    /// Hashes every file of a model and compares with what was locked. `on_bytes` hears the bytes read so far.
    pub fn verify(
        &self,
        name: &str,
        cancel: &AtomicBool,
        on_bytes: &mut dyn FnMut(u64),
    ) -> Result<Vec<(FileRecord, FileState)>, LibraryError> {
        let name = ModelName::parse(name)?;
        let folder = self.folder(&name);
        let record = match self.state(&name)? {
            State::Installed(model) => model.record,
            State::Damaged { record, .. } => record,
            State::Absent | State::Partial { .. } => return Err(LibraryError::NotInstalled(name.0)),
        };
        let mut before = 0;
        let mut found = Vec::new();
        for file in record.files {
            let path = folder.join(&file.path);
            let state = match digest::of_file(&path, cancel, &mut |bytes| on_bytes(before + bytes)) {
                Ok(digest) if digest.size == file.size && digest.sha256 == file.sha256 => FileState::Intact,
                Ok(_) => FileState::Changed,
                Err(error) if error.kind() == io::ErrorKind::NotFound => FileState::Missing,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    return Err(LibraryError::Cancelled);
                }
                Err(error) => return Err(io_error("read", &path, error)),
            };
            before += file.size;
            found.push((file, state));
        }
        Ok(found)
    }

    /// Deletes a model, also one that was begun and not finished.
    pub fn remove(&self, name: &str) -> Result<(), LibraryError> {
        let name = ModelName::parse(name)?;
        let folder = self.folder(&name);
        if !folder.is_dir() {
            return Err(LibraryError::NotInstalled(name.0));
        }
        let _lock = self.lock(&name)?;
        // Without its record it is no model any more, should the rest be interrupted.
        let record = folder.join(RECORD);
        disk::remove_if_there(&record).map_err(|error| io_error("remove", &record, error))?;
        fs::remove_dir_all(&folder).map_err(|error| io_error("remove", &folder, error))
    }

    /// Keeps other processes from changing a model until the value is dropped.
    pub fn lock(&self, name: &ModelName) -> Result<ModelLock, LibraryError> {
        let folder = self.root.join(LOCKS);
        fs::create_dir_all(&folder).map_err(|error| io_error("create", &folder, error))?;
        let path = folder.join(format!("{}.lock", name.as_str()));
        let file = File::create(&path).map_err(|error| io_error("create", &path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(ModelLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LibraryError::Busy(name.0.clone())),
            Err(TryLockError::Error(error)) => Err(io_error("lock", &path, error)),
        }
    }

    /// Writes the record, which makes the folder a model. Its files must be there and durable.
    pub(super) fn finish(&self, record: ModelRecord) -> Result<Installed, LibraryError> {
        let folder = self.folder(&record.name);
        write_record(&folder, &record)?;
        Ok(Installed { folder, record })
    }
}

/// Keeps a model locked.
#[derive(Debug)]
pub struct ModelLock {
    _file: File,
}

impl ModelName {
    /// Letters, digits, `-`, `_` and `.`, not beginning with a dot or dash: no name leaves the folder.
    pub fn parse(text: &str) -> Result<Self, LibraryError> {
        let fits = (1..=100).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
            && text.as_bytes()[0].is_ascii_alphanumeric()
            && !text.ends_with('.');
        if fits { Ok(Self(text.to_owned())) } else { Err(LibraryError::BadName(text.to_owned())) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ModelName {
    type Error = LibraryError;
    fn try_from(text: String) -> Result<Self, LibraryError> {
        Self::parse(&text)
    }
}

impl From<ModelName> for String {
    fn from(name: ModelName) -> Self {
        name.0
    }
}

impl std::fmt::Display for ModelName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&self.0)
    }
}

impl ModelRecord {
    /// The record of a pulled model.
    pub(super) fn of_entry(
        entry: &CatalogEntry,
        source: Source,
        files: Vec<FileRecord>,
        at: Timestamp,
    ) -> Result<Self, LibraryError> {
        Ok(Self {
            format: FORMAT,
            name: ModelName::parse(&entry.name)?,
            kind: entry.kind,
            licence: entry.licence.clone(),
            source,
            pulled_at: at,
            settings: entry.settings.clone(),
            files,
        })
    }

    /// The record of a model that was brought by hand; its licence is not known.
    pub(super) fn of_import(
        name: ModelName,
        kind: ModelKind,
        settings: ModelSettings,
        from: &Path,
        files: Vec<FileRecord>,
        at: Timestamp,
    ) -> Self {
        Self {
            format: FORMAT,
            name,
            kind,
            licence: "unknown".to_owned(),
            source: Source::Import { path: from.display().to_string() },
            pulled_at: at,
            settings,
            files,
        }
    }

    /// Bytes of all files together.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }
}

/// Writes a record into a folder; the folder may still have another name.
pub(super) fn write_record(folder: &Path, record: &ModelRecord) -> Result<(), LibraryError> {
    let path = folder.join(RECORD);
    serde_json::to_vec_pretty(record)
        .map_err(io::Error::other)
        .and_then(|text| disk::write_whole(&path, &text))
        .map_err(|error| io_error("write", &path, error))
}

pub(super) fn io_error(doing: &'static str, path: &Path, error: io::Error) -> LibraryError {
    LibraryError::Io { doing, path: path.to_owned(), error }
}

/// `None` when there is none, or none that this version wrote for this name.
fn read_record(folder: &Path, name: &ModelName) -> Result<Option<ModelRecord>, LibraryError> {
    let path = folder.join(RECORD);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error("read", &path, error)),
    };
    let inside = |file: &FileRecord| {
        let path = Path::new(&file.path);
        path.components().all(|part| matches!(part, std::path::Component::Normal(_)))
    };
    Ok(serde_json::from_slice::<ModelRecord>(&text)
        .ok()
        .filter(|record| record.format == FORMAT && record.name == *name && record.files.iter().all(inside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library_with(name: &str, files: &[(&str, &[u8])]) -> (tempfile::TempDir, Library) {
        let folder = tempfile::tempdir().unwrap();
        let library = Library::new(folder.path().join("models"));
        let name = ModelName::parse(name).unwrap();
        let inside = library.folder(&name);
        fs::create_dir_all(&inside).unwrap();
        let never = AtomicBool::new(false);
        let records = files
            .iter()
            .map(|(path, bytes)| {
                fs::write(inside.join(path), bytes).unwrap();
                let found = digest::of_file(&inside.join(path), &never, &mut |_| ()).unwrap();
                FileRecord { path: (*path).to_owned(), size: found.size, sha256: found.sha256 }
            })
            .collect();
        let record = ModelRecord::of_import(
            name,
            ModelKind::Chat,
            ModelSettings::default(),
            Path::new("here"),
            records,
            Timestamp(7),
        );
        library.finish(record).unwrap();
        (folder, library)
    }

    #[test]
    fn names_cannot_leave_the_folder() {
        for good in ["a", "all-MiniLM-L6-v2", "Qwen3-0.6B", "x_y"] {
            assert_eq!(ModelName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-f", "a b", "ä", "con:", "a."] {
            assert!(ModelName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_model_is_listed_verified_and_removed() {
        let (_keep, library) = library_with("m", &[("a.gguf", b"weights"), ("t.json", b"{}")]);
        let never = AtomicBool::new(false);
        assert_eq!(library.list().unwrap().len(), 1);
        let model = library.installed("m").unwrap();
        assert_eq!((model.record.size(), model.record.pulled_at), (9, Timestamp(7)));
        let states = library.verify("m", &never, &mut |_| ()).unwrap();
        assert!(states.iter().all(|(_, state)| *state == FileState::Intact));

        fs::write(model.folder.join("a.gguf"), b"weightz").unwrap();
        let states = library.verify("m", &never, &mut |_| ()).unwrap();
        assert_eq!(states[0].1, FileState::Changed);
        assert_eq!(states[1].1, FileState::Intact);

        library.remove("m").unwrap();
        assert_eq!(library.state(&ModelName::parse("m").unwrap()).unwrap(), State::Absent);
        assert!(matches!(library.remove("m"), Err(LibraryError::NotInstalled(_))));
    }

    #[test]
    fn what_is_not_whole_is_not_installed() {
        let (_keep, library) = library_with("m", &[("a.gguf", b"weights")]);
        let name = ModelName::parse("m").unwrap();
        let folder = library.folder(&name);

        fs::write(folder.join("a.gguf"), b"weigh").unwrap();
        assert!(matches!(library.state(&name).unwrap(), State::Damaged { .. }));
        assert!(library.list().unwrap().is_empty());
        fs::remove_file(folder.join("a.gguf")).unwrap();
        assert!(library.installed("m").unwrap_err().to_string().contains("is gone"));
        assert_eq!(
            library.verify("m", &AtomicBool::new(false), &mut |_| ()).unwrap()[0].1,
            FileState::Missing
        );

        fs::remove_file(folder.join(RECORD)).unwrap();
        fs::write(folder.join("a.gguf.part"), b"wei").unwrap();
        assert_eq!(library.state(&name).unwrap(), State::Partial { bytes: 3 });
        let missing = library.installed("m").unwrap_err();
        assert_eq!(missing.hint(), "run `neverafk models pull m`");
    }

    #[test]
    fn a_record_that_points_elsewhere_is_no_record() {
        let (_keep, library) = library_with("m", &[("a.gguf", b"weights")]);
        let name = ModelName::parse("m").unwrap();
        let path = library.folder(&name).join(RECORD);
        let text = fs::read_to_string(&path).unwrap();
        for (from, to) in [("a.gguf", "../../secret"), ("\"m\"", "\"n\""), ("\"format\": 1", "\"format\": 2")]
        {
            fs::write(&path, text.replace(from, to)).unwrap();
            assert!(matches!(library.state(&name).unwrap(), State::Partial { .. }), "{to}");
        }
    }

    #[test]
    fn one_at_a_time_changes_a_model() {
        let (_keep, library) = library_with("m", &[("a.gguf", b"weights")]);
        let name = ModelName::parse("m").unwrap();
        let held = library.lock(&name).unwrap();
        assert!(matches!(library.remove("m"), Err(LibraryError::Busy(_))));
        drop(held);
        library.remove("m").unwrap();
    }

    #[test]
    fn no_folder_is_no_models() {
        assert!(Library::new("/no/such/folder").list().unwrap().is_empty());
    }
}

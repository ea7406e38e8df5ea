//! Why a model could not be pulled, in words for people, and what to do next.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::inference::catalog::CatalogError;
use crate::inference::disk;
use crate::inference::library::LibraryError;

/// Why a pull failed. What had arrived is kept wherever it may be resumed.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    #[error("the model `{0}` is not installed, and the network may not be used")]
    Offline(String),
    #[error("{host} cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("the hub refuses `{repository}` ({status}{})", message.as_deref().map(|m| format!(": {m}")).unwrap_or_default())]
    Denied { repository: String, status: u16, message: Option<String>, with_token: bool, endpoint: String },
    #[error("the hub has no `{file}` in `{repository}` at `{revision}`")]
    NotFound { file: String, repository: String, revision: String },
    #[error("the hub answered {status} for `{file}`")]
    Refused { file: String, status: u16 },
    #[error("the hub is busy ({status}) and asks to wait {} s", wait.as_secs())]
    Busy { status: u16, wait: Duration },
    #[error("the download of `{file}` broke {times} times: {reason}")]
    Interrupted { file: String, times: u32, reason: String },
    #[error("`{file}` is not the file that was expected: its SHA-256 is {found} instead of {expected}")]
    WrongHash { file: String, expected: String, found: String },
    #[error("`{file}` is not the file that was expected: it has {found} bytes instead of {expected}")]
    WrongSize { file: String, expected: u64, found: u64 },
    #[error("the disk is full: `{file}` needs {needed} more bytes in {folder}")]
    DiskFull { file: String, needed: u64, folder: PathBuf },
    #[error("the address `{url}` cannot be used: {reason}")]
    BadAddress { url: String, reason: String },
    #[error("{hub}, and the Python package `{package}` does not help: {reason}")]
    Pip { package: String, reason: String, hub: Box<PullError> },
    #[error("stopped")]
    Cancelled,
    #[error("cannot {doing} {path}: {error}")]
    Io { doing: &'static str, path: PathBuf, error: io::Error },
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl PullError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Offline(name) => {
                format!(
                    "run `neverafk models pull {name}` with a network, or `neverafk models import` with the files"
                )
            }
            Self::Unreachable { .. } => {
                "check the network and the proxy (`HTTPS_PROXY`), set `HF_ENDPOINT` to a mirror, \
                                         or bring the files with `neverafk models import`"
                    .to_owned()
            }
            Self::Denied { repository, with_token: false, endpoint, .. } => format!(
                "open {endpoint}/{repository}, accept the licence there if it asks for that, and set `HF_TOKEN` to a \
                 token of your account"
            ),
            Self::Denied { repository, endpoint, .. } => format!(
                "check that `HF_TOKEN` is valid, and accept the licence at {endpoint}/{repository} with the same account"
            ),
            Self::NotFound { .. } | Self::Refused { .. } => {
                "the repository may have moved: update neverafk, or check `HF_ENDPOINT`".to_owned()
            }
            Self::Busy { .. } | Self::Interrupted { .. } | Self::Cancelled => {
                "run the command again: it goes on where it stopped".to_owned()
            }
            Self::WrongHash { .. } | Self::WrongSize { .. } => {
                "the file was removed; try again, and check `HF_ENDPOINT` and the proxy if it happens twice"
                    .to_owned()
            }
            Self::DiskFull { .. } => {
                "make room, or set `NEVERAFK_MODELS_DIR` to a larger disk, and run the command \
                                      again: it goes on where it stopped"
                    .to_owned()
            }
            Self::BadAddress { .. } => {
                "set `HF_ENDPOINT` to an address such as https://hub.example.org".to_owned()
            }
            Self::Pip { hub, .. } => hub.hint(),
            Self::Io { .. } => "check that the models folder exists and may be written".to_owned(),
            Self::Library(error) => error.hint(),
            Self::Catalog(_) => "this is a fault of the program: please report it".to_owned(),
        }
    }

    /// Sorts an error of the disk: full, stopped, or something else.
    pub(super) fn disk(doing: &'static str, path: &Path, needed: u64, error: io::Error) -> Self {
        if disk::is_full(&error) {
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let file = file.strip_suffix(".part").unwrap_or(&file).to_owned();
            let folder = path.parent().unwrap_or(path).to_owned();
            return Self::DiskFull { file, needed, folder };
        }
        if error.kind() == io::ErrorKind::Interrupted {
            return Self::Cancelled;
        }
        Self::Io { doing, path: path.to_owned(), error }
    }
}

//! Takes model files that are already on this machine into the library.
//!
//! A GGUF or whisper.cpp file, or a folder of safetensors, goes in; an installed model comes out. The files are
//! copied and hashed into a folder beside and renamed at the end, so an interrupted import leaves no model. What a
//! file is, is decided in [`super::sniff`]. The command line calls it, on a blocking thread.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::library::{self, FileRecord, Installed, Library, LibraryError, ModelName, ModelRecord, State};
use super::sniff::{self, SniffError};
use super::{digest, disk};
use crate::domain::Timestamp;

/// Why an import did not happen.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error(transparent)]
    Sniff(#[from] SniffError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error("there is a model `{0}` already")]
    Exists(String),
}

impl ImportError {
    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Sniff(SniffError::Pickle(_)) => {
                "convert it to safetensors or GGUF first, on a machine that may be lost".to_owned()
            }
            Self::Sniff(SniffError::Io { .. }) => "check the path".to_owned(),
            Self::Sniff(SniffError::Architecture { .. }) => {
                "chat models are read from GGUF files; embedding models are BERT or RoBERTa".to_owned()
            }
            Self::Sniff(_) => "give a `.gguf` file, a whisper.cpp `.bin` file, or a folder with \
                               `model.safetensors`, `tokenizer.json` and `config.json`"
                .to_owned(),
            Self::Library(error) => error.hint(),
            Self::Exists(name) => {
                format!("give another name with `--name`, or run `neverafk models remove {name}`")
            }
        }
    }
}

/// Copies a model in. `on_bytes` hears the bytes copied so far.
pub fn import(
    library: &Library,
    path: &Path,
    name: Option<&str>,
    now: Timestamp,
    cancel: &AtomicBool,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<Installed, ImportError> {
    let found = sniff::sniff(path)?;
    let name = match name {
        Some(name) => ModelName::parse(name)?,
        None => ModelName::parse(&name_of(path))?,
    };
    let _lock = library.lock(&name)?;
    if library.state(&name)? != State::Absent {
        return Err(ImportError::Exists(name.into()));
    }
    let beside = library.root().join(format!(".{name}.importing"));
    let outcome = copy_all(&found.files, &beside, cancel, on_bytes).and_then(|files| {
        let from = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let record = ModelRecord::of_import(name.clone(), found.kind, found.settings, &from, files, now);
        library::write_record(&beside, &record)?;
        let folder = library.folder(&name);
        disk::rename(&beside, &folder).map_err(|error| library::io_error("write", &folder, error))?;
        Ok(Installed { folder, record })
    });
    if outcome.is_err() {
        // Whatever is left would only take room; the next import removes it first anyway.
        let _ = fs::remove_dir_all(&beside);
    }
    Ok(outcome?)
}

fn copy_all(
    files: &[(std::path::PathBuf, String)],
    to: &Path,
    cancel: &AtomicBool,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<Vec<FileRecord>, LibraryError> {
    match fs::remove_dir_all(to) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(library::io_error("remove", to, error));
        }
        _ => (),
    }
    let mut before = 0;
    let mut records = Vec::new();
    for (from, path) in files {
        let into = to.join(path);
        if let Some(parent) = into.parent() {
            fs::create_dir_all(parent).map_err(|error| library::io_error("create", parent, error))?;
        }
        let mut source = File::open(from).map_err(|error| library::io_error("read", from, error))?;
        let mut target = File::create(&into).map_err(|error| library::io_error("create", &into, error))?;
        let copied =
            digest::of_reader(&mut source, &mut target, cancel, &mut |bytes| on_bytes(before + bytes))
                .and_then(|copied| target.sync_all().map(|()| copied))
                .map_err(|error| match error.kind() {
                    io::ErrorKind::Interrupted => LibraryError::Cancelled,
                    _ => library::io_error("copy into", &into, error),
                })?;
        before += copied.size;
        records.push(FileRecord { path: path.clone(), size: copied.size, sha256: copied.sha256 });
    }
    Ok(records)
}

/// The name of a folder, or of a file without its ending; what cannot stand in a name becomes a dash.
fn name_of(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let part = if path.is_dir() { path.file_name() } else { path.file_stem() };
    let part = part.map(|part| part.to_string_lossy().into_owned()).unwrap_or_default();
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let name: String = part.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    name.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::catalog::ModelKind;

    const WHISPER: &[u8] = b"lmgg and then the weights";

    #[test]
    fn a_file_is_copied_whole_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("my model (v2).bin");
        fs::write(&from, WHISPER).unwrap();
        let library = Library::new(folder.path().join("models"));
        let never = AtomicBool::new(false);
        let mut seen = 0;
        let model = import(&library, &from, None, Timestamp(5), &never, &mut |bytes| seen = bytes).unwrap();
        assert_eq!(model.record.name.as_str(), "my-model--v2");
        assert_eq!((model.record.kind, seen), (ModelKind::Transcription, WHISPER.len() as u64));
        assert_eq!(library.list().unwrap(), vec![model.clone()]);
        assert_eq!(fs::read(model.folder.join("my model (v2).bin")).unwrap(), WHISPER);

        let again = import(&library, &from, None, Timestamp(5), &never, &mut |_| ()).unwrap_err();
        assert!(again.hint().contains("--name"));
        import(&library, &from, Some("other"), Timestamp(5), &never, &mut |_| ()).unwrap();
        let bad = import(&library, &from, Some("../other"), Timestamp(5), &never, &mut |_| ()).unwrap_err();
        assert!(matches!(bad, ImportError::Library(LibraryError::BadName(_))));
    }

    #[test]
    fn a_stopped_import_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("m.bin");
        fs::write(&from, WHISPER).unwrap();
        let library = Library::new(folder.path().join("models"));
        let stopped =
            import(&library, &from, None, Timestamp(5), &AtomicBool::new(true), &mut |_| ()).unwrap_err();
        assert!(matches!(stopped, ImportError::Library(LibraryError::Cancelled)));
        assert!(library.list().unwrap().is_empty());
        let left: Vec<_> =
            fs::read_dir(library.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [".locks"]);
    }
}

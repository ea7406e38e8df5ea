//! Where the data lies on this machine, and how much of it there is: for whoever wants to see it, copy it, or delete it.

use std::path::{Path, PathBuf};

use super::{App, blocking};
use crate::problem::Problem;

/// A file or a folder of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// What lies there, in plain words.
    pub what: &'static str,
    pub path: PathBuf,
    pub bytes: u64,
}

/// Name in the data directory, and what it holds.
const KNOWN: [(&str, &str); 4] = [
    ("neverafk.redb", "Texts, conversations, accounts and settings"),
    ("blobs", "Your original files"),
    ("index", "Indexes for searching; they can be made again"),
    ("backups", "Backups"),
];

impl App {
    /// Everything that there is, with its size.
    pub async fn places(&self) -> Result<Vec<Place>, Problem> {
        let (data, models) = (self.config().data_dir.clone(), self.config().models_dir.clone());
        blocking(move || {
            let known = KNOWN.iter().map(|(name, what)| (*what, data.join(name)));
            let all = known.chain(std::iter::once(("Models that were downloaded", models)));
            all.filter(|(_, path)| path.exists())
                .map(|(what, path)| Ok(Place { bytes: size(&path)?, what, path }))
                .collect::<std::io::Result<Vec<Place>>>()
        })
        .await?
        .map_err(Problem::internal)
    }
}

/// Bytes of a file, or of everything in a folder; links are not followed. What goes away meanwhile counts nothing.
fn size(path: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in walkdir::WalkDir::new(path) {
        match entry.and_then(|entry| entry.metadata()) {
            Ok(found) if found.is_file() => sum += found.len(),
            Ok(_) => {}
            Err(error)
                if error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_as_large_as_its_files() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("in")).unwrap();
        std::fs::write(folder.path().join("a"), [0; 10]).unwrap();
        std::fs::write(folder.path().join("in/b"), [0; 5]).unwrap();
        assert_eq!(size(folder.path()).unwrap(), 15);
        assert_eq!(size(&folder.path().join("a")).unwrap(), 10);
        assert_eq!(size(&folder.path().join("gone")).unwrap(), 0);
    }
}

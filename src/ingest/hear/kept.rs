//! Windows that are done, kept in a file until the recording is: one JSON line each, in a folder of the creator.
//!
//! The name is made of content, model and revision, so that nothing of another recording or another model is gone on from.
//! A line that a crash cut off is left out, with everything after it. Deleting a creator deletes the folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

use crate::domain::{ContentHash, CreatorId};
use crate::inference::{Transcriber, Window};

/// The file of one recording and one model.
pub struct Kept {
    path: PathBuf,
    file: Option<File>,
}

impl Kept {
    pub fn open(folder: &Path, creator: &CreatorId, content: ContentHash, model: &dyn Transcriber) -> Self {
        let of_model = format!("{}\n{}", model.name(), model.revision());
        let model = &blake3::hash(of_model.as_bytes()).to_hex()[..16];
        let path = folder.join(creator.as_str()).join(format!("{}-{model}.jsonl", content.to_hex()));
        Self { path, file: None }
    }

    /// What is there already, in order.
    pub fn load(self) -> (Self, Vec<Window>) {
        let Ok(file) = File::open(&self.path) else { return (self, Vec::new()) };
        let mut windows: Vec<Window> = Vec::new();
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            let Ok(window) = serde_json::from_str::<Window>(&line) else { break };
            if windows.last().is_some_and(|before| before.end_ms > window.end_ms) {
                break;
            }
            windows.push(window);
        }
        (self, windows)
    }

    /// Appends a window; on the disk when this returns.
    pub fn add(&mut self, window: &Window) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                // What a crash cut off must not stay before the next line.
                let (_, windows) = Self { path: self.path.clone(), file: None }.load();
                if let Some(folder) = self.path.parent() {
                    fs::create_dir_all(folder)?;
                }
                let fresh = self.path.with_extension("new");
                fs::write(&fresh, windows.iter().map(line).collect::<io::Result<String>>()?)?;
                fs::rename(&fresh, &self.path)?;
                self.file.insert(OpenOptions::new().append(true).open(&self.path)?)
            }
        };
        file.write_all(line(window)?.as_bytes())?;
        file.sync_data()
    }
}

/// Deletes what any model left of a recording.
pub fn forget(folder: &Path, creator: &CreatorId, content: ContentHash) -> io::Result<()> {
    let begin = content.to_hex();
    let entries = match fs::read_dir(folder.join(creator.as_str())) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(&begin)) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn line(window: &Window) -> io::Result<String> {
    Ok(serde_json::to_string(window)? + "\n")
}

//! What is needed to repeat a run and to know what it was a run of: program, models, settings, data, machine.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::EvalError;
use super::dataset::DatasetError;
use super::machine::Machine;
use super::sample::Part;
use crate::app::{App, ModelFact};
use crate::problem::Problem;

/// Where a run came from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    pub version: String,
    /// Start of the BLAKE3 of the program file: two builds of one version are told apart.
    pub build: String,
    pub models: Vec<ModelFact>,
    /// Every effective setting; secrets are masked.
    pub settings: BTreeMap<String, Value>,
    pub seed: u64,
    pub limit: Option<usize>,
    pub data: Data,
    pub machine: Machine,
    /// Milliseconds since 1970.
    pub measured_at: u64,
}

/// What was asked, and over what.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Data {
    /// BLAKE3 of the files with the questions and their right answers.
    pub questions: String,
    /// BLAKE3 of the corpus, or the creator with the number of changes of its content.
    pub content: String,
    /// Whether the content is a creator's own, which changes from day to day.
    pub live: bool,
}

/// BLAKE3 of some files one after the other, as hexadecimal digits.
pub fn hash(paths: &[&Path]) -> Result<String, EvalError> {
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        let unreadable = |source| DatasetError::Read { path: path.to_path_buf(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        // The length first, so that moving a byte from one file to the next is a change.
        hasher.update(&file.metadata().map_err(unreadable)?.len().to_le_bytes());
        hasher.update_reader(file).map_err(unreadable)?;
    }
    Ok(hasher.finalize().to_hex().to_string())
}

impl Provenance {
    /// Of a run of `app`, begun now.
    pub async fn of(app: &App, data: Data, part: Part) -> Result<Self, EvalError> {
        let settings = app.config().layers.iter().map(|setting| {
            let value = serde_json::to_value(setting.shown()).map_err(Problem::internal)?;
            Ok::<_, Problem>((setting.name.clone(), value))
        });
        Ok(Self {
            version: app.version().to_owned(),
            build: build(),
            models: app.models_in_use().await?,
            settings: settings.collect::<Result<_, _>>()?,
            seed: part.seed,
            limit: part.limit,
            data,
            machine: Machine::here(),
            measured_at: crate::app::now().0,
        })
    }

    /// Of a run that needs no app: no models, no content.
    pub fn bare(data: Data, part: Part) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build: build(),
            seed: part.seed,
            limit: part.limit,
            data,
            machine: Machine::here(),
            measured_at: crate::app::now().0,
            ..Self::default()
        }
    }
}

/// Sixteen digits; empty where the program's file cannot be read (it was replaced while it ran).
fn build() -> String {
    static BUILD: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    let hash_self = || {
        let program = std::env::current_exe().ok()?;
        hash(&[program.as_path()]).ok().map(|digits| digits[..16].to_owned())
    };
    BUILD.get_or_init(|| hash_self().unwrap_or_default()).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_tells_files_apart_and_where_they_end() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let (ab, c, a, bc) = (write("1", "ab"), write("2", "c"), write("3", "a"), write("4", "bc"));
        let hash = |paths: &[&std::path::PathBuf]| {
            hash(&paths.iter().map(|path| path.as_path()).collect::<Vec<_>>()).unwrap()
        };
        assert_eq!(hash(&[&ab, &c]), hash(&[&ab, &c]));
        assert_ne!(hash(&[&ab, &c]), hash(&[&a, &bc]));
        assert_eq!(hash(&[&ab]).len(), 64);
        assert!(super::hash(&[Path::new("/nowhere")]).is_err());
        assert_eq!(build().len(), 16);
    }
}

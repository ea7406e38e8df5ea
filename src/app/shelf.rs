//! The models of this machine as people see them: what can be pulled, what is installed and used, what it needs; and
//! pulling one while the server runs. `http` shows it; the command line has its own in `cli/models.rs`.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::{App, blocking, models, now};
use crate::inference::catalog::{Catalog, CatalogEntry};
use crate::inference::download::{self, PullEvent, PullOptions};
use crate::inference::library::{Library, ModelName, State};
use crate::problem::{Kind, Problem};

/// A model of the catalogue.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Shelved {
    pub name: String,
    /// `embedding`, `chat`, `reranker`, `transcription` or `voice`.
    pub kind: String,
    pub licence: String,
    pub licence_url: Option<String>,
    /// Bytes to download, where that is known.
    pub size: Option<u64>,
    /// Memory that it needs at work, about.
    pub memory_mb: u64,
    /// ISO 639-1.
    pub languages: Vec<String>,
    pub notes: String,
    /// `absent`, `partial`, `installed` or `damaged`.
    pub state: &'static str,
    /// The settings of this server name it.
    pub in_use: bool,
    /// How far it is, when it is being pulled or was since the start.
    pub pull: Option<Pull>,
}

/// A pull, under way or over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Pull {
    /// `pulling`, `verifying`, `done` or `failed`.
    pub state: &'static str,
    /// The file that comes in.
    pub file: String,
    /// Bytes of it.
    pub done: u64,
    pub total: Option<u64>,
    /// Why it failed, and what to do.
    pub problem: Option<String>,
}

impl Pull {
    fn begun() -> Self {
        Self { state: "pulling", file: String::new(), done: 0, total: None, problem: None }
    }

    fn is_under_way(&self) -> bool {
        matches!(self.state, "pulling" | "verifying")
    }

    fn hear(&mut self, event: PullEvent) {
        match event {
            PullEvent::Started | PullEvent::FallingBack { .. } => self.state = "pulling",
            PullEvent::Progress(progress) => {
                let (file, done, total) = (progress.file, progress.done, progress.total);
                (self.state, self.file, self.done, self.total) = ("pulling", file, done, total);
            }
            PullEvent::Kept { file } => self.file = file,
            PullEvent::Verifying { file } => (self.state, self.file) = ("verifying", file),
            PullEvent::Retrying { .. } => {}
            PullEvent::AlreadyInstalled | PullEvent::Installed => self.state = "done",
        }
    }
}

/// Every pull since the start, by the model's name.
#[derive(Debug, Default)]
pub struct Pulls(Mutex<HashMap<String, Pull>>);

impl Pulls {
    fn change(&self, name: &str, change: impl FnOnce(&mut Pull)) {
        let mut pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(pulls.entry(name.to_owned()).or_insert_with(Pull::begun));
    }

    fn of(&self, name: &str) -> Option<Pull> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Takes the place of the one pull that may run; the name of the one that has it, when it is taken.
    fn begin(&self, name: &str) -> Result<(), String> {
        let mut pulls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((other, _)) = pulls.iter().find(|(_, pull)| pull.is_under_way()) {
            return Err(other.clone());
        }
        pulls.insert(name.to_owned(), Pull::begun());
        Ok(())
    }
}

impl App {
    /// The catalogue, as it stands on this machine.
    pub async fn shelf(&self) -> Result<Vec<Shelved>, Problem> {
        let (directory, settings) = (self.config().models_dir.clone(), self.config().settings.clone());
        let pulls = self.pulls.clone();
        let look = move || {
            let (catalog, library) =
                (Catalog::bundled().map_err(Problem::internal)?, Library::new(&directory));
            let mut used: Vec<String> =
                super::chain::names(&settings).iter().map(|name| models::plain(name).to_owned()).collect();
            used.push(settings.models.embedding.clone());
            used.extend(models::speech_model(&directory, &settings.models).ok());
            catalog.entries().iter().map(|entry| shelved(entry, &library, &used, &pulls)).collect()
        };
        blocking(look).await?
    }

    /// Begins to pull a model of the catalogue, on a thread of its own that ends with the process: what has arrived stays,
    /// and pulling again goes on there. One runs at a time.
    pub fn pull(&self, name: &str) -> Result<Pull, Problem> {
        let catalog = Catalog::bundled().map_err(Problem::internal)?;
        let entry = catalog.find(name).cloned().map_err(|unknown| {
            Problem::new(Kind::Missing, "unknown_model", unknown.to_string(), unknown.hint())
        })?;
        if let Err(other) = self.pulls.begin(&entry.name) {
            if other == entry.name {
                return Ok(self.pulls.of(&other).unwrap_or_else(Pull::begun));
            }
            return Err(Problem::new(
                Kind::Conflict,
                "pull_under_way",
                format!("`{other}` is being pulled"),
                "pull this one when it is done",
            ));
        }
        let (pulls, library) = (self.pulls.clone(), Library::new(&self.config().models_dir));
        let options = PullOptions::from_env(false, now());
        let work = {
            let (pulls, entry) = (pulls.clone(), entry.clone());
            move || pull(&entry, &library, &options, &pulls)
        };
        if let Err(error) = std::thread::Builder::new().name("pull".into()).spawn(work) {
            pulls.change(&entry.name, |pull| pull.state = "failed");
            return Err(Problem::internal(error));
        }
        Ok(pulls.of(&entry.name).unwrap_or_else(Pull::begun))
    }
}

fn pull(entry: &CatalogEntry, library: &Library, options: &PullOptions, pulls: &Arc<Pulls>) {
    let hear = &mut |event| pulls.change(&entry.name, |pull| pull.hear(event));
    match download::pull(entry, library, options, &AtomicBool::new(false), hear) {
        Ok(_) => pulls.change(&entry.name, |pull| pull.state = "done"),
        Err(error) => {
            tracing::warn!(model = entry.name, %error, "a model could not be pulled");
            let problem = format!("{error}; {}", error.hint());
            pulls.change(&entry.name, |pull| (pull.state, pull.problem) = ("failed", Some(problem)));
        }
    }
}

fn shelved(
    entry: &CatalogEntry,
    library: &Library,
    used: &[String],
    pulls: &Pulls,
) -> Result<Shelved, Problem> {
    let unreadable = |error: crate::inference::library::LibraryError| {
        Problem::new(Kind::Internal, "models_unreadable", error.to_string(), error.hint())
    };
    let name = ModelName::parse(&entry.name).map_err(unreadable)?;
    Ok(Shelved {
        state: match library.state(&name).map_err(unreadable)? {
            State::Absent => "absent",
            State::Partial { .. } => "partial",
            State::Installed(_) => "installed",
            State::Damaged { .. } => "damaged",
        },
        in_use: used.iter().any(|used| entry.names().any(|known| known.eq_ignore_ascii_case(used))),
        pull: pulls.of(&entry.name),
        name: entry.name.clone(),
        kind: entry.kind.to_string(),
        licence: entry.licence.clone(),
        licence_url: entry.licence_url.clone(),
        size: entry.size(),
        memory_mb: entry.memory_mb,
        languages: entry.languages.clone(),
        notes: entry.notes.clone(),
    })
}

/// Memory of this machine that is free or can be freed, in MB, as Linux tells it (proc_meminfo(5)); other systems have
/// no such file.
pub async fn memory_mb() -> Option<u64> {
    let text = tokio::fs::read_to_string("/proc/meminfo").await.ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    // Kibibytes, whatever the file calls them.
    Some(kilobytes * 1024 / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pull_runs_and_says_how_far_it_is() {
        let pulls = Pulls::default();
        assert_eq!(pulls.begin("a"), Ok(()));
        assert_eq!(pulls.begin("b"), Err("a".to_owned()));
        pulls.change("a", |pull| pull.hear(PullEvent::Verifying { file: "f".into() }));
        assert_eq!(pulls.of("a").map(|pull| (pull.state, pull.file)), Some(("verifying", "f".to_owned())));
        pulls.change("a", |pull| pull.hear(PullEvent::Installed));
        assert_eq!(pulls.begin("b"), Ok(()));
        assert_eq!(pulls.of("a").map(|pull| pull.state), Some("done"));
        assert!(pulls.of("c").is_none());
    }
}

//! Runs that are kept: files of their own, and the baselines of creators under the data directory.
//!
//! A file is written whole or not at all, so that a comparison never reads half of one.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::report::{Report, Task};

/// Of the files here; a newer program that changes their meaning counts on.
const FORMAT: u32 = 1;
/// Where the runs of no creator lie: no creator can be called that.
const NOBODY: &str = "_";

#[derive(Serialize)]
struct Written<'a> {
    format: u32,
    #[serde(flatten)]
    report: &'a Report,
}

#[derive(Deserialize)]
struct Read {
    /// Absent in what `--json` prints, which is as good.
    #[serde(default)]
    format: u32,
    #[serde(flatten)]
    report: Report,
}

/// Why a saved run cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("{path} cannot be written: {source}", path = path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{path} cannot be read: {source}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is no saved run: {what}", path = path.display())]
    NoRun { path: PathBuf, what: String },
    #[error("there is no baseline for {dataset} ({task})")]
    NoBaseline { dataset: String, task: &'static str },
    #[error("there is no run `{0}`")]
    Unknown(String),
}

impl RunError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Write { .. } => "name another file, or make room",
            Self::Read { .. } | Self::NoRun { .. } => "name a file that `--save FILE` wrote",
            Self::NoBaseline { .. } => "`neverafk eval record` with the same set makes one",
            Self::Unknown(_) => "name a file, or a name that `--save NAME` was given",
        }
    }
}

/// The baseline of a creator, or of none, for one set.
pub fn baseline(data_dir: &Path, creator: Option<&str>, task: Task, dataset: &str) -> PathBuf {
    let folder = data_dir.join("eval").join(creator.unwrap_or(NOBODY));
    folder.join(format!("baseline-{}-{}.json", task.name(), harmless(dataset)))
}

/// What a name on the command line means: a file where there is one or where it looks like one, else a run kept under the
/// data directory.
pub fn place(data_dir: &Path, name: &str) -> PathBuf {
    let path = Path::new(name);
    if path.exists() || path.extension().is_some() || path.components().count() > 1 {
        return path.to_owned();
    }
    data_dir.join("eval").join(NOBODY).join(format!("{}.json", harmless(name)))
}

/// Writes a run with its single questions.
pub fn save(report: &Report, path: &Path) -> Result<(), RunError> {
    let unwritable = |source| RunError::Write { path: path.to_owned(), source };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let text = serde_json::to_vec(&Written { format: FORMAT, report })
        .map_err(|error| unwritable(std::io::Error::other(error)))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(unwritable)?;
    file.write_all(&text).and_then(|()| file.as_file().sync_all()).map_err(unwritable)?;
    file.persist(path).map_err(|error| unwritable(error.error))?;
    Ok(())
}

/// Reads a run that [`save`] or `--json` wrote.
pub fn read(path: &Path) -> Result<Report, RunError> {
    let text = std::fs::read(path).map_err(|source| RunError::Read { path: path.to_owned(), source })?;
    let no_run = |what: String| RunError::NoRun { path: path.to_owned(), what };
    let run: Read = serde_json::from_slice(&text).map_err(|error| no_run(error.to_string()))?;
    if run.format > FORMAT {
        return Err(no_run("a newer program wrote it".to_owned()));
    }
    Ok(run.report)
}

/// A name as part of a file's.
fn harmless(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || matches!(c, '-' | '_') { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::report::{Details, Metrics, Scored};

    #[test]
    fn a_run_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let mut metrics = Metrics::default();
        metrics.add("hit@1", 1.0);
        metrics.add("auroc", None);
        let mut question = Scored::new("q");
        question.add_mean("hit@1", &[true, false]);
        let report = Report {
            dataset: "set".into(),
            queries: 1,
            metrics,
            latency_ms: None,
            settings: serde_json::Map::new(),
            details: Details::of(Task::Answers, vec![question], 7),
        };
        let path = baseline(folder.path(), Some("course"), Task::Answers, "../set");
        assert!(path.ends_with("eval/course/baseline-answers-___set.json"), "{}", path.display());
        save(&report, &path).unwrap();
        assert_eq!(read(&path).unwrap(), report);
        std::fs::write(&path, "{}").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("is no saved run"));
        std::fs::write(&path, serde_json::to_vec(&Written { format: 9, report: &report }).unwrap()).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("newer"));
    }

    #[test]
    fn a_name_is_a_kept_run_and_a_path_is_a_file() {
        let at = |name: &str| place(Path::new("/data"), name);
        assert_eq!(at("monday"), Path::new("/data/eval/_/monday.json"));
        assert_eq!(at("monday.json"), Path::new("monday.json"));
        assert_eq!(at("runs/monday"), Path::new("runs/monday"));
    }
}

//! Measuring speed and memory: `bench embed`, `chat`, `search`, `ingest` and `serve`, each as a function that gives a
//! [`report::Report`].
//!
//! Inputs are made here from a seed ([`words`], [`vectors`]), so that a run can be repeated anywhere; what is measured is
//! the program as it stands ([`App`](crate::app::App) and the seams it hands out), and for `serve` a second process that
//! is spoken to over HTTP. Printing, progress bars and plots are not here: a caller hears of progress through [`Pace`] and
//! gets plain data. How good answers are is `eval`'s business.

pub mod chat;
pub mod compare;
pub mod embed;
pub mod ingest;
pub mod machine;
pub mod report;
pub mod search;
pub mod serve;
pub mod server;
mod sound;
pub mod spread;
pub mod vectors;
pub mod words;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::app::App;
use crate::inference::ModelError;
use crate::ingest::IngestError;
use crate::problem::{Kind, Problem};

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{0}")]
    Engine(#[from] Problem),
    #[error("no directory for the scratch data can be made: {0}")]
    Scratch(std::io::Error),
    #[error("{path} cannot be written: {error}")]
    Unwritable { path: PathBuf, error: std::io::Error },
    #[error("{path} cannot be read: {error}")]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("the report {path} cannot be used: {reason}")]
    Report { path: PathBuf, reason: String },
    #[error("no chat model is chosen, so there is nothing to measure")]
    NoChatModel,
    #[error("the chat model ended without its last event")]
    NoEnd,
    #[error("the server that was to be measured {0}")]
    Server(String),
}

impl From<ModelError> for BenchError {
    fn from(error: ModelError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<IngestError> for BenchError {
    fn from(error: IngestError) -> Self {
        Self::Engine(error.into())
    }
}

impl From<BenchError> for Problem {
    fn from(error: BenchError) -> Self {
        let message = error.to_string();
        match error {
            BenchError::Engine(problem) => problem,
            BenchError::Scratch(_) => Self::new(
                Kind::Full,
                "no_scratch",
                message,
                "make room, or set TMPDIR to a directory with room",
            ),
            BenchError::Unwritable { .. } => {
                Self::new(Kind::Invalid, "unwritable", message, "name another directory")
            }
            BenchError::Unreadable { .. } => {
                Self::new(Kind::Missing, "unreadable", message, "name a recording that is there")
            }
            BenchError::Report { .. } => Self::new(
                Kind::Unreadable,
                "unreadable_report",
                message,
                "give a file that the same `neverafk bench … --json` wrote",
            ),
            BenchError::NoChatModel => Self::new(
                Kind::Missing,
                "no_chat_model",
                message,
                "run `neverafk models pull SmolLM2-135M-Instruct`, then `neverafk bench chat --chat SmolLM2-135M-Instruct`",
            ),
            BenchError::NoEnd => Self::internal(message),
            BenchError::Server(_) => Self::new(
                Kind::Internal,
                "no_server",
                message,
                "try `neverafk serve` by hand, it says what is wrong; `neverafk doctor` checks the machine",
            ),
        }
    }
}

/// How long to measure, and who hears how far it is.
pub struct Pace<'a> {
    /// Time for each measurement, after its warm-up.
    pub budget: Duration,
    /// A measurement is repeated at least so often, whatever it takes.
    pub least: usize,
    /// Repetitions that are not counted.
    pub warm_ups: usize,
    /// Told the share that is done, 0 to 1, and what is measured next.
    pub progress: &'a dyn Fn(f64, &str),
}

/// No measurement is repeated more often: by then more tells nothing.
const MOST: usize = 20_000;

impl Pace<'_> {
    /// The outcomes of `work`, repeated; the number given to it counts its calls, warm-ups among them.
    pub async fn repeat<T, E>(&self, mut work: impl AsyncFnMut(usize) -> Result<T, E>) -> Result<Vec<T>, E> {
        for call in 0..self.warm_ups {
            work(call).await?;
        }
        let (began, mut outcomes) = (Instant::now(), Vec::new());
        while outcomes.len() < self.least || (began.elapsed() < self.budget && outcomes.len() < MOST) {
            outcomes.push(work(self.warm_ups + outcomes.len()).await?);
        }
        Ok(outcomes)
    }

    fn tell(&self, share: f64, what: &str) {
        (self.progress)(share.clamp(0.0, 1.0), what);
    }
}

/// Digits of a hash: enough to see that the weights are others.
const DIGITS: usize = 12;

/// The models of these roles, each with the first digits of its weights' hash, for the settings of a report.
async fn weights(app: &App, roles: &[&str]) -> Result<Vec<String>, Problem> {
    let facts = app.models_in_use(None).await?;
    let shown = |hash: &str| hash.chars().take(DIGITS).collect::<String>();
    let named = facts.iter().filter(|fact| roles.contains(&fact.role.as_str()));
    Ok(named.map(|fact| format!("{} {}", fact.name, shown(&fact.hash)).trim_end().to_owned()).collect())
}

/// Milliseconds of a duration.
fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A file of inputs that another program is to be measured on (`--keep-input`).
fn keep(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), BenchError> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, bytes))
        .map_err(|error| BenchError::Unwritable { path, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_measurement_has_its_warm_ups_and_its_least_number() {
        let pace = Pace { budget: Duration::ZERO, least: 3, warm_ups: 2, progress: &|_, _| {} };
        let outcomes = pace.repeat(async |call| Ok::<_, ()>(call)).await.unwrap();
        assert_eq!(outcomes, [2, 3, 4]);
        assert_eq!(pace.repeat(async |call| if call < 4 { Ok(call) } else { Err(call) }).await, Err(4));
    }
}

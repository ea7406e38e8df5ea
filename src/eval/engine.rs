//! The engine under measurement: an app of its own in a directory that vanishes, filled from a corpus.
//!
//! Measuring goes the way that students go: the same ingestion, the same answers. Nothing of a creator's is touched.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::EvalError;
use super::dataset::read_corpus;
use crate::app::App;
use crate::config::Config;
use crate::domain::{Answer, AnswerEvent, CreatorId, Question};
use crate::ingest::Item;

/// Documents recorded at once.
const BATCH: usize = 256;

/// An app over a scratch creator.
pub struct Engine {
    pub app: Arc<App>,
    pub creator: CreatorId,
    _directory: tempfile::TempDir,
}

impl Engine {
    /// Settings as given, content from `corpus`. `progress` gets the number of documents so far.
    pub async fn fill(mut config: Config, corpus: &Path, progress: impl Fn(u64)) -> Result<Self, EvalError> {
        let directory = tempfile::tempdir().map_err(EvalError::Scratch)?;
        config.data_dir = directory.path().to_owned();
        let app = App::open(config).await?;
        let creator = app.add_creator("eval".parse().map_err(crate::problem::Problem::from)?, None).await?.id;
        let (mut batch, mut done) = (Vec::with_capacity(BATCH), 0);
        let mut entries = read_corpus(corpus)?;
        loop {
            let entry = entries.next().transpose()?;
            let ended = entry.is_none();
            batch.extend(entry.map(|entry| Item::record(entry.id, entry.title, entry.text)));
            if batch.len() >= BATCH || ended {
                done += batch.len() as u64;
                for ingested in app
                    .ingest()
                    .batch(&creator, std::mem::take(&mut batch))
                    .await
                    .map_err(crate::problem::Problem::from)?
                {
                    if let Err(error) = ingested {
                        tracing::warn!(%error, "a document of the corpus was left out");
                    }
                }
                progress(done);
            }
            if ended {
                return Ok(Self { app, creator, _directory: directory });
            }
        }
    }

    /// Settings as given, content from the bundled sample course.
    pub async fn with_sample_course(mut config: Config) -> Result<Self, EvalError> {
        let directory = tempfile::tempdir().map_err(EvalError::Scratch)?;
        config.data_dir = directory.path().to_owned();
        let app = App::open(config).await?;
        let creator = crate::app::demo::prepare(&app).await?;
        Ok(Self { app, creator, _directory: directory })
    }

    /// One answer, whole, as `POST /chat` gives it.
    pub async fn ask(&self, question: &str) -> Result<Answer, EvalError> {
        let question =
            Question::parse(question, self.creator.clone()).map_err(crate::problem::Problem::from)?;
        let mut events = self.app.answer(question, None).await?;
        while let Some(event) = events.recv().await {
            if let AnswerEvent::Done(answer) = event.map_err(crate::problem::Problem::from)? {
                return Ok(*answer);
            }
        }
        Err(EvalError::NoAnswer)
    }

    /// What is needed to repeat the run.
    pub fn settings(&self, limit: Option<usize>, seed: u64) -> Map<String, Value> {
        let settings = &self.app.config().settings;
        let all = json!({
            "version": self.app.version(), "embedder": settings.models.embedding, "chat": settings.answer.model,
            "threshold": settings.answer.threshold, "chunk_chars": settings.ingest.chunk_chars,
            "limit": limit, "seed": seed,
        });
        if let Value::Object(map) = all { map } else { Map::new() }
    }
}

/// The last part of a path, as a report names a data set; the folder's name for a file called `answers.jsonl`.
pub fn name_of(path: &Path) -> String {
    let full = path.canonicalize().unwrap_or_else(|_| PathBuf::from(path));
    let named = if full.file_name().is_some_and(|name| name == "answers.jsonl") {
        full.parent()
    } else {
        Some(full.as_path())
    };
    named
        .and_then(|path| path.file_stem())
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

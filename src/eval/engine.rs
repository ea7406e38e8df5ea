//! The engine under measurement: an app of its own in a directory that vanishes, filled from a corpus, or a creator's
//! own collection as it stands.
//!
//! Measuring goes the way that students go: the same ingestion, the same answers. Nothing of a creator's is touched.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::EvalError;
use super::dataset::read_corpus;
use super::provenance::{Data, Provenance, hash};
use super::sample::Part;
use crate::app::App;
use crate::config::Config;
use crate::domain::{Answer, AnswerEvent, CreatorId, DocumentId, Question};
use crate::ingest::Item;
use crate::problem::Problem;
use crate::store::Creator;

/// Documents recorded at once.
const BATCH: usize = 256;

/// An app over a scratch creator or a real one.
pub struct Engine {
    pub app: Arc<App>,
    pub creator: CreatorId,
    /// A real creator's record, which a measurement may change for itself; answers to it are not kept.
    pub live: Option<Creator>,
    content: String,
    directory: Option<Arc<tempfile::TempDir>>,
}

impl Engine {
    /// Settings as given, content from `corpus`. `progress` gets the number of documents so far.
    pub async fn fill(mut config: Config, corpus: &Path, progress: impl Fn(u64)) -> Result<Self, EvalError> {
        let directory = Arc::new(tempfile::tempdir().map_err(EvalError::Scratch)?);
        let content = hash(&[corpus])?;
        config.data_dir = directory.path().to_owned();
        let app = App::open(config).await?;
        let creator = app.add_creator("eval".parse().map_err(Problem::from)?, None).await?.id;
        let (mut batch, mut done) = (Vec::with_capacity(BATCH), 0);
        let mut entries = read_corpus(corpus)?;
        loop {
            let entry = entries.next().transpose()?;
            let ended = entry.is_none();
            batch.extend(entry.map(|entry| Item::record(entry.id, entry.title, entry.text)));
            if batch.len() >= BATCH || ended {
                done += batch.len() as u64;
                for ingested in
                    app.ingest().batch(&creator, std::mem::take(&mut batch)).await.map_err(Problem::from)?
                {
                    if let Err(error) = ingested {
                        tracing::warn!(%error, "a document of the corpus was left out");
                    }
                }
                progress(done);
            }
            if ended {
                return Ok(Self { app, creator, live: None, content, directory: Some(directory) });
            }
        }
    }

    /// A creator's own collection, in the data directory of `config`.
    pub async fn of_creator(config: Config, creator: CreatorId) -> Result<Self, EvalError> {
        Self::over(App::open(config).await?, creator).await
    }

    /// The same beside an app that is at work on these data, whose own indexes are left alone.
    pub async fn beside(app: &App, creator: CreatorId) -> Result<Self, EvalError> {
        Self::over(App::with_store(app.config().clone(), app.store().clone())?, creator).await
    }

    async fn over(app: Arc<App>, creator: CreatorId) -> Result<Self, EvalError> {
        let record = app.store().creator(&creator).await.map_err(Problem::from)?;
        let content = format!("creator {creator}, change {}", record.generation);
        Ok(Self { app, creator, live: Some(record), content, directory: None })
    }

    /// The same content with other settings. The embedding model is that of the content.
    pub fn with(&self, config: &Config) -> Result<Self, EvalError> {
        let config = Config { data_dir: self.app.config().data_dir.clone(), ..config.clone() };
        Ok(Self {
            app: App::with_store(config, self.app.store().clone())?,
            creator: self.creator.clone(),
            live: self.live.clone(),
            content: self.content.clone(),
            directory: self.directory.clone(),
        })
    }

    /// The creator's record as it is measured.
    pub async fn record(&self) -> Result<Creator, EvalError> {
        match &self.live {
            Some(record) => Ok(record.clone()),
            None => Ok(self.app.store().creator(&self.creator).await.map_err(Problem::from)?),
        }
    }

    /// What judgements call the documents: the id that they came with, else their own.
    pub async fn names(&self) -> Result<HashMap<DocumentId, String>, EvalError> {
        let documents = self.app.store().documents(&self.creator).await.map_err(Problem::from)?;
        let named = documents.into_iter().map(|document| {
            let name = document.external_id.unwrap_or_else(|| document.id.to_string());
            (document.id, name)
        });
        Ok(named.collect())
    }

    /// What repeats a run over this content that ends now; `questions` is the hash of what was asked.
    pub async fn provenance(&self, questions: String, part: Part) -> Result<Provenance, EvalError> {
        let data = Data { questions, content: self.content.clone(), live: self.live.is_some() };
        Provenance::of(&self.app, self.embedder(), data, part).await
    }

    /// The model that made the vectors of a creator's own collection.
    fn embedder(&self) -> Option<&str> {
        self.live.as_ref()?.embedding.as_ref().map(|model| model.name.as_str())
    }

    /// Settings as given, content from the bundled sample course.
    pub async fn with_sample_course(mut config: Config) -> Result<Self, EvalError> {
        let directory = Arc::new(tempfile::tempdir().map_err(EvalError::Scratch)?);
        config.data_dir = directory.path().to_owned();
        let app = App::open(config).await?;
        let creator = crate::app::demo::prepare(&app).await?;
        let content = format!("sample course of version {}", env!("CARGO_PKG_VERSION"));
        Ok(Self { app, creator, live: None, content, directory: Some(directory) })
    }

    /// One answer, whole, as `POST /chat` gives it.
    pub async fn ask(&self, question: &str) -> Result<Answer, EvalError> {
        let question = Question::parse(question, self.creator.clone()).map_err(Problem::from)?;
        let mut events = match &self.live {
            Some(record) => self.app.try_answer(question, record.clone()).await?,
            None => self.app.answer(question, None).await?,
        };
        while let Some(event) = events.recv().await {
            if let AnswerEvent::Done(answer) = event.map_err(Problem::from)? {
                return Ok(*answer);
            }
        }
        Err(EvalError::NoAnswer)
    }

    /// Below this confidence the engine declines.
    pub fn threshold(&self) -> f64 {
        let fitted = self.live.as_ref().and_then(Creator::calibration).and_then(|fitted| fitted.threshold);
        let threshold = fitted.unwrap_or(self.app.config().settings.answer.threshold);
        // As people write it: .3 is .30000001192 in the digits of an f64 that was an f32.
        threshold.to_string().parse().unwrap_or(f64::from(threshold))
    }

    /// The settings that matter most to a reader.
    pub fn settings(&self, part: Part) -> Map<String, Value> {
        let settings = &self.app.config().settings;
        let embedder = self.embedder().unwrap_or(&settings.models.embedding);
        let calibration = self.live.as_ref().and_then(Creator::calibration);
        let all = json!({
            "version": self.app.version(), "embedder": embedder, "chat": settings.answer.model,
            "fusion": settings.answer.fusion, "reranker": settings.answer.reranker,
            "entailment": settings.answer.entailment, "threshold": self.threshold(),
            "nearness": calibration.and_then(|fitted| fitted.nearness).unwrap_or(1.0),
            "chunk_chars": settings.ingest.chunk_chars, "limit": part.limit, "seed": part.seed,
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

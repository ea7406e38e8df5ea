//! The composition root: settings in, a running [`App`] out. The only place that names concrete models.
//!
//! `serve`, the command line, `eval` and the tests share one `App`. It owns no rules: it puts together what
//! [`ingest`](crate::ingest), [`answer`](crate::answer) and [`jobs`](crate::jobs) need and hands it to them.

pub mod demo;
pub mod doctor;
mod models;
mod search;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::answer::find::{Finder, Trust};
use crate::answer::{AnswerOptions, AnswerStream, Answering, Asked};
use crate::collection::Collections;
use crate::config::Config;
use crate::domain::{
    ConversationId, CreatorId, DocumentId, EmbeddingModelId, Job, JobId, JobKind, JobState, MessageId,
    Question, Timestamp,
};
use crate::inference::ChatModel;
use crate::inference::catalog::Catalog;
use crate::inference::embedders::Embedders;
use crate::ingest::chunk::ChunkOptions;
use crate::ingest::extract::Limits;
use crate::ingest::{Ingest, IngestOptions, Ingested, Item, Payload};
use crate::jobs::Jobs;
use crate::problem::{Kind, Problem};
use crate::store::{ApiKey, Creator, Options, Store, StoreError};

pub use search::{SearchHit, SearchReport};

/// Setting and flag that mean: no chat model, the best sentences verbatim.
pub const EXTRACTIVE: &str = "extractive";

/// Turns of a conversation that an answer may look back at.
const HISTORY: usize = 20;

/// Everything that a command or a request needs.
pub struct App {
    config: Config,
    store: Store,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    trust: Trust,
    chats: Mutex<HashMap<String, Arc<dyn ChatModel>>>,
    places: Arc<Semaphore>,
    wake: Arc<Notify>,
    started: Instant,
}

/// A file that a creator sends.
pub struct Upload {
    pub name: String,
    pub title: Option<String>,
    pub password: Option<String>,
    pub file: tempfile::NamedTempFile,
}

impl App {
    /// Opens the data directory, making it when it is not there.
    pub async fn open(config: Config) -> Result<Arc<Self>, Problem> {
        let store = Store::open(&config.data_dir, Options::default()).await?;
        Self::with_store(config, store)
    }

    /// The same over a store that is open already, as tests have it.
    pub fn with_store(config: Config, store: Store) -> Result<Arc<Self>, Problem> {
        let catalog = Catalog::bundled().map_err(Problem::internal)?;
        let settings = &config.settings;
        let embedders = {
            let (directory, models) = (config.models_dir.clone(), settings.models.clone());
            let default = models::canonical(&settings.models.embedding);
            Embedders::new(default, move |name| models::embedder(name, &directory, &models))
        };
        Ok(Arc::new(Self {
            trust: Arc::new(move |model| models::trust(&catalog, model)),
            collections: Arc::new(Collections::new(store.clone(), config.data_dir.join("index"))),
            embedders: Arc::new(embedders),
            chats: Mutex::default(),
            places: Arc::new(Semaphore::new(settings.server.max_concurrent_answers)),
            wake: Arc::new(Notify::new()),
            started: Instant::now(),
            store,
            config,
        }))
    }

    /// The settings of this run.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The truth.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The program's version.
    pub fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Since when this `App` runs.
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// A place among the answers under way, or the advice to come back.
    pub fn admit(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.places.clone().try_acquire_owned().map_err(|_| {
            Problem::new(
                Kind::Busy(Duration::from_secs(1)),
                "busy",
                "too many questions are being answered",
                "ask again in a moment",
            )
        })
    }

    /// Loads the embedding model before the first question needs it. What fails here is told to whoever asks.
    pub fn warm_up(&self) {
        let embedders = self.embedders.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = embedders.get(None) {
                tracing::warn!(%error, "the embedding model of new collections cannot be loaded");
            }
        });
    }

    /// Makes a creator.
    pub async fn add_creator(&self, id: CreatorId, name: Option<String>) -> Result<Creator, Problem> {
        let creator = Creator {
            name: name.unwrap_or_else(|| id.to_string()),
            id,
            created_at: now(),
            embedding: None,
            generation: 0,
            settings: serde_json::json!({}),
        };
        self.store.add_creator(creator.clone()).await?;
        Ok(creator)
    }

    /// Deletes a creator with everything that belonged to it.
    pub async fn remove_creator(&self, id: &CreatorId) -> Result<(), Problem> {
        self.store.remove_creator(id).await?;
        self.collections.forget(id);
        Ok(())
    }

    /// Makes a key for a creator; the key itself is given here and never again.
    pub async fn create_key(&self, creator: &CreatorId, name: String) -> Result<(ApiKey, String), Problem> {
        self.store.creator(creator).await?;
        let (first, second) = (MessageId::from_bytes(random()?), MessageId::from_bytes(random()?));
        let key = format!("nafk_{first}{second}");
        let record = ApiKey {
            id: MessageId::from_bytes(random()?).to_string(),
            creator: creator.clone(),
            name,
            hash: *blake3::hash(key.as_bytes()).as_bytes(),
            created_at: now(),
        };
        self.store.add_key(record.clone()).await?;
        Ok((record, key))
    }

    /// Answers a question; `model` overrides `answer.model`.
    pub async fn answer(&self, question: Question, model: Option<String>) -> Result<AnswerStream, Problem> {
        let creator = self.store.creator(&question.creator).await?;
        let conversation = match &question.conversation {
            Some(id) => id.clone(),
            None => ConversationId::from_bytes(random()?),
        };
        let history = match &question.conversation {
            Some(id) => self.store.conversation(&question.creator, id, HISTORY).await?,
            None => Vec::new(),
        };
        let settings = &self.config.settings.answer;
        let chat = self.chat_model(model.as_deref().unwrap_or(&settings.model)).await?;
        let answering = Answering {
            finder: self.finder(),
            chat,
            options: AnswerOptions {
                threshold: settings.threshold,
                max_sentences: settings.max_sentences,
                max_tokens: settings.max_tokens,
                passages: settings.passages,
            },
        };
        let asked = Asked {
            question,
            creator,
            conversation,
            history,
            message: MessageId::from_bytes(random()?),
            now: now(),
        };
        Ok(crate::answer::answer(answering, asked))
    }

    /// What finds evidence.
    pub fn finder(&self) -> Finder {
        Finder {
            store: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            trust: self.trust.clone(),
            table: models::canonical(models::STATIC),
        }
    }

    /// The chat model of that name, loaded at its first use; `None` for extractive answers.
    async fn chat_model(&self, name: &str) -> Result<Option<Arc<dyn ChatModel>>, Problem> {
        if name == EXTRACTIVE {
            return Ok(None);
        }
        if let Some(model) = self.opened(name) {
            return Ok(Some(model));
        }
        let (owned, directory) = (name.to_owned(), self.config.models_dir.clone());
        let settings = self.config.settings.models.clone();
        let model = tokio::task::spawn_blocking(move || models::chat(&owned, &directory, &settings))
            .await
            .map_err(Problem::internal)??;
        let mut chats = self.chats.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(chats.entry(name.to_owned()).or_insert(model).clone()))
    }

    fn opened(&self, name: &str) -> Option<Arc<dyn ChatModel>> {
        self.chats.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What brings content in.
    pub fn ingest(&self) -> Ingest {
        let settings = &self.config.settings.ingest;
        let text_bytes = settings.max_text_mb << 20;
        Ingest {
            store: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            options: IngestOptions {
                limits: Limits { text_bytes, pdf_bytes: settings.max_pdf_mb << 20, ..Limits::default() },
                chunks: ChunkOptions { target: settings.chunk_chars, max: settings.chunk_chars * 3 / 2 },
            },
            now,
        }
    }

    /// A place in the data directory for bytes on their way in; gone when dropped.
    pub fn temporary_file(&self) -> Result<tempfile::NamedTempFile, Problem> {
        tempfile::NamedTempFile::new_in(&self.config.data_dir).map_err(|error| match error.kind() {
            std::io::ErrorKind::StorageFull => StoreError::Full(error.to_string()).into(),
            _ => Problem::internal(error),
        })
    }

    /// Makes an uploaded file searchable.
    pub async fn ingest_upload(&self, creator: &CreatorId, upload: Upload) -> Result<Ingested, Problem> {
        self.store.creator(creator).await?;
        let bytes = read(upload.file.path()).await?;
        let item =
            Item { title: upload.title, password: upload.password, ..Item::upload(&upload.name, bytes) };
        Ok(self.ingest().one(creator, item).await?)
    }

    /// Keeps an uploaded file and queues the work on it.
    pub async fn enqueue_upload(&self, creator: &CreatorId, upload: Upload) -> Result<JobId, Problem> {
        let bytes = read(upload.file.path()).await?;
        self.enqueue(creator, Item { title: upload.title, ..Item::upload(&upload.name, bytes) }).await
    }

    /// Keeps a file's bytes and queues the work on them. Records of a corpus have no file to keep.
    pub async fn enqueue(&self, creator: &CreatorId, item: Item) -> Result<JobId, Problem> {
        self.store.creator(creator).await?;
        let Payload::File(bytes) = item.payload else {
            return Err(Problem::new(
                Kind::Invalid,
                "not_a_file",
                "a corpus cannot be queued",
                "bring corpora in without `--detach`",
            ));
        };
        let original = self.store.blobs().put(bytes).await?;
        let (id, time) = (JobId::from_bytes(random()?), now());
        let job = Job {
            id: id.clone(),
            creator: creator.clone(),
            kind: JobKind::IngestDocument {
                source: item.source,
                title: item.title,
                content: original.content(),
            },
            state: JobState::Queued,
            attempts: 0,
            created_at: time,
            updated_at: time,
        };
        self.store.enqueue(job).await?;
        self.wake.notify_one();
        Ok(id)
    }

    /// What works through the queue.
    pub fn jobs(&self) -> Jobs {
        Jobs { store: self.store.clone(), ingest: self.ingest(), wake: self.wake.clone(), now }
    }

    /// Deletes a document with every trace; gives the number of its chunks.
    pub async fn delete_document(&self, id: &DocumentId) -> Result<usize, Problem> {
        let document = self.store.document(id).await?.ok_or_else(|| StoreError::NoDocument(id.clone()))?;
        let removed = self.store.delete_documents(&document.creator, std::slice::from_ref(id)).await?;
        let count = removed.len();
        self.collections.remove(&document.creator, removed).await?;
        Ok(count)
    }

    /// Retrieval alone.
    pub async fn search(&self, creator: &CreatorId, query: &str, k: usize) -> Result<SearchReport, Problem> {
        search::search(self, creator, query, k).await
    }

    /// Makes all vectors of a creator again.
    pub async fn reindex(
        &self,
        creator: &CreatorId,
        embedder: Option<&str>,
        progress: impl FnMut(u64, u64),
    ) -> Result<EmbeddingModelId, Problem> {
        let name = embedder.map(models::canonical);
        Ok(self.ingest().reindex(creator, name.as_deref(), progress).await?)
    }
}

/// The time, for what lies below.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// 128 random bits from the system.
fn random() -> Result<[u8; 16], Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}

async fn read(path: &Path) -> Result<Vec<u8>, Problem> {
    tokio::fs::read(path).await.map_err(Problem::internal)
}

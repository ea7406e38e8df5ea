//! The composition root: settings in, a running [`App`] out. The only place that names concrete models.
//!
//! `serve`, the command line, `eval` and the tests share one `App`. It owns no rules: it puts together what
//! [`ingest`](crate::ingest), [`answer`](crate::answer) and [`jobs`](crate::jobs) need and hands it to them.

pub mod billing;
pub mod chain;
pub mod compare;
pub mod demo;
pub mod doctor;
mod experiments;
mod feedback;
mod insights;
mod leave;
pub mod mail;
mod models;
pub mod pairs;
pub mod parts;
mod people;
pub mod places;
pub mod replay;
pub mod retention;
mod search;
pub mod shelf;
mod upload;
pub mod vectors;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::accounts::{Accounts, Secret};
use crate::answer::cache::AnswerCache;
use crate::answer::entail::Entailment;
use crate::answer::find::{Finder, Trust};
use crate::answer::guard::{self, Guard};
use crate::answer::rerank::Reranker;
use crate::answer::route::nearest::Examples;
use crate::answer::tuned::Tuned;
use crate::answer::{AnswerOptions, AnswerStream, Answering, Asked};
use crate::billing::{Lemon, Offer, Till};
use crate::collection::Collections;
use crate::config::Config;
use crate::domain::{
    ConversationId, CreatorId, Embedding, EmbeddingModelId, MessageId, Question, Scope, Student, Timestamp,
    Turn, UserId,
};
use crate::events::deliver::{DeliverOptions, Deliverer};
use crate::inference::catalog::Catalog;
use crate::inference::chain::Link;
use crate::inference::embedders::Embedders;
use crate::inference::transcribers::Transcribers;
use crate::inference::{EmbedInput, EmbedRole, Lane};
use crate::ingest::chunk::ChunkOptions;
use crate::ingest::extract::Limits;
use crate::ingest::hear::{Hearing, UnderWay};
use crate::ingest::ocr::Ocr;
use crate::ingest::{Ingest, IngestOptions};
use crate::jobs::Jobs;
use crate::problem::{Kind, Problem};
use crate::store::{ApiKey, Creator, Options, Store};

pub use models::ModelFact;
pub use people::Tokens;
pub use search::{SearchHit, SearchReport};
pub use upload::{Stuck, Upload};
pub use watch::Followed;

/// Setting and flag that mean: no chat model, the best sentences verbatim.
pub const EXTRACTIVE: &str = "extractive";

/// What chat models draw with when nobody wishes otherwise.
const SEED: u64 = 42;

/// Turns of a conversation that an answer may look back at.
const HISTORY: usize = 20;

/// Where windows of recordings are kept that are being transcribed.
const TRANSCRIPTS: &str = "transcripts";

/// Everything that a command or a request needs.
pub struct App {
    config: Config,
    store: Store,
    collections: Arc<Collections>,
    embedders: Arc<Embedders>,
    reranker: Option<Reranker>,
    entailment: Option<Entailment>,
    hearing: Hearing,
    ocr: Ocr,
    trust: Trust,
    links: Mutex<HashMap<String, Arc<Link>>>,
    guard: Arc<Mutex<Option<Arc<Guard>>>>,
    examples: Arc<Examples>,
    cache: Arc<AnswerCache>,
    accounts: Arc<Accounts>,
    pulls: Arc<shelf::Pulls>,
    places: Arc<Semaphore>,
    wake: Arc<Notify>,
    started: Instant,
    /// What is offered, where answers have a price.
    offer: Option<Arc<Offer>>,
    till: Till,
    lemon: Option<Lemon>,
    tokens: tokio::sync::OnceCell<people::Tokens>,
    vectors: insights::Vectors,
    presences: mail::Presences,
}

/// What whoever asks may say about how to answer; nothing of it is the settings' way.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// This model and no other, else the passages' own words.
    pub model: Option<String>,
    /// Earlier turns, oldest first, for callers who keep conversations themselves.
    pub history: Option<Vec<Turn>>,
    /// At most what the settings allow.
    pub max_tokens: Option<usize>,
    pub seed: Option<u64>,
    /// Fail when the models fail.
    pub strict: bool,
    /// The answer is not kept.
    pub forget: bool,
    /// Who asks, as the creator's site says.
    pub student: Option<Student>,
    /// The answer has its price, where billing is on. What the owner of this machine asks has none.
    pub paid: bool,
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
            let (directory, all) = (config.models_dir.clone(), settings.clone());
            let default = models::canonical(&settings.models.embedding);
            Embedders::new(default, move |name| models::embedder(name, &directory, &all))
        };
        let (offer, lemon) = billing::of(&settings.billing)?;
        let hearing = {
            let (directory, settings) = (config.models_dir.clone(), settings.models.clone());
            let transcribers = Transcribers::new(move || models::transcriber(&directory, &settings));
            Hearing::new(Arc::new(transcribers), config.data_dir.join(TRANSCRIPTS), config.sandbox.clone())
        };
        Ok(Arc::new(Self {
            hearing,
            ocr: Ocr::new(&settings.ingest.ocr_languages),
            reranker: pairs::reranker(&config, &catalog),
            entailment: pairs::entailment(&config, &catalog),
            trust: Arc::new(move |model| models::trust(&catalog, model)),
            collections: Arc::new(Collections::new(
                store.clone(),
                config.data_dir.join("index"),
                settings.index.exact_limit,
            )),
            embedders: Arc::new(embedders),
            links: Mutex::default(),
            guard: Arc::default(),
            examples: Arc::default(),
            cache: Arc::new(AnswerCache::new(settings.answer.cache).near(settings.answer.cache_near)),
            accounts: Arc::new(Accounts::new(store.clone())),
            pulls: Arc::default(),
            places: Arc::new(Semaphore::new(settings.server.max_concurrent_answers)),
            wake: Arc::new(Notify::new()),
            started: Instant::now(),
            tokens: tokio::sync::OnceCell::new(),
            vectors: insights::Vectors::default(),
            presences: mail::Presences::default(),
            till: Till::new(store.clone()),
            offer,
            lemon,
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

    /// Who may enter.
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.accounts
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

    /// Answers under way, and how many there may be.
    pub fn answers_under_way(&self) -> [usize; 2] {
        let places = self.config.settings.server.max_concurrent_answers;
        [places.saturating_sub(self.places.available_permits()), places]
    }

    /// Loads the models of retrieval before the first question needs them. What fails here is told to whoever asks.
    pub fn warm_up(&self) {
        let (embedders, guard) = (self.embedders.clone(), self.guard.clone());
        let pairs = [
            self.reranker.as_ref().map(|reranker| reranker.model.clone()),
            self.entailment.as_ref().map(|entailment| entailment.model.clone()),
        ];
        tokio::task::spawn_blocking(move || {
            if let Err(error) = loaded(&guard) {
                tracing::warn!(%error, "the guard cannot be loaded");
            }
            if let Err(error) = embedders.get(None) {
                tracing::warn!(%error, "the embedding model of new collections cannot be loaded");
            }
            for model in pairs.into_iter().flatten() {
                if let Err(error) = model.load() {
                    tracing::warn!(%error, model = model.name(), "a model of the settings cannot be loaded");
                }
            }
        });
    }

    /// Deletes what requests of a killed process left behind: half-sent files, and originals that no record names. Call
    /// it before the first request; the originals are looked through in the background.
    pub fn tidy_up(&self) {
        match upload::left(&self.config.data_dir) {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "deleted half-sent files of an earlier run"),
            Err(error) => tracing::warn!(%error, "half-sent files of an earlier run stay"),
        }
        let store = self.store.clone();
        tokio::spawn(async move {
            match store.sweep_blobs().await {
                Ok(0) => {}
                Ok(count) => tracing::info!(count, "deleted original files that nothing uses"),
                Err(error) => tracing::warn!(%error, "original files that nothing uses stay"),
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
        let folders = [self.measurements(id), self.config.data_dir.join(TRANSCRIPTS).join(id.as_str())];
        tokio::task::spawn_blocking(move || {
            folders.into_iter().try_for_each(|folder| match std::fs::remove_dir_all(folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Problem::internal(error)),
                _ => Ok(()),
            })
        })
        .await
        .map_err(Problem::internal)??;
        Ok(self.collections.erase(id).await?)
    }

    /// Deletes a creator so that no file of the data directory holds anything of it.
    pub async fn erase_creator(&self, id: &CreatorId) -> Result<(), Problem> {
        self.remove_creator(id).await?;
        Ok(self.store.purge().await?)
    }

    /// Where runs of `eval` over a creator's content are kept; gone with the creator.
    pub fn measurements(&self, id: &CreatorId) -> PathBuf {
        self.config.data_dir.join("eval").join(id.as_str())
    }

    /// Makes a key for a creator; the key itself is given here and never again.
    pub async fn create_key(&self, creator: &CreatorId, name: String) -> Result<(ApiKey, String), Problem> {
        self.create_key_for(creator, name, Vec::new(), None).await
    }

    /// The same for these scopes only, and up to a time.
    pub async fn create_key_for(
        &self,
        creator: &CreatorId,
        name: String,
        scopes: Vec<Scope>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ApiKey, String), Problem> {
        self.store.creator(creator).await?;
        let (first, second) = (MessageId::from_bytes(random()?), MessageId::from_bytes(random()?));
        let key = format!("nafk_{first}{second}");
        let record = ApiKey {
            id: MessageId::from_bytes(random()?).to_string(),
            creator: creator.clone(),
            name,
            hash: *blake3::hash(key.as_bytes()).as_bytes(),
            created_at: now(),
            scopes,
            expires_at,
        };
        self.store.add_key(record.clone()).await?;
        Ok((record, key))
    }

    /// Answers a question; `model` overrides `answer.models`.
    pub async fn answer(&self, question: Question, model: Option<String>) -> Result<AnswerStream, Problem> {
        self.answer_with(question, Wishes { model, ..Wishes::default() }).await
    }

    /// Answers a question as whoever asks wishes.
    pub async fn answer_with(&self, question: Question, wishes: Wishes) -> Result<AnswerStream, Problem> {
        let creator = self.store.creator(&question.creator).await?;
        self.begin(question, creator, wishes).await
    }

    /// Answers as if the creator's record were the one given here, and keeps nothing: for measuring.
    pub async fn try_answer(&self, question: Question, creator: Creator) -> Result<AnswerStream, Problem> {
        self.begin(question, creator, Wishes { forget: true, ..Wishes::default() }).await
    }

    async fn begin(
        &self,
        question: Question,
        creator: Creator,
        mut wishes: Wishes,
    ) -> Result<AnswerStream, Problem> {
        let conversation = match &question.conversation {
            Some(id) => id.clone(),
            None => ConversationId::from_bytes(random()?),
        };
        if !wishes.forget {
            if let Some(student) = &wishes.student {
                self.store.link_student(&creator.id, student, &conversation).await?;
            }
            if question.conversation.is_some()
                && let Some(silent) = self.heard_by_person(&creator.id, &conversation, &question).await?
            {
                return Ok(silent);
            }
        }
        let history = match (wishes.history.take(), &question.conversation) {
            (Some(history), _) => history,
            (None, Some(id)) => self.store.conversation(&question.creator, id, HISTORY).await?,
            (None, None) => Vec::new(),
        };
        let now = now();
        let (creator, variant) = self.varied(creator, &conversation, &wishes, now).await?;
        let answering = self.answering(&creator, &wishes, now).await?;
        let asked = Asked {
            question,
            creator,
            conversation,
            history,
            message: MessageId::from_bytes(random()?),
            now,
            keep: !wishes.forget,
            student: wishes.student,
            variant,
            bill: None,
        };
        if !wishes.paid {
            return Ok(crate::answer::answer(answering, asked));
        }
        let phrased = !answering.chat.links.is_empty();
        match self.bill(&asked, phrased).await? {
            billing::Paid::By(bill) => {
                Ok(crate::answer::answer(answering, Asked { bill: Some(bill), ..asked }))
            }
            billing::Paid::ForNothing => Ok(crate::answer::answer(answering, asked)),
            billing::Paid::NoLonger => Ok(crate::answer::unpaid(self.store.clone(), asked)),
        }
    }

    /// What answers a creator's students, as whoever asks wishes.
    async fn answering(
        &self,
        creator: &Creator,
        wishes: &Wishes,
        now: Timestamp,
    ) -> Result<Answering, Problem> {
        let guarding = &self.config.settings.guard;
        let threshold = guard::threshold(creator, guarding.on.then_some(guarding.threshold));
        let settings = &self.config.settings.answer;
        let mut chat = self.chain(creator, wishes.model.as_deref(), now).await?;
        chat.strict = wishes.strict;
        // Loaded now, so that one that is not there is told and not passed over.
        if let Some(entailment) = self.entailment.as_ref().filter(|_| !chat.links.is_empty()) {
            entailment.model.get().await?;
        }
        let (own, fitted) = (Tuned::of(creator), creator.calibration().and_then(|fitted| fitted.threshold));
        let most = wishes.max_tokens.map_or(settings.max_tokens, |most| most.clamp(1, settings.max_tokens));
        Ok(Answering {
            finder: self.finder(),
            chat,
            entailment: self.entailment.clone(),
            guard: if threshold.is_some() { Some(self.guard().await?) } else { None },
            examples: self.examples.clone(),
            cache: self.cache.clone(),
            options: AnswerOptions {
                threshold: own.threshold.or(fitted).unwrap_or(settings.threshold),
                max_sentences: own.max_sentences.unwrap_or(settings.max_sentences),
                max_tokens: most,
                passages: own.passages.unwrap_or(settings.passages),
                guard_threshold: threshold.unwrap_or(guarding.threshold),
                seed: wishes.seed.unwrap_or(SEED),
            },
        })
    }

    /// What this app answers with and embeds with, each named so that it can be found again; `embedder` is a
    /// collection's own, else that of new ones.
    pub async fn models_in_use(&self, embedder: Option<&str>) -> Result<Vec<ModelFact>, Problem> {
        let (mut settings, directory) = (self.config.settings.clone(), self.config.models_dir.clone());
        if let Some(name) = embedder {
            name.clone_into(&mut settings.models.embedding);
        }
        let facts = tokio::task::spawn_blocking(move || {
            let answer = &settings.answer;
            let mut named = vec![("embedding", &settings.models.embedding), ("chat", &answer.model)];
            let pairs = [("reranker", &answer.reranker), ("entailment", &answer.entailment)];
            named.extend(pairs.into_iter().filter(|(_, name)| !name.is_empty()));
            let facts = named.into_iter().map(|(role, name)| models::fact(role, name, &directory));
            facts.collect::<Result<Vec<_>, _>>()
        });
        Ok(facts.await.map_err(Problem::internal)??)
    }

    /// What finds evidence.
    pub fn finder(&self) -> Finder {
        Finder {
            store: self.store.clone(),
            collections: self.collections.clone(),
            embedders: self.embedders.clone(),
            trust: self.trust.clone(),
            // Checked when the settings were resolved.
            fusion: self.config.settings.answer.fusion.parse().unwrap_or_default(),
            reranker: self.reranker.clone(),
            table: models::canonical(models::STATIC),
            now,
        }
    }

    /// What judges questions, loaded at the first one.
    async fn guard(&self) -> Result<Arc<Guard>, Problem> {
        let guard = self.guard.clone();
        tokio::task::spawn_blocking(move || loaded(&guard)).await.map_err(Problem::internal)?
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
                sandbox: self.config.sandbox.clone(),
                ocr: self.ocr.clone(),
            },
            hearing: self.hearing.clone(),
            now,
        }
    }

    /// How far the recordings are that are being transcribed.
    pub fn listening(&self) -> &UnderWay {
        self.hearing.under_way()
    }

    /// What delivers to webhooks.
    pub fn deliverer(&self) -> Deliverer {
        let settings = &self.config.settings.webhooks;
        Deliverer {
            store: self.store.clone(),
            options: DeliverOptions {
                attempts: settings.attempts,
                timeout: Duration::from_millis(settings.timeout_ms),
                allow_private_addresses: settings.allow_private_addresses,
            },
            now,
            tried: crate::telemetry::metrics::tried,
        }
    }

    /// Tokens of models on other machines that a creator's questions used in this month (UTC).
    pub async fn tokens_this_month(&self, creator: &CreatorId) -> Result<u64, Problem> {
        Ok(self.store.tokens_spent(creator, chain::month(now())).await?)
    }

    /// What works through the queue.
    pub fn jobs(&self) -> Jobs {
        let (store, ingest, sources) = (self.store.clone(), self.ingest(), self.source_options());
        Jobs { store, ingest, sources, wake: self.wake.clone(), now }
    }

    /// Retrieval alone.
    pub async fn search(&self, creator: &CreatorId, query: &str, k: usize) -> Result<SearchReport, Problem> {
        search::search(self, creator, query, k).await
    }

    /// Vectors of texts by the model of the creator's collection, as passages are embedded.
    pub async fn embed(
        &self,
        creator: &CreatorId,
        texts: Vec<String>,
    ) -> Result<(EmbeddingModelId, Vec<Embedding>), Problem> {
        let name = self.store.creator(creator).await?.embedding.map(|model| model.name);
        let embedders = self.embedders.clone();
        let embedder = tokio::task::spawn_blocking(move || embedders.get(name.as_deref()))
            .await
            .map_err(Problem::internal)??;
        let inputs = texts.into_iter().map(|text| EmbedInput { text, role: EmbedRole::Passage }).collect();
        Ok((embedder.model().clone(), embedder.embed(inputs, Lane::Urgent).await?))
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

/// The guard, loaded unless it is there. Held while loading: a second question waits for the first.
fn loaded(guard: &Mutex<Option<Arc<Guard>>>) -> Result<Arc<Guard>, Problem> {
    let mut guard = guard.lock().unwrap_or_else(PoisonError::into_inner);
    match &*guard {
        Some(guard) => Ok(guard.clone()),
        None => Ok(guard.insert(Arc::new(models::guard()?)).clone()),
    }
}

/// The time, for what lies below.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// 128 random bits from the system.
pub fn random() -> Result<[u8; 16], Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(bytes)
}

/// A secret that nobody knows yet.
pub fn secret() -> Result<Secret, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(Problem::internal)?;
    Ok(Secret::from_bytes(bytes))
}

/// An id for somebody new.
pub fn user_id() -> Result<UserId, Problem> {
    Ok(UserId::from_bytes(random()?))
}

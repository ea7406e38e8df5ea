//! The composition root: settings in, a running [`App`] out. The only place that names concrete models.
//!
//! `serve`, the command line, `eval` and the tests share one `App`. It owns no rules: it puts together what
//! [`ingest`](crate::ingest), [`answer`](crate::answer) and [`jobs`](crate::jobs) need and hands it to them. Here is what
//! it holds and how it is opened; what it does for a caller is in the files beside this, one for each noun.

mod answer;
pub mod billing;
pub mod chain;
pub mod compare;
mod content;
mod creators;
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
mod start;
mod upload;
pub mod vectors;
mod watch;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::{Notify, Semaphore};

use crate::accounts::{Accounts, Secret};
use crate::answer::cache::AnswerCache;
use crate::answer::entail::Entailment;
use crate::answer::find::Trust;
use crate::answer::guard::Guard;
use crate::answer::rerank::Reranker;
use crate::answer::route::nearest::Examples;
use crate::billing::{Lemon, Offer, Till};
use crate::collection::Collections;
use crate::config::Config;
use crate::domain::{CreatorId, Timestamp, UserId};
use crate::events::deliver::{DeliverOptions, Deliverer};
use crate::inference::catalog::Catalog;
use crate::inference::chain::Link;
use crate::inference::embedders::Embedders;
use crate::inference::transcribers::Transcribers;
use crate::ingest::hear::Hearing;
use crate::ingest::ocr::Ocr;
use crate::problem::Problem;
use crate::store::{Options, Store};

use answer::HISTORY;
pub use answer::Wishes;
pub use models::ModelFact;
pub use people::{Tokens, no_escalation};
pub use search::{SearchHit, SearchReport};
pub use upload::{Stuck, Upload};
pub use watch::Followed;

/// Setting and flag that mean: no chat model, the best sentences verbatim.
pub const EXTRACTIVE: &str = "extractive";

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

    /// What this app answers with and embeds with, each named so that it can be found again; `embedder` is a
    /// collection's own, else that of new ones.
    pub async fn models_in_use(&self, embedder: Option<&str>) -> Result<Vec<ModelFact>, Problem> {
        let (mut settings, directory) = (self.config.settings.clone(), self.config.models_dir.clone());
        if let Some(name) = embedder {
            name.clone_into(&mut settings.models.embedding);
        }
        let facts = blocking(move || {
            let answer = &settings.answer;
            let mut named = vec![("embedding", &settings.models.embedding), ("chat", &answer.model)];
            let pairs = [("reranker", &answer.reranker), ("entailment", &answer.entailment)];
            named.extend(pairs.into_iter().filter(|(_, name)| !name.is_empty()));
            let facts = named.into_iter().map(|(role, name)| models::fact(role, name, &directory));
            facts.collect::<Result<Vec<_>, _>>()
        });
        Ok(facts.await??)
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
}

/// Work that computes or blocks, off the async threads.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)
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

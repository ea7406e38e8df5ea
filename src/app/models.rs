//! Names become models: which file is opened by which loader, which server is asked, with which options.
//!
//! Loading computes and reads; callers are on blocking threads.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::answer::guard::{Guard, documents};
use crate::answer::retrieve::VectorTrust;
use crate::config::providers::{self, LOCAL, ProviderApi};
use crate::config::{ModelSettings, Settings};
use crate::domain::EmbeddingModelId;
use crate::inference::catalog::{Catalog, ModelKind};
use crate::inference::library::{Installed, Library, LibraryError};
use crate::inference::local::bert::{BertOptions, Pooling};
use crate::inference::local::chat::{LocalChat, LocalChatOptions};
use crate::inference::local::cross::{CrossEncoder, CrossOptions};
use crate::inference::local::device;
use crate::inference::local::embedder::{EmbedModel, LocalEmbedder};
use crate::inference::local::static_table::{self, StaticTable};
use crate::inference::local::whisper::{LocalTranscriber, WhisperOptions};
use crate::inference::pairs::PairScorer;
use crate::inference::remote::{Api, Key, Patience, RemoteChat, RemoteEmbedder, RemoteOptions};
use crate::inference::worker::Limits;
use crate::inference::{ChatModel, Embedder, ModelError, Transcriber, catalog};
use crate::problem::{Kind, Problem};

/// What settings call the built-in table.
pub const STATIC: &str = "static";

/// The name under which an embedding model is opened and recorded.
pub fn canonical(setting: &str) -> String {
    if setting == STATIC { static_table::NAME.to_owned() } else { setting.to_owned() }
}

/// What judges questions: its weights are compiled in, and so is the table that it reads meaning from.
pub fn guard() -> Result<Guard, Problem> {
    let table = StaticTable::shipped().map_err(Problem::from)?;
    // The rules for documents are compiled at their first use; no answer shall wait for that.
    documents::addresses_the_assistant("");
    Guard::shipped(Box::new(move |text| table.embed_text(text))).map_err(Problem::internal)
}

/// Opens an embedding model and gives it its thread.
pub fn embedder(name: &str, models_dir: &Path, all: &Settings) -> Result<Arc<dyn Embedder>, ModelError> {
    if let Some(options) = remote(name, all)? {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return Err(ModelError::Unavailable("a remote model needs the program's runtime".into()));
        };
        return Ok(Arc::new(runtime.block_on(RemoteEmbedder::open(options))?));
    }
    let settings = &all.models;
    let limits = Limits { urgent: settings.queue, ..Limits::default() };
    let model: Box<dyn EmbedModel> = if name == static_table::NAME {
        Box::new(StaticTable::shipped()?)
    } else {
        let installed = installed_model(name, models_dir, ModelKind::Embedding)?;
        device::open_encoder(&installed.folder, &bert_options(&installed, settings), &device::best())?
    };
    Ok(Arc::new(LocalEmbedder::start(model, limits)?))
}

/// Opens a chat model: one that runs here gets its thread, one on another machine is not asked yet.
pub fn chat(name: &str, models_dir: &Path, all: &Settings) -> Result<Arc<dyn ChatModel>, ModelError> {
    if let Some(options) = remote(name, all)? {
        return Ok(Arc::new(RemoteChat::new(options)?));
    }
    let settings = &all.models;
    let installed = installed_model(name, models_dir, ModelKind::Chat)?;
    let weights = installed.record.files.iter().find(|file| file.path.ends_with(".gguf"));
    let Some(weights) = weights else {
        return Err(ModelError::Unusable { model: name.to_owned(), reason: "it has no GGUF file".into() });
    };
    let options = LocalChatOptions {
        threads: (settings.threads > 0).then_some(settings.threads),
        context: settings.context_tokens,
        queue: settings.queue,
    };
    Ok(Arc::new(LocalChat::open(name, &installed.folder.join(&weights.path), &options)?))
}

/// Opens a model that reads two texts at once and gives it its thread.
pub fn pairs(
    name: &str,
    kind: ModelKind,
    models_dir: &Path,
    settings: &ModelSettings,
) -> Result<PairScorer, ModelError> {
    let installed = installed_model(name, models_dir, kind)?;
    let options = CrossOptions {
        name: installed.record.name.as_str().to_owned(),
        max_tokens: installed.record.settings.context.unwrap_or(MAX_PAIR_TOKENS),
        threads: threads(settings),
    };
    let model = CrossEncoder::open(&installed.folder, &options)?;
    PairScorer::start(Box::new(model), Limits { urgent: settings.queue, ..Limits::default() })
}

/// Opens the speech model and gives it its thread. When there is none, the error names one to pull.
pub fn transcriber(models_dir: &Path, settings: &ModelSettings) -> Result<Arc<dyn Transcriber>, ModelError> {
    let name = speech_model(models_dir, settings)?;
    let installed = installed_model(&name, models_dir, ModelKind::Transcription)?;
    let weights = |installed: &Installed| {
        let file =
            installed.record.files.first().map(|file| (installed.folder.join(&file.path), &file.sha256));
        file.map(|(path, hash)| (path, hash.clone()))
    };
    let Some((path, revision)) = weights(&installed) else {
        return Err(ModelError::Unusable { model: name, reason: "it has no file".into() });
    };
    let voices = of_kind(models_dir, ModelKind::Voice)?;
    let options = WhisperOptions {
        name,
        revision,
        weights: path,
        voice: voices.first().and_then(weights).map(|(path, _)| path),
        // The other half is for whoever asks questions meanwhile.
        threads: threads(settings).div_ceil(2),
    };
    Ok(Arc::new(LocalTranscriber::open(&options)?))
}

/// The name of the speech model that the settings mean.
pub fn speech_model(models_dir: &Path, settings: &ModelSettings) -> Result<String, ModelError> {
    if settings.transcription != AUTO {
        return Ok(plain(&settings.transcription).to_owned());
    }
    let catalog = Catalog::bundled().map_err(|error| ModelError::Failed(error.to_string()))?;
    let default = catalog.default_for(ModelKind::Transcription).map(|entry| entry.name.clone());
    let default = default.unwrap_or_default();
    let installed = of_kind(models_dir, ModelKind::Transcription)?;
    let names = || installed.iter().map(|model| model.record.name.as_str());
    match names().find(|name| *name == default).or_else(|| names().next()) {
        Some(name) => Ok(name.to_owned()),
        None => Err(ModelError::NotInstalled { model: default }),
    }
}

/// The setting that means: whichever is installed.
const AUTO: &str = "auto";

fn of_kind(models_dir: &Path, kind: ModelKind) -> Result<Vec<Installed>, ModelError> {
    let mut models = Library::new(models_dir)
        .list()
        .map_err(|error| ModelError::Unavailable(format!("the models folder cannot be read: {error}")))?;
    models.retain(|model| model.record.kind == kind);
    Ok(models)
}

/// How to ask a model on another machine; `None` for a name of one that runs here.
pub fn remote(name: &str, settings: &Settings) -> Result<Option<RemoteOptions>, ModelError> {
    let Some((provider, model)) = providers::split(name) else { return Ok(None) };
    let unusable = |reason: String| ModelError::Unusable { model: name.to_owned(), reason };
    let Some(known) = settings.providers.get(provider) else {
        return Err(unusable(format!("there is no `[providers.{provider}]` in the settings")));
    };
    let known = known.resolve(provider).map_err(|(_, reason)| unusable(reason))?;
    let key = match known.key_file.as_str() {
        "" => Key::parse(known.key.reveal()),
        path => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| unusable(format!("its key file {path} cannot be read: {error}")))?;
            Key::parse(&text)
        }
    };
    let chain = &settings.chain;
    Ok(Some(RemoteOptions {
        name: name.to_owned(),
        api: match known.api {
            ProviderApi::OpenAi => Api::OpenAi,
            ProviderApi::Anthropic => Api::Anthropic,
        },
        url: known.url,
        key: key.map_err(|reason| unusable(reason.to_owned()))?,
        model: model.to_owned(),
        context_tokens: known.context_tokens,
        patience: Patience {
            connect: Duration::from_millis(chain.connect_ms),
            first_token: Duration::from_millis(chain.first_token_ms),
            idle: Duration::from_millis(chain.idle_ms),
            total: Duration::from_millis(chain.budget_ms),
        },
    }))
}

/// Where the words go that a model of this name gets; `None` when it runs here.
pub fn leaves_to(name: &str, settings: &Settings) -> Option<String> {
    let (provider, _) = providers::split(name)?;
    let url = settings.providers.get(provider)?.resolve(provider).ok()?.url;
    let host = url.host_str().unwrap_or_default();
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether that is another machine at all: a server on this one keeps the words here.
pub fn leaves_this_machine(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    host != "localhost" && !host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The name of a model that runs here, without the word that says so.
pub fn plain(name: &str) -> &str {
    name.strip_prefix(LOCAL).and_then(|rest| rest.strip_prefix(':')).unwrap_or(name)
}

/// Whether a setting names something that can be opened.
pub fn present(setting: &str, models_dir: &Path) -> Result<(), ModelError> {
    let setting = plain(setting);
    if setting == STATIC || setting == super::EXTRACTIVE {
        return Ok(());
    }
    Library::new(models_dir).installed(setting).map(drop).map_err(|error| library_error(setting, error))
}

/// Names of the installed models.
pub fn installed(models_dir: &Path) -> Result<Vec<String>, Problem> {
    let models = Library::new(models_dir).list().map_err(|error| {
        Problem::new(Kind::Internal, "models_unreadable", error.to_string(), error.hint())
    })?;
    Ok(models.into_iter().map(|model| model.record.name.as_str().to_owned()).collect())
}

/// A model as a measurement names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelFact {
    /// `embedding`, `chat`, `reranker` or `entailment`.
    pub role: String,
    pub name: String,
    /// SHA-256 of the weights, or the revision of what is built in; empty for extractive answers, and for what another
    /// server runs, which can only be named.
    pub hash: String,
}

/// The identity of what a setting names.
pub fn fact(role: &str, setting: &str, models_dir: &Path) -> Result<ModelFact, ModelError> {
    let fact = |name: &str, hash| ModelFact { role: role.to_owned(), name: name.to_owned(), hash };
    let setting = plain(setting);
    if setting == super::EXTRACTIVE || providers::split(setting).is_some() {
        return Ok(fact(setting, String::new()));
    }
    if canonical(setting) == static_table::NAME {
        return Ok(fact(static_table::NAME, EmbedModel::id(&StaticTable::shipped()?).revision.clone()));
    }
    let model = Library::new(models_dir).installed(setting).map_err(|error| library_error(setting, error))?;
    let is_weights = |path: &str| path.ends_with(".safetensors") || path.ends_with(".gguf");
    let weights: Vec<&str> =
        model.record.files.iter().filter(|file| is_weights(&file.path)).map(|f| f.sha256.as_str()).collect();
    Ok(fact(model.record.name.as_str(), weights.join(" ")))
}

/// How far to trust a model's cosines: by what its catalogue entry says of its languages.
pub fn trust(catalog: &Catalog, model: &EmbeddingModelId) -> VectorTrust {
    if model.name == static_table::NAME {
        return VectorTrust::STATIC_TABLE;
    }
    match catalog.find(&model.name) {
        Ok(entry) if entry.languages.iter().any(|language| language != "en") => VectorTrust::MULTILINGUAL,
        _ => VectorTrust::SENTENCE_MODEL,
    }
}

/// Whether the catalogue says of a model that it knows English and nothing else; of one that was imported it says nothing.
pub fn knows_only_english(catalog: &Catalog, name: &str) -> bool {
    catalog.find(name).is_ok_and(|entry| entry.languages.iter().all(|language| language == "en"))
}

fn installed_model(name: &str, models_dir: &Path, kind: ModelKind) -> Result<Installed, ModelError> {
    let model = Library::new(models_dir).installed(name).map_err(|error| library_error(name, error))?;
    if model.record.kind != kind {
        let reason = format!("it is a model for {}, not for {kind}", model.record.kind);
        return Err(ModelError::Unusable { model: name.to_owned(), reason });
    }
    Ok(model)
}

fn library_error(name: &str, error: LibraryError) -> ModelError {
    match error {
        LibraryError::NotInstalled(model) => ModelError::NotInstalled { model },
        LibraryError::BadName(_) => ModelError::NotInstalled { model: name.to_owned() },
        error => ModelError::Unusable { model: name.to_owned(), reason: error.to_string() },
    }
}

fn bert_options(model: &Installed, settings: &ModelSettings) -> BertOptions {
    let known = &model.record.settings;
    let weights = model.record.files.iter().find(|file| file.path.ends_with(".safetensors"));
    BertOptions {
        name: model.record.name.as_str().to_owned(),
        revision: weights.map(|file| file.sha256.chars().take(12).collect()).unwrap_or_default(),
        pooling: match known.pooling {
            Some(catalog::Pooling::Cls) => Pooling::Cls,
            Some(catalog::Pooling::Mean) | None => Pooling::Mean,
        },
        question_prefix: known.query_prefix.clone(),
        passage_prefix: known.passage_prefix.clone(),
        max_tokens: known.context.unwrap_or(MAX_TOKENS),
        threads: threads(settings),
    }
}

/// Window of an imported encoder that says nothing of its own.
const MAX_TOKENS: usize = 256;

/// Window of an imported cross-encoder that says nothing of its own; the model's positions limit it too.
const MAX_PAIR_TOKENS: usize = 512;

/// Threads that a model computes with.
pub fn threads(settings: &ModelSettings) -> usize {
    match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

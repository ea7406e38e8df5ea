//! Names become models: which file is opened by which loader, with which options.
//!
//! Loading computes and reads; callers are on blocking threads.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::answer::guard::{Guard, documents};
use crate::answer::retrieve::VectorTrust;
use crate::config::ModelSettings;
use crate::domain::EmbeddingModelId;
use crate::inference::catalog::{Catalog, ModelKind};
use crate::inference::library::{Installed, Library, LibraryError};
use crate::inference::local::bert::{BertOptions, Pooling};
use crate::inference::local::chat::{LocalChat, LocalChatOptions};
use crate::inference::local::device;
use crate::inference::local::embedder::{EmbedModel, LocalEmbedder};
use crate::inference::local::static_table::{self, StaticTable};
use crate::inference::worker::Limits;
use crate::inference::{ChatModel, Embedder, ModelError, catalog};
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
pub fn embedder(
    name: &str,
    models_dir: &Path,
    settings: &ModelSettings,
) -> Result<Arc<dyn Embedder>, ModelError> {
    let limits = Limits { urgent: settings.queue, ..Limits::default() };
    let model: Box<dyn EmbedModel> = if name == static_table::NAME {
        Box::new(StaticTable::shipped()?)
    } else {
        let installed = installed_model(name, models_dir, ModelKind::Embedding)?;
        device::open_encoder(&installed.folder, &bert_options(&installed, settings), &device::best())?
    };
    Ok(Arc::new(LocalEmbedder::start(model, limits)?))
}

/// Opens a chat model and gives it its thread.
pub fn chat(
    name: &str,
    models_dir: &Path,
    settings: &ModelSettings,
) -> Result<Arc<dyn ChatModel>, ModelError> {
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

/// Whether a setting names something that can be opened.
pub fn present(setting: &str, models_dir: &Path) -> Result<(), ModelError> {
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
    /// `embedding` or `chat`.
    pub role: String,
    pub name: String,
    /// SHA-256 of the weights, or the revision of what is built in; empty for extractive answers.
    pub hash: String,
}

/// The identity of what a setting names.
pub fn fact(role: &str, setting: &str, models_dir: &Path) -> Result<ModelFact, ModelError> {
    let fact = |name: &str, hash| ModelFact { role: role.to_owned(), name: name.to_owned(), hash };
    if setting == super::EXTRACTIVE {
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

/// Threads that a model computes with.
pub fn threads(settings: &ModelSettings) -> usize {
    match settings.threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count,
    }
}

//! The models that read two texts at once, as the settings name them: what reads the best passages once more, and what
//! reads generated sentences beside what they cite.
//!
//! Both are loaded when they are first needed. One that is named and not installed is an error from the start on.

use std::sync::Arc;
use std::time::Duration;

use super::{App, ModelFact, models};
use crate::answer::entail::Entailment;
use crate::answer::rerank::Reranker;
use crate::config::Config;
use crate::inference::catalog::{Catalog, ModelKind};
use crate::inference::pairs::LazyPairs;
use crate::problem::Problem;

impl App {
    /// Refuses settings that name models which are not there; for servers, before they answer the first question.
    pub fn check_pair_models(&self) -> Result<(), Problem> {
        let answer = &self.config.settings.answer;
        for name in [&answer.reranker, &answer.entailment].into_iter().filter(|name| !name.is_empty()) {
            models::present(name, &self.config.models_dir)?;
        }
        Ok(())
    }
}

/// What reads the best passages once more, where the settings name it.
pub fn reranker(config: &Config, catalog: &Catalog) -> Option<Reranker> {
    let name = named(&config.settings.answer.reranker)?;
    let model = lazy(name, ModelKind::Reranker, config);
    let patience = Duration::from_millis(config.settings.answer.reranker_ms);
    Some(Reranker { model, english_only: models::knows_only_english(catalog, name), patience })
}

/// What reads generated sentences beside what they cite, where the settings name it.
pub fn entailment(config: &Config, catalog: &Catalog) -> Option<Entailment> {
    let name = named(&config.settings.answer.entailment)?;
    let model = lazy(name, ModelKind::Entailment, config);
    Some(Entailment { model, english_only: models::knows_only_english(catalog, name) })
}

/// The same without an app, and the facts that repeat a measurement with it.
pub fn entailment_of(config: &Config) -> Result<Option<(Entailment, Vec<ModelFact>)>, Problem> {
    let catalog = Catalog::bundled().map_err(Problem::internal)?;
    let Some(entailment) = entailment(config, &catalog) else { return Ok(None) };
    let fact = models::fact("entailment", entailment.model.name(), &config.models_dir)?;
    Ok(Some((entailment, vec![fact])))
}

fn named(setting: &str) -> Option<&str> {
    Some(models::plain(setting)).filter(|name| !name.is_empty())
}

fn lazy(name: &str, kind: ModelKind, config: &Config) -> Arc<LazyPairs> {
    let (owned, directory) = (name.to_owned(), config.models_dir.clone());
    let settings = config.settings.models.clone();
    Arc::new(LazyPairs::new(name, move || models::pairs(&owned, kind, &directory, &settings)))
}

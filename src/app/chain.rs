//! Names become chains: which models a question may use, in which order, with whose tokens.
//!
//! Links are opened at their first use and shared by all questions, so their breakers remember. A name that cannot be
//! opened is left out with a warning, unless somebody asked for just that one: there is always the passages' own words.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value;

use super::{App, EXTRACTIVE, blocking, models};
use crate::answer::chain::{Allowance, Chain};
use crate::config::{ProviderSettings, Settings};
use crate::domain::Timestamp;
use crate::inference::ChatModel;
use crate::inference::chain::{Backoff, BreakerOptions, BreakerState, Link, LinkOptions, Price};
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// Names that a creator's settings may hold: `models` (a list) and `monthly_tokens` (a number).
pub const CREATOR_MODELS: &str = "models";
pub const CREATOR_TOKENS: &str = "monthly_tokens";

/// How a model of the chain fares, as people and programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ModelHealth {
    /// As settings name it.
    pub name: String,
    /// Where questions and passages go; absent for models that run here.
    pub sent_to: Option<String>,
    /// `unused`, `closed` (works), `open` (left alone), `half_open` (the next question tries it) or `unusable`.
    pub state: &'static str,
    /// Until an open one is tried again.
    pub retry_in_s: Option<u64>,
    /// Failed calls, of the last ones.
    pub failures: usize,
    pub calls: usize,
    /// Code of the last failure.
    pub last_fault: Option<String>,
}

impl App {
    /// The models that questions are given to when nobody chose others, in order.
    pub fn chain_names(&self) -> &[String] {
        names(&self.config.settings)
    }

    /// Whether a creator may use a model of this name: it is in the chain, is offered, or runs here.
    pub fn is_offered(&self, name: &str) -> bool {
        let answer = &self.config.settings.answer;
        let runs_here = crate::config::providers::split(name).is_none();
        runs_here
            || answer.model == name
            || answer.models.iter().chain(&answer.offered).any(|other| other == name)
    }

    /// Refuses names that a creator may not use.
    pub fn check_offered(&self, name: &str) -> Result<(), Problem> {
        if self.is_offered(name) {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            "model_not_offered",
            format!("the model `{}` is not offered here", name.chars().take(100).collect::<String>()),
            "whoever runs this server can name it under `answer.offered`",
        ))
    }

    /// How each model of the chain fares.
    pub fn model_health(&self) -> Vec<ModelHealth> {
        let settings = &self.config.settings;
        let now = Instant::now();
        let mut all: Vec<&String> = self.chain_names().iter().chain(&settings.answer.offered).collect();
        all.retain(|name| *name != EXTRACTIVE);
        all.into_iter().map(|name| self.health_of(name, now)).collect()
    }

    fn health_of(&self, name: &str, now: Instant) -> ModelHealth {
        let unused = ModelHealth {
            name: name.to_owned(),
            sent_to: models::leaves_to(name, &self.config.settings),
            state: "unused",
            retry_in_s: None,
            failures: 0,
            calls: 0,
            last_fault: None,
        };
        let Some(link) = self.opened(models::plain(name)) else { return unused };
        let state = link.state(now);
        let (word, retry_in_s) = match state.breaker {
            BreakerState::Closed if state.calls == 0 && state.last_fault.is_none() => ("unused", None),
            BreakerState::Closed => ("closed", None),
            BreakerState::Open(left) => ("open", Some(left.as_secs().max(1))),
            BreakerState::HalfOpen => ("half_open", None),
        };
        ModelHealth {
            state: word,
            retry_in_s,
            failures: state.failures,
            calls: state.calls,
            last_fault: state.last_fault,
            ..unused
        }
    }

    /// The chain of a creator's question; `chosen` is one model that was asked for by name.
    pub(super) async fn chain(
        &self,
        creator: &Creator,
        chosen: Option<&str>,
        now: Timestamp,
    ) -> Result<Chain, Problem> {
        let settings = &self.config.settings;
        let mut links = Vec::new();
        if let Some(name) = chosen {
            links.extend(self.link(name).await?);
        } else {
            for name in self.wanted(creator) {
                match self.link(&name).await {
                    // Everything behind it would never be asked.
                    Ok(None) => break,
                    Ok(Some(link)) => links.push(link),
                    Err(problem) => {
                        tracing::warn!(model = name, %problem, "a model of the chain cannot be used");
                    }
                }
            }
        }
        Ok(Chain {
            links,
            budget: Duration::from_millis(settings.chain.budget_ms),
            allowance: Some(Allowance { month: month(now), tokens: allowance(creator, settings) }),
            strict: false,
            rewriting: settings.answer.rewrite.then(|| Duration::from_millis(settings.answer.rewrite_ms)),
        })
    }

    /// What the creator chose, as far as it is offered; else the chain of the settings.
    fn wanted(&self, creator: &Creator) -> Vec<String> {
        let chosen = creator.settings.get(CREATOR_MODELS).and_then(Value::as_array);
        let Some(chosen) = chosen else { return self.chain_names().to_vec() };
        let names = chosen.iter().filter_map(Value::as_str);
        names.filter(|name| self.is_offered(name)).map(str::to_owned).collect()
    }

    /// The link of that name, opened at its first use; `None` for the passages' own words.
    async fn link(&self, name: &str) -> Result<Option<Arc<Link>>, Problem> {
        let name = models::plain(name);
        if name == EXTRACTIVE {
            return Ok(None);
        }
        if let Some(link) = self.opened(name) {
            return Ok(Some(link));
        }
        let (owned, directory) = (name.to_owned(), self.config.models_dir.clone());
        let settings = self.config.settings.clone();
        let model = blocking(move || models::chat(&owned, &directory, &settings)).await??;
        let link = Arc::new(Link::new(model, link_options(name, &self.config.settings)));
        let mut links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(links.entry(name.to_owned()).or_insert(link).clone()))
    }

    /// The chat model of that name by itself, for measuring; `None` for the passages' own words.
    pub async fn chat_model(&self, name: &str) -> Result<Option<Arc<dyn ChatModel>>, Problem> {
        Ok(self.link(name).await?.map(|link| link.model()))
    }

    fn opened(&self, name: &str) -> Option<Arc<Link>> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// `answer.models`, else the one of `answer.model`.
pub(super) fn names(settings: &Settings) -> &[String] {
    let answer = &settings.answer;
    if answer.models.is_empty() { std::slice::from_ref(&answer.model) } else { &answer.models }
}

fn link_options(name: &str, settings: &Settings) -> LinkOptions {
    let chain = &settings.chain;
    let breaker = BreakerOptions {
        rate: chain.failure_rate,
        rest: Duration::from_millis(chain.rest_ms),
        ..BreakerOptions::default()
    };
    let provider = crate::config::providers::split(name).and_then(|(name, _)| settings.providers.get(name));
    let price = provider.map_or(Price::default(), ProviderSettings::price);
    match models::leaves_to(name, settings) {
        None => LinkOptions { breaker, price, ..LinkOptions::local(random) },
        leaves_to => LinkOptions {
            attempts: chain.attempts,
            backoff: Backoff::default(),
            breaker,
            leaves_to,
            price,
            random,
        },
    }
}

/// The tighter of what the server and what the creator allows.
fn allowance(creator: &Creator, settings: &Settings) -> Option<u64> {
    let own = creator.settings.get(CREATOR_TOKENS).and_then(Value::as_u64);
    let all = Some(settings.chain.monthly_tokens).filter(|tokens| *tokens > 0);
    own.into_iter().chain(all).min()
}

/// A time's month in UTC, as `202611`.
pub(super) fn month(time: Timestamp) -> u32 {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
    u32::try_from(date.year()).unwrap_or(0) * 100 + u32::try_from(date.month()).unwrap_or(0)
}

/// A number in 0..1 for jitter; without the system's randomness the middle has to do.
fn random() -> f64 {
    let mut bytes = [0; 8];
    if getrandom::fill(&mut bytes).is_err() {
        return 0.5;
    }
    // The 53 bits of a float's mantissa.
    (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_of_utc() {
        for (millis, expected) in [
            (0, 197_001),
            (1_795_478_400_000, 202_611),
            (1_796_083_199_999, 202_611),
            (1_796_083_200_000, 202_612),
        ] {
            assert_eq!(month(Timestamp(millis)), expected);
        }
    }

    #[test]
    fn the_tighter_allowance_counts() {
        let creator = |tokens: Value| Creator {
            settings: serde_json::json!({ CREATOR_TOKENS: tokens }),
            ..Creator::new("anna".parse().unwrap(), Timestamp(0))
        };
        let mut settings = Settings::default();
        assert_eq!(allowance(&creator(Value::Null), &settings), None);
        assert_eq!(allowance(&creator(5.into()), &settings), Some(5));
        settings.chain.monthly_tokens = 3;
        assert_eq!(allowance(&creator(5.into()), &settings), Some(3));
        assert_eq!(allowance(&creator(0.into()), &settings), Some(0));
    }
}

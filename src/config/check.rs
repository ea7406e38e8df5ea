//! Settings that make sense: ranges and names that types cannot say, each refused with the name of its setting.
//!
//! Called once the layers are merged, and again when flags change them. What a group checks by itself stands with it.

use std::net::SocketAddr;

use super::{ConfigError, Layers, ServerSettings, Settings, ingest, providers};
use crate::answer::fuse::Fusion;

/// More answers than this are no cache but a leak.
const MOST_CACHED: usize = 100_000;

/// Ranges that types cannot say; gives the parsed listening address.
pub(super) fn check(layers: &Layers, settings: &Settings) -> Result<SocketAddr, ConfigError> {
    let wrong = |name: &str, reason: String| layers.wrong(name, reason);
    let listen = check_addresses(layers, &settings.server)?;
    for (name, value) in
        [("answer.threshold", settings.answer.threshold), ("guard.threshold", settings.guard.threshold)]
    {
        if !(0.0..=1.0).contains(&value) {
            return Err(wrong(name, format!("{value} is not between 0 and 1")));
        }
    }
    if settings.answer.cache > MOST_CACHED {
        return Err(wrong("answer.cache", format!("{} is more than {MOST_CACHED}", settings.answer.cache)));
    }
    settings.answer.fusion.parse::<Fusion>().map_err(|reason| wrong("answer.fusion", reason))?;
    let counts = [
        ("answer.max_sentences", settings.answer.max_sentences as u64, 10),
        ("answer.max_tokens", settings.answer.max_tokens as u64, 8192),
        ("answer.passages", settings.answer.passages as u64, 20),
        ("answer.rewrite_ms", settings.answer.rewrite_ms, 60_000),
        ("answer.reranker_ms", settings.answer.reranker_ms, 600_000),
        ("models.queue", settings.models.queue as u64, 100_000),
        ("chain.budget_ms", settings.chain.budget_ms, 3_600_000),
        ("chain.attempts", u64::from(settings.chain.attempts), 10),
        ("chain.connect_ms", settings.chain.connect_ms, 60_000),
        ("chain.first_token_ms", settings.chain.first_token_ms, 600_000),
        ("chain.idle_ms", settings.chain.idle_ms, 600_000),
        ("chain.rest_ms", settings.chain.rest_ms, 3_600_000),
        ("models.context_tokens", settings.models.context_tokens as u64, 1 << 20),
        ("index.exact_limit", settings.index.exact_limit, 10_000_000),
        ("webhooks.attempts", u64::from(settings.webhooks.attempts), 20),
        ("webhooks.timeout_ms", settings.webhooks.timeout_ms, 60_000),
        ("mail.attempts", u64::from(settings.mail.attempts), 20),
        ("mail.timeout_ms", settings.mail.timeout_ms, 60_000),
        ("server.max_upload_mb", settings.server.max_upload_mb, 1 << 20),
        ("server.max_concurrent_answers", settings.server.max_concurrent_answers as u64, 100_000),
    ];
    for (name, value, most) in counts {
        if value == 0 || value > most {
            return Err(wrong(name, format!("{value} is not between 1 and {most}")));
        }
    }
    if !(settings.chain.failure_rate > 0.0 && settings.chain.failure_rate <= 1.0) {
        let reason = format!("{} is not above 0 and at most 1", settings.chain.failure_rate);
        return Err(wrong("chain.failure_rate", reason));
    }
    let currency = &settings.chain.currency;
    if !(1..=8).contains(&currency.len()) || !currency.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(wrong("chain.currency", format!("`{currency}` is not a currency such as `USD`")));
    }
    ingest::check(layers, &settings.ingest)?;
    check_providers(layers, settings)?;
    let mail = settings.mail.smtp(&settings.server.public_url, String::new());
    mail.map_err(|(name, reason)| wrong(name, reason))?;
    let billing = &settings.billing;
    billing.offer().map_err(|(name, reason)| wrong(&name, reason))?;
    billing.lemon().map_err(|(name, reason)| wrong(&name, reason))?;
    if !["text", "json"].contains(&settings.log.format.as_str()) {
        return Err(wrong("log.format", format!("`{}` is neither `text` nor `json`", settings.log.format)));
    }
    Ok(listen)
}

/// Where the program listens and how the world calls it; gives the parsed listening address.
fn check_addresses(layers: &Layers, server: &ServerSettings) -> Result<SocketAddr, ConfigError> {
    let listen = server.listen.parse().map_err(|_| {
        layers
            .wrong("server.listen", format!("`{}` is not an address such as `127.0.0.1:8000`", server.listen))
    })?;
    let metrics = &server.metrics_listen;
    if !metrics.is_empty() && metrics.parse::<SocketAddr>().is_err() {
        return Err(layers.wrong(
            "server.metrics_listen",
            format!("`{metrics}` is neither empty nor an address such as `127.0.0.1:9464`"),
        ));
    }
    let public = &server.public_url;
    let is_origin = |text: &str| {
        url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        })
    };
    if !public.is_empty() && !is_origin(public) {
        return Err(layers.wrong(
            "server.public_url",
            format!("`{public}` is not an origin such as `https://ask.school.example`"),
        ));
    }
    Ok(listen)
}

/// Providers that make sense, and names of models whose provider exists.
fn check_providers(layers: &Layers, settings: &Settings) -> Result<(), ConfigError> {
    for (name, provider) in &settings.providers {
        provider
            .resolve(name)
            .map_err(|(field, reason)| layers.wrong(&format!("providers.{name}.{field}"), reason))?;
    }
    let answer = &settings.answer;
    let lists = [
        ("answer.model", std::slice::from_ref(&answer.model)),
        ("answer.models", &answer.models),
        ("answer.offered", &answer.offered),
        ("models.embedding", std::slice::from_ref(&settings.models.embedding)),
    ];
    for (list, names) in lists {
        for name in names {
            if let Some((provider, model)) = providers::split(name)
                && (model.is_empty() || !settings.providers.contains_key(provider))
            {
                let known: Vec<&str> = settings.providers.keys().map(String::as_str).collect();
                let reason = format!(
                    "`{name}` is not PROVIDER:MODEL with a provider of `[providers]` ({})",
                    known.join(", ")
                );
                return Err(layers.wrong(list, reason));
            }
        }
    }
    for (name, model) in [("answer.reranker", &answer.reranker), ("answer.entailment", &answer.entailment)] {
        if providers::split(model).is_some() {
            return Err(
                layers.wrong(name, format!("`{model}` is no model of this machine, where it must run"))
            );
        }
    }
    Ok(())
}

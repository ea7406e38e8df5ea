//! Settings: built-in defaults, then the file, then the environment, then flags, resolved once into [`Config`].
//!
//! [`layers`] merges the four and remembers where each value came from; here is what the values mean and
//! whether they make sense. Modules below `app` own their option structs and never see this one.

pub mod billing;
mod error;
pub mod ingest;
pub mod layers;
pub mod mail;
pub mod providers;
pub mod secret;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::answer::abstain::DEFAULT_THRESHOLD;
use crate::answer::fuse::Fusion;
use crate::collection::EXACT_LIMIT;
use crate::ingest::sandbox::Sandbox;

pub use billing::BillingSettings;
pub use error::ConfigError;
pub use ingest::IngestSettings;
pub use layers::{Layers, Origin, Setting};
pub use mail::MailSettings;
pub use providers::ProviderSettings;
pub use secret::Secret;

/// The commented example that `config init` writes; a test proves that it names every default.
pub const EXAMPLE: &str = include_str!("../../assets/default-config.toml");

/// Everything that can be set, with defaults.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    pub server: ServerSettings,
    pub answer: AnswerSettings,
    pub guard: GuardSettings,
    pub models: ModelSettings,
    pub chain: ChainSettings,
    /// `[providers.NAME]`
    pub providers: BTreeMap<String, ProviderSettings>,
    pub ingest: IngestSettings,
    pub index: IndexSettings,
    pub webhooks: WebhookSettings,
    pub mail: MailSettings,
    pub billing: BillingSettings,
    pub hub: HubSettings,
    pub log: LogSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            server: ServerSettings::default(),
            answer: AnswerSettings::default(),
            guard: GuardSettings::default(),
            models: ModelSettings::default(),
            chain: ChainSettings::default(),
            providers: providers::known(),
            ingest: IngestSettings::default(),
            index: IndexSettings::default(),
            webhooks: WebhookSettings::default(),
            mail: MailSettings::default(),
            billing: BillingSettings::default(),
            hub: HubSettings::default(),
            log: LogSettings::default(),
        }
    }
}

/// `[server]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerSettings {
    pub listen: String,
    /// Where the world reaches this server, as `https://ask.school.example`: its own pages may then always ask. Empty
    /// is no name at all; addresses of numbers and `localhost` need none.
    pub public_url: String,
    /// Largest upload, in MiB.
    pub max_upload_mb: u64,
    /// Streams and answers under way at once; more are told to come back.
    pub max_concurrent_answers: usize,
    /// Where `GET /metrics` is answered; empty is nowhere. The same as `listen` is there, for all who reach it.
    pub metrics_listen: String,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8000".into(),
            public_url: String::new(),
            max_upload_mb: 256,
            max_concurrent_answers: 64,
            metrics_listen: "127.0.0.1:9464".into(),
        }
    }
}

/// `[answer]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnswerSettings {
    /// `extractive`, or the name of a chat model. Counts when `models` is empty.
    pub model: String,
    /// Chat models in the order in which they are tried; the best sentences verbatim when none answers.
    pub models: Vec<String>,
    /// More models that creators may choose for themselves.
    pub offered: Vec<String>,
    /// Below this confidence the answer is declined and a person offered; 0 to 1.
    pub threshold: f32,
    /// Most sentences in an extractive answer.
    pub max_sentences: usize,
    /// Most tokens that a chat model writes.
    pub max_tokens: usize,
    /// Most passages given to a chat model.
    pub passages: usize,
    /// Answers of each creator that are kept in memory and given again; 0 keeps none.
    pub cache: usize,
    /// Whether a question is also answered from an earlier one that asks the same in other words.
    pub cache_near: bool,
    /// Whether the chat model, where there is one, says follow-up questions in full before they are looked for.
    pub rewrite: bool,
    /// How long a follow-up waits for that, before it is completed by rules.
    pub rewrite_ms: u64,
    /// How words and nearness become one ranking: `score`, `rrf`, `lexical` or `dense`.
    pub fusion: String,
    /// The name of an installed reranker that reads the best passages once more; empty is none.
    pub reranker: String,
    /// How long a question waits for it, before the order stands as it is.
    pub reranker_ms: u64,
    /// The name of an installed entailment model that checks what a chat model writes; empty is none.
    pub entailment: String,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            model: "extractive".into(),
            models: Vec::new(),
            offered: Vec::new(),
            threshold: DEFAULT_THRESHOLD,
            max_sentences: 3,
            max_tokens: 256,
            passages: 4,
            cache: 512,
            cache_near: true,
            rewrite: false,
            rewrite_ms: 2_000,
            fusion: Fusion::default().to_string(),
            reranker: String::new(),
            reranker_ms: 4_000,
            entailment: String::new(),
        }
    }
}

/// `[guard]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GuardSettings {
    /// Whether questions are looked at before they are answered.
    pub on: bool,
    /// Probability of an attack from which a question is not answered; 0 to 1.
    pub threshold: f32,
}

impl Default for GuardSettings {
    fn default() -> Self {
        Self { on: true, threshold: crate::answer::guard::DEFAULT_THRESHOLD }
    }
}

/// `[models]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelSettings {
    /// `static` (built in), the name of an installed embedding model, or `PROVIDER:MODEL`.
    pub embedding: String,
    /// What writes down recordings: the name of an installed Whisper model, or `auto` for whichever is installed.
    pub transcription: String,
    /// Threads for inference; 0 takes one for each core.
    pub threads: usize,
    /// Questions that may wait for a model; more are told to come back.
    pub queue: usize,
    /// Longest prompt with its answer, in tokens.
    pub context_tokens: usize,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            embedding: "static".into(),
            transcription: "auto".into(),
            threads: 0,
            queue: 64,
            context_tokens: 2048,
        }
    }
}

/// `[chain]`: how models that may fail are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainSettings {
    /// For all models of one question together; then the best sentences verbatim.
    pub budget_ms: u64,
    /// Tries of a model on another machine, before its first word.
    pub attempts: u32,
    pub connect_ms: u64,
    pub first_token_ms: u64,
    /// Between two pieces.
    pub idle_ms: u64,
    /// Share of failed calls at which a model is left alone.
    pub failure_rate: f64,
    /// For how long.
    pub rest_ms: u64,
    /// Tokens of providers' models, for each creator and month; 0 is no limit.
    pub monthly_tokens: u64,
    /// Of the prices of providers: shown beside what answers cost.
    pub currency: String,
}

impl Default for ChainSettings {
    fn default() -> Self {
        Self {
            budget_ms: 120_000,
            attempts: 2,
            connect_ms: 3_000,
            first_token_ms: 15_000,
            idle_ms: 10_000,
            failure_rate: 0.5,
            rest_ms: 30_000,
            monthly_tokens: 0,
            currency: "USD".into(),
        }
    }
}

/// `[index]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexSettings {
    /// Passages up to which a search looks at every vector; beyond it, through a graph.
    pub exact_limit: u64,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self { exact_limit: EXACT_LIMIT }
    }
}

/// `[webhooks]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookSettings {
    /// Tries before a delivery is given up; the pauses between them grow to a day.
    pub attempts: u32,
    /// For one try.
    pub timeout_ms: u64,
    /// Whether webhooks on private and loopback addresses are delivered to.
    pub allow_private_addresses: bool,
}

impl Default for WebhookSettings {
    fn default() -> Self {
        Self { attempts: 8, timeout_ms: 15_000, allow_private_addresses: false }
    }
}

/// `[hub]`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HubSettings {
    /// Another hub's address; empty is the public one. `HF_ENDPOINT` is read too.
    pub endpoint: String,
    /// For gated models. `HF_TOKEN` is read too.
    pub token: Secret,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `error`, `warn`, `info`, `debug`, or a filter such as `neverafk=debug,warn`.
    pub level: String,
    /// `text` or `json`.
    pub format: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { level: "warn".into(), format: "text".into() }
    }
}

/// The settings of this run, checked, with the directories they speak of.
#[derive(Debug, Clone)]
pub struct Config {
    pub data_dir: PathBuf,
    pub models_dir: PathBuf,
    pub listen: SocketAddr,
    pub settings: Settings,
    /// Each setting with its origin, for `config show`.
    pub layers: Layers,
    /// Where foreign bytes are read: in processes of this program. No setting.
    pub sandbox: Sandbox,
}

/// What the command line says about settings.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub data_dir: Option<PathBuf>,
    pub config: Option<PathBuf>,
    /// Dotted name and value, as `("server.listen", "127.0.0.1:9000")`.
    pub settings: Vec<(&'static str, String)>,
}

impl Config {
    /// Resolves defaults, file, environment and flags, and checks the result.
    pub fn resolve(flags: &Flags, environment: &[(String, String)]) -> Result<Self, ConfigError> {
        let variable = |name: &str| {
            environment.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, v)| v)
        };
        let data_dir = match (&flags.data_dir, variable("NEVERAFK_DATA_DIR")) {
            (Some(dir), _) => dir.clone(),
            (None, Some(dir)) => PathBuf::from(dir),
            (None, None) => dirs::data_dir().ok_or(ConfigError::NoDataDir)?.join("neverafk"),
        };
        let file = flags.config.clone().unwrap_or_else(|| data_dir.join("neverafk.toml"));
        let layers = Layers::merge(&file, flags.config.is_some(), environment, &flags.settings)?;
        let settings = layers.settings()?;
        let listen = check(&layers, &settings)?;
        let models_dir =
            variable("NEVERAFK_MODELS_DIR").map_or_else(|| data_dir.join("models"), PathBuf::from);
        let sandbox = Sandbox::of_this_program().with(settings.ingest.allowance());
        Ok(Self { data_dir, models_dir, listen, settings, layers, sandbox })
    }

    /// The same with settings changed, as flags change them. A chat model that is named is the only one.
    pub fn with(&self, changes: &[(&'static str, String)]) -> Result<Self, ConfigError> {
        let mut layers = self.layers.clone();
        if changes.iter().any(|(name, _)| *name == "answer.model") {
            layers.change(&[("answer.models", String::new())])?;
        }
        layers.change(changes)?;
        let settings = layers.settings()?;
        let listen = check(&layers, &settings)?;
        let sandbox = self.sandbox.clone().with(settings.ingest.allowance());
        Ok(Self { listen, settings, layers, sandbox, ..self.clone() })
    }

    /// Where the settings file is looked for when no flag names one.
    pub fn default_file(data_dir: &Path) -> PathBuf {
        data_dir.join("neverafk.toml")
    }
}

/// Ranges that types cannot say; gives the parsed listening address.
fn check(layers: &Layers, settings: &Settings) -> Result<SocketAddr, ConfigError> {
    let wrong = |name: &str, reason: String| layers.wrong(name, reason);
    let listen = settings.server.listen.parse().map_err(|_| {
        wrong(
            "server.listen",
            format!("`{}` is not an address such as `127.0.0.1:8000`", settings.server.listen),
        )
    })?;
    let metrics = &settings.server.metrics_listen;
    if !metrics.is_empty() && metrics.parse::<SocketAddr>().is_err() {
        return Err(wrong(
            "server.metrics_listen",
            format!("`{metrics}` is neither empty nor an address such as `127.0.0.1:9464`"),
        ));
    }
    let public = &settings.server.public_url;
    let is_origin = |text: &str| {
        url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == text
        })
    };
    if !public.is_empty() && !is_origin(public) {
        return Err(wrong(
            "server.public_url",
            format!("`{public}` is not an origin such as `https://ask.school.example`"),
        ));
    }
    if !(0.0..=1.0).contains(&settings.answer.threshold) {
        return Err(wrong(
            "answer.threshold",
            format!("{} is not between 0 and 1", settings.answer.threshold),
        ));
    }
    if settings.answer.cache > MOST_CACHED {
        return Err(wrong("answer.cache", format!("{} is more than {MOST_CACHED}", settings.answer.cache)));
    }
    settings.answer.fusion.parse::<Fusion>().map_err(|reason| wrong("answer.fusion", reason))?;
    if !(0.0..=1.0).contains(&settings.guard.threshold) {
        return Err(wrong("guard.threshold", format!("{} is not between 0 and 1", settings.guard.threshold)));
    }
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
    let mail = settings.mail.smtp(public, String::new());
    mail.map_err(|(name, reason)| wrong(name, reason))?;
    let billing = &settings.billing;
    billing.offer().map_err(|(name, reason)| wrong(&name, reason))?;
    billing.lemon().map_err(|(name, reason)| wrong(&name, reason))?;
    if !["text", "json"].contains(&settings.log.format.as_str()) {
        return Err(wrong("log.format", format!("`{}` is neither `text` nor `json`", settings.log.format)));
    }
    Ok(listen)
}

/// More answers than this are no cache but a leak.
const MOST_CACHED: usize = 100_000;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_names_every_default() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| {
                let setting = line.strip_prefix("# ").filter(|rest| {
                    rest.split_once(" = ")
                        .is_some_and(|(name, _)| name.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
                });
                format!("{}\n", setting.unwrap_or(line))
            })
            .collect();
        let parsed: Settings = toml::from_str(&uncommented).unwrap();
        assert_eq!(parsed, Settings::default());
        let names = |value: &Settings| -> Vec<String> {
            layers::flatten(&toml::Value::try_from(value).unwrap())
                .into_iter()
                .map(|(name, _)| name)
                .collect()
        };
        let in_file: Vec<String> = layers::flatten(&toml::from_str(&uncommented).unwrap())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for name in names(&Settings::default()) {
            assert!(in_file.contains(&name), "assets/default-config.toml does not name {name}");
        }
        assert_eq!(toml::from_str::<Settings>(EXAMPLE).unwrap(), Settings::default());
    }

    #[test]
    fn later_layers_win_and_say_so() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("neverafk.toml"), "[server]\nlisten = \"127.0.0.1:4001\"\n").unwrap();
        let mut flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
        let resolve = |flags: &Flags, env: &[(&str, &str)]| {
            let env: Vec<_> = env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            Config::resolve(flags, &env)
        };
        let config = resolve(&flags, &[]).unwrap();
        assert_eq!(
            (config.listen.port(), config.layers.get("server.listen").unwrap().origin.to_string()),
            (4001, format!("file {}", dir.path().join("neverafk.toml").display()))
        );
        let env = [("NEVERAFK_SERVER__LISTEN", "127.0.0.1:4002"), ("NEVERAFK_ANSWER__THRESHOLD", "0.25")];
        let config = resolve(&flags, &env).unwrap();
        assert_eq!((config.listen.port(), config.settings.answer.threshold), (4002, 0.25));
        flags.settings.push(("server.listen", "127.0.0.1:4003".into()));
        assert_eq!(resolve(&flags, &env).unwrap().listen.port(), 4003);
        let changed =
            config.with(&[("answer.threshold", "0.5".into()), ("answer.fusion", "rrf".into())]).unwrap();
        assert_eq!((changed.settings.answer.threshold, changed.listen.port()), (0.5, 4002));
        assert!(config.with(&[("answer.fusion", "sum".into())]).is_err());
    }

    #[test]
    fn wrong_settings_are_refused_with_their_name() {
        let dir = tempfile::tempdir().unwrap();
        let flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
        for (name, value, word) in [
            ("NEVERAFK_SERVER__LISTEN", "nowhere", "server.listen"),
            ("NEVERAFK_ANSWER__THRESHOLD", "7", "answer.threshold"),
            ("NEVERAFK_ANSWER__PASSAGES", "none", "answer.passages"),
            ("NEVERAFK_ANSWER__FUSION", "min-max", "answer.fusion"),
            ("NEVERAFK_ANSWER__RERANKER", "openai:model", "answer.reranker"),
            ("NEVERAFK_ANSWER__NONSENSE", "1", "answer.nonsense"),
            ("NEVERAFK_ANSWER__MODELS", "nobody:model", "answer.models"),
            ("NEVERAFK_PROVIDERS__GPU__URL", "gpu", "providers.gpu.url"),
            ("NEVERAFK_PROVIDERS__LOCAL__URL", "http://gpu/v1", "providers.local.url"),
            ("NEVERAFK_PROVIDERS__GPU__NONSENSE", "1", "providers.gpu.nonsense"),
            ("NEVERAFK_CHAIN__FAILURE_RATE", "0", "chain.failure_rate"),
            ("NEVERAFK_MAIL__HOST", "mail.school.example", "mail.host"),
            ("NEVERAFK_MAIL__TIMEOUT_MS", "0", "mail.timeout_ms"),
        ] {
            let error = Config::resolve(&flags, &[(name.to_owned(), value.to_owned())]).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
        }
    }

    #[test]
    fn providers_and_chains_come_from_every_layer_and_keys_stay_hidden() {
        let dir = tempfile::tempdir().unwrap();
        let file = "[answer]\nmodels = [\"gpu:llama\", \"openai:gpt-4o-mini\"]\n[providers.gpu]\nurl = \"http://gpu:8000/v1\"\n";
        std::fs::write(dir.path().join("neverafk.toml"), file).unwrap();
        let flags = Flags { data_dir: Some(dir.path().into()), ..Flags::default() };
        let environment = [
            ("NEVERAFK_PROVIDERS__OPENAI__KEY".to_owned(), "sk-hidden".to_owned()),
            ("NEVERAFK_ANSWER__OFFERED".to_owned(), "local:SmolLM2, ollama:qwen".to_owned()),
        ];
        let config = Config::resolve(&flags, &environment).unwrap();
        let settings = &config.settings;
        assert_eq!(settings.answer.models, ["gpu:llama", "openai:gpt-4o-mini"]);
        assert_eq!(settings.answer.offered, ["local:SmolLM2", "ollama:qwen"]);
        assert_eq!(settings.providers["gpu"].url, "http://gpu:8000/v1");
        assert_eq!(settings.providers["openai"].key.reveal(), "sk-hidden");
        let shown: Vec<String> =
            config.layers.iter().map(|setting| format!("{} {}", setting.name, setting.shown())).collect();
        let shown = format!("{} {config:?}", shown.join("\n"));
        assert!(shown.contains("providers.openai.key") && !shown.contains("sk-hidden"), "{shown}");
    }
}

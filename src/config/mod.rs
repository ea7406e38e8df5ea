//! Settings: built-in defaults, then the file, then the environment, then flags, resolved once into [`Config`].
//!
//! [`layers`] merges the four and remembers where each value came from; the file of each group says what its values
//! mean, `check.rs` whether they make sense. Modules below `app` own their option structs and never see this one.

mod answer;
pub mod billing;
mod chain;
mod check;
mod error;
pub mod ingest;
pub mod layers;
pub mod mail;
mod models;
pub mod providers;
pub mod secret;
mod server;
mod webhooks;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::ingest::sandbox::Sandbox;

pub use answer::{AnswerSettings, GuardSettings};
pub use billing::BillingSettings;
pub use chain::ChainSettings;
use check::check;
pub use error::ConfigError;
pub use ingest::IngestSettings;
pub use layers::{Layers, Origin, Setting};
pub use mail::MailSettings;
pub use models::{HubSettings, IndexSettings, ModelSettings};
pub use providers::ProviderSettings;
pub use secret::Secret;
pub use server::{LogSettings, ServerSettings};
pub use webhooks::WebhookSettings;

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

#[cfg(test)]
mod tests;

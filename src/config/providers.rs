//! `[providers.NAME]`: servers whose models may be named as `NAME:MODEL`. Nothing here sends anything.
//!
//! A provider alone does nothing: what leaves this machine is decided by the names under `answer.models`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Secret;
use crate::inference::chain::Price;

/// Prefix of models that run here.
pub const LOCAL: &str = "local";

/// Window that is assumed when nothing else is said: what servers give by default is seldom less.
const CONTEXT_TOKENS: usize = 8192;

/// More for a million tokens is a slip of the pen, and would make sums that mean nothing.
const MOST_PRICE: f64 = 1e6;

/// Names, languages and addresses that need not be written down.
const KNOWN: &[(&str, ProviderApi, &str)] = &[
    ("anthropic", ProviderApi::Anthropic, "https://api.anthropic.com/v1"),
    ("ollama", ProviderApi::OpenAi, "http://127.0.0.1:11434/v1"),
    ("openai", ProviderApi::OpenAi, "https://api.openai.com/v1"),
];

/// `[providers.NAME]` as it is written; empty fields take what is known of the name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// `openai` or `anthropic`: the language that the server speaks.
    pub api: String,
    /// Up to and with the version.
    pub url: String,
    pub key: Secret,
    /// A file that holds the key and nothing else.
    pub key_file: String,
    /// Window of its models; 0 is 8192.
    pub context_tokens: usize,
    /// What its models cost for a million tokens that they read and that they write, in `chain.currency`.
    pub input_price: f64,
    pub output_price: f64,
}

/// Which language a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderApi {
    OpenAi,
    Anthropic,
}

/// A provider with everything known.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    pub api: ProviderApi,
    pub url: Url,
    pub key: Secret,
    pub key_file: String,
    pub context_tokens: usize,
}

/// The providers that are there without being written down.
pub fn known() -> BTreeMap<String, ProviderSettings> {
    KNOWN.iter().map(|(name, ..)| ((*name).to_owned(), ProviderSettings::default())).collect()
}

/// `openai:gpt-4o-mini` as provider and model; `None` for a model that runs here.
pub fn split(name: &str) -> Option<(&str, &str)> {
    name.split_once(':').filter(|(provider, _)| *provider != LOCAL)
}

/// Whether a name can be a provider's: it stands in settings, variables and model names.
pub fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-')
        && name != LOCAL
}

impl ProviderSettings {
    /// What its models' tokens cost.
    pub fn price(&self) -> Price {
        Price { input: self.input_price, output: self.output_price }
    }

    /// Fills in what is known of the name; or which field is wrong, and why.
    pub fn resolve(&self, name: &str) -> Result<Provider, (&'static str, String)> {
        let known = KNOWN.iter().find(|(known, ..)| *known == name);
        let api = match (self.api.as_str(), known) {
            ("", Some((_, api, _))) => *api,
            ("" | "openai", _) => ProviderApi::OpenAi,
            ("anthropic", _) => ProviderApi::Anthropic,
            (other, _) => return Err(("api", format!("`{other}` is neither `openai` nor `anthropic`"))),
        };
        let address = match (self.url.as_str(), known) {
            ("", Some((.., url))) => url,
            (url, _) => url,
        };
        let wrong = || {
            (
                "url",
                format!(
                    "`{address}` is not an address such as `http://127.0.0.1:8080/v1`, without a password"
                ),
            )
        };
        let url = Url::parse(address).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
            return Err(wrong());
        }
        if !self.key.is_empty() && !self.key_file.is_empty() {
            return Err(("key_file", "there is a `key` already; one of the two is enough".into()));
        }
        for (name, price) in [("input_price", self.input_price), ("output_price", self.output_price)] {
            if !(0.0..=MOST_PRICE).contains(&price) {
                return Err((name, format!("{price} is not between 0 and {MOST_PRICE}")));
            }
        }
        Ok(Provider {
            api,
            url,
            key: self.key.clone(),
            key_file: self.key_file.clone(),
            context_tokens: if self.context_tokens == 0 { CONTEXT_TOKENS } else { self.context_tokens },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(api: &str, url: &str) -> ProviderSettings {
        ProviderSettings { api: api.into(), url: url.into(), ..ProviderSettings::default() }
    }

    #[test]
    fn names_fill_in_what_is_known() {
        for (name, settings, api, url) in [
            ("openai", with("", ""), ProviderApi::OpenAi, "https://api.openai.com/v1"),
            ("anthropic", with("", "http://127.0.0.1:1/v1"), ProviderApi::Anthropic, "http://127.0.0.1:1/v1"),
            ("gpu", with("", "http://gpu:8000/v1"), ProviderApi::OpenAi, "http://gpu:8000/v1"),
            ("gpu", with("anthropic", "https://gpu/v1"), ProviderApi::Anthropic, "https://gpu/v1"),
        ] {
            let provider = settings.resolve(name).unwrap();
            assert_eq!((provider.api, provider.url.as_str()), (api, url));
        }
    }

    #[test]
    fn wrong_providers_are_refused_by_field() {
        let keys = ProviderSettings { key_file: "k".into(), ..with("", "http://gpu/v1") };
        let keys = ProviderSettings { key: toml::Value::from("k").try_into().unwrap(), ..keys };
        for (settings, field) in [
            (with("soap", "http://gpu/v1"), "api"),
            (with("", ""), "url"),
            (with("", "gpu:8000"), "url"),
            (with("", "ftp://gpu/v1"), "url"),
            (with("", "http://me:secret@gpu/v1"), "url"),
            (keys, "key_file"),
            (ProviderSettings { input_price: -1.0, ..with("", "http://gpu/v1") }, "input_price"),
            (ProviderSettings { output_price: f64::NAN, ..with("", "http://gpu/v1") }, "output_price"),
        ] {
            assert_eq!(settings.resolve("gpu").unwrap_err().0, field, "{settings:?}");
        }
    }

    #[test]
    fn model_names_are_split_at_the_first_colon() {
        assert_eq!(split("ollama:llama3.2:1b"), Some(("ollama", "llama3.2:1b")));
        assert_eq!(split("local:SmolLM2"), None);
        assert_eq!(split("SmolLM2"), None);
        assert!(is_name("my-gpu_2") && !is_name("local") && !is_name("My") && !is_name(""));
    }
}

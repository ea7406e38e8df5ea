//! Lemon Squeezy, which sells plans and packs for the creator of this server: links to its checkout and to a buyer's
//! portal ([`Lemon`]), and the messages that it sends ([`message`], [`sign`]).
//!
//! It is the merchant: cards, invoices, taxes and names are its business, and nothing of them comes here. What leaves this
//! machine is a creator's slug, the chosen variant and the address to come back to, when an owner asks for a link.
//! Redirects are not followed: the key must not go where nobody sent it.

pub mod message;
pub mod sign;

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};
use url::Url;

use crate::domain::CreatorId;

/// Bytes of a reply that are read: a checkout has some thousands.
const MOST: u64 = 256 << 10;
/// Of the words of a refusal so many characters are shown.
const SAID: usize = 200;
/// The type of bodies (<https://docs.lemonsqueezy.com/api/getting-started/requests>).
const JSON_API: &str = "application/vnd.api+json";

/// How to reach it.
#[derive(Clone)]
pub struct LemonOptions {
    /// Without the version: `https://api.lemonsqueezy.com`.
    pub api_url: Url,
    pub key: String,
    /// The number of the store that sells.
    pub store: String,
    pub timeout: Duration,
    pub test_mode: bool,
}

/// A log that shows it shows no key.
impl fmt::Debug for LemonOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LemonOptions").field("api_url", &self.api_url.as_str()).finish_non_exhaustive()
    }
}

/// What is to be sold, to whom.
#[derive(Debug, Clone)]
pub struct Checkout {
    pub creator: CreatorId,
    pub variant: String,
    /// Where the buyer's browser goes afterwards.
    pub back: String,
}

/// Why there is no link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LemonError {
    #[error("buying is not set up on this server: `{0}` is missing")]
    NotSetUp(&'static str),
    #[error("the payment provider cannot be reached: {0}")]
    Unreachable(String),
    #[error("the payment provider did not answer in time")]
    Slow,
    #[error("the payment provider does not take this server's key")]
    Denied,
    #[error("the payment provider refused (status {status}): {said}")]
    Refused { status: u16, said: String },
    #[error("the payment provider's answer is not understood: {0}")]
    Garbled(String),
    #[error("asking the payment provider crashed")]
    Crashed,
}

/// A way to the payment provider.
#[derive(Debug, Clone)]
pub struct Lemon {
    options: LemonOptions,
}

impl Lemon {
    pub fn new(options: LemonOptions) -> Self {
        Self { options }
    }

    /// Makes a checkout; gives its address
    /// (<https://docs.lemonsqueezy.com/api/checkouts/create-checkout>).
    pub async fn checkout(&self, checkout: Checkout) -> Result<String, LemonError> {
        if self.options.store.is_empty() {
            return Err(LemonError::NotSetUp("billing.store"));
        }
        let one = |kind: &str, id: &str| json!({"data": {"type": kind, "id": id}});
        let body = json!({"data": {
            "type": "checkouts",
            "attributes": {
                "product_options": {"redirect_url": checkout.back},
                "checkout_data": {"custom": {message::CREATOR: checkout.creator}},
                "test_mode": self.options.test_mode,
            },
            "relationships": {
                "store": one("stores", &self.options.store),
                "variant": one("variants", &checkout.variant),
            },
        }});
        let reply = self.ask("checkouts".to_owned(), Some(body)).await?;
        address(&reply["data"]["attributes"]["url"])
    }

    /// The address where the buyer of a subscription changes it; it works for a day
    /// (<https://docs.lemonsqueezy.com/api/subscriptions/the-subscription-object>, `urls`).
    pub async fn portal(&self, subscription: &str) -> Result<String, LemonError> {
        if !subscription.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(LemonError::Garbled("a subscription's id is no id".to_owned()));
        }
        let reply = self.ask(format!("subscriptions/{subscription}"), None).await?;
        address(&reply["data"]["attributes"]["urls"]["customer_portal"])
    }

    async fn ask(&self, path: String, body: Option<Value>) -> Result<Value, LemonError> {
        if self.options.key.is_empty() {
            return Err(LemonError::NotSetUp("billing.api_key"));
        }
        let options = self.options.clone();
        let work = tokio::task::spawn_blocking(move || send(&options, &path, body.as_ref()));
        work.await.map_err(|_| LemonError::Crashed)?
    }
}

fn send(options: &LemonOptions, path: &str, body: Option<&Value>) -> Result<Value, LemonError> {
    let mut config = ureq::Agent::config_builder()
        .timeout_global(Some(options.timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("neverafk/", env!("CARGO_PKG_VERSION")));
    if is_here(&options.api_url) {
        config = config.proxy(None);
    }
    let agent: ureq::Agent = config.build().into();
    let url = format!("{}/v1/{path}", options.api_url.as_str().trim_end_matches('/'));
    let bearer = format!("Bearer {}", options.key);
    let sent = match body {
        Some(body) => agent
            .post(&url)
            .header("accept", JSON_API)
            .header("content-type", JSON_API)
            .header("authorization", &bearer)
            .send(body.to_string()),
        None => agent.get(&url).header("accept", JSON_API).header("authorization", &bearer).call(),
    };
    let response = sent.map_err(why)?;
    let status = response.status().as_u16();
    let read = response.into_body().into_with_config().limit(MOST).read_to_vec();
    match status {
        200..300 => {
            let bytes = read.map_err(why)?;
            let garbled = |_| LemonError::Garbled("it is no JSON".to_owned());
            serde_json::from_slice(&bytes).map_err(garbled)
        }
        401 | 403 => Err(LemonError::Denied),
        _ => {
            let reply: Value =
                read.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
            let detail = reply["errors"][0]["detail"].as_str().unwrap_or("nothing more");
            let said = detail.replace(&options.key, "********");
            let said = said.chars().filter(|c| !c.is_control()).take(SAID).collect();
            Err(LemonError::Refused { status, said })
        }
    }
}

fn why(error: ureq::Error) -> LemonError {
    match error {
        ureq::Error::Timeout(_) => LemonError::Slow,
        other => LemonError::Unreachable(other.to_string()),
    }
}

/// An address that a browser may be sent to: HTTPS, or this machine, where a stand-in is.
fn address(value: &Value) -> Result<String, LemonError> {
    let text = value.as_str().unwrap_or_default();
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" || is_here(&url) => Ok(url.into()),
        _ => Err(LemonError::Garbled("it holds no address".to_owned())),
    }
}

/// Whether an address is on this machine, without TLS.
pub fn is_here(url: &Url) -> bool {
    let here = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    here && matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_sent_to_https_only() {
        for (value, good) in [
            (json!("https://shop.lemonsqueezy.com/checkout/1"), true),
            (json!("http://127.0.0.1:9/checkout"), true),
            (json!("http://shop.example/checkout"), false),
            (json!("javascript:alert(1)"), false),
            (json!("/checkout"), false),
            (json!(null), false),
        ] {
            assert_eq!(address(&value).is_ok(), good, "{value}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let options = LemonOptions {
            api_url: Url::parse("https://api.lemonsqueezy.com").unwrap(),
            key: "sk-hidden".to_owned(),
            store: "5".to_owned(),
            timeout: Duration::from_secs(1),
            test_mode: false,
        };
        assert!(!format!("{:?}", Lemon::new(options)).contains("hidden"));
    }
}

//! Sends what waits for webhooks: signed, one at a time for each webhook, as [`outbox`] says when.
//!
//! A delivery that a process did not finish goes out again with the next one, so a receiver may get one twice, under the
//! same `webhook-id`. `cli/serve.rs` starts this.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

use super::outbox::{self, Outbox, Outcome};
use super::{body, sign};
use crate::domain::address::is_public;
use crate::domain::{Attempt, Delivery, Timestamp, Webhook, WebhookId};
use crate::store::{Store, StoreError};

/// Beyond any request's time; a delivery whose process died goes out again after this long.
const LEASE_MS: u64 = 120_000;
/// Of an answer nothing but the status counts; so much is read that the connection can be told to be done.
const READ: u64 = 4_096;

/// How to deliver.
#[derive(Debug, Clone)]
pub struct DeliverOptions {
    /// Tries before a delivery is given up.
    pub attempts: u32,
    /// For one try, from the look-up of the name to the status.
    pub timeout: Duration,
    /// Whether webhooks may be in the private network.
    pub allow_private_addresses: bool,
}

/// What the loop needs.
#[derive(Clone)]
pub struct Deliverer {
    pub store: Store,
    pub options: DeliverOptions,
    pub now: fn() -> Timestamp,
    /// Hears of each try, for counting.
    pub tried: fn(arrived: bool),
}

/// Why an address cannot be a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("`{0}` is not an address such as `https://hooks.example/neverafk`")]
    Malformed(String),
    #[error("the address is private, and this server delivers to public ones only")]
    Private,
}

/// Checks an address as far as it can be without a connection: what a name leads to is checked at each try.
pub fn check_address(url: &str, allow_private_addresses: bool) -> Result<Url, AddressError> {
    let malformed = || AddressError::Malformed(url.chars().take(200).collect());
    let parsed = Url::parse(url).map_err(|_| malformed())?;
    let has_credentials = !parsed.username().is_empty() || parsed.password().is_some();
    if !matches!(parsed.scheme(), "http" | "https") || has_credentials || url.len() > 2_000 {
        return Err(malformed());
    }
    let private = match parsed.host() {
        Some(url::Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(url::Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => return Err(malformed()),
    };
    if private && !allow_private_addresses { Err(AddressError::Private) } else { Ok(parsed) }
}

/// Delivers until `stop`.
pub async fn run(deliverer: Deliverer, stop: CancellationToken) {
    outbox::run(deliverer, stop).await;
}

impl Outbox for Deliverer {
    const WHAT: &'static str = "deliveries";
    /// Webhooks that are spoken to at once.
    const PLACES: usize = 16;
    type Item = (Webhook, Delivery);
    type Lane = WebhookId;

    fn store(&self) -> &Store {
        &self.store
    }

    async fn release(&self) -> Result<u64, StoreError> {
        self.store.release_deliveries().await
    }

    async fn claim(
        &self,
        places: usize,
        busy: &HashSet<WebhookId>,
    ) -> Result<Vec<(WebhookId, Self::Item)>, StoreError> {
        let claimed = self.store.claim_deliveries((self.now)(), LEASE_MS, places, busy).await?;
        Ok(claimed.into_iter().map(|item| (item.0.id.clone(), item)).collect())
    }

    async fn send(&self, (webhook, delivery): Self::Item) -> Result<(), StoreError> {
        deliver(self, &webhook, &delivery).await
    }
}

/// One try, and what comes of it.
pub async fn deliver(
    deliverer: &Deliverer,
    webhook: &Webhook,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    let store = &deliverer.store;
    let at = (deliverer.now)();
    let began = Instant::now();
    let sent = match body::look_up(store, &delivery.event).await? {
        None => Sent::failed("what it was about was erased").for_good(),
        Some(matter) => {
            let body = body::of(&delivery.event, &matter).to_string();
            let (webhook, id) = (webhook.clone(), delivery.id.to_string());
            let options = deliverer.options.clone();
            let work = tokio::task::spawn_blocking(move || send(&webhook, &id, at, &body, &options));
            work.await.unwrap_or_else(|_| Sent::failed("sending crashed"))
        }
    };
    (deliverer.tried)(sent.arrived);
    let now = (deliverer.now)();
    let tries = delivery.standing.tries.saturating_add(1);
    let outcome =
        Outcome { arrived: sent.arrived, for_good: sent.for_good, retry_after_ms: sent.retry_after_ms };
    let (state, next_at) =
        outbox::after(delivery.id.as_str(), tries, deliverer.options.attempts, outcome, now);
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = Attempt { at, status: sent.status, error: sent.error, took_ms };
    store.finish_delivery(&delivery.event.creator, &delivery.id, attempt, state, next_at).await?;
    Ok(())
}

/// How a try went.
struct Sent {
    arrived: bool,
    status: Option<u16>,
    error: Option<String>,
    /// No further try makes it better.
    for_good: bool,
    retry_after_ms: Option<u64>,
}

impl Sent {
    fn failed(why: impl Into<String>) -> Self {
        Self { arrived: false, status: None, error: Some(why.into()), for_good: false, retry_after_ms: None }
    }

    fn for_good(mut self) -> Self {
        self.for_good = true;
        self
    }
}

/// Sends one request. Redirects are not followed: they would lead to an address that the creator did not name.
fn send(webhook: &Webhook, id: &str, at: Timestamp, body: &str, options: &DeliverOptions) -> Sent {
    let url = match check_address(&webhook.url, options.allow_private_addresses) {
        Ok(url) => url,
        Err(error) => return Sent::failed(error.to_string()),
    };
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(options.timeout))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(concat!("neverafk/", env!("CARGO_PKG_VERSION")))
        .build();
    let resolver =
        Checked { allow_private: options.allow_private_addresses, inner: DefaultResolver::default() };
    let agent = ureq::Agent::with_parts(config, DefaultConnector::default(), resolver);
    let seconds = sign::seconds(at);
    let request = agent
        .post(url.as_str())
        .header("content-type", "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", sign::signature(&webhook.secret, id, seconds, body));
    let response = match request.send(body) {
        Ok(response) => response,
        Err(error) => return Sent::failed(why(error)),
    };
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    // What cannot be read changes nothing: the status came.
    let _ = std::io::copy(
        &mut response.into_body().into_with_config().limit(READ).reader(),
        &mut std::io::sink(),
    );
    let arrived = (200..300).contains(&status);
    Sent {
        arrived,
        status: Some(status),
        error: (!arrived).then(|| match status {
            300..400 => format!("it redirects (status {status}), which is not followed"),
            _ => format!("it answered with status {status}"),
        }),
        // 410 says that the receiver wants no more of this (Standard Webhooks, "Disabling endpoints").
        for_good: status == 410,
        // A day at most: no receiver may hold a delivery for ever.
        retry_after_ms: retry_after.map(|seconds: u64| seconds.min(86_400) * 1_000),
    }
}

fn why(error: ureq::Error) -> String {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time".to_owned(),
        ureq::Error::Other(inner) if inner.is::<Private>() => AddressError::Private.to_string(),
        other => other.to_string(),
    }
}

/// Resolves names and refuses those that lead to a private place, even if only one of their addresses does. The
/// connection goes to exactly the checked address, so a name that resolves differently the next time gains nothing.
#[derive(Debug)]
struct Checked {
    allow_private: bool,
    inner: DefaultResolver,
}

#[derive(Debug, thiserror::Error)]
#[error("the address is private")]
struct Private;

impl Resolver for Checked {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        if !self.allow_private && found.iter().any(|address| !is_public(address.ip())) {
            return Err(ureq::Error::Other(Box::new(Private)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_taken() {
        for (url, expected) in [
            ("https://hooks.example/x", Ok(())),
            ("http://93.184.216.34/", Ok(())),
            ("http://127.0.0.1:9/", Err(true)),
            ("http://[::1]/", Err(true)),
            ("http://169.254.169.254/latest", Err(true)),
            ("http://2130706433/", Err(true)),
            ("http://localhost/", Err(true)),
            ("http://[::ffff:10.0.0.1]/", Err(true)),
            ("https://anna:secret@hooks.example/", Err(false)),
            ("ftp://hooks.example/", Err(false)),
            ("hooks.example", Err(false)),
        ] {
            let found = check_address(url, false).map(drop).map_err(|error| error == AddressError::Private);
            assert_eq!(found, expected, "{url}");
        }
        assert!(check_address("http://127.0.0.1:9/", true).is_ok());
    }
}

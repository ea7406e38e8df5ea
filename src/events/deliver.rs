//! Sends what waits for webhooks: signed, one at a time for each webhook, again and again until it arrives or is given
//! up.
//!
//! What wakes the loop: news of the store, a delivery that ended, and a look every second. A delivery that a process
//! did not finish goes out again with the next one, so a receiver may get one twice, under the same `webhook-id`; none
//! is lost. No transaction is open while a request is under way. `cli/serve.rs` starts this.

use std::collections::HashSet;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use url::Url;

use super::{body, sign};
use crate::domain::address::is_public;
use crate::domain::{Attempt, Delivery, DeliveryState, Timestamp, Webhook, WebhookId};
use crate::store::{Store, StoreError};

/// Webhooks that are spoken to at once.
const PLACES: usize = 16;
/// Longest pause between looks.
const POLL: Duration = Duration::from_secs(1);
/// Beyond any request's time; a delivery whose process died goes out again after this long.
const LEASE_MS: u64 = 120_000;
/// Pauses before the second try and those after it, in seconds: those that the Standard Webhooks specification
/// proposes.
const PAUSES: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
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
    let mut news = deliverer.store.news();
    match deliverer.store.release_deliveries().await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "deliveries of an earlier run go out again"),
        Err(error) => tracing::error!(%error, "deliveries of an earlier run wait until their lease ends"),
    }
    let mut under_way = JoinSet::new();
    let mut busy: HashSet<WebhookId> = HashSet::new();
    loop {
        let places = PLACES.saturating_sub(busy.len());
        let claimed = deliverer.store.claim_deliveries((deliverer.now)(), LEASE_MS, places, &busy).await;
        match claimed {
            Ok(claimed) => {
                for (webhook, delivery) in claimed {
                    busy.insert(webhook.id.clone());
                    let deliverer = deliverer.clone();
                    under_way.spawn(async move {
                        if let Err(error) = deliver(&deliverer, &webhook, &delivery).await {
                            tracing::error!(%error, delivery = %delivery.id, "a delivery cannot be written down");
                        }
                        webhook.id
                    });
                }
            }
            Err(error) => tracing::error!(%error, "waiting deliveries cannot be read; trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            Some(done) = under_way.join_next(), if !under_way.is_empty() => match done {
                Ok(webhook) => drop(busy.remove(&webhook)),
                Err(error) => {
                    tracing::error!(%error, "a delivery crashed");
                    busy.clear();
                }
            },
            // Missed news are no loss: what waits is in the store.
            _ = news.recv() => {}
            () = tokio::time::sleep(POLL) => {}
        }
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
    let tries = delivery.tries.saturating_add(1);
    let (state, next_at) = match (sent.arrived, sent.for_good || tries >= deliverer.options.attempts) {
        (true, _) => (DeliveryState::Delivered, now),
        (false, true) => (DeliveryState::Dead, now),
        (false, false) => {
            let pause = pause_ms(delivery, tries).max(sent.retry_after_ms.unwrap_or(0));
            (DeliveryState::Waiting, Timestamp(now.0.saturating_add(pause)))
        }
    };
    let took_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let attempt = Attempt { at, status: sent.status, error: sent.error, took_ms };
    store.finish_delivery(&delivery.event.creator, &delivery.id, attempt, state, next_at).await?;
    Ok(())
}

/// Before the next try: the pause of the table and up to a fifth more, so that what failed together does not come
/// back together. The share is drawn from the delivery's id, which is as good as random.
pub fn pause_ms(delivery: &Delivery, tries: u32) -> u64 {
    let place = (tries.max(1) as usize - 1).min(PAUSES.len() - 1);
    let pause = PAUSES[place] * 1_000;
    let draw = blake3::hash(format!("{} {tries}", delivery.id).as_bytes());
    let share = u64::from(u16::from_le_bytes([draw.as_bytes()[0], draw.as_bytes()[1]]));
    pause + pause * share / (5 * u64::from(u16::MAX))
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
    use crate::domain::{Event, EventKind, Subject};

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

    #[test]
    fn pauses_grow_and_do_not_fall_together() {
        let delivery = |byte: u8| {
            let creator = "course".parse().unwrap();
            let event = Event::new(&creator, EventKind::WebhookTest, Subject::default(), Timestamp(1));
            Delivery::new(&event, &WebhookId::from_bytes([byte; 16]))
        };
        for tries in 1..=12u32 {
            let pause = PAUSES[(tries as usize - 1).min(PAUSES.len() - 1)] * 1_000;
            let drawn: HashSet<u64> = (0..20).map(|byte| pause_ms(&delivery(byte), tries)).collect();
            assert!(drawn.iter().all(|&ms| (pause..=pause + pause / 5).contains(&ms)), "{tries}: {drawn:?}");
            assert!(drawn.len() > 10, "{tries}");
        }
    }
}

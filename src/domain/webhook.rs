//! A webhook, and what became of each event on its way there.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CreatorId, DeliveryId, Event, EventKind, Timestamp, WebhookId};

/// An address that a creator wants told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Webhook {
    pub id: WebhookId,
    pub creator: CreatorId,
    pub url: String,
    /// None means all.
    pub events: Vec<EventKind>,
    /// Signs deliveries, so it is kept as it is.
    pub secret: Vec<u8>,
    pub created_at: Timestamp,
}

/// A log that shows a webhook shows no secret.
impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook").field("id", &self.id).field("url", &self.url).finish_non_exhaustive()
    }
}

impl Webhook {
    pub fn wants(&self, kind: EventKind) -> bool {
        kind.is_for_webhooks() && (self.events.is_empty() || self.events.contains(&kind))
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It goes out when its time comes.
    Waiting,
    Delivered,
    /// Given up, until somebody sends it again.
    Dead,
}

impl DeliveryState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
        }
    }
}

/// One try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    /// What the other side answered, if it did.
    pub status: Option<u16>,
    /// A sentence, when it did not work.
    pub error: Option<String>,
    pub took_ms: u64,
}

/// One event on its way to one webhook. It holds no words: they are looked up when it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: Event,
    pub state: DeliveryState,
    pub attempts: Vec<Attempt>,
    /// Tries since it was last begun; sending it again by hand begins it anew.
    pub tries: u32,
    /// When it goes out next.
    pub next_at: Timestamp,
    /// Somebody is sending it.
    #[serde(default)]
    pub claimed: bool,
}

impl Delivery {
    /// The first try is due at once.
    pub fn new(event: &Event, webhook: &WebhookId) -> Self {
        Self {
            id: DeliveryId::of(&event.id, webhook),
            webhook: webhook.clone(),
            event: event.clone(),
            state: DeliveryState::Waiting,
            attempts: Vec::new(),
            tries: 0,
            next_at: event.at,
            claimed: false,
        }
    }
}

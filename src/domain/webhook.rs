//! A webhook, and each event on its way there. How far it has come is [`Standing`].

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{CreatorId, DeliveryId, Event, EventKind, Outgoing, Standing, Timestamp, WebhookId};

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

/// One event on its way to one webhook. It holds no words: they are looked up when it goes out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: DeliveryId,
    pub webhook: WebhookId,
    pub event: Event,
    #[serde(flatten)]
    pub standing: Standing,
}

impl Delivery {
    /// The first try is due at once.
    pub fn new(event: &Event, webhook: &WebhookId) -> Self {
        Self {
            id: DeliveryId::of(&event.id, webhook),
            webhook: webhook.clone(),
            event: event.clone(),
            standing: Standing::due(event.at),
        }
    }
}

impl Outgoing for Delivery {
    const WHAT: &'static str = "delivery";
    type Id = DeliveryId;

    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn standing(&self) -> &Standing {
        &self.standing
    }

    fn standing_mut(&mut self) -> &mut Standing {
        &mut self.standing
    }
}

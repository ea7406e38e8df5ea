//! What goes out of this process, and how far it has come: deliveries to webhooks and mails alike.
//!
//! It is kept until it arrived or was given up. Who sends it when is `events`, where it waits is the store's.

use std::fmt;
use std::str::FromStr;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Timestamp;

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

/// How far something has come on its way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
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

impl Standing {
    /// Not tried yet, and due at this time.
    pub fn due(at: Timestamp) -> Self {
        Self { state: DeliveryState::Waiting, attempts: Vec::new(), tries: 0, next_at: at, claimed: false }
    }

    /// Somebody sends it now, and has until this time.
    pub fn claim(&mut self, until: Timestamp) {
        (self.claimed, self.next_at) = (true, until);
    }

    /// Nobody sends it any more; it is due at this time.
    pub fn release(&mut self, at: Timestamp) {
        (self.claimed, self.next_at) = (false, at);
    }

    /// A try ended so, and this comes next.
    pub fn tried(&mut self, attempt: Attempt, state: DeliveryState, next_at: Timestamp) {
        self.attempts.push(attempt);
        self.tries = self.tries.saturating_add(1);
        (self.state, self.next_at, self.claimed) = (state, next_at, false);
    }

    /// From the first try again.
    pub fn begin_again(&mut self, now: Timestamp) {
        (self.state, self.tries, self.next_at, self.claimed) = (DeliveryState::Waiting, 0, now, false);
    }
}

/// Something that goes out.
pub trait Outgoing: Clone + Serialize + DeserializeOwned {
    /// As errors name it.
    const WHAT: &'static str;

    type Id: FromStr + fmt::Display;

    /// 26 letters, as all ids have them.
    fn id(&self) -> &str;

    fn standing(&self) -> &Standing;

    fn standing_mut(&mut self) -> &mut Standing;
}

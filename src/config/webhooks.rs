//! `[webhooks]`: how deliveries to other programs are tried.
//!
//! Values with their defaults; `check.rs` says which make sense.

use serde::{Deserialize, Serialize};

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

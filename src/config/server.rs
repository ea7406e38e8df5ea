//! `[server]` and `[log]`: where the program listens, how much it lets in, and what it says of itself.
//!
//! Values with their defaults; `check.rs` says which make sense.

use serde::{Deserialize, Serialize};

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

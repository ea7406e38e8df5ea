//! How a model on another machine fails. Made by `remote/`, judged by `chain/`, told to people by `problem.rs`.
//!
//! A fault never holds a key, and of a server's own words only a short, cleaned piece.

use std::time::Duration;

/// What went wrong. Each reads as the end of a sentence that begins with the model's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("its server cannot be reached ({0})")]
    Unreachable(String),
    /// 401 or 403.
    #[error("its server refused the key")]
    Denied,
    /// 404.
    #[error("its server does not have this model")]
    NoModel,
    /// 429.
    #[error("its server takes no more requests now")]
    Limited { retry_after: Option<Duration> },
    /// 5xx.
    #[error("its server failed with status {0}")]
    Broken(u16),
    /// Any other refusal, with the server's words.
    #[error("its server refused the request with status {status}: {said}")]
    Refused { status: u16, said: String },
    /// Nothing came for so long.
    #[error("it said nothing for {:.1} s", .0.as_secs_f32())]
    Silent(Duration),
    /// The whole answer took longer than it may.
    #[error("it was not done after {:.1} s", .0.as_secs_f32())]
    Slow(Duration),
    #[error("what its server sent makes no sense ({0})")]
    Garbled(String),
    #[error("its answer broke off")]
    Cut,
    #[error("its server sent more than {0} bytes")]
    Endless(usize),
    /// The chain has stopped asking for a while.
    #[error("it failed too often lately and is left alone for {:.0} s more", .0.as_secs_f32().ceil())]
    Resting(Duration),
}

impl Fault {
    /// Stable, for health pages and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::Denied => "key_refused",
            Self::NoModel => "no_such_model",
            Self::Limited { .. } => "rate_limited",
            Self::Broken(_) => "server_error",
            Self::Refused { .. } => "request_refused",
            Self::Silent(_) => "silent",
            Self::Slow(_) => "slow",
            Self::Garbled(_) => "garbled",
            Self::Cut => "cut_off",
            Self::Endless(_) => "endless",
            Self::Resting(_) => "resting",
        }
    }

    /// Whether the same request may well succeed in a moment. A hang does not: whoever asked has waited already.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Limited { .. } | Self::Broken(_) | Self::Cut)
    }
}

//! `[chain]`: how long models that may fail are waited for, and when one is left alone.
//!
//! Values with their defaults; `check.rs` says which make sense. The models themselves are named in `[answer]`.

use serde::{Deserialize, Serialize};

/// `[chain]`: how models that may fail are used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ChainSettings {
    /// For all models of one question together; then the best sentences verbatim.
    pub budget_ms: u64,
    /// Tries of a model on another machine, before its first word.
    pub attempts: u32,
    pub connect_ms: u64,
    pub first_token_ms: u64,
    /// Between two pieces.
    pub idle_ms: u64,
    /// Share of failed calls at which a model is left alone.
    pub failure_rate: f64,
    /// For how long.
    pub rest_ms: u64,
    /// Tokens of providers' models, for each creator and month; 0 is no limit.
    pub monthly_tokens: u64,
    /// Of the prices of providers: shown beside what answers cost.
    pub currency: String,
}

impl Default for ChainSettings {
    fn default() -> Self {
        Self {
            budget_ms: 120_000,
            attempts: 2,
            connect_ms: 3_000,
            first_token_ms: 15_000,
            idle_ms: 10_000,
            failure_rate: 0.5,
            rest_ms: 30_000,
            monthly_tokens: 0,
            currency: "USD".into(),
        }
    }
}

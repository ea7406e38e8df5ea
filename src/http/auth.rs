//! Who asks: a key in `Authorization: Bearer`, and the one place that says what its owner may do.
//!
//! Asking needs no key; everything private does (CONTRACT, section 3). Keys are looked up by their BLAKE3 hash,
//! so neither the store nor the time of the look-up tells anything about a key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};

use super::AppState;
use super::error::ApiError;
use crate::domain::CreatorId;
use crate::problem::{Kind, Problem};

/// A creator's own program or person, proved by a key.
#[derive(Debug, Clone)]
pub struct Principal {
    pub creator: CreatorId,
}

impl Principal {
    /// Allows what concerns `creator`, and nobody else.
    pub fn may_manage(&self, creator: &CreatorId) -> Result<(), Problem> {
        if &self.creator == creator {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Forbidden,
            "not_your_creator",
            format!("this key does not belong to the creator `{creator}`"),
            "use a key made with `neverafk key create --creator` for this creator",
        ))
    }
}

impl FromRequestParts<AppState> for Principal {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ApiError> {
        Self::of_header(app, parts.headers.get(header::AUTHORIZATION)).await
    }
}

fn unknown(message: &str) -> ApiError {
    ApiError(Problem::new(
        Kind::Unauthenticated,
        "key_required",
        message,
        "send `Authorization: Bearer KEY`; `neverafk key create --creator SLUG` makes a key",
    ))
}

impl Principal {
    /// Whoever the header's key belongs to.
    pub async fn of_header(app: &AppState, given: Option<&HeaderValue>) -> Result<Self, ApiError> {
        let given = given.and_then(|value| value.to_str().ok());
        match given.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(key) => Self::of_key(app, key).await,
            None => Err(unknown("this route needs a key")),
        }
    }

    /// Whoever the key belongs to.
    pub async fn of_key(app: &AppState, key: &str) -> Result<Self, ApiError> {
        let hash = *blake3::hash(key.trim().as_bytes()).as_bytes();
        match app.store().key_by_hash(&hash).await? {
            Some(key) => Ok(Self { creator: key.creator }),
            None => Err(unknown("this key is not known")),
        }
    }
}

//! Who asks: a key in `Authorization: Bearer`, and the one place that says what its owner may do.
//!
//! Asking needs no key; everything private does (CONTRACT, section 3). Keys are looked up by their BLAKE3 hash,
//! so neither the store nor the time of the look-up tells anything about a key.

use axum::extract::FromRequestParts;
use axum::http::header;
use axum::http::request::Parts;

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
        let unknown = |message: &str| {
            ApiError(Problem::new(
                Kind::Unauthenticated,
                "key_required",
                message,
                "send `Authorization: Bearer KEY`; `neverafk key create --creator SLUG` makes a key",
            ))
        };
        let given = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some(key) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
            return Err(unknown("this route needs a key"));
        };
        let hash = *blake3::hash(key.trim().as_bytes()).as_bytes();
        match app.store().key_by_hash(&hash).await? {
            Some(key) => Ok(Self { creator: key.creator }),
            None => Err(unknown("this key is not known")),
        }
    }
}

//! Who asks: a key in `Authorization: Bearer`, and the one place that says what its owner may do.
//!
//! Asking needs no key; everything private does (CONTRACT, section 3). Keys are looked up by their BLAKE3 hash,
//! so neither the store nor the time of the look-up tells anything about a key.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, header};

use super::AppState;
use super::error::ApiError;
use crate::app::now;
use crate::domain::{CreatorId, Scope};
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
        let scope = needed(&parts.method, parts.uri.path());
        Self::of_header(app, parts.headers.get(header::AUTHORIZATION), scope).await
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
    /// Whoever the header's key belongs to, when it opens `scope`.
    pub async fn of_header(
        app: &AppState,
        given: Option<&HeaderValue>,
        scope: Scope,
    ) -> Result<Self, ApiError> {
        let given = given.and_then(|value| value.to_str().ok());
        match given.and_then(|value| value.strip_prefix("Bearer ")) {
            Some(key) => Self::of_key(app, key, scope).await,
            None => Err(unknown("this route needs a key")),
        }
    }

    /// Whoever the key belongs to, when it opens `scope`.
    pub async fn of_key(app: &AppState, key: &str, scope: Scope) -> Result<Self, ApiError> {
        let hash = *blake3::hash(key.trim().as_bytes()).as_bytes();
        let Some(key) = app.store().key_by_hash(&hash).await? else {
            return Err(unknown("this key is not known"));
        };
        if key.expires_at.is_some_and(|end| end <= now()) {
            return Err(unknown("this key has expired"));
        }
        if !key.scopes.is_empty() && !key.scopes.contains(&scope) {
            return Err(ApiError(Problem::new(
                Kind::Forbidden,
                "scope_missing",
                format!("this key does not open what needs the scope `{scope}`"),
                format!("make another with `neverafk key create --creator {} --scope {scope}`", key.creator),
            )));
        }
        Ok(Self { creator: key.creator })
    }
}

/// What a key must open for a request: the chat programs' interface, reading, or changing.
fn needed(method: &Method, path: &str) -> Scope {
    if path.starts_with("/v1/") {
        Scope::Ask
    } else if matches!(*method, Method::GET | Method::HEAD) {
        Scope::Read
    } else {
        Scope::Write
    }
}

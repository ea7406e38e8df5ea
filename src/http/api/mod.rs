//! One file for each thing that the API speaks of; wire types stand beside their handlers.

pub mod chat;
pub mod compare;
pub mod conversations;
pub mod document_view;
pub mod documents;
pub mod health;
pub mod jobs;
pub mod openai;
pub mod openapi;
pub mod search;
pub mod settings;
pub mod upload;

use crate::domain::Timestamp;

/// A time as RFC 3339 in UTC, as all JSON of this API gives it.
fn rfc3339(time: Timestamp) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

//! What happened, on its way out: to webhooks ([`deliver`]), in the shape that programs read ([`body`]).
//!
//! The store makes events and keeps what is not delivered; sockets and counters listen to the store itself. Here is
//! how an event looks on the wire, how it is signed ([`sign`]), and who sends it when: [`outbox`], which mails share.

pub mod body;
pub mod deliver;
pub mod outbox;
pub mod sign;

use crate::domain::Timestamp;

/// A time as RFC 3339 in UTC, as all JSON for other programs gives it.
pub fn rfc3339(time: Timestamp) -> String {
    let millis = i64::try_from(time.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string()
}

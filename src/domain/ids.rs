//! Names of things: each id is its own type, so that none can be passed for another.
//!
//! Ids that strangers can see ([`DocumentId`], [`ConversationId`], [`MessageId`], [`JobId`], [`UserId`]) carry 128 bits and
//! cannot be guessed; [`ChunkId`] is a dense number that the store hands out and that every index uses as its key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A creator's slug has other characters or another length than allowed.
    #[error("`{0}` is not a creator name")]
    Creator(String),
    /// Another id is not 26 characters of the id alphabet.
    #[error("`{0}` is not an id")]
    Opaque(String),
}

/// A creator's slug: 1 to 64 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CreatorId(String);

impl CreatorId {
    /// The slug as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CreatorId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let begins_well = text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
        if begins_well && text.len() <= 64 && text.chars().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Creator(text.to_owned()))
        }
    }
}

impl TryFrom<String> for CreatorId {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<CreatorId> for String {
    fn from(id: CreatorId) -> Self {
        id.0
    }
}

impl fmt::Display for CreatorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Crockford's base 32: no `i`, `l`, `o`, `u`, so that ids survive being read aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const OPAQUE_LEN: usize = 26;

/// 128 bits in the letters of ids.
pub(super) fn encode(bytes: [u8; 16]) -> String {
    let mut value = u128::from_be_bytes(bytes);
    let mut text = [0u8; OPAQUE_LEN];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(value & 31) as usize];
        value >>= 5;
    }
    text.iter().map(|&b| char::from(b)).collect()
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The id of these 128 bits.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(encode(bytes))
            }
            /// The id as text: 26 characters.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                if text.len() == OPAQUE_LEN && text.bytes().all(|b| ALPHABET.contains(&b)) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(IdError::Opaque(text.to_owned()))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id!(
    /// A document: derived from its creator and its source, so that a changed source keeps its id.
    DocumentId
);
opaque_id!(
    /// A conversation between one student and one creator's assistant.
    ConversationId
);
opaque_id!(
    /// One question and its answer within a conversation.
    MessageId
);
opaque_id!(
    /// A piece of work that outlives a request.
    JobId
);
opaque_id!(
    /// Something that happened: derived from what happened, so that telling it twice is telling it once.
    EventId
);
opaque_id!(
    /// An address that wants to hear of events.
    WebhookId
);
opaque_id!(
    /// One event on its way to one webhook.
    DeliveryId
);
opaque_id!(
    /// One mail on its way to one person.
    MailId
);

/// 128 bits that stand for these parts and no others: each is hashed with its length.
pub(super) fn derived(parts: &[&[u8]]) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0u8; 16];
    bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    bytes
}

impl DeliveryId {
    /// The one delivery of this event to this webhook.
    pub fn of(event: &EventId, webhook: &WebhookId) -> Self {
        let parts =
            [b"neverafk delivery v1".as_slice(), event.as_str().as_bytes(), webhook.as_str().as_bytes()];
        Self::from_bytes(derived(&parts))
    }
}

opaque_id!(
    /// Variants of settings that are tried on students.
    ExperimentId
);
opaque_id!(
    /// A person who looks after creators' assistants.
    UserId
);
opaque_id!(
    /// A folder or a site that content is taken from again and again: derived from its creator and its name.
    WatchId
);

impl WatchId {
    /// The id of the place with this path or address.
    pub fn of(creator: &CreatorId, name: &str) -> Self {
        let parts = [b"neverafk place v1".as_slice(), creator.as_str().as_bytes(), name.as_bytes()];
        Self::from_bytes(derived(&parts))
    }
}

impl DocumentId {
    /// The id of what `creator` brought in from `source` (a path, an address, an external id or an upload's name).
    pub fn of_source(creator: &CreatorId, source: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in ["neverafk document v1", creator.as_str(), source] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut bytes = [0u8; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self::from_bytes(bytes)
    }
}

/// A chunk's number: dense, never used again, the key in every index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ChunkId(pub u64);

impl fmt::Display for ChunkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Milliseconds since 1970-01-01 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// A day in such milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creator_is_a_short_slug() {
        for good in ["demo", "a", "anna-2", "7x", "a_b"] {
            assert_eq!(good.parse::<CreatorId>().unwrap().as_str(), good);
        }
        let long = "a".repeat(65);
        for bad in ["", "-a", "_a", "Ann", "a b", "a/../b", "ä", long.as_str()] {
            assert!(bad.parse::<CreatorId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn opaque_ids_round_trip_and_refuse_the_rest() {
        let id = MessageId::from_bytes([0xff; 16]);
        assert_eq!(id.as_str().len(), OPAQUE_LEN);
        assert_eq!(id.as_str().parse::<MessageId>().unwrap(), id);
        assert!("../../etc/passwd".parse::<MessageId>().is_err());
    }

    #[test]
    fn a_document_keeps_its_id_for_its_source_alone() {
        let (anna, ben) = ("anna".parse().unwrap(), "ben".parse().unwrap());
        let id = DocumentId::of_source(&anna, "a.md");
        assert_eq!(id, DocumentId::of_source(&anna, "a.md"));
        assert_ne!(id, DocumentId::of_source(&ben, "a.md"));
        assert_ne!(id, DocumentId::of_source(&anna, "b.md"));
    }
}

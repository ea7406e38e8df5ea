//! People as the store keeps them: accounts, sessions, links that work once, and the record of what was done.
//!
//! Secrets are never stored: a session and a link are found by the BLAKE3 hash of theirs, a password by its argon2id
//! hash. What these records mean is `accounts`; how they are written is `redb/people.rs`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::{CreatorId, Email, Role, Timestamp, UserId};

/// Someone who can sign in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct User {
    pub id: UserId,
    pub email: Email,
    /// As colleagues see it; may be empty.
    pub name: String,
    /// argon2id in PHC form.
    pub password: String,
    /// What this person is to which creator.
    pub roles: BTreeMap<CreatorId, Role>,
    /// A second proof at sign-in, once it is set up.
    #[serde(default)]
    pub second: Option<SecondFactor>,
    pub created_at: Timestamp,
}

/// Codes of an authenticator (RFC 6238), and one-time codes for the day it is lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondFactor {
    pub secret: Vec<u8>,
    /// BLAKE3 of the codes that were not used yet.
    pub recovery: Vec<[u8; 32]>,
    /// The step of the last code taken: no code works twice.
    pub last_step: u64,
}

/// A browser that is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub user: UserId,
    pub created_at: Timestamp,
    /// Written now and then, not at each request.
    pub seen_at: Timestamp,
    /// Where it began.
    pub address: String,
}

/// What the bearer of a link may do, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub purpose: Purpose,
    pub expires_at: Timestamp,
}

/// What a link is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Join a creator's team.
    Invitation { creator: CreatorId, role: Role, email: Email },
    /// Sign in with a code: the password was right.
    Code { user: UserId },
    /// Choose a new password: the link came to the person's address.
    Reset { user: UserId },
}

impl Purpose {
    /// Whether it leads the same person to the same.
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Invitation { creator, email, .. }, Self::Invitation { creator: of, email: to, .. }) => {
                creator == of && email == to
            }
            (Self::Reset { user }, Self::Reset { user: other }) => user == other,
            _ => false,
        }
    }
}

/// Something that was done, for whoever asks later. Only ever added, but for what strangers try: that is counted, and
/// forgotten after a while (`redb/tries.rs`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Nobody's in particular when absent: sign-ins, and what concerns the whole server.
    pub creator: Option<CreatorId>,
    pub at: Timestamp,
    /// The e-mail address, or `command line`.
    pub who: String,
    /// As `content.deleted`.
    pub what: String,
    /// What it was done to.
    pub target: String,
    /// From where; empty for this machine's terminal.
    pub address: String,
    /// How often within the hour that `at` ends; 1 for all that people did.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_once(times: &u32) -> bool {
    *times == 1
}

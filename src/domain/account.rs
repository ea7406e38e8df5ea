//! People who look after a creator's assistant: their address, and what they are to each creator.
//!
//! What a role may do is decided in `accounts/permit.rs`; passwords and sessions are not here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text does not name a person or a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountNameError {
    #[error("`{0}` is not an e-mail address")]
    Email(String),
    #[error("`{0}` is not a role")]
    Role(String),
    #[error("`{0}` is not a scope")]
    Scope(String),
}

/// An e-mail address in lower case; who signs in with it is one person.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Email(String);

/// RFC 5321, 4.5.3.1.3: a path has at most 256 octets, its two angle brackets among them.
const LONGEST_EMAIL: usize = 254;

impl Email {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands before the `@`.
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or(&self.0, |(local, _)| local)
    }
}

impl FromStr for Email {
    type Err = AccountNameError;
    /// Takes what can be delivered to, and leaves the rest to whoever sends mail: one `@` with something on both sides,
    /// no spaces, no control characters.
    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let text = text.trim();
        let wrong = || AccountNameError::Email(text.chars().take(LONGEST_EMAIL).collect());
        let (local, host) = text.split_once('@').ok_or_else(wrong)?;
        let unfit = |c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"@".contains(c);
        let fits = text.len() <= LONGEST_EMAIL
            && !local.is_empty()
            && !host.is_empty()
            && !host.starts_with(['.', '-'])
            && !host.ends_with(['.', '-'])
            && !text.contains("..")
            && !local.contains(unfit)
            && !host.contains(unfit);
        if fits { Ok(Self(text.to_lowercase())) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for Email {
    type Error = AccountNameError;
    fn try_from(text: String) -> Result<Self, AccountNameError> {
        text.parse()
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a person is to a creator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks after students.
    Agent,
    /// Looks after the content too.
    Editor,
    /// Decides.
    Owner,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Owner, Self::Editor, Self::Agent];

    /// As it is typed and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for Role {
    type Err = AccountNameError;
    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| AccountNameError::Role(text.chars().take(32).collect()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a program's key opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// The interface that chat programs speak: questions and vectors.
    Ask,
    /// What is there: documents, conversations, settings.
    Read,
    /// Everything that changes something.
    Write,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Ask, Self::Read, Self::Write];

    /// As it is typed and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ask => "ask",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

impl FromStr for Scope {
    type Err = AccountNameError;
    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let found = Self::ALL.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| AccountNameError::Scope(text.chars().take(32).collect()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_person_however_it_is_typed() {
        for (typed, kept) in [
            (" Anna@School.example ", "anna@school.example"),
            ("a+b@localhost", "a+b@localhost"),
            ("jürgen@schule.example", "jürgen@schule.example"),
        ] {
            assert_eq!(typed.parse::<Email>().unwrap().as_str(), kept);
        }
        let long = format!("{}@b.example", "a".repeat(250));
        for wrong in [
            "",
            "anna",
            "@b.example",
            "a@",
            "a b@c.example",
            "a@b@c",
            "a@.b",
            "a..b@c",
            "<a@b.c>",
            &long,
            "a@b\nc",
        ] {
            assert!(wrong.parse::<Email>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn roles_read_as_they_are_shown() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        assert!("Owner ".parse::<Role>().is_err());
    }
}

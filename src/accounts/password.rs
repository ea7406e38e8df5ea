//! Passwords: which are taken, and argon2id off the async threads, a few at a time.
//!
//! Parameters are OWASP's (Password Storage): 19 MiB, two passes, one lane. Hashes are kept in PHC form, which names
//! its own parameters, so that stronger ones can come later.

use std::sync::Arc;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;

use crate::domain::Email;

/// At once; each needs 19 MiB and a core for some ten milliseconds.
const AT_ONCE: usize = 2;
/// That wait; more are told to come back.
const WAITING: usize = 32;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// NIST SP 800-63B, 3.1.1.2, asks for 8 at least beside a second factor and 15 without one; length is what counts.
const SHORTEST: usize = 10;
/// Longer ones would let strangers make us hash for nothing.
const LONGEST: usize = 256;

/// Why a password is not taken, or cannot be looked at now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    #[error("a password has {SHORTEST} characters at least")]
    Short,
    #[error("a password has {LONGEST} characters at most")]
    Long,
    #[error("this password is too easy to guess")]
    Easy,
    #[error("too many people are signing in")]
    Busy(Duration),
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

/// Whether a new password will do.
pub fn check(password: &str, email: &Email) -> Result<(), PasswordError> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(PasswordError::Short);
    }
    if length > LONGEST {
        return Err(PasswordError::Long);
    }
    if is_easy(password, email) {
        return Err(PasswordError::Easy);
    }
    Ok(())
}

/// The person's own address, few different characters, rows of the keyboard, and the words that lead every list.
fn is_easy(password: &str, email: &Email) -> bool {
    let lower = password.to_lowercase();
    let different: std::collections::BTreeSet<char> = lower.chars().collect();
    let letters: String = lower.chars().filter(|c| c.is_alphabetic()).collect();
    let row = |row: &str| {
        (0..row.len()).any(|at| row.get(at..).is_some_and(|rest| rest.starts_with(lower.as_str())))
    };
    let rows = [
        "01234567890123456789",
        "98765432109876543210",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiopasdfghjklzxcvbnm",
        "1q2w3e4r5t6y7u8i9o0p",
    ];
    let words = [
        "password",
        "passwort",
        "motdepasse",
        "contraseña",
        "letmein",
        "iloveyou",
        "welcome",
        "qwerty",
        "neverafk",
        "changeme",
        "administrator",
    ];
    different.len() < 5
        || lower == email.as_str()
        || (email.local_part().len() > 3 && letters == email.local_part())
        || rows.iter().any(|one| row(one))
        || words.contains(&letters.as_str())
}

/// Hashes and compares; clones share the bound.
#[derive(Clone)]
pub struct Hasher {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Hasher {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(AT_ONCE + WAITING)),
        }
    }
}

impl Hasher {
    /// The hash in PHC form, with a salt of its own.
    pub async fn hash(&self, password: &str) -> Result<String, PasswordError> {
        let password = password.to_owned();
        self.run(move || hash(&password)).await
    }

    /// Whether a password is that of a hash. Without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool, PasswordError> {
        if password.chars().count() > LONGEST {
            return Ok(false);
        }
        let (password, known) = (password.to_owned(), hash.map(str::to_owned));
        self.run(move || match &known {
            Some(known) => Ok(argon2()?.verify_password(password.as_bytes(), known.as_str()).is_ok()),
            None => self::hash(&password).map(|_| false),
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        let waiting = self.waiting.clone().try_acquire_owned();
        let _waiting = waiting.map_err(|_| PasswordError::Busy(Duration::from_secs(2)))?;
        let place = self.running.clone().acquire_owned().await;
        let place = place.map_err(|error| PasswordError::Failed(error.to_string()))?;
        // The place goes with the work: a request that is dropped does not free it early.
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        done.await.map_err(|error| PasswordError::Failed(error.to_string()))?
    }
}

fn hash(password: &str) -> Result<String, PasswordError> {
    let hash = argon2()?.hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Failed(error.to_string()))
}

fn argon2() -> Result<Argon2<'static>, PasswordError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None);
    let params = params.map_err(|error| PasswordError::Failed(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_lists_begin_with_are_not_taken() {
        let email: Email = "anna.berg@x.example".parse().unwrap();
        for (password, outcome) in [
            ("violet tide nine", Ok(())),
            ("häuser am see", Ok(())),
            ("7f-Ko.29_ppx", Ok(())),
            ("ninechars", Err(PasswordError::Short)),
            ("anna.berg@x.example", Err(PasswordError::Easy)),
            ("aaaaaaaaaaaa", Err(PasswordError::Easy)),
            ("1234567890", Err(PasswordError::Easy)),
            ("Password2026!", Err(PasswordError::Easy)),
            ("qwertyuiop", Err(PasswordError::Easy)),
        ] {
            assert_eq!(check(password, &email), outcome, "{password}");
        }
        assert_eq!(check(&"ab c1 d2".repeat(40), &email), Err(PasswordError::Long));
    }

    #[tokio::test]
    async fn a_hash_names_its_parameters_and_knows_its_password_alone() {
        let hasher = Hasher::default();
        let hash = hasher.hash("violet tide nine").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hasher.hash("violet tide nine").await.unwrap(), "each has a salt of its own");
        for (password, known, right) in [
            ("violet tide nine", Some(hash.as_str()), true),
            ("violet tide nin", Some(hash.as_str()), false),
            ("violet tide nine", None, false),
            ("violet tide nine", Some("no hash"), false),
            ("", Some(hash.as_str()), false),
        ] {
            assert_eq!(hasher.verify(password, known).await.unwrap(), right, "{password} {known:?}");
        }
    }

    #[tokio::test]
    async fn more_than_can_wait_are_told_to_come_back() {
        let hasher = Hasher::default();
        let all = hasher.waiting.clone().acquire_many_owned((AT_ONCE + WAITING) as u32).await.unwrap();
        assert!(matches!(hasher.verify("x", None).await, Err(PasswordError::Busy(_))));
        drop(all);
        assert!(!hasher.verify("x", None).await.unwrap());
    }
}

//! Guessing is slow: after some tries at one account, or from one address, each further one waits twice as long.
//!
//! In memory and bounded: the process forgets when it ends, and the key that was silent for longest goes first when
//! there are too many. Nothing is locked for good, so that a stranger cannot lock anybody out for long.

use std::num::NonZeroUsize;
use std::time::Duration;

use lru::LruCache;

use crate::domain::Timestamp;

/// Tries at one account before they wait: a forgotten password takes a few.
pub const FREE_ACCOUNT: u32 = 5;
/// Askings for a new password of one account: each is a mail.
pub const FREE_RESETS: u32 = 3;
/// Tries from one address: a school may stand behind one.
pub const FREE_ADDRESS: u32 = 30;
/// The first wait; each further try doubles it.
const FIRST: u64 = 2_000;
/// The longest wait: OWASP (Authentication) asks for a lock-out that ends by itself. 96 guesses a day find nothing.
const LONGEST: u64 = 15 * 60_000;
/// After this time without a try everything is forgotten.
const FORGET: u64 = 60 * 60_000;
/// Accounts and addresses that are remembered.
const PLACES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(9_999);

/// What tries are counted for. A hash, so that made-up addresses of any length cost the same memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    name: [u8; 16],
    free: u32,
}

impl Key {
    pub fn account(email: &str) -> Self {
        Self::of("account", email, FREE_ACCOUNT)
    }

    /// Askings for a new password; they do not slow signing in.
    pub fn reset(email: &str) -> Self {
        Self::of("reset", email, FREE_RESETS)
    }

    pub fn address(address: &str) -> Self {
        Self::of("address", address, FREE_ADDRESS)
    }

    fn of(kind: &str, text: &str, free: u32) -> Self {
        let hash = blake3::hash(format!("{kind} {text}").as_bytes());
        let mut name = [0; 16];
        name.copy_from_slice(&hash.as_bytes()[..16]);
        Self { name, free }
    }
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    last: Timestamp,
}

impl Tries {
    /// How long the next try must wait, counted from now.
    fn wait(self, free: u32, now: Timestamp) -> u64 {
        let Some(over) = self.count.checked_sub(free) else { return 0 };
        let whole = FIRST.saturating_mul(1u64.checked_shl(over.min(20)).unwrap_or(u64::MAX)).min(LONGEST);
        whole.saturating_sub(now.0.saturating_sub(self.last.0))
    }
}

/// The tries of everybody.
pub struct Throttle {
    tries: LruCache<Key, Tries>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { tries: LruCache::new(PLACES) }
    }
}

impl Throttle {
    /// Counts a try for each key, or says how long to wait; a try that has to wait is not counted.
    pub fn begin(&mut self, keys: &[Key], now: Timestamp) -> Result<(), Duration> {
        let wait = keys.iter().map(|key| self.of(key, now).wait(key.free, now)).max().unwrap_or(0);
        if wait > 0 {
            return Err(Duration::from_millis(wait));
        }
        for key in keys {
            let count = self.of(key, now).count.saturating_add(1);
            self.tries.put(*key, Tries { count, last: now });
        }
        Ok(())
    }

    /// The try was right: the account's count is forgotten, the address's try is taken back.
    pub fn succeeded(&mut self, keys: &[Key]) {
        for key in keys {
            match self.tries.peek_mut(key) {
                Some(tries) if key.free == FREE_ADDRESS => tries.count = tries.count.saturating_sub(1),
                _ => drop(self.tries.pop(key)),
            }
        }
    }

    fn of(&self, key: &Key, now: Timestamp) -> Tries {
        let known = self.tries.peek(key).copied();
        known
            .filter(|tries| now.0.saturating_sub(tries.last.0) < FORGET)
            .unwrap_or(Tries { count: 0, last: now })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_quarter_of_an_hour_and_end() {
        let mut throttle = Throttle::default();
        let keys = [Key::account("a@x.example"), Key::address("192.0.2.1")];
        let mut now = 0;
        for _ in 0..FREE_ACCOUNT {
            throttle.begin(&keys, Timestamp(now)).unwrap();
        }
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = throttle.begin(&keys, Timestamp(now)).unwrap_err();
            waits.push(wait.as_secs());
            now += u64::try_from(wait.as_millis()).unwrap();
            throttle.begin(&keys, Timestamp(now)).unwrap();
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900]);
        throttle.begin(&keys, Timestamp(now + FORGET)).unwrap();
        throttle.begin(&keys, Timestamp(now + FORGET)).unwrap();
    }

    #[test]
    fn one_account_does_not_slow_another_and_success_forgives() {
        let mut throttle = Throttle::default();
        let (a, b) = (Key::account("a@x.example"), Key::account("b@x.example"));
        for _ in 0..FREE_ACCOUNT {
            throttle.begin(&[a], Timestamp(0)).unwrap();
        }
        assert!(throttle.begin(&[a], Timestamp(0)).is_err());
        throttle.begin(&[b], Timestamp(0)).unwrap();
        throttle.succeeded(&[a]);
        throttle.begin(&[a], Timestamp(0)).unwrap();
        assert_ne!(Key::account("x"), Key::address("x"));
    }

    #[test]
    fn one_address_is_slowed_over_many_accounts_and_memory_is_bounded() {
        let mut throttle = Throttle::default();
        let address = Key::address("192.0.2.9");
        for number in 0..FREE_ADDRESS {
            throttle.begin(&[Key::account(&number.to_string()), address], Timestamp(0)).unwrap();
        }
        assert!(throttle.begin(&[Key::account("next"), address], Timestamp(0)).is_err());
        for number in 0..20_000 {
            throttle.begin(&[Key::account(&format!("n{number}"))], Timestamp(0)).unwrap();
        }
        assert_eq!(throttle.tries.len(), PLACES.get());
    }
}

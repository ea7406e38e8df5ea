//! How long to wait before trying again: exponential backoff with full jitter. Pure.
//!
//! From "Exponential Backoff and Jitter" of the AWS Architecture Blog (2015):
//! sleep = random between 0 and min(cap, base · 2^attempt), which spreads callers out best of the variants there.

use std::time::Duration;

/// The two constants of the formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    pub base: Duration,
    pub cap: Duration,
}

impl Default for Backoff {
    /// A student waits: the second try must come within what feels like a pause.
    fn default() -> Self {
        Self { base: Duration::from_millis(200), cap: Duration::from_secs(2) }
    }
}

impl Backoff {
    /// The wait after the failed attempt of this number, 0 for the first; `random` is in 0..1.
    pub fn wait(&self, attempt: u32, random: f64) -> Duration {
        let factor = 1u32.checked_shl(attempt).unwrap_or(u32::MAX);
        self.base.saturating_mul(factor).min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_are_spread() {
        let backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(1) };
        for (attempt, random, millis) in [
            (0, 1.0, 100),
            (1, 1.0, 200),
            (3, 1.0, 800),
            (4, 1.0, 1000),
            (99, 1.0, 1000),
            (3, 0.0, 0),
            (3, 0.25, 200),
        ] {
            assert_eq!(backoff.wait(attempt, random), Duration::from_millis(millis), "{attempt} {random}");
        }
    }
}

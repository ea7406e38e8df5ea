//! A circuit breaker: a model that keeps failing is left alone for a while. Pure; times come in.
//!
//! Closed, it counts. When enough of the last calls failed it opens and refuses; after the rest it is half open and
//! lets one call through, whose outcome closes it or opens it again (M. Nygard, "Release It!", 2007; the sliding
//! window by count and the rate are as resilience4j has them).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// When to open, and for how long.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreakerOptions {
    /// Calls that are looked back at.
    pub window: usize,
    /// Older ones say nothing about now.
    pub max_age: Duration,
    /// Fewer calls than this prove nothing.
    pub least: usize,
    /// Opens at this share of failures.
    pub rate: f64,
    /// How long it stays open.
    pub rest: Duration,
}

impl Default for BreakerOptions {
    /// A course has few questions a minute, so three failures in a row must do; resilience4j waits for a hundred.
    fn default() -> Self {
        Self {
            window: 20,
            max_age: Duration::from_secs(300),
            least: 3,
            rate: 0.5,
            rest: Duration::from_secs(30),
        }
    }
}

/// What people see of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    Closed,
    /// Refuses for so long.
    Open(Duration),
    /// The next call, or the one under way, decides.
    HalfOpen,
}

#[derive(Debug)]
pub struct Breaker {
    options: BreakerOptions,
    /// When, and whether it was good; oldest first.
    calls: VecDeque<(Instant, bool)>,
    opened: Option<Instant>,
    /// The one call of a half-open breaker is under way.
    trying: bool,
}

impl Breaker {
    pub fn new(options: BreakerOptions) -> Self {
        Self { options, calls: VecDeque::new(), opened: None, trying: false }
    }

    /// Whether a call may be made now; who gets a yes reports its outcome, or that there was none.
    pub fn allow(&mut self, now: Instant) -> Result<(), Duration> {
        match self.state(now) {
            BreakerState::Closed => Ok(()),
            BreakerState::Open(left) => Err(left),
            BreakerState::HalfOpen if self.trying => Err(Duration::from_secs(1)),
            BreakerState::HalfOpen => {
                self.trying = true;
                Ok(())
            }
        }
    }

    /// Counts a call's outcome.
    pub fn record(&mut self, now: Instant, good: bool) {
        if self.opened.is_some() && std::mem::take(&mut self.trying) {
            self.calls.clear();
            self.opened = (!good).then_some(now);
            return;
        }
        self.calls.push_back((now, good));
        self.forget(now);
        let failed = self.calls.iter().filter(|(_, good)| !good).count();
        let rate = failed as f64 / self.calls.len().max(1) as f64;
        // A call that was allowed before the breaker opened does not make the rest longer.
        if !good
            && self.opened.is_none()
            && self.calls.len() >= self.options.least
            && rate >= self.options.rate
        {
            self.opened = Some(now);
        }
    }

    /// A call that was given up by whoever asked: it says nothing about the model.
    pub fn abandon(&mut self) {
        self.trying = false;
    }

    pub fn state(&self, now: Instant) -> BreakerState {
        let Some(opened) = self.opened else { return BreakerState::Closed };
        let left = self.options.rest.saturating_sub(now.saturating_duration_since(opened));
        if left.is_zero() { BreakerState::HalfOpen } else { BreakerState::Open(left) }
    }

    /// Failures and calls of the window.
    pub fn counts(&self) -> (usize, usize) {
        (self.calls.iter().filter(|(_, good)| !good).count(), self.calls.len())
    }

    fn forget(&mut self, now: Instant) {
        let (window, age) = (self.options.window, self.options.max_age);
        while self.calls.len() > window
            || self.calls.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > age)
        {
            self.calls.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a line such as `f f g 30 a`: failure, success, seconds that pass, a call asked for (`a` allowed, `r` refused),
    /// a call given up (`x`); and gives the state at the end.
    fn play(line: &str) -> BreakerState {
        let mut breaker = Breaker::new(BreakerOptions::default());
        let mut now = Instant::now();
        for word in line.split_whitespace() {
            match word {
                "f" => breaker.record(now, false),
                "g" => breaker.record(now, true),
                "a" => assert_eq!(breaker.allow(now), Ok(()), "{line}"),
                "r" => assert!(breaker.allow(now).is_err(), "{line}"),
                "x" => breaker.abandon(),
                seconds => now += Duration::from_secs(seconds.parse().unwrap()),
            }
        }
        breaker.state(now)
    }

    #[test]
    fn it_opens_rests_tries_once_and_closes() {
        let rest = |seconds| BreakerState::Open(Duration::from_secs(seconds));
        for (line, state) in [
            ("f f a", BreakerState::Closed),
            ("f f f", rest(30)),
            ("f f f r 10 r", rest(20)),
            ("g g g g f f f a", BreakerState::Closed),
            ("g g g g f f f f", rest(30)),
            ("f f f 30", BreakerState::HalfOpen),
            ("f f f 30 a r", BreakerState::HalfOpen),
            ("f f f 30 a g a f f a", BreakerState::Closed),
            ("f f f 30 a f r", rest(30)),
            ("f f f 30 a x a g", BreakerState::Closed),
            // Late outcomes of calls that were allowed before.
            ("f f f 20 f f g", rest(10)),
            // Old failures are forgotten.
            ("f f 301 f", BreakerState::Closed),
            // Twenty good calls push the failures out of the window.
            ("f f g g g g g g g g g g g g g g g g g g g g f f f a", BreakerState::Closed),
        ] {
            assert_eq!(play(line), state, "{line}");
        }
    }
}

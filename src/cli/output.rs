//! Data on standard output, people on standard error; how errors and hints look.
//!
//! The only place that prints, so that `--json`, `--quiet` and `--no-color` hold everywhere.

use std::io::{IsTerminal, Write};

use serde::Serialize;

use crate::problem::Problem;

/// How this run speaks.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    color: bool,
}

impl Output {
    /// Colours only on a terminal, and only when nobody objects (<https://no-color.org>).
    pub fn new(json: bool, quiet: bool, no_color: bool) -> Self {
        let color = !no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal();
        Self { json, quiet, color }
    }

    /// A line of data.
    pub fn data(&self, line: impl AsRef<str>) {
        write(std::io::stdout().lock(), line.as_ref(), "\n");
    }

    /// A piece of data without a line break, shown at once.
    pub fn piece(&self, text: &str) {
        write(std::io::stdout().lock(), text, "");
    }

    /// One JSON document.
    pub fn document(&self, value: &impl Serialize) -> Result<(), Problem> {
        let text = serde_json::to_string_pretty(value).map_err(Problem::internal)?;
        self.data(text);
        Ok(())
    }

    /// A line for people; silent with `--quiet`.
    pub fn say(&self, line: impl AsRef<str>) {
        if !self.quiet {
            write(std::io::stderr().lock(), line.as_ref(), "\n");
        }
    }

    /// Whether somebody sees the data as it is printed, and not a program or a file.
    pub fn is_seen(&self) -> bool {
        !self.json && std::io::stdout().is_terminal()
    }

    /// Whether a progress bar may be drawn.
    pub fn draws(&self) -> bool {
        !self.quiet && std::io::stderr().is_terminal()
    }

    /// What went wrong and what to do.
    pub fn problem(&self, problem: &Problem) {
        let (red, cyan, plain) = if self.color { ("\x1b[31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        let text = format!("{red}error{plain}: {}\n{cyan}hint{plain}: {}", problem.message, problem.hint);
        write(std::io::stderr().lock(), &text, "\n");
    }
}

/// A closed pipe (`neverafk search … | head -1`) is no error of ours: whoever read has enough.
fn write(mut to: impl Write, text: &str, end: &str) {
    let written =
        to.write_all(text.as_bytes()).and_then(|()| to.write_all(end.as_bytes())).and_then(|()| to.flush());
    if let Err(error) = written {
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

//! Data on standard output, people on standard error; how errors and hints look.
//!
//! The only place that prints, so that `--json`, `--quiet` and `--no-color` hold everywhere; also for a command that
//! was typed in another process, which prints what it is told (`relay`).

use std::io::{IsTerminal, Write};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

use crate::problem::Problem;

/// How this run speaks.
#[derive(Debug, Clone)]
pub struct Output {
    pub json: bool,
    pub quiet: bool,
    color: bool,
    /// Who prints instead of this process.
    elsewhere: Option<UnboundedSender<Said>>,
}

/// Text for one of the two streams.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    Out(String),
    Err(String),
}

/// How the process speaks that prints.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Manner {
    json: bool,
    quiet: bool,
    color: bool,
}

impl Output {
    /// Colours only on a terminal, and only when nobody objects (<https://no-color.org>).
    pub fn new(json: bool, quiet: bool, no_color: bool) -> Self {
        let color = !no_color && std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal();
        Self { json, quiet, color, elsewhere: None }
    }

    /// What another process needs to speak like this one.
    pub fn manner(&self) -> Manner {
        Manner { json: self.json, quiet: self.quiet, color: self.color }
    }

    /// Speaks in that manner through whoever hears.
    pub fn through(manner: Manner, hears: UnboundedSender<Said>) -> Self {
        let Manner { json, quiet, color } = manner;
        Self { json, quiet, color, elsewhere: Some(hears) }
    }

    /// Prints as it is, or hands on.
    pub fn pass(&self, said: Said) {
        match (&self.elsewhere, said) {
            // Nobody hears any more: the work is about to be dropped.
            (Some(hears), said) => drop(hears.send(said)),
            (None, Said::Out(text)) => write(std::io::stdout().lock(), &text),
            (None, Said::Err(text)) => write(std::io::stderr().lock(), &text),
        }
    }

    /// A line of data.
    pub fn data(&self, line: impl AsRef<str>) {
        self.pass(Said::Out(format!("{}\n", line.as_ref())));
    }

    /// A piece of data without a line break, shown at once.
    pub fn piece(&self, text: &str) {
        self.pass(Said::Out(text.to_owned()));
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
            self.pass(Said::Err(format!("{}\n", line.as_ref())));
        }
    }

    /// Whether somebody sees the data as it is printed, and not a program or a file.
    pub fn is_seen(&self) -> bool {
        !self.json && std::io::stdout().is_terminal()
    }

    /// Whether a progress bar may be drawn.
    pub fn draws(&self) -> bool {
        !self.quiet && self.elsewhere.is_none() && std::io::stderr().is_terminal()
    }

    /// What went wrong and what to do.
    pub fn problem(&self, problem: &Problem) {
        let (red, cyan, plain) = if self.color { ("\x1b[31m", "\x1b[36m", "\x1b[0m") } else { ("", "", "") };
        self.pass(Said::Err(format!(
            "{red}error{plain}: {}\n{cyan}hint{plain}: {}\n",
            problem.message, problem.hint
        )));
    }
}

/// A closed pipe (`neverafk search … | head -1`) is no error of ours: whoever read has enough.
fn write(mut to: impl Write, text: &str) {
    if let Err(error) = to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        let code = if error.kind() == std::io::ErrorKind::BrokenPipe { 0 } else { 1 };
        std::process::exit(code);
    }
}

//! Logging: set up once, at the start of a command. Lines go to standard error, as text or JSON. What is counted is
//! in [`metrics`].
//!
//! A student's question is never logged above debug, and no key ever; what is logged of a question at any level goes through
//! [`mask`](crate::domain::mask) first.

pub mod metrics;

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogSettings;
use crate::problem::{Kind, Problem};

/// Starts logging. A second call in one process changes nothing (tests start several commands).
pub fn start(settings: &LogSettings) -> Result<(), Problem> {
    let filter = EnvFilter::try_new(&settings.level).map_err(|error| {
        Problem::new(
            Kind::Invalid,
            "invalid_settings",
            format!("`log.level` is not understood: {error}"),
            "use `error`, `warn`, `info`, `debug`, or a filter such as `neverafk=debug,warn`",
        )
    })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format.as_str() {
        "json" => lines.json().try_init(),
        _ => lines.try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started already");
    }
    Ok(())
}

//! Logging: set up once, at the start of a command. Lines go to standard error, as text or JSON. What is counted is
//! in [`metrics`], and the last lines stay in [`recent`].
//!
//! A student's question is never logged above debug, and no key ever; what is logged of a question at any level goes through
//! [`mask`](crate::domain::mask) first.

pub mod metrics;
pub mod recent;

use std::io::IsTerminal;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, fmt};

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
    let kept = fmt::layer().with_writer(recent::Keeper).with_ansi(false);
    let all = tracing_subscriber::registry().with(filter).with(kept);
    let lines = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
    let started = match settings.format.as_str() {
        "json" => all.with(lines.json()).try_init(),
        _ => all.with(lines).try_init(),
    };
    if let Err(error) = started {
        tracing::debug!(%error, "logging was started already");
    }
    Ok(())
}

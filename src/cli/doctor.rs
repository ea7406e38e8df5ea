//! `doctor`: what works on this machine, what does not, and what to do about it.

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::output::Output;
use crate::app::doctor::{self, State};
use crate::config::Config;
use crate::problem::Problem;

#[derive(Debug, Args)]
pub struct Doctor {}

pub async fn run(_: Doctor, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let checks = doctor::examine(config).await;
    let failed = checks.iter().any(|check| check.state == State::Bad);
    if output.json {
        output.document(&json!({"healthy": !failed, "checks": checks}))?;
    } else {
        for check in &checks {
            let mark = match check.state {
                State::Good => "ok  ",
                State::Note => "note",
                State::Bad => "BAD ",
            };
            output.data(format!("{mark}  {:<16} {}", check.name, check.found));
            if let Some(hint) = &check.hint {
                output.data(format!("      hint: {hint}"));
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

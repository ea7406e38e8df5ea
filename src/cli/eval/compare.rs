//! `eval compare`: which of two runs is better, and whether that can be told.

use std::process::ExitCode;

use clap::Args;

use super::{Config, Output, Problem};
use crate::eval::EvalError;
use crate::eval::compare::compare;
use crate::eval::report::Report;
use crate::eval::runs::{RunError, place, read};

#[derive(Debug, Args)]
pub struct Compare {
    /// A run: a file, or a name that `--save` was given
    a: String,
    /// The run that is compared with it
    b: String,
    /// For the interval and the probability
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

pub fn run(args: &Compare, config: &Config, output: &Output) -> Result<ExitCode, Problem> {
    let read = |name: &String| -> Result<Report, EvalError> {
        let path = place(&config.data_dir, name);
        if !path.exists() {
            return Err(RunError::Unknown(name.clone()).into());
        }
        Ok(read(&path)?)
    };
    let comparison = compare(&read(&args.a)?, &read(&args.b)?, args.seed).map_err(EvalError::from)?;
    if output.json {
        output.document(&comparison)?;
    } else {
        output.data(comparison.table().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

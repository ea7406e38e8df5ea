//! `eval compare`: which of two runs is better, and whether that can be told.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::progress::Progress;
use super::{Config, Output, Problem, page};
use crate::eval::EvalError;
use crate::eval::compare::compare;
use crate::eval::report::{Report, of_comparison};
use crate::eval::runs::{RunError, place, read};

#[derive(Debug, Args)]
pub struct Compare {
    /// A run: a file, or a name that `--save` was given
    a: String,
    /// The run that is compared with it
    b: String,
    /// Also write a page with tables and plots there
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
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
    let (before, after) = (read(&args.a)?, read(&args.b)?);
    let progress = Progress::new(output);
    let show = |done, all| progress.show("numbers compared", done, all);
    let comparison = compare(&before, &after, args.seed, show).map_err(EvalError::from)?;
    progress.end();
    if let Some(out) = &args.out {
        let page = of_comparison((&args.a, &args.b), (&before, &after), &comparison, &page::command());
        page::write(out, &page, output)?;
    }
    if output.json {
        output.document(&comparison)?;
    } else {
        output.data(comparison.table().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

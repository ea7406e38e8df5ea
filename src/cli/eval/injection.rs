//! `eval injection`: attacks and their benign look-alikes against the whole pipeline, over the sample course.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::measure::{Asked, measure};
use super::options::Options;
use super::{Config, Output, Problem};
use crate::eval::EvalError;
use crate::eval::dataset::read_injection;
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Injection {
    /// One attack or look-alike a line
    file: PathBuf,
    #[command(flatten)]
    options: Options,
}

pub async fn run(injection: Injection, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let Injection { file, options } = injection;
    if options.creator.is_some() {
        return Err(Problem::new(
            Kind::Invalid,
            "scratch_only",
            "hostile documents are planted in a scratch course, never in a creator's own content",
            "leave out `--creator`",
        ));
    }
    let cases = read_injection(&file).map_err(EvalError::from)?;
    let corpus = file.clone();
    measure(&Asked::Injection { file, cases }, &corpus, &options, config, output, |_| ()).await
}

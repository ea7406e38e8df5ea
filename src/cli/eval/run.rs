//! `eval run`: retrieval on a set with relevance judgements.

use std::path::PathBuf;

use clap::Args;

use super::options::Options;
use super::{Config, Output, Problem};
use crate::eval::retrieval;

#[derive(Debug, Args)]
pub struct Run {
    folder: PathBuf,
    #[command(flatten)]
    pub options: Options,
}

pub async fn run(run: Run, config: Config, output: &Output) -> Result<(), Problem> {
    let bar = super::super::ingest::bar(output, "");
    let progress = |what: &str, done: u64| super::show(&bar, what, done);
    let report = retrieval::run(config, &run.folder, run.options.sample.part(), progress).await?;
    bar.finish_and_clear();
    super::print(&report, output)
}

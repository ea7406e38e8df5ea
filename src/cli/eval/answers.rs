//! `eval answers`: whole answers to questions with known answers, and to questions without one.

use std::path::PathBuf;

use clap::Args;

use super::options::Options;
use super::{Config, Output, Problem};
use crate::eval::answers;

#[derive(Debug, Args)]
pub struct Answers {
    file: PathBuf,
    /// The documents that the questions are about
    #[arg(long, value_name = "FILE")]
    corpus: PathBuf,
    #[command(flatten)]
    pub options: Options,
}

pub async fn run(eval: Answers, config: Config, output: &Output) -> Result<(), Problem> {
    let bar = super::super::ingest::bar(output, "");
    let progress = |what: &str, done: u64| super::show(&bar, what, done);
    let part = eval.options.sample.part();
    let report = answers::run(config, &eval.file, &eval.corpus, part, progress).await?;
    bar.finish_and_clear();
    super::print(&report, output)
}

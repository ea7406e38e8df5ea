//! `eval answers`: whole answers to questions with known answers, and to questions without one.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::measure::{Asked, measure};
use super::options::Options;
use super::{Config, Output, Problem};
use crate::eval::EvalError;
use crate::eval::dataset::read_answers;

#[derive(Debug, Args)]
pub struct Answers {
    file: PathBuf,
    /// The documents that the questions are about [default: corpus.jsonl beside the file]
    #[arg(long, value_name = "FILE", conflicts_with = "creator")]
    corpus: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub async fn run(eval: Answers, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let cases = read_answers(&eval.file).map_err(EvalError::from)?;
    let corpus = eval.corpus.unwrap_or_else(|| eval.file.with_file_name("corpus.jsonl"));
    let asked = Asked::Answers { file: eval.file, cases };
    measure(&asked, &corpus, &eval.options, config, output, |_| ()).await
}

//! `eval run`: retrieval on a set with relevance judgements.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use super::measure::{Asked, measure};
use super::options::Options;
use super::{Config, Output, Problem};
use crate::eval::EvalError;
use crate::eval::dataset::{RetrievalSet, read_answers};
use crate::eval::engine::name_of;
use crate::eval::retrieval::Ranking;
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Run {
    /// A folder in BEIR's layout, or a file of questions with the documents that answer them
    path: PathBuf,
    /// Also write the rankings there, as trec_eval, pytrec_eval and ranx read them
    #[arg(long, value_name = "FILE")]
    trec: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
}

pub async fn run(run: Run, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let set = read(&run.path, run.options.creator.is_some()).map_err(EvalError::from)?;
    let corpus = set.corpus.clone();
    let mut lines = String::new();
    let each = |ranking: Ranking<'_>| {
        for (rank, document) in ranking.documents.iter().enumerate().filter(|_| run.trec.is_some()) {
            let score = ranking.documents.len() - rank;
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{} Q0 {document} {} {score} neverafk", ranking.query, rank + 1);
        }
    };
    let code = measure(&Asked::Retrieval(set), &corpus, &run.options, config, output, each).await?;
    if let Some(path) = &run.trec {
        std::fs::write(path, lines).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Problem::new(Kind::Invalid, "rankings_unwritable", message, "name another file with `--trec`")
        })?;
    }
    Ok(code)
}

/// The questions of a folder or of a file. Over a creator's own content a folder needs no corpus.
pub fn read(path: &Path, live: bool) -> Result<RetrievalSet, crate::eval::dataset::DatasetError> {
    match (path.is_file(), live) {
        (true, _) => RetrievalSet::of_answers(name_of(path), path, read_answers(path)?),
        (false, true) => RetrievalSet::read_questions(path),
        (false, false) => RetrievalSet::read(path),
    }
}

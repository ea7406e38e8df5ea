//! `eval record`: measure, and keep the run as the baseline that `--baseline last` compares with.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::measure::{Asked, reports, tell, want_one_run};
use super::options::{Choices, Options, Sample};
use super::{Config, Output, Problem};
use crate::eval::dataset::{read_answers, read_injection};
use crate::eval::report::{Report, Task};
use crate::eval::{EvalError, runs};
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Record {
    /// A folder in BEIR's layout, a file of questions, or a run that `--save FILE` kept
    path: PathBuf,
    /// Keep it for this creator, and ask the creator's own content
    #[arg(long, value_name = "SLUG")]
    creator: Option<String>,
    /// Measure whole answers instead of retrieval; the file is one of questions
    #[arg(long)]
    answers: bool,
    /// Measure attacks and their look-alikes instead; the file is one that `eval injection` reads
    #[arg(long, conflicts_with_all = ["answers", "creator", "corpus"])]
    injection: bool,
    /// The documents that the questions are about [default: corpus.jsonl beside them]
    #[arg(long, value_name = "FILE", conflicts_with = "creator")]
    corpus: Option<PathBuf>,
    #[command(flatten)]
    sample: Sample,
    #[command(flatten)]
    choices: Choices,
}

pub async fn run(record: Record, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let Record { path, creator, answers, injection, corpus, sample, choices } = record;
    let data_dir = config.data_dir.clone();
    if path.extension().is_some_and(|extension| extension == "json") {
        let report = runs::read(&path).map_err(EvalError::from)?;
        keep(&report, &data_dir, creator.as_deref(), output)?;
        return Ok(ExitCode::SUCCESS);
    }
    let asked = if answers {
        Asked::Answers { cases: read_answers(&path).map_err(EvalError::from)?, file: path.clone() }
    } else if injection {
        Asked::Injection { cases: read_injection(&path).map_err(EvalError::from)?, file: path.clone() }
    } else {
        let set = super::run::read(&path, creator.is_some() || corpus.is_some()).map_err(EvalError::from)?;
        Asked::Retrieval(set)
    };
    let corpus = corpus.unwrap_or_else(|| match &asked {
        Asked::Retrieval(set) => set.corpus.clone(),
        Asked::Answers { file, .. } | Asked::Injection { file, .. } => file.with_file_name("corpus.jsonl"),
    });
    let options = Options {
        sample,
        creator: creator.clone(),
        save: None,
        baseline: None,
        out: None,
        per_question: false,
        choices,
    };
    want_one_run(options.choices.variants().len())?;
    let reports = reports(&asked, &corpus, &options, config, output, |_| ()).await?;
    // The old baseline is replaced by a finished run only.
    for report in &reports {
        keep(report, &data_dir, creator.as_deref(), output)?;
    }
    tell(reports, None, &options.telling(), output)
}

fn keep(
    report: &Report,
    data_dir: &std::path::Path,
    creator: Option<&str>,
    output: &Output,
) -> Result<(), Problem> {
    if report.details.questions.is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            "run_unusable",
            "the run was kept without its single questions",
            "measure again with `--save FILE`",
        ));
    }
    let task = report.details.task.unwrap_or(Task::Retrieval);
    let path = runs::baseline(data_dir, creator, task, &report.dataset);
    runs::save(report, &path).map_err(EvalError::from)?;
    output.say(format!("baseline for {} kept in {}", report.dataset, path.display()));
    Ok(())
}

//! `eval`: measure quality on data sets, one file for each subcommand; here is what they share.
//!
//! Which settings are measured is [`options`], what becomes of a run is [`measure`]; the measuring itself is
//! [`crate::eval`].

mod answers;
mod calibrate;
mod cases;
mod compare;
mod generate;
mod grounding;
mod injection;
mod measure;
mod options;
pub(super) mod page;
mod progress;
mod record;
mod run;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::output::Output;
use crate::config::Config;
use crate::eval::EvalError;
use crate::eval::dataset::RetrievalSet;
use crate::problem::Problem;

/// Every metric with its formula and source.
const METRICS: &str = include_str!("../../eval/README.md");

#[derive(Debug, Args)]
#[command(
    after_help = "`neverafk eval metrics` explains every number, with its formula and where it comes from."
)]
pub struct Eval {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Retrieval on a folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv
    Run(run::Run),
    /// Answers to questions with known answers, and to questions without one
    Answers(answers::Answers),
    /// Attacks and their benign look-alikes: what is blocked, what succeeds, what is blocked in error
    Injection(injection::Injection),
    /// Whether the support score tells supported claims from unsupported ones
    Grounding(grounding::Grounding),
    /// Measure, and keep the run as the baseline for `--baseline last`
    Record(record::Record),
    /// Write questions from a creator's own content: answerable, unanswerable and injected ones
    Generate(generate::Generate),
    /// Print the questions that a creator corrected, as `eval answers` reads them
    Cases(cases::Cases),
    /// Which of two kept runs is better, and whether that can be told
    Compare(compare::Compare),
    /// Fit the threshold of declining and the weight of nearness to a creator's questions
    Calibrate(calibrate::Calibrate),
    /// What each number means, with its formula and source
    Metrics,
}

/// Questions for a creator's own content, for a command that measures besides doing something else.
pub fn questions(path: &Path) -> Result<RetrievalSet, Problem> {
    Ok(run::read(path, true).map_err(EvalError::from)?)
}

pub async fn run(eval: Eval, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    match eval.action {
        Action::Run(args) => run::run(args, config, output).await,
        Action::Answers(args) => answers::run(args, config, output).await,
        Action::Injection(args) => injection::run(args, config, output).await,
        Action::Grounding(args) => grounding::run(&args, &config, output).await,
        Action::Record(args) => record::run(args, config, output).await,
        Action::Generate(args) => generate::run(args, config, output).await,
        Action::Cases(args) => cases::run(args, config, output).await,
        Action::Compare(args) => compare::run(&args, &config, output),
        Action::Calibrate(args) => calibrate::run(args, config, output).await,
        Action::Metrics => {
            if output.json {
                output.document(&serde_json::json!({"markdown": METRICS}))?;
            } else {
                output.data(METRICS.trim_end());
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

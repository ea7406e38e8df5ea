//! `eval`: measure quality on data sets, one file for each subcommand; here is what they share.
//!
//! Which settings are measured is [`options`]; the measuring itself is [`crate::eval`].

mod answers;
mod grounding;
mod options;
mod run;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::output::Output;
use crate::config::Config;
use crate::eval::report::Report;
use crate::problem::Problem;

#[derive(Debug, Args)]
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
    /// Whether the support score tells supported claims from unsupported ones
    Grounding(grounding::Grounding),
}

impl Eval {
    /// What the flags say about settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match &self.action {
            Action::Run(run) => run.options.settings(),
            Action::Answers(answers) => answers.options.settings(),
            Action::Grounding(_) => Vec::new(),
        }
    }
}

pub async fn run(eval: Eval, config: Config, output: &Output) -> Result<(), Problem> {
    match eval.action {
        Action::Run(run) => run::run(run, config, output).await,
        Action::Answers(answers) => answers::run(answers, config, output).await,
        Action::Grounding(grounding) => grounding::run(&grounding, output),
    }
}

fn show(bar: &ProgressBar, what: &str, done: u64) {
    if bar.message() != what {
        bar.set_message(what.to_owned());
    }
    bar.set_position(done);
}

fn print(report: &Report, output: &Output) -> Result<(), Problem> {
    if output.json {
        return output.document(report);
    }
    output.data(report.table().trim_end());
    Ok(())
}

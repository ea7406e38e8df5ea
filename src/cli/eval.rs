//! `eval`: measure retrieval, answers and grounding on data sets, with the settings as they are or as flags say.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use indicatif::ProgressBar;
use serde_json::json;

use super::output::Output;
use crate::config::Config;
use crate::eval::report::Report;
use crate::eval::retrieval::Part;
use crate::eval::{answers, grounding, retrieval};
use crate::problem::{Kind, Problem};

#[derive(Debug, Args)]
pub struct Eval {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Retrieval on a folder in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv
    Run {
        folder: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// Answers to questions with known answers, and to questions without one
    Answers {
        file: PathBuf,
        /// The documents that the questions are about
        #[arg(long, value_name = "FILE")]
        corpus: PathBuf,
        #[command(flatten)]
        options: Options,
    },
    /// Whether the support score tells supported claims from unsupported ones
    Grounding {
        file: PathBuf,
        /// Also write each claim's score there, one JSON object a line
        #[arg(long, value_name = "FILE")]
        scores: Option<PathBuf>,
        #[command(flatten)]
        options: Options,
    },
}

#[derive(Debug, Args)]
struct Options {
    /// Measure only a spread sample of this many
    #[arg(long)]
    limit: Option<usize>,
    /// For the sample
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Embedding model [default: `models.embedding`]
    #[arg(long, value_name = "NAME")]
    embedder: Option<String>,
    /// Chat model [default: `answer.model`]
    #[arg(long, value_name = "NAME")]
    chat: Option<String>,
}

impl Eval {
    /// What the flags say about settings.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let options = self.options();
        let embedder = options.embedder.clone().map(|name| ("models.embedding", name));
        // The model that is measured is the only one.
        let chat =
            options.chat.clone().map(|name| [("answer.models", String::new()), ("answer.model", name)]);
        embedder.into_iter().chain(chat.into_iter().flatten()).collect()
    }

    fn options(&self) -> &Options {
        match &self.action {
            Action::Run { options, .. }
            | Action::Answers { options, .. }
            | Action::Grounding { options, .. } => options,
        }
    }
}

pub async fn run(eval: Eval, config: Config, output: &Output) -> Result<(), Problem> {
    let part = Part { limit: eval.options().limit, seed: eval.options().seed };
    let bar = super::ingest::bar(output, "");
    let progress = |what: &str, done: u64| show(&bar, what, done);
    let report = match eval.action {
        Action::Run { folder, .. } => retrieval::run(config, &folder, part, progress).await?,
        Action::Answers { file, corpus, .. } => answers::run(config, &file, &corpus, part, progress).await?,
        Action::Grounding { file, scores, .. } => measure_grounding(&file, scores, part)?,
    };
    bar.finish_and_clear();
    print(&report, output)
}

fn measure_grounding(file: &std::path::Path, scores: Option<PathBuf>, part: Part) -> Result<Report, Problem> {
    let mut lines = String::new();
    let report = grounding::run(file, part, |case, score| {
        if scores.is_some() {
            lines.push_str(
                &json!({"claim": case.claim, "supported": case.supported, "score": score}).to_string(),
            );
            lines.push('\n');
        }
    })?;
    if let Some(path) = scores {
        std::fs::write(&path, lines).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Problem::new(Kind::Invalid, "scores_unwritable", message, "name another file with `--scores`")
        })?;
    }
    Ok(report)
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

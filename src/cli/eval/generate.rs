//! `eval generate`: questions from a creator's own content, into a file that a person can review.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::page::save;
use super::{Config, Output, Problem};
use crate::app::App;
use crate::domain::CreatorId;
use crate::eval::generate::{Case, Kind, Options, corpus_line, generate, sources};
use crate::problem::Kind as ProblemKind;

#[derive(Debug, Args)]
pub struct Generate {
    /// Whose content the questions are about
    #[arg(long, value_name = "SLUG")]
    creator: String,
    /// Write the questions there, one JSON object a line [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Also write the content there, for `eval answers --corpus`
    #[arg(long, value_name = "FILE")]
    corpus: Option<PathBuf>,
    /// Also write the attacks and their look-alikes there, as `eval injection` reads them
    #[arg(long, value_name = "FILE")]
    injection: Option<PathBuf>,
    /// Questions at most
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    count: u32,
    /// Another seed chooses other questions
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

/// What was written, with `--json`.
#[derive(Debug, Serialize)]
struct Written<'a> {
    creator: &'a str,
    answerable: usize,
    unanswerable: usize,
    injection: usize,
    questions: &'a [Case],
}

pub async fn run(args: Generate, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let creator: CreatorId = args.creator.parse()?;
    let app = App::open(config).await?;
    let sources = sources(&app, &creator).await?;
    let options = Options { count: args.count as usize, seed: args.seed };
    let cases = generate(&sources, options);
    if cases.is_empty() {
        return Err(Problem::new(
            ProblemKind::Invalid,
            "no_questions",
            format!("the content of `{creator}` gives no questions"),
            "bring in text with headings and whole sentences: `neverafk ingest PATH --creator SLUG`",
        ));
    }
    if let Some(path) = &args.corpus {
        save(path, lines(sources.iter().map(corpus_line)).as_bytes(), "--corpus")?;
    }
    if let Some(path) = &args.injection {
        let attacks = cases.iter().filter(|case| case.kind == Kind::Injection).map(|case| {
            json!({"id": case.id, "kind": "direct", "text": case.question, "forbidden": case.forbidden,
                   "benign": case.benign.unwrap_or(false)})
            .to_string()
        });
        save(path, lines(attacks).as_bytes(), "--injection")?;
    }
    let written: Vec<String> =
        cases.iter().map(serde_json::to_string).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let count = |kind: Kind| cases.iter().filter(|case| case.kind == kind).count();
    let (answerable, unanswerable, injection) =
        (count(Kind::Answerable), count(Kind::Unanswerable), count(Kind::Injection));
    if let Some(path) = &args.out {
        save(path, lines(written.iter().cloned()).as_bytes(), "--out")?;
        output.say(format!(
            "{answerable} answerable, {unanswerable} unanswerable and {injection} injected questions in {}; read them, and \
             delete or mend what you would not ask",
            path.display()
        ));
    }
    if output.json {
        let creator = args.creator.as_str();
        output.document(&Written { creator, answerable, unanswerable, injection, questions: &cases })?;
    } else if args.out.is_none() {
        output.data(written.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

//! `eval generate`: questions from a creator's own content, into a file that a person can review.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::page::save;
use super::progress::Progress;
use super::{Config, Output, Problem};
use crate::app::App;
use crate::domain::CreatorId;
use crate::eval::generate::by_model::{self, Made};
use crate::eval::generate::{Case, Kind, Options, Source, corpus_line, generate, sources};
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
    /// Let this chat model ask too; only questions are kept whose answer stands in the content word for word
    #[arg(long, value_name = "MODEL")]
    chat: Option<String>,
    /// Passages that the chat model is asked about at most
    #[arg(long, default_value_t = 20, requires = "chat", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// What was written, with `--json`.
#[derive(Debug, Serialize)]
struct Written<'a> {
    creator: &'a str,
    answerable: usize,
    unanswerable: usize,
    injection: usize,
    chat: usize,
    /// What came of asking a chat model.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<Asked<'a>>,
    questions: &'a [Case],
}

#[derive(Debug, Serialize)]
struct Asked<'a> {
    model: &'a str,
    passages: usize,
    dropped: &'a BTreeMap<&'static str, usize>,
}

pub async fn run(args: Generate, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let creator: CreatorId = args.creator.parse()?;
    let config = match &args.chat {
        Some(name) => config.with(&[("answer.model", name.clone())])?,
        None => config,
    };
    let app = App::open(config).await?;
    let sources = sources(&app, &creator).await?;
    let options = Options { count: args.count as usize, seed: args.seed };
    let mut cases = generate(&sources, options);
    let made = match &args.chat {
        Some(name) => Some(ask(name, &args, &app, &sources, &mut cases, output).await?),
        None => None,
    };
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
    let chat = count(Kind::Chat);
    if let Some(path) = &args.out {
        save(path, lines(written.iter().cloned()).as_bytes(), "--out")?;
        output.say(format!(
            "{answerable} answerable, {unanswerable} unanswerable and {injection} injected questions in {}{}; read them, and \
             delete or mend what you would not ask",
            path.display(),
            if made.is_some() { format!(", and {chat} by the chat model") } else { String::new() },
        ));
    }
    if output.json {
        let creator = args.creator.as_str();
        let asked = args.chat.as_deref().zip(made.as_ref());
        let asked = asked.map(|(model, made)| Asked { model, passages: made.asked, dropped: &made.dropped });
        let questions = &cases;
        output.document(&Written { creator, answerable, unanswerable, injection, chat, asked, questions })?;
    } else if args.out.is_none() {
        output.data(written.join("\n"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds the questions of a chat model to `cases`, and tells what came of it.
async fn ask(
    name: &str,
    args: &Generate,
    app: &App,
    sources: &[Source],
    cases: &mut Vec<Case>,
    output: &Output,
) -> Result<Made, Problem> {
    let Some(model) = app.chat_model(name).await? else {
        return Err(Problem::new(
            ProblemKind::Invalid,
            "no_chat_model",
            format!("`{name}` is no chat model and asks nothing"),
            "name an installed chat model, or PROVIDER:MODEL; `neverafk models list` shows what there is",
        ));
    };
    let progress = Progress::new(output);
    let options = by_model::Options { limit: args.limit as usize, seed: args.seed };
    let show = |done, all| progress.show("passages", done, all);
    let mut made = by_model::ask(model.as_ref(), sources, cases, options, show).await;
    progress.end();
    if let Some(error) = made.failed.take_if(|_| made.cases.is_empty()) {
        return Err(error.into());
    }
    let dropped: Vec<String> =
        made.dropped.iter().map(|(reason, count)| format!("{reason}: {count}")).collect();
    if !dropped.is_empty() {
        output.say(format!("left out of {} replies: {}", made.asked, dropped.join(", ")));
    }
    cases.append(&mut made.cases);
    Ok(made)
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.map(|line| line + "\n").collect()
}

//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::options::{Sample, setting_of};
use super::progress::Progress;
use super::{Config, Output, Problem, page};
use crate::app::pairs;
use crate::eval::dataset::GroundingCase;
use crate::eval::report::of_runs;
use crate::eval::{EvalError, grounding, runs};
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Grounding {
    file: PathBuf,
    /// Also write each claim's score there, one JSON object a line
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Keep the run: a file, or a name for `eval compare`
    #[arg(long, value_name = "FILE|NAME")]
    save: Option<PathBuf>,
    /// Also write a page with tables and plots there
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// An entailment model that reads each claim beside its evidence, or `off` [default: `answer.entailment`]
    #[arg(long, value_name = "NAME")]
    entailment: Option<String>,
    /// With --json: each claim's score as well
    #[arg(long)]
    per_question: bool,
    #[command(flatten)]
    sample: Sample,
}

pub async fn run(eval: &Grounding, config: &Config, output: &Output) -> Result<ExitCode, Problem> {
    let mut lines = String::new();
    let progress = Progress::new(output);
    let show = |done, all| progress.show("claims", done, all);
    let config = match &eval.entailment {
        Some(name) => &config.with(&[("answer.entailment", setting_of(name))])?,
        None => config,
    };
    let entailment = pairs::entailment_of(config)?;
    let entailment = entailment.as_ref().map(|(model, facts)| (model, facts.clone()));
    let each = |case: &GroundingCase, score: f64| {
        if eval.scores.is_some() {
            let line = json!({"claim": case.claim, "supported": case.supported, "score": score});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
    };
    let mut report = grounding::run(&eval.file, eval.sample.part(), entailment, show, each).await?;
    progress.end();
    if let Some(path) = &eval.scores {
        std::fs::write(path, lines).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Problem::new(Kind::Invalid, "scores_unwritable", message, "name another file with `--scores`")
        })?;
    }
    if let Some(name) = &eval.save {
        let path = runs::place(&config.data_dir, &name.to_string_lossy());
        runs::save(&report, &path).map_err(EvalError::from)?;
        output.say(format!("kept in {}", path.display()));
    }
    if let Some(out) = &eval.out {
        let one = std::slice::from_ref(&report);
        page::write(out, &of_runs(one, &[String::new()], &page::command()), output)?;
    }
    if output.json {
        if !eval.per_question {
            report.details.questions.clear();
        }
        output.document(&report)?;
    } else {
        output.data(report.table().trim_end());
    }
    Ok(ExitCode::SUCCESS)
}

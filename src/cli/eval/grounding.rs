//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::measure::{Telling, read_baseline, tell, want_one_run};
use super::options::{Sample, setting_of};
use super::progress::Progress;
use super::{Config, Output, Problem};
use crate::app::pairs;
use crate::eval::dataset::GroundingCase;
use crate::eval::engine::name_of;
use crate::eval::report::Task;
use crate::eval::variants::combinations;
use crate::eval::{EvalError, grounding, runs};
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Grounding {
    /// One claim with its evidence a line
    file: PathBuf,
    /// Also write each claim's score there, one JSON object a line
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    /// Keep the run: a file, or a name for `eval compare`
    #[arg(long, value_name = "FILE|NAME")]
    save: Option<PathBuf>,
    /// Compare with a run kept before, and exit 1 where the area falls below it by more than its interval
    #[arg(long, value_name = "last|FILE|NAME")]
    baseline: Option<PathBuf>,
    /// Also write a page with tables and plots there
    #[arg(long, value_name = "FILE.html")]
    out: Option<PathBuf>,
    /// An entailment model that reads each claim beside its evidence, or `off`; several are compared with the first
    /// [default: `answer.entailment`]
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    entailment: Vec<String>,
    /// With --json: each claim's score as well
    #[arg(long)]
    per_question: bool,
    #[command(flatten)]
    sample: Sample,
}

pub async fn run(eval: &Grounding, config: &Config, output: &Output) -> Result<ExitCode, Problem> {
    let part = eval.sample.part();
    let models = eval.entailment.iter().map(|name| setting_of(name)).collect();
    let variants = combinations(&[("answer.entailment", models)]);
    if eval.scores.is_some() || eval.save.is_some() || eval.baseline.is_some() {
        want_one_run(variants.len())?;
    }
    let set = (Task::Grounding, name_of(&eval.file));
    let baseline = match &eval.baseline {
        None => None,
        Some(name) => Some(read_baseline(&config.data_dir, name, (set.0, &set.1), None)?),
    };
    let (mut reports, mut lines) = (Vec::with_capacity(variants.len()), String::new());
    let progress = Progress::new(output);
    for variant in &variants {
        let entailment = pairs::entailment_of(&config.with(variant)?)?;
        let entailment = entailment.as_ref().map(|(model, facts)| (model, facts.clone()));
        let show = |done, all| progress.show("claims", done, all);
        let each = |case: &GroundingCase, score: f64| {
            if eval.scores.is_some() {
                let line = json!({"claim": case.claim, "supported": case.supported, "score": score});
                lines.push_str(&line.to_string());
                lines.push('\n');
            }
        };
        reports.push(grounding::run(&eval.file, part, entailment, show, each).await?);
    }
    progress.end();
    if let Some(path) = &eval.scores {
        std::fs::write(path, lines).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Problem::new(Kind::Invalid, "scores_unwritable", message, "name another file with `--scores`")
        })?;
    }
    if let (Some(name), Some(report)) = (&eval.save, reports.first()) {
        let path = runs::place(&config.data_dir, &name.to_string_lossy());
        runs::save(report, &path).map_err(EvalError::from)?;
        output.say(format!("kept in {}", path.display()));
    }
    let telling =
        Telling { variants, seed: part.seed, out: eval.out.as_deref(), per_question: eval.per_question };
    tell(reports, baseline, &telling, output)
}

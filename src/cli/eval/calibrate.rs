//! `eval calibrate`: fit a creator's threshold and weight of nearness, and keep what is better than the usual.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::options::Sample;
use super::progress::Progress;
use super::{Config, Output, Problem};
use crate::app::EXTRACTIVE;
use crate::eval::EvalError;
use crate::eval::calibrate::defaults::{Defaults, defaults};
use crate::eval::calibrate::{Calibrated, Costs, Fit, Outcome, calibrate, set_calibration};
use crate::eval::dataset::{AnswerCase, read_answers};
use crate::eval::engine::Engine;
use crate::eval::generate::{Kind, Options, generate, sources};
use crate::eval::sample::keep_spread;

/// Made of the content when no file names questions: enough for an interval, few enough to take seconds.
const QUESTIONS: usize = 400;

#[derive(Debug, Args)]
pub struct Calibrate {
    /// Whose content and whose settings
    #[arg(long, value_name = "SLUG", required_unless_present = "defaults")]
    creator: Option<String>,
    /// Questions about this content, some of them without an answer in it [default: what `eval generate` makes of it]
    #[arg(long, value_name = "FILE", requires = "creator")]
    questions: Option<PathBuf>,
    /// Instead: fit the values that the program ships with to these sets in BEIR's layout, and keep nothing
    #[arg(long, value_name = "FOLDER", num_args = 1.., conflicts_with_all = ["creator", "questions"])]
    defaults: Vec<PathBuf>,
    /// What answering a question costs that the content does not answer
    #[arg(long, value_name = "COST", default_value_t = Costs::default().wrong_answer, value_parser = cost)]
    wrong_answer: f64,
    /// What declining a question costs that the content does answer
    #[arg(long, value_name = "COST", default_value_t = Costs::default().wrong_refusal, value_parser = cost)]
    wrong_refusal: f64,
    /// Fit and print, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    sample: Sample,
}

fn cost(text: &str) -> Result<f64, String> {
    let value = text.parse::<f64>().ok().filter(|value| *value > 0.0 && value.is_finite());
    value.ok_or_else(|| "a number above 0 is wanted".to_owned())
}

pub async fn run(args: Calibrate, config: Config, output: &Output) -> Result<ExitCode, Problem> {
    let costs = Costs { wrong_answer: args.wrong_answer, wrong_refusal: args.wrong_refusal };
    let part = args.sample.part();
    // Confidence comes before any model phrases an answer.
    let config = config.with(&[("answer.model", EXTRACTIVE.to_owned())])?;
    let progress = Progress::new(output);
    let show = |what: &str, done, all| progress.show(what, done, all);
    let Some(slug) = &args.creator else {
        let fitted = defaults(&config, &args.defaults, costs, part, show).await?;
        progress.end();
        return tell_defaults(&fitted, output);
    };
    let mut engine = Engine::of_creator(config, slug.parse()?).await?;
    let cases = match &args.questions {
        Some(file) => read_answers(file).map_err(EvalError::from)?,
        None => generated(&engine, part.seed).await?,
    };
    let cases = keep_spread(cases, part.limit, part.seed);
    let fitted = calibrate(&mut engine, &cases, costs, part.seed, show).await?;
    progress.end();
    let store = engine.app.store();
    let mut creator = store.creator(&engine.creator).await?;
    let record = fitted.record(&creator);
    if !args.dry_run {
        set_calibration(&mut creator, record.as_ref());
        store.update_creator(&engine.creator, None, Some(creator.settings)).await?;
    }
    if output.json {
        output.document(
            &json!({"creator_id": slug, "fitted": fitted, "kept": record, "dry_run": args.dry_run}),
        )?;
    } else {
        output.data(sentences(&fitted, record.is_some(), args.dry_run));
    }
    Ok(ExitCode::SUCCESS)
}

/// Questions made of the creator's own content; attacks are not among them, since nothing is searched for those.
async fn generated(engine: &Engine, seed: u64) -> Result<Vec<AnswerCase>, Problem> {
    let sources = sources(&engine.app, &engine.creator).await?;
    let made = generate(&sources, Options { count: QUESTIONS, seed });
    let about_content = made.into_iter().filter(|case| case.kind != Kind::Injection);
    Ok(about_content.map(AnswerCase::from).collect())
}

fn sentences(fitted: &Calibrated, better: bool, dry_run: bool) -> String {
    let end = match (better, dry_run) {
        (true, false) => {
            "answers use this from now on; fit again when the content or the embedding model changes"
        }
        (true, true) => "nothing was changed",
        (false, _) => "the usual values are in force",
    };
    format!(
        "{} questions, {} of them answerable; a wrong answer costs {}, a wrong refusal {}\n{}\n{}\n{end}",
        fitted.questions,
        fitted.answerable,
        fitted.costs.wrong_answer,
        fitted.costs.wrong_refusal,
        sentence("threshold", &fitted.threshold),
        sentence("weight of nearness", &fitted.nearness),
    )
}

fn sentence(name: &str, fit: &Fit) -> String {
    let numbers = || {
        let saved = fit.saved.map_or(String::new(), |saved| {
            format!(", saves {:+.4} a question ({:+.4} to {:+.4})", saved.mean, saved.low, saved.high)
        });
        let cost = |cost: Option<f64>| cost.map_or("–".to_owned(), |cost| format!("{cost:.4}"));
        format!("cost {} instead of {}{saved}", cost(fit.cost_chosen), cost(fit.cost_usual))
    };
    match &fit.outcome {
        Outcome::Better => format!("{name}: {} instead of {}; {}", fit.chosen, fit.usual, numbers()),
        Outcome::WithinNoise if fit.chosen == fit.usual => {
            format!("{name}: stays {}, which no other value beats", fit.usual)
        }
        Outcome::WithinNoise => {
            format!("{name}: stays {}; {} may be better by luck alone: {}", fit.usual, fit.chosen, numbers())
        }
        Outcome::NotFitted { reason } => format!("{name}: not fitted, {reason}"),
    }
}

fn tell_defaults(fitted: &Defaults, output: &Output) -> Result<ExitCode, Problem> {
    if output.json {
        output.document(fitted)?;
        return Ok(ExitCode::SUCCESS);
    }
    let share = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
    let mut table = format!(
        "{:<28} {:>9} {:>12} {:>7} {:>9} {:>9}\n",
        "set", "questions", "unanswerable", "AUROC", "refused", "answered"
    );
    for set in &fitted.sets {
        table.push_str(&format!(
            "{:<28} {:>9} {:>12} {:>7} {:>9} {:>9}\n",
            set.name,
            set.questions,
            set.unanswerable,
            share(set.auroc),
            share(set.refused_of_answerable),
            share(set.answered_of_unanswerable)
        ));
    }
    table.push_str(
        "refused: of the answerable; answered: of the unanswerable; at the threshold as configured\n",
    );
    output.data(format!(
        "{table}{}\n{}",
        sentence("threshold", &fitted.threshold),
        sentence("weight of nearness", &fitted.nearness)
    ));
    Ok(ExitCode::SUCCESS)
}

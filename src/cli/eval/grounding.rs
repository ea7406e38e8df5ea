//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::options::Sample;
use super::{Output, Problem};
use crate::eval::grounding;
use crate::problem::Kind;

#[derive(Debug, Args)]
pub struct Grounding {
    file: PathBuf,
    /// Also write each claim's score there, one JSON object a line
    #[arg(long, value_name = "FILE")]
    scores: Option<PathBuf>,
    #[command(flatten)]
    sample: Sample,
}

pub fn run(eval: &Grounding, output: &Output) -> Result<(), Problem> {
    let mut lines = String::new();
    let report = grounding::run(&eval.file, eval.sample.part(), |case, score| {
        if eval.scores.is_some() {
            let line = json!({"claim": case.claim, "supported": case.supported, "score": score});
            lines.push_str(&line.to_string());
            lines.push('\n');
        }
    })?;
    if let Some(path) = &eval.scores {
        std::fs::write(path, lines).map_err(|error| {
            let message = format!("{} cannot be written: {error}", path.display());
            Problem::new(Kind::Invalid, "scores_unwritable", message, "name another file with `--scores`")
        })?;
    }
    super::print(&report, output)
}

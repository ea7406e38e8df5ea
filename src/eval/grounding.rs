//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::EvalError;
use super::dataset::{GroundingCase, read_grounding};
use super::engine::name_of;
use super::metrics::auroc;
use super::provenance::{Data, Provenance, hash};
use super::report::{Details, Metrics, Report, Scored, Task};
use super::retrieval::Part;
use super::sample::keep_spread;
use crate::answer::verify::support;
use crate::index::analyze::Language;

/// Measures the support score on the claims of `file`; `each` gets every claim with its score, in order.
/// `progress` gets the number of claims done and of all.
pub fn run(
    file: &Path,
    part: Part,
    progress: impl Fn(u64, u64),
    mut each: impl FnMut(&GroundingCase, f64),
) -> Result<Report, EvalError> {
    let cases = keep_spread(read_grounding(file)?, part.limit, part.seed);
    let (mut scored, mut questions) = (Vec::with_capacity(cases.len()), Vec::with_capacity(cases.len()));
    for (number, case) in (1u64..).zip(&cases) {
        let evidence: Vec<&str> = case.evidence.iter().map(String::as_str).collect();
        let score = f64::from(support(&case.claim, &evidence, Language::ENGLISH));
        each(case, score);
        scored.push((score, case.supported));
        questions.push(Scored {
            score: Some(score),
            positive: Some(case.supported),
            // Claims have no ids of their own: their place in the file is one.
            ..Scored::new(number.to_string())
        });
        progress(number, cases.len() as u64);
    }
    let mut metrics = Metrics::default();
    metrics.add("auroc", auroc(&scored));
    let mut details = Details::of(Task::Grounding, questions, part.seed);
    let data = Data { questions: hash(&[file])?, ..Data::default() };
    details.provenance = Some(Provenance::bare(data, part));
    let settings = json!({"version": env!("CARGO_PKG_VERSION"), "limit": part.limit, "seed": part.seed});
    Ok(Report {
        dataset: name_of(file),
        queries: cases.len(),
        metrics,
        latency_ms: None,
        settings: if let Value::Object(map) = settings { map } else { Map::new() },
        details,
    })
}

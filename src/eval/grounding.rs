//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::EvalError;
use super::dataset::{GroundingCase, read_grounding};
use super::engine::name_of;
use super::metrics::auroc;
use super::report::{Metrics, Report};
use super::retrieval::Part;
use super::sample::keep_spread;
use crate::answer::verify::support;
use crate::index::analyze::Language;

/// Measures the support score on the claims of `file`; `each` gets every claim with its score, in order.
pub fn run(file: &Path, part: Part, mut each: impl FnMut(&GroundingCase, f64)) -> Result<Report, EvalError> {
    let cases = keep_spread(read_grounding(file)?, part.limit, part.seed);
    let mut scored = Vec::with_capacity(cases.len());
    for case in &cases {
        let evidence: Vec<&str> = case.evidence.iter().map(String::as_str).collect();
        let score = f64::from(support(&case.claim, &evidence, Language::ENGLISH));
        each(case, score);
        scored.push((score, case.supported));
    }
    let mut metrics = Metrics::default();
    metrics.add("auroc", auroc(&scored));
    let settings = json!({"version": env!("CARGO_PKG_VERSION"), "limit": part.limit, "seed": part.seed});
    Ok(Report {
        dataset: name_of(file),
        queries: cases.len(),
        metrics,
        latency_ms: None,
        settings: if let Value::Object(map) = settings { map } else { Map::new() },
    })
}

//! `eval grounding`: whether the support score tells supported claims from unsupported ones.

use std::path::Path;
use std::time::Instant;

use serde_json::{Map, Value, json};

use super::EvalError;
use super::dataset::{GroundingCase, read_grounding};
use super::engine::name_of;
use super::metrics::{Percentiles, auroc};
use super::provenance::{Data, Provenance, hash};
use super::report::{Details, Metrics, Report, Scored, Task};
use super::retrieval::Part;
use super::sample::keep_spread;
use crate::answer::entail::{Entailment, joined};
use crate::answer::verify::support;
use crate::app::ModelFact;
use crate::index::analyze::Language;

/// Measures the support score on the claims of `file`, by words alone or with a model as answers have it; `each` gets every
/// claim with its score, in order. `progress` gets the number of claims done and of all.
pub async fn run(
    file: &Path,
    part: Part,
    entailment: Option<(&Entailment, Vec<ModelFact>)>,
    progress: impl Fn(u64, u64),
    mut each: impl FnMut(&GroundingCase, f64),
) -> Result<Report, EvalError> {
    let cases = keep_spread(read_grounding(file)?, part.limit, part.seed);
    // A model is loaded when it is first asked.
    if let (Some((model, _)), Some(case)) = (&entailment, cases.first()) {
        model.verdict(&case.claim, &case.evidence, Language::ENGLISH).await?;
    }
    let (mut scored, mut questions) = (Vec::with_capacity(cases.len()), Vec::with_capacity(cases.len()));
    let mut latencies = Vec::with_capacity(cases.len());
    for (number, case) in (1u64..).zip(&cases) {
        let began = Instant::now();
        let evidence: Vec<&str> = case.evidence.iter().map(String::as_str).collect();
        let by_words = support(&case.claim, &evidence, Language::ENGLISH);
        let verdict = match &entailment {
            Some((model, _)) => model.verdict(&case.claim, &case.evidence, Language::ENGLISH).await?,
            None => None,
        };
        let score = f64::from(verdict.map_or(by_words, |verdict| joined(by_words, verdict)));
        let latency = began.elapsed().as_secs_f64() * 1000.0;
        latencies.push(latency);
        each(case, score);
        scored.push((score, case.supported));
        questions.push(Scored {
            latency_ms: Some(latency),
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
    let name = entailment.as_ref().map_or("", |(model, _)| model.model.name()).to_owned();
    let models = entailment.map(|(_, facts)| facts).unwrap_or_default();
    details.provenance = Some(Provenance { models, ..Provenance::bare(data, part) });
    let settings = json!({
        "version": env!("CARGO_PKG_VERSION"), "entailment": name, "limit": part.limit, "seed": part.seed,
    });
    Ok(Report {
        dataset: name_of(file),
        queries: cases.len(),
        metrics,
        latency_ms: Percentiles::of(&latencies),
        settings: if let Value::Object(map) = settings { map } else { Map::new() },
        details,
    })
}

//! `eval answers`: whole answers against known ones, and whether the engine knows what it does not know.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use super::EvalError;
use super::dataset::read_answers;
use super::engine::{Engine, name_of};
use super::metrics::{
    Percentiles, Rates, auroc, citation_scores, exact_match, f1, holds_answer, is_verbatim, mean, share,
};
use super::report::{Metrics, Report};
use super::retrieval::Part;
use super::sample::keep_spread;
use crate::config::Config;
use crate::problem::Problem;

/// Measures answers to the questions of `file` from the documents of `corpus`.
pub async fn run(
    config: Config,
    file: &Path,
    corpus: &Path,
    part: Part,
    progress: impl Fn(&str, u64),
) -> Result<Report, EvalError> {
    let cases = keep_spread(read_answers(file)?, part.limit, part.seed);
    let threshold = f64::from(config.settings.answer.threshold);
    let engine = Engine::fill(config, corpus, |done| progress("documents", done)).await?;
    engine.ask("warm up").await?;

    let mut texts = HashMap::new();
    let (mut known, mut held, mut exact, mut overlap) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut precision, mut recall, mut verbatim) = (Vec::new(), Vec::new(), Vec::new());
    let (mut grounded, mut latencies) = (Vec::new(), Vec::new());
    for (number, case) in (1u64..).zip(&cases) {
        let began = Instant::now();
        let answer = engine.ask(&case.question).await?;
        latencies.push(began.elapsed().as_secs_f64() * 1000.0);
        known.push((f64::from(answer.confidence), !case.unanswerable));
        for citation in &answer.citations {
            if !texts.contains_key(&citation.document_id) {
                let text =
                    engine.app.store().document_text(&citation.document_id).await.map_err(Problem::from)?;
                texts.insert(citation.document_id.clone(), text.map(|(text, _)| text).unwrap_or_default());
            }
            verbatim.push(is_verbatim(&citation.quote, &texts[&citation.document_id]));
        }
        if !answer.abstained {
            grounded.push(f64::from(answer.groundedness));
        }
        if !case.unanswerable {
            if !case.answers.is_empty() {
                held.push(holds_answer(&answer.response, &case.answers));
                exact.push(exact_match(&answer.response, &case.answers));
                overlap.push(f1(&answer.response, &case.answers));
            }
            let cited = answer.citations.iter().filter_map(|citation| citation.external_id.as_deref());
            let (p, r) = citation_scores(cited, case.external_ids.iter().map(String::as_str));
            precision.extend(p);
            recall.extend(r);
        }
        progress("questions", number);
    }
    let rates = Rates::at(threshold, &known);
    let mut metrics = Metrics::default();
    metrics.add("answer_in_response", share(held));
    metrics.add("exact_match", mean(exact));
    metrics.add("f1", mean(overlap));
    metrics.add("citation_precision", mean(precision));
    metrics.add("citation_recall", mean(recall));
    metrics.add("quote_validity", share(verbatim));
    metrics.add("groundedness", mean(grounded));
    metrics.add("abstention_auroc", auroc(&known));
    metrics.add("answered_of_answerable", rates.true_positive);
    metrics.add("answered_of_unanswerable", rates.false_positive);
    Ok(Report {
        dataset: name_of(file),
        queries: cases.len(),
        metrics,
        latency_ms: Percentiles::of(&latencies),
        settings: engine.settings(part.limit, part.seed),
    })
}

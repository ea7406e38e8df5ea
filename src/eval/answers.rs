//! `eval answers`: whole answers against known ones, and whether the engine knows what it does not know.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use super::EvalError;
use super::dataset::AnswerCase;
use super::engine::{Engine, name_of};
use super::metrics::{
    Percentiles, auroc, brier, citation_scores, exact_match, f1, holds_answer, is_verbatim, mean, squared_error,
};
use super::provenance::{Provenance, hash};
use super::report::{Details, Metrics, Report, Scored, Task};
use super::retrieval::Part;
use super::sample::keep_spread;
use crate::domain::{Answer, DocumentId};
use crate::problem::Problem;

/// Means over questions, in the order in which they are told.
const MEANS: [&str; 7] = [
    "answer_in_response",
    "exact_match",
    "f1",
    "citation_precision",
    "citation_recall",
    "quote_validity",
    "groundedness",
];
const RATES: [&str; 3] = ["answered_of_answerable", "refused_of_answerable", "answered_of_unanswerable"];

/// Measures answers to `cases`, which were read from `file`. `progress` gets the number of questions done and of all.
pub async fn run(
    engine: &Engine,
    file: &Path,
    cases: &[AnswerCase],
    part: Part,
    progress: impl Fn(u64, u64),
) -> Result<Report, EvalError> {
    let cases = keep_spread(cases.to_vec(), part.limit, part.seed);
    let names = engine.names().await?;
    let mut texts = HashMap::new();
    engine.ask("warm up").await?;
    let mut questions = Vec::with_capacity(cases.len());
    for (number, case) in (1u64..).zip(&cases) {
        let began = Instant::now();
        let answer = engine.ask(&case.question).await?;
        let latency = began.elapsed().as_secs_f64() * 1000.0;
        fetch_texts(engine, &answer, &mut texts).await?;
        questions.push(Scored { latency_ms: Some(latency), ..judge(case, &answer, &names, &texts) });
        progress(number, cases.len() as u64);
    }
    let data = engine.data(hash(&[file])?);
    let provenance = Provenance::of(&engine.app, data, part).await?;
    let latencies: Vec<f64> = questions.iter().filter_map(|question| question.latency_ms).collect();
    let (metrics, details) = sum_up(questions, part.seed);
    Ok(Report {
        dataset: name_of(file),
        queries: cases.len(),
        metrics,
        latency_ms: Percentiles::of(&latencies),
        settings: engine.settings(part),
        details: Details { provenance: Some(provenance), ..details },
    })
}

/// The stored texts that an answer quotes.
async fn fetch_texts(
    engine: &Engine,
    answer: &Answer,
    texts: &mut HashMap<DocumentId, String>,
) -> Result<(), EvalError> {
    for citation in &answer.citations {
        if !texts.contains_key(&citation.document_id) {
            let text = engine.app.store().document_text(&citation.document_id).await.map_err(Problem::from)?;
            texts.insert(citation.document_id.clone(), text.map(|(text, _)| text).unwrap_or_default());
        }
    }
    Ok(())
}

fn judge(
    case: &AnswerCase,
    answer: &Answer,
    names: &HashMap<DocumentId, String>,
    texts: &HashMap<DocumentId, String>,
) -> Scored {
    let confidence = f64::from(answer.confidence);
    let mut scored = Scored {
        score: Some(confidence),
        positive: Some(!case.unanswerable),
        abstained: Some(answer.abstained),
        ..Scored::new(&case.id)
    };
    let quotes: Vec<bool> = answer
        .citations
        .iter()
        .map(|citation| {
            texts.get(&citation.document_id).is_some_and(|text| is_verbatim(&citation.quote, text))
        })
        .collect();
    scored.add_mean("quote_validity", &quotes);
    scored.add("brier", squared_error(confidence, !case.unanswerable));
    if !answer.abstained {
        scored.add("groundedness", f64::from(answer.groundedness));
    }
    let answered = f64::from(u8::from(!answer.abstained));
    if case.unanswerable {
        scored.add("answered_of_unanswerable", answered);
        return scored;
    }
    scored.add("answered_of_answerable", answered);
    scored.add("refused_of_answerable", 1.0 - answered);
    if !case.answers.is_empty() {
        scored.add(
            "answer_in_response",
            f64::from(u8::from(holds_answer(&answer.response, &case.answers))),
        );
        scored.add("exact_match", exact_match(&answer.response, &case.answers));
        scored.add("f1", f1(&answer.response, &case.answers));
    }
    if !case.external_ids.is_empty() {
        let cited = answer.citations.iter().filter_map(|citation| names.get(&citation.document_id));
        let (precision, recall) =
            citation_scores(cited.map(String::as_str), case.external_ids.iter().map(String::as_str));
        scored.add("citation_precision", precision);
        scored.add("citation_recall", recall);
    }
    scored
}

fn sum_up(questions: Vec<Scored>, seed: u64) -> (Metrics, Details) {
    let known: Vec<(f64, bool)> =
        questions.iter().filter_map(|question| Some((question.score?, question.positive?))).collect();
    let total = |name: &str| {
        let (sum, weight) = questions
            .iter()
            .filter_map(|question| question.weighted(name))
            .fold((0.0, 0.0), |(sum, weight), (value, w)| (sum + value * w, weight + w));
        mean((weight > 0.0).then(|| sum / weight))
    };
    let mut metrics = Metrics::default();
    MEANS.iter().for_each(|name| metrics.add(*name, total(name)));
    metrics.add("abstention_auroc", auroc(&known));
    RATES.iter().for_each(|name| metrics.add(*name, total(name)));
    metrics.add("brier", brier(&known));
    let mut details = Details::of(Task::Answers, questions, seed);
    metrics.add("ece", details.add_confidences(&known));
    (metrics, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two answerable questions, one of them refused, and an unanswerable one that was answered.
    #[test]
    fn the_sums_by_hand() {
        let question = |id: &str, confidence: f64, answerable: bool, answered: bool| {
            let mut scored =
                Scored { score: Some(confidence), positive: Some(answerable), ..Scored::new(id) };
            let rates = [("answered_of_answerable", true), ("answered_of_unanswerable", false)];
            for (name, of_answerable) in rates {
                scored.add(name, (answerable == of_answerable).then_some(f64::from(u8::from(answered))));
            }
            scored
        };
        let mut first = question("a", 0.9, true, true);
        first.add_mean("quote_validity", &[true, true, true]);
        let mut last = question("c", 0.6, false, true);
        last.add_mean("quote_validity", &[false]);
        let (metrics, details) = sum_up(vec![first, question("b", 0.2, true, false), last], 7);
        // The quotes count one by one; the refused question is no quote at all.
        assert_eq!(metrics.get("quote_validity"), Some(0.75));
        assert_eq!(metrics.get("answered_of_answerable"), Some(0.5));
        assert_eq!(metrics.get("answered_of_unanswerable"), Some(1.0));
        assert_eq!(metrics.get("abstention_auroc"), Some(0.5));
        assert!((metrics.get("brier").unwrap() - (0.01 + 0.64 + 0.36) / 3.0).abs() < 1e-12);
        assert!((metrics.get("ece").unwrap() - (0.1 + 0.8 + 0.6) / 3.0).abs() < 1e-12);
        assert_eq!(metrics.get("f1"), None);
        let at_half = details.abstention.iter().find(|point| point.threshold == 0.5).unwrap();
        assert_eq!(
            (at_half.answered_of_answerable, at_half.answered_of_unanswerable),
            (Some(0.5), Some(1.0))
        );
    }
}

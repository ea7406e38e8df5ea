//! A page from what `eval` measured: [`Report`]s in, [`Page`]s out.

use super::html::Page;
use super::page::{Seen, comparison, page};
use super::{Report, Scored, Task};
use crate::eval::compare::{Comparison, Verdict};
use crate::eval::plot::Change;
use crate::eval::provenance::Provenance;

/// One run, or several settings side by side with what tells them apart. `command` is what was typed.
pub fn of_runs(reports: &[Report], labels: &[String], command: &str) -> Page {
    let runs: Vec<Seen> = labels.iter().zip(reports).map(|(label, report)| seen(report, label)).collect();
    let title = match reports.first().and_then(|report| report.details.task) {
        Some(Task::Retrieval) => "Quality of retrieval",
        Some(Task::Answers) => "Quality of answers",
        Some(Task::Grounding) => "Quality of the support score",
        Some(Task::Injection) => "Resistance to injected instructions",
        None => "Quality",
    };
    let facts = reports.first().map(|report| facts(report, command)).unwrap_or_default();
    page(title, &runs, facts)
}

/// Two runs and what differs between them; `names` as they were typed.
pub fn of_comparison(
    names: (&str, &str),
    reports: (&Report, &Report),
    found: &Comparison,
    command: &str,
) -> Page {
    let changes: Vec<Change> = found
        .rows
        .iter()
        .map(|row| Change {
            name: row.metric.clone(),
            difference: row.difference.difference,
            low: row.difference.low,
            high: row.difference.high,
            lower_is_better: row.lower_is_better,
            clear: row.verdict != Verdict::NoDifference,
        })
        .collect();
    let runs = [seen(reports.0, names.0), seen(reports.1, names.1)];
    let mut page = comparison(names, &runs, &changes, facts(reports.1, command));
    page.lead = format!("{}, {} questions. {}", found.dataset, found.questions, found.sentence);
    page
}

fn seen(report: &Report, name: &str) -> Seen {
    let questions = &report.details.questions;
    let interval = |name: &str| report.details.intervals.get(name).map(|[low, high]| (*low, *high));
    let is_answers = report.details.task == Some(Task::Answers);
    let right = |question: &Scored| {
        // An unanswerable question has no right answer; one without known wording cannot be judged.
        let right =
            if question.positive? { *question.scores.get("answer_in_response")? > 0.5 } else { false };
        Some((question.score?, right))
    };
    Seen {
        name: name.to_owned(),
        dataset: report.dataset.clone(),
        queries: report.queries,
        metrics: report
            .metrics
            .iter()
            .map(|(name, value)| (name.to_owned(), value, interval(name)))
            .collect(),
        latencies_ms: questions.iter().filter_map(|question| question.latency_ms).collect(),
        scored: questions.iter().filter_map(|question| Some((question.score?, question.positive?))).collect(),
        kinds: if is_answers { ("answerable", "unanswerable") } else { ("supported", "unsupported") },
        right: if is_answers { questions.iter().filter_map(right).collect() } else { Vec::new() },
        threshold: if is_answers {
            report.settings.get("threshold").and_then(serde_json::Value::as_f64)
        } else {
            None
        },
    }
}

/// What is needed to repeat the run.
fn facts(report: &Report, command: &str) -> Vec<(String, String)> {
    let mut facts = vec![("command".to_owned(), command.to_owned())];
    if let Some(provenance) = &report.details.provenance {
        facts.extend(provenance_facts(provenance));
    }
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let told = report.settings.iter().filter(|(name, _)| *name != "version");
    facts.extend(told.map(|(name, value)| (name.clone(), plain(value))));
    facts.retain(|(_, value)| !value.is_empty() && value != "null");
    facts
}

fn provenance_facts(provenance: &Provenance) -> Vec<(String, String)> {
    let machine = &provenance.machine;
    let millis = i64::try_from(provenance.measured_at).unwrap_or_default();
    // A time that no calendar has is not told.
    let measured =
        jiff::Timestamp::from_millisecond(millis).map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string());
    let mut facts = vec![
        ("version".to_owned(), format!("{} (build {})", provenance.version, provenance.build)),
        (
            "machine".to_owned(),
            format!(
                "{}, {} cores, {}, {} MiB, {}",
                machine.cpu, machine.cores, machine.instructions, machine.memory_mib, machine.os
            ),
        ),
        ("measured".to_owned(), measured.unwrap_or_default()),
        ("questions (BLAKE3)".to_owned(), provenance.data.questions.clone()),
        ("content".to_owned(), provenance.data.content.clone()),
    ];
    for model in &provenance.models {
        facts.push((
            format!("{} model", model.role),
            format!("{} {}", model.name, model.hash).trim().to_owned(),
        ));
    }
    facts
}

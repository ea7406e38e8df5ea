//! What is counted: every metric's name with its meaning in one list, and the recorder that keeps the numbers.
//!
//! No label holds anything of a person or a creator, and each has few values: routes as they are declared, statuses,
//! agents, models of the settings. `http/metrics.rs` counts requests and writes the text that Prometheus reads;
//! answers and documents are counted here from what the store tells ([`observe`]).

use std::collections::HashSet;
use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use crate::domain::{Charge, EventKind, Matter, Reason, Told, Turn};
use crate::problem::Problem;

pub const HTTP_REQUESTS: &str = "neverafk_http_requests_total";
pub const HTTP_SECONDS: &str = "neverafk_http_request_seconds";
pub const HTTP_UNDER_WAY: &str = "neverafk_http_requests_under_way";
pub const ANSWERS: &str = "neverafk_answers_total";
pub const ANSWER_SECONDS: &str = "neverafk_answer_seconds";
pub const TOKENS: &str = "neverafk_tokens_total";
pub const COST: &str = "neverafk_cost_micros_total";
pub const CREDITS: &str = "neverafk_credits_spent_total";
pub const CACHE_LOOKUPS: &str = "neverafk_answer_cache_lookups_total";
pub const RERANKINGS: &str = "neverafk_rerankings_total";
pub const ENTAILMENTS: &str = "neverafk_entailment_checks_total";
pub const ESCALATIONS: &str = "neverafk_escalations_total";
pub const FEEDBACK: &str = "neverafk_feedback_total";
pub const DOCUMENTS: &str = "neverafk_documents_ingested_total";
pub const INGEST_BYTES: &str = "neverafk_ingest_bytes_total";
pub const DOCUMENT_FAILURES: &str = "neverafk_document_failures_total";
pub const EVENTS: &str = "neverafk_events_total";
pub const EVENTS_MISSED: &str = "neverafk_events_missed_total";
pub const DELIVERIES: &str = "neverafk_webhook_deliveries_total";
pub const DELIVERIES_WAITING: &str = "neverafk_webhook_deliveries_waiting";
pub const MAILS: &str = "neverafk_mails_total";
pub const MAILS_WAITING: &str = "neverafk_mails_waiting";
pub const SOCKETS: &str = "neverafk_sockets";
pub const ANSWERS_UNDER_WAY: &str = "neverafk_answers_under_way";
pub const ANSWER_PLACES: &str = "neverafk_answer_places";
pub const JOBS: &str = "neverafk_jobs";
pub const CREATORS: &str = "neverafk_creators";
pub const STORE_BYTES: &str = "neverafk_store_bytes";
pub const MEMORY_BYTES: &str = "neverafk_memory_resident_bytes";
pub const UPTIME_SECONDS: &str = "neverafk_uptime_seconds";
pub const BUILD: &str = "neverafk_build_info";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// Every metric, its unit, and what it means.
const ALL: &[(&str, Kind, Unit, &str)] = &[
    (HTTP_REQUESTS, Kind::Counter, Unit::Count, "Requests answered, by route, method and status"),
    (HTTP_SECONDS, Kind::Histogram, Unit::Seconds, "Time until the head of an answer, by route"),
    (HTTP_UNDER_WAY, Kind::Gauge, Unit::Count, "Requests whose answer has not begun"),
    (ANSWERS, Kind::Counter, Unit::Count, "Questions answered, by agent, model, abstained and cached"),
    (
        ANSWER_SECONDS,
        Kind::Histogram,
        Unit::Seconds,
        "Time from a question to its evidence, first word and end, by stage",
    ),
    (TOKENS, Kind::Counter, Unit::Count, "Tokens that chat models read and wrote, by direction"),
    (
        COST,
        Kind::Counter,
        Unit::Count,
        "What chat models cost by the prices of their providers, in millionths of the settings' currency, by model",
    ),
    (CREDITS, Kind::Counter, Unit::Count, "Credits that answers were paid with, by how they came about"),
    (
        CACHE_LOOKUPS,
        Kind::Counter,
        Unit::Count,
        "Questions looked for among earlier answers, by outcome: the same words, the same in other words, or none",
    ),
    (RERANKINGS, Kind::Counter, Unit::Count, "Rankings given to a reranker, by outcome"),
    (ENTAILMENTS, Kind::Counter, Unit::Count, "Generated sentences given to an entailment model, by outcome"),
    (ESCALATIONS, Kind::Counter, Unit::Count, "Conversations handed to a person, by reason"),
    (FEEDBACK, Kind::Counter, Unit::Count, "What students said of answers, by helpful and reason"),
    (DOCUMENTS, Kind::Counter, Unit::Count, "Documents made searchable"),
    (INGEST_BYTES, Kind::Counter, Unit::Bytes, "Bytes of the originals of these documents"),
    (DOCUMENT_FAILURES, Kind::Counter, Unit::Count, "Queued documents that were given up"),
    (EVENTS, Kind::Counter, Unit::Count, "Events, by kind"),
    (EVENTS_MISSED, Kind::Counter, Unit::Count, "Events that these counters did not see for want of time"),
    (DELIVERIES, Kind::Counter, Unit::Count, "Tries to deliver to webhooks, by outcome"),
    (DELIVERIES_WAITING, Kind::Gauge, Unit::Count, "Deliveries that wait for their time"),
    (MAILS, Kind::Counter, Unit::Count, "Tries to send a mail, by outcome"),
    (MAILS_WAITING, Kind::Gauge, Unit::Count, "Mails that wait for their time"),
    (SOCKETS, Kind::Gauge, Unit::Count, "Open WebSockets"),
    (ANSWERS_UNDER_WAY, Kind::Gauge, Unit::Count, "Answers being made"),
    (ANSWER_PLACES, Kind::Gauge, Unit::Count, "Answers that may be made at once"),
    (JOBS, Kind::Gauge, Unit::Count, "Jobs that are not done, by state"),
    (CREATORS, Kind::Gauge, Unit::Count, "Creators"),
    (STORE_BYTES, Kind::Gauge, Unit::Bytes, "Size of the database file"),
    (MEMORY_BYTES, Kind::Gauge, Unit::Bytes, "Memory of this process that is in RAM"),
    (UPTIME_SECONDS, Kind::Gauge, Unit::Seconds, "Time since the start"),
    (BUILD, Kind::Gauge, Unit::Count, "Always 1; the label says which version runs"),
];

/// From a quotation out of memory (a millisecond) to a chat model on a slow machine (minutes).
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0];

/// Names of models beyond so many count as `other`.
const MOST_MODELS: usize = 32;

/// Begins to count; the handle writes the numbers as text. A second call gives the same.
pub fn install() -> Result<PrometheusHandle, Problem> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let histograms = Matcher::Suffix("_seconds".to_owned());
    let builder =
        PrometheusBuilder::new().set_buckets_for_metric(histograms, SECONDS).map_err(Problem::internal)?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(|error| Problem::internal(error.to_string()))?;
    for &(name, kind, unit, meaning) in ALL {
        match kind {
            Kind::Counter => describe_counter!(name, unit, meaning),
            Kind::Gauge => describe_gauge!(name, unit, meaning),
            Kind::Histogram => describe_histogram!(name, unit, meaning),
        }
    }
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Counts what happened.
pub fn observe(told: &Told) {
    counter!(EVENTS, "kind" => told.event.kind.as_str()).increment(1);
    match (&told.matter, told.event.kind) {
        (Matter::Turn(turn), EventKind::AnswerCreated) => answered(turn),
        (Matter::Turn(turn), EventKind::FeedbackGiven) => judged(turn),
        (Matter::Ticket(ticket), EventKind::ConversationEscalated) => {
            counter!(ESCALATIONS, "reason" => agent(&ticket.reason)).increment(1);
        }
        (Matter::Documents { count, bytes, .. }, _) => {
            counter!(DOCUMENTS).increment(*count);
            counter!(INGEST_BYTES).increment(*bytes);
        }
        (Matter::Job(_), EventKind::DocumentFailed) => counter!(DOCUMENT_FAILURES).increment(1),
        _ => {}
    }
}

/// Counts a try to deliver to a webhook.
pub fn tried(arrived: bool) {
    counter!(DELIVERIES, "outcome" => if arrived { "delivered" } else { "failed" }).increment(1);
}

/// Counts a try to send a mail.
pub fn mailed(sent: bool) {
    counter!(MAILS, "outcome" => if sent { "sent" } else { "failed" }).increment(1);
}

/// Counts what was paid for an answer.
pub fn paid(charge: &Charge) {
    counter!(CREDITS, "served" => charge.served.as_str()).increment(charge.credits);
}

fn answered(turn: &Turn) {
    let answer = &turn.answer;
    let yes = |yes: bool| if yes { "true" } else { "false" };
    counter!(ANSWERS, "agent" => agent(&answer.agent), "model" => model(&answer.model),
        "abstained" => yes(answer.abstained), "cached" => yes(answer.cached))
    .increment(1);
    let times = &answer.timings_ms;
    for (stage, ms) in
        [("retrieve", times.retrieve), ("first_token", times.first_token), ("total", times.total)]
    {
        histogram!(ANSWER_SECONDS, "stage" => stage).record(ms / 1000.0);
    }
    if let Some(outcome) = turn.trace.as_ref().and_then(|trace| trace.cache.as_ref()) {
        counter!(CACHE_LOOKUPS, "outcome" => agent(outcome)).increment(1);
    }
    for reranking in
        turn.trace.iter().flat_map(|trace| &trace.parts).filter_map(|part| part.reranking.as_ref())
    {
        counter!(RERANKINGS, "outcome" => agent(&reranking.outcome)).increment(1);
    }
    if let Some(checked) = turn.trace.as_ref().and_then(|trace| trace.entailment.as_ref()) {
        let outcomes = [
            ("contradicted", checked.contradicted),
            ("not_contradicted", checked.not_contradicted),
            ("not_asked", checked.not_asked),
        ];
        for (outcome, count) in outcomes {
            counter!(ENTAILMENTS, "outcome" => outcome).increment(count as u64);
        }
    }
    counter!(TOKENS, "direction" => "prompt").increment(u64::from(answer.usage.prompt_tokens));
    counter!(TOKENS, "direction" => "completion").increment(u64::from(answer.usage.completion_tokens));
    for cost in turn.trace.iter().flat_map(|trace| &trace.costs) {
        // A counter has whole numbers: a millionth of a dollar is a token or so of the cheapest models.
        counter!(COST, "model" => model(&cost.model)).increment((cost.amount * 1e6).round() as u64);
    }
}

fn judged(turn: &Turn) {
    let Some(given) = &turn.feedback else { return };
    let reason = given.reason.map_or("none", Reason::as_str);
    counter!(FEEDBACK, "helpful" => if given.helpful { "true" } else { "false" }, "reason" => reason)
        .increment(1);
}

/// Agents and reasons are words of this program; what is not one of its words is `other`.
fn agent(name: &str) -> String {
    let plain = name.len() <= 32 && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if plain { name.to_owned() } else { "other".to_owned() }
}

/// Models are named by settings and by creators' choices among them; the list is bounded all the same.
fn model(name: &str) -> String {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let mut seen = SEEN.lock().unwrap_or_else(PoisonError::into_inner);
    let seen = seen.get_or_insert_default();
    if seen.contains(name) || (seen.len() < MOST_MODELS && seen.insert(name.to_owned())) {
        name.to_owned()
    } else {
        "other".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Served, Terms};

    #[test]
    fn the_list_names_each_metric_once_and_as_prometheus_wants_it() {
        let mut seen = HashSet::new();
        for &(name, kind, _, meaning) in ALL {
            assert!(seen.insert(name), "{name} stands twice");
            assert!(name.starts_with("neverafk_") && !meaning.is_empty(), "{name}");
            assert_eq!(name.ends_with("_total"), kind == Kind::Counter, "{name}");
            assert!(kind != Kind::Histogram || name.ends_with("_seconds"), "{name}");
        }
    }

    #[test]
    fn credits_are_counted_by_how_an_answer_came_about() {
        let handle = install().unwrap();
        let terms = Terms { month: 202_611, included: None, soft_limit: 0.8 };
        paid(&Charge { served: Served::Cached, credits: 3, terms });
        let text = handle.render();
        assert!(text.contains("neverafk_credits_spent_total{served=\"cached\"} 3"), "{text}");
    }

    #[test]
    fn mails_are_counted_by_how_they_fared() {
        let handle = install().unwrap();
        mailed(true);
        mailed(false);
        let text = handle.render();
        for line in ["neverafk_mails_total{outcome=\"sent\"} ", "neverafk_mails_total{outcome=\"failed\"} "] {
            assert!(text.contains(line), "{text}");
        }
    }

    #[test]
    fn labels_have_few_values() {
        assert_eq!((agent("course"), agent("Ana <a@b.example>")), ("course".to_owned(), "other".to_owned()));
        for number in 0..MOST_MODELS {
            model(&format!("model-{number}"));
        }
        assert_eq!(model("one too many"), "other");
        assert_eq!(model("model-1"), "model-1");
    }
}

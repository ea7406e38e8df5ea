//! Writes down what the stages decided, as [`AnswerTrace`]. Pure; called by [`super::run`] as the stages are done.

use super::agents::Found;
use super::guard::Verdict;
use super::route::{By, Part};
use crate::domain::trace::{GuardTrace, HitTrace, PartTrace};

/// The guard's judgement.
pub fn guard(verdict: &Verdict) -> GuardTrace {
    GuardTrace { score: verdict.score, blocked: verdict.reason.map(|reason| reason.name().to_owned()) }
}

/// A part of the turn before anything is looked up.
pub fn part(part: &Part) -> PartTrace {
    let by = match part.by {
        By::Rule => "rule",
        By::Example => "example",
        By::Default => "default",
    };
    PartTrace {
        routed: part.agent.name().to_owned(),
        by: by.to_owned(),
        agent: part.agent.name().to_owned(),
        question: None,
        confidence: None,
        reranking: None,
        hits: Vec::new(),
    }
}

/// The same with what was found.
pub fn found(trace: PartTrace, found: &Found) -> PartTrace {
    let agent = found.part.agent.name().to_owned();
    let Some(evidence) = &found.evidence else { return PartTrace { agent, ..trace } };
    let hits = evidence.passages.iter().enumerate().map(|(place, passage)| HitTrace {
        chunk_id: passage.chunk.id.0,
        document_id: passage.document.id.clone(),
        score: passage.hit.score,
        picked: evidence.picked.iter().filter(|picked| picked.passage == place).count(),
    });
    PartTrace {
        agent,
        question: Some(evidence.question.clone()),
        confidence: Some(evidence.confidence),
        reranking: evidence.reranking.clone(),
        hits: hits.collect(),
        ..trace
    }
}

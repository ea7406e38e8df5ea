//! Writes down what the stages decided, as [`AnswerTrace`]. Pure; called by [`super::run`] as the stages are done.

use super::agents::Found;
use super::guard::Verdict;
use super::route::{By, Part};
use super::{Answering, Asked};
use crate::domain::AnswerTrace;
use crate::domain::trace::{Circumstances, GuardTrace, HitTrace, PartTrace};

/// A trace before the first stage.
pub fn begun(answering: &Answering, asked: &Asked) -> AnswerTrace {
    let (options, question) = (&answering.options, &asked.question);
    let circumstances = Circumstances {
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        generation: asked.creator.generation,
        language: question.language.clone(),
        lesson: question.lesson.clone(),
        position_ms: question.position_ms,
        models: answering.chat.links.iter().map(|link| link.name().to_owned()).collect(),
        max_sentences: options.max_sentences,
        max_tokens: options.max_tokens,
        passages: options.passages,
        guard_threshold: answering.guard.as_ref().map(|_| options.guard_threshold),
        seed: options.seed,
    };
    AnswerTrace {
        threshold: options.threshold,
        circumstances: Some(circumstances),
        experiment: asked.variant.clone(),
        ..AnswerTrace::default()
    }
}

/// The guard's judgement.
pub fn guard(verdict: &Verdict) -> GuardTrace {
    GuardTrace { score: verdict.score, blocked: verdict.reason.map(|reason| reason.name().to_owned()) }
}

/// A part of the turn before anything is looked up.
pub fn part(part: &Part) -> PartTrace {
    let by = match part.by {
        By::Rule => "rule",
        By::Example => "example",
        By::Correction => "correction",
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

//! An answer once more: from its trace, in its circumstances, over the content as it is now; and the first stage whose
//! result is another one.
//!
//! Comes in: the id of a kept answer. Goes out: each stage then and now. Nothing is kept and no cache is asked. Settings
//! that a trace does not hold (policies, examples, phrases) are those of now. Called by `cli/replay.rs`.

use serde::Serialize;
use serde_json::{Value, json};

use super::{App, HISTORY, Wishes};
use crate::answer::{self, Asked};
use crate::domain::trace::PartTrace;
use crate::domain::{AnswerTrace, MessageId, Question, Turn};
use crate::events::rfc3339;
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// Differences of probabilities and scores below this are of the arithmetic, not of the result.
const SAME: f32 = 1e-3;

/// An answer then and now.
#[derive(Debug, Clone, Serialize)]
pub struct Replay {
    pub message_id: String,
    pub conversation_id: String,
    pub question: String,
    /// RFC 3339.
    pub asked_at: String,
    /// How often the content had changed, then and now; then is `null` for answers that were not traced so far.
    pub content: [Option<u64>; 2],
    /// What is set otherwise now than it was then.
    pub changed: Vec<Changed>,
    /// The first stage whose result is another one; `null` where all are the same.
    pub first_difference: Option<&'static str>,
    pub stages: Vec<Stage>,
}

/// A circumstance that an answer today would be given in, and in which it is not repeated: those of then are.
#[derive(Debug, Clone, Serialize)]
pub struct Changed {
    pub what: &'static str,
    pub then: Value,
    pub now: Value,
}

/// A stage of an answer.
#[derive(Debug, Clone, Serialize)]
pub struct Stage {
    pub stage: &'static str,
    pub same: bool,
    pub then: Value,
    pub now: Value,
}

impl App {
    /// Answers a kept question again and compares.
    pub async fn replay(&self, message: &MessageId) -> Result<Replay, Problem> {
        let then = self.store.turn(message).await?.ok_or_else(|| unknown(message))?;
        let creator = self.as_varied(self.store.creator(&then.creator).await?, then.trace.as_ref()).await?;
        let trace = then.trace.clone().unwrap_or_default();
        let known = trace.circumstances.clone();
        let circumstances = known.clone().unwrap_or_default();
        let wishes = Wishes {
            // Quotations stand in for models that fail: the same answer does not need those.
            model: Some(then.answer.model.clone()),
            seed: known.as_ref().map(|known| known.seed),
            forget: true,
            ..Wishes::default()
        };
        let mut answering = self.answering(&creator, &wishes, super::now()).await?;
        let changed = self.changed(&creator, &trace).await?;
        if let Some(known) = &known {
            let options = &mut answering.options;
            (options.max_sentences, options.max_tokens) = (known.max_sentences, known.max_tokens);
            options.passages = known.passages;
            match known.guard_threshold {
                None => answering.guard = None,
                Some(threshold) => {
                    answering.guard = Some(self.guard().await?);
                    options.guard_threshold = threshold;
                }
            }
        }
        if then.trace.is_some() {
            answering.options.threshold = trace.threshold;
        }
        let mut question = Question::parse(&then.question, creator.id.clone())?
            .at(circumstances.lesson.as_deref(), circumstances.position_ms)?
            .in_language(circumstances.language.as_deref().unwrap_or_default())?;
        question.conversation = Some(then.conversation.clone());
        let generation = creator.generation;
        let asked = Asked {
            question,
            conversation: then.conversation.clone(),
            history: self.before(&then).await?,
            message: then.id.clone(),
            now: then.created_at,
            keep: false,
            student: self.store.student_of(&creator.id, &then.conversation).await?,
            variant: trace.experiment.clone(),
            bill: None,
            creator,
        };
        let now = answer::turn_of(&answering, asked).await?;
        let stages = stages(&then, &now);
        Ok(Replay {
            message_id: then.id.to_string(),
            conversation_id: then.conversation.to_string(),
            question: then.question,
            asked_at: rfc3339(then.created_at),
            content: [known.map(|known| known.generation), Some(generation)],
            changed,
            first_difference: stages.iter().find(|stage| !stage.same).map(|stage| stage.stage),
            stages,
        })
    }

    /// What an answer to somebody else would be given with now, where it is not what the trace tells.
    async fn changed(&self, creator: &Creator, then: &AnswerTrace) -> Result<Vec<Changed>, Problem> {
        let Some(known) = &then.circumstances else { return Ok(Vec::new()) };
        let now = self.answering(creator, &Wishes::default(), super::now()).await?;
        let models: Vec<_> = now.chat.links.iter().map(|link| link.name()).collect();
        let guard = now.guard.as_ref().map(|_| now.options.guard_threshold);
        let options = &now.options;
        let all = [
            // Of answers that older versions gave it is not known.
            ("version", json!(known.version), json!(known.version.as_ref().map(|_| self.version()))),
            ("models", json!(known.models), json!(models)),
            ("threshold", json!(then.threshold), json!(options.threshold)),
            ("guard_threshold", json!(known.guard_threshold), json!(guard)),
            ("max_sentences", json!(known.max_sentences), json!(options.max_sentences)),
            ("max_tokens", json!(known.max_tokens), json!(options.max_tokens)),
            ("passages", json!(known.passages), json!(options.passages)),
        ];
        let changed = all.into_iter().filter(|(_, then, now)| !same(then, now));
        Ok(changed.map(|(what, then, now)| Changed { what, then, now }).collect())
    }

    /// The turns of the conversation that the answer could look back at, oldest first.
    async fn before(&self, turn: &Turn) -> Result<Vec<Turn>, Problem> {
        let mut all = self.store.conversation(&turn.creator, &turn.conversation, usize::MAX).await?;
        let own = all.iter().position(|other| other.id == turn.id).unwrap_or(all.len());
        all.truncate(own);
        Ok(all.split_off(own.saturating_sub(HISTORY)))
    }
}

fn stages(then: &Turn, now: &Turn) -> Vec<Stage> {
    let mut stages = Vec::new();
    let mut add = |stage, values: [Value; 2]| {
        let [then, now] = values;
        stages.push(Stage { stage, same: same(&then, &now), then, now });
    };
    // Of an answer whose document was deleted only numbers are left.
    let kept = then.trace.as_ref().filter(|_| !then.is_emptied());
    if let (Some(was), Some(is)) = (kept, &now.trace) {
        add("guard", [was, is].map(|trace| json!(trace.guard)));
        // What was given again from the cache went through no other stage.
        if !was.cached {
            add("route", [was, is].map(route));
            add("retrieve", [was, is].map(|trace| each(trace, retrieved)));
            add("judge", [was, is].map(|trace| each(trace, judged)));
        }
    }
    add("answer", [then, now].map(answered));
    stages
}

fn route(trace: &AnswerTrace) -> Value {
    let parts = each(trace, |part| json!({ "agent": part.routed, "by": part.by }));
    json!({ "standalone": trace.standalone, "parts": parts })
}

fn retrieved(part: &PartTrace) -> Value {
    let hits = part.hits.iter().map(|hit| json!({ "chunk_id": hit.chunk_id, "score": hit.score }));
    json!({ "question": part.question, "hits": hits.collect::<Vec<_>>() })
}

fn judged(part: &PartTrace) -> Value {
    let picked: Vec<_> = part.hits.iter().filter(|hit| hit.picked > 0).map(|hit| hit.chunk_id).collect();
    json!({ "agent": part.agent, "confidence": part.confidence, "picked": picked })
}

fn each(trace: &AnswerTrace, of: impl Fn(&PartTrace) -> Value) -> Value {
    trace.parts.iter().map(of).collect()
}

fn answered(turn: &Turn) -> Value {
    let answer = &turn.answer;
    let quotes: Vec<_> = answer.citations.iter().map(|citation| &citation.quote).collect();
    json!({
        "agent": answer.agent, "model": answer.model, "abstained": answer.abstained, "response": answer.response,
        "quotes": quotes,
    })
}

/// Whether two results are the same, numbers with a fraction within [`SAME`].
fn same(then: &Value, now: &Value) -> bool {
    match (then, now) {
        (Value::Number(then), Value::Number(now)) => match (then.as_f64(), now.as_f64()) {
            (Some(a), Some(b)) if then.is_f64() || now.is_f64() => (a - b).abs() <= f64::from(SAME),
            _ => then == now,
        },
        (Value::Array(then), Value::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| same(then, now))
        }
        (Value::Object(then), Value::Object(now)) => {
            then.len() == now.len()
                && then.iter().all(|(name, then)| now.get(name).is_some_and(|now| same(then, now)))
        }
        _ => then == now,
    }
}

fn unknown(message: &MessageId) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_message",
        format!("there is no answer `{message}`"),
        "`GET /conversations/{creator}` lists answers with their ids",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_the_same_up_to_the_arithmetic() {
        for (then, now, expected) in [
            (json!({"score": 0.5, "id": 3}), json!({"score": 0.5004, "id": 3}), true),
            (json!({"score": 0.5, "id": 3}), json!({"score": 0.5, "id": 4}), false),
            (json!([0.1, 0.2]), json!([0.1]), false),
            (json!({"a": null}), json!({"a": 0.0}), false),
            (json!({"a": 1}), json!({"b": 1}), false),
            (json!("x"), json!("x"), true),
        ] {
            assert_eq!(same(&then, &now), expected, "{then} {now}");
        }
    }
}

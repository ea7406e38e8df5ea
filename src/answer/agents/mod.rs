//! The agents: what each looks up, and what it says.
//!
//! Comes in: a part of a turn with its agent ([`route`](super::route)). Goes out: a [`Draft`]. Course content may be
//! phrased by a chat model and is proved sentence by sentence; policies are quoted and never phrased ([`policy`]); a
//! student's progress is read from what the creator's site reported ([`progress`]); the rest are set phrases, which look
//! up nothing. Called by [`super::run`].

pub mod policy;
pub mod progress;

use super::compose::{self, extractive};
use super::phrases::Voice;
use super::route::{self, Agent, Part};
use super::{AnswerError, Answering, Asked, Draft, Events, Evidence, chain};
use crate::domain::{Escalation, Memory, Usage};
use crate::index::analyze::Language;
use progress::Standing;

/// A part of a turn with what was found for it.
pub struct Found {
    pub part: Part,
    /// Of agents that look something up.
    pub evidence: Option<Evidence>,
    /// Of a question about the student's own progress.
    pub standing: Option<Standing>,
}

impl Found {
    /// Whether the content answers this part.
    fn is_answered(&self, threshold: f32) -> bool {
        self.evidence
            .as_ref()
            .is_some_and(|evidence| evidence.confidence >= threshold && !evidence.picked.is_empty())
    }
}

/// Looks up what the agent of a part needs; `whole` says what a follow-up leaves unsaid.
pub async fn look_up(
    answering: &Answering,
    asked: &Asked,
    mut part: Part,
    whole: Option<&str>,
    language: Option<Language>,
) -> Result<Found, AnswerError> {
    let threshold = answering.options.threshold;
    let asks_for_certificate = || route::progress_asks(&part.text).certificate;
    let standing = match part.agent {
        Agent::Progress => Some(progress::standing(answering, asked, &part.text).await?),
        // When one gets it, the conditions say; how far one is from it, the progress.
        Agent::Policy if asked.student.is_some() && asks_for_certificate() => {
            Some(progress::standing(answering, asked, &part.text).await?).filter(Standing::is_known)
        }
        _ => None,
    };
    let evidence = match part.agent {
        Agent::Escalation | Agent::SmallTalk => None,
        Agent::Progress if standing.as_ref().is_some_and(Standing::is_known) && asks_for_certificate() => {
            policy::evidence(answering, asked, &part.text, whole, language).await?
        }
        Agent::Progress => None,
        Agent::Course => Some(super::evidence(answering, asked, &part.text, whole, language).await?),
        // Only the content knows what is its own: a course on poetry has the poem that was asked for.
        Agent::NotOurs => {
            let found = super::evidence(answering, asked, &part.text, whole, language).await?;
            if found.confidence >= threshold {
                part.agent = Agent::Course;
            }
            Some(found)
        }
        Agent::Policy => match policy::evidence(answering, asked, &part.text, whole, language).await? {
            Some(found) if found.confidence >= threshold => {
                Some(Evidence { asked_of: Agent::Policy, ..found })
            }
            // No policy holds it, perhaps because nothing is marked as one: what else the course says is better than
            // nothing, and is not said to be a policy.
            marked => {
                if marked.is_some() {
                    part.agent = Agent::Course;
                }
                let found = super::evidence(answering, asked, &part.text, whole, language).await?;
                Some(Evidence { asked_of: Agent::Policy, ..found })
            }
        },
    };
    Ok(Found { part, evidence, standing })
}

/// Answers a turn from what was found for its parts.
pub async fn reply(
    answering: &Answering,
    asked: &Asked,
    found: &[Found],
    memory: &Memory,
    voice: &Voice<'_>,
    events: &mut Events,
) -> Result<Draft, AnswerError> {
    let threshold = answering.options.threshold;
    if let [Found { part: Part { agent: Agent::Course, .. }, evidence: Some(evidence), standing: None }] =
        found
        && found[0].is_answered(threshold)
        && !evidence.is_corrected
    {
        let draft = chain::phrase(answering, asked, evidence, voice, events).await?;
        return Ok(Draft { confidence: evidence.confidence, ..draft });
    }
    // Two agents never share one model's text: what is answered is quoted.
    let drafts = found.iter().map(|found| draft(found, threshold, memory, voice)).collect();
    let draft = compose::together(drafts);
    events.sources(&draft.citations).await;
    events.text(&draft.response).await;
    Ok(draft)
}

/// What one agent says without a chat model.
fn draft(found: &Found, threshold: f32, memory: &Memory, voice: &Voice) -> Draft {
    let Found { part, evidence, standing } = found;
    let agent = part.agent.name();
    if let Some(standing) = standing {
        return progressed(found, standing.say(voice), threshold, voice);
    }
    let Some(evidence) = evidence else {
        return Draft {
            escalation: part.escalation,
            // A set phrase claims nothing of the content.
            confidence: 1.0,
            agents: vec![agent],
            abstained: false,
            ..compose::phrase(say(part.phrase, memory, voice))
        };
    };
    let confidence = evidence.confidence;
    if found.is_answered(threshold) {
        let intro = if part.agent == Agent::Policy { "policy_intro" } else { "intro" };
        return Draft { agents: vec![agent], confidence, ..extractive(evidence, &voice.say(intro)) };
    }
    match part.agent {
        Agent::NotOurs => Draft {
            agents: vec![agent],
            confidence,
            escalation: Some(Escalation::NotOurs),
            ..compose::phrase(voice.say("not_ours"))
        },
        _ => Draft { confidence, ..compose::decline(voice) },
    }
}

/// A student's progress, and behind it the conditions that were asked for with it.
fn progressed(found: &Found, said: String, threshold: f32, voice: &Voice) -> Draft {
    let Found { part, evidence, .. } = found;
    let evidence = evidence.as_ref().filter(|_| found.is_answered(threshold));
    let Some(evidence) = evidence else {
        return Draft {
            agents: vec![Agent::Progress.name()],
            confidence: 1.0,
            abstained: false,
            ..compose::phrase(said)
        };
    };
    let (agent, intro) = match part.agent {
        Agent::Course => (Agent::Course, "intro"),
        _ => (Agent::Policy, "policy_intro"),
    };
    let quoted = extractive(evidence, &voice.say(intro));
    Draft {
        response: format!("{said}\n\n{}", quoted.response),
        agents: vec![Agent::Progress.name(), agent.name()],
        ..quoted
    }
}

/// A set phrase, with what the student said of themselves where it has a place for it.
fn say(phrase: &str, memory: &Memory, voice: &Voice) -> String {
    match (phrase, memory.fact("name")) {
        ("greeting", Some(name)) => voice.say_with("greeting_named", "{student}", name),
        ("recall", _) if memory.facts.is_empty() => voice.say("recall_none"),
        ("recall", _) => {
            let facts: Vec<String> = memory.facts.iter().map(|fact| format!("“{}”", fact.text)).collect();
            voice.say_with("recall", "{facts}", &facts.join(", "))
        }
        _ => voice.say(phrase),
    }
}

/// An answer to a question that the guard blocks: nothing was looked up and no model was asked.
pub fn refuse(voice: &Voice) -> Draft {
    Draft {
        agents: vec!["guard"],
        escalation: Some(Escalation::Blocked),
        usage: Usage::default(),
        ..compose::phrase(voice.say("refuse"))
    }
}

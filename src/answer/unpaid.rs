//! The answer when a creator's credits are used up: a phrase of its own, kept as a turn that fetches a person.
//!
//! Comes in: a question that nobody pays for any more. Goes out: the events of an answer in its usual shape. Nothing is
//! looked up, no model is asked, and the guard is not either; `app` decides when.

use std::time::Instant;

use tokio::sync::mpsc;

use super::phrases::Voice;
use super::{
    AnswerError, AnswerStream, Asked, Draft, EVENTS, Events, compose, finish, memory, record, spoken, turn,
};
use crate::domain::{AnswerEvent, AnswerTrace, Escalation};
use crate::index::analyze::Language;
use crate::store::Store;

/// Name of the agent that says so.
const AGENT: &str = "credits";

/// Says that a person will answer; a question that is not to be kept leaves nothing behind.
pub fn unpaid(store: Store, asked: Asked) -> AnswerStream {
    let (sender, receiver) = mpsc::channel(EVENTS);
    tokio::spawn(async move {
        let events =
            Events { sender: sender.clone(), began: Instant::now(), first_token: None, sources_sent: false };
        let finished = tokio::select! {
            finished = say(&store, &asked, events) => finished,
            () = sender.closed() => return,
        };
        if let Err(error) = finished {
            // Nobody left to tell when the stream was dropped meanwhile.
            let _ = sender.send(Err(error)).await;
        }
    });
    receiver
}

async fn say(store: &Store, asked: &Asked, mut events: Events) -> Result<(), AnswerError> {
    let given = asked.question.language.as_deref().map(Language::of_code);
    let language = spoken(asked, given, None).unwrap_or(Language::ENGLISH);
    let voice = Voice::of(&asked.creator, language);
    let draft = Draft {
        agents: vec![AGENT],
        escalation: Some(Escalation::CreditsUsedUp),
        ..compose::phrase(voice.say("credits_used_up"))
    };
    events.sources(&[]).await;
    events.text(&draft.response).await;
    let answer = finish(asked, draft, language, events.elapsed_ms(), &events);
    if asked.keep {
        // What the student said of themselves is remembered; the question is no subject, as nothing was looked up.
        let memory = memory::after(memory::of(&asked.history), asked.question.text(), None);
        record(store, asked, turn(asked, &answer, memory, AnswerTrace::default())).await?;
    }
    events.send(AnswerEvent::Done(Box::new(answer))).await;
    Ok(())
}

//! An event as JSON: `{"id", "type", "timestamp", "data"}`, the same for webhooks and sockets.
//!
//! `data` is made from the thing as it is when it is told. What was erased meanwhile has none, and is not told.

use serde_json::{Value, json};

use super::rfc3339;
use crate::domain::{Document, Event, Job, JobState, Matter, Message, Ticket, Turn};
use crate::store::{Store, StoreError};

/// The whole event.
pub fn of(event: &Event, matter: &Matter) -> Value {
    let mut data = data(matter);
    if let (Matter::Documents { .. }, Some(count)) = (matter, event.subject.count) {
        data["count"] = count.into();
    }
    json!({
        "id": event.id,
        "type": event.kind,
        "timestamp": rfc3339(event.at),
        "creator_id": event.creator,
        "data": data,
    })
}

/// The thing that a kept event is about, as it is now; `None` when it is gone.
pub async fn look_up(store: &Store, event: &Event) -> Result<Option<Matter>, StoreError> {
    use crate::domain::EventKind as Kind;
    let subject = &event.subject;
    Ok(match event.kind {
        Kind::WebhookTest => Some(Matter::Nothing),
        Kind::CreditsLow => subject.count.map(Matter::Credits),
        Kind::Typing => None,
        Kind::AnswerCreated | Kind::FeedbackGiven | Kind::AnswerCorrected => match &subject.message {
            Some(id) => store.turn(id).await?.map(|turn| Matter::Turn(Box::new(turn))),
            None => None,
        },
        Kind::MessageCreated => match (&subject.conversation, &subject.message) {
            (Some(conversation), Some(id)) => {
                let all = store.messages(&event.creator, conversation, usize::MAX).await?;
                all.into_iter()
                    .find(|message| message.id == *id)
                    .map(|message| Matter::Message(Box::new(message)))
            }
            _ => None,
        },
        Kind::ConversationEscalated
        | Kind::ContactLeft
        | Kind::ConversationAssigned
        | Kind::ConversationResolved
        | Kind::ConversationTakenOver
        | Kind::ConversationHandedBack => match &subject.conversation {
            Some(id) => {
                store.ticket(&event.creator, id).await?.map(|ticket| Matter::Ticket(Box::new(ticket)))
            }
            None => None,
        },
        Kind::DocumentReady => match &subject.document {
            Some(id) => store.document(id).await?.map(|first| Matter::Documents {
                count: subject.count.unwrap_or(1),
                bytes: first.bytes,
                first: Box::new(first),
            }),
            None => None,
        },
        Kind::DocumentFailed => match &subject.job {
            Some(id) => store.job(id).await?.map(|job| Matter::Job(Box::new(job))),
            None => None,
        },
    })
}

fn data(matter: &Matter) -> Value {
    match matter {
        Matter::Turn(turn) => answer(turn),
        Matter::Ticket(found) => ticket(found),
        Matter::Message(said) => message(said),
        Matter::Documents { first, .. } => document(first),
        Matter::Job(found) => job(found),
        Matter::Credits(left) => json!({ "credits_left": left }),
        Matter::Typing(party) => json!({ "from": party }),
        Matter::Nothing => json!({}),
    }
}

fn answer(turn: &Turn) -> Value {
    let answer = &turn.answer;
    let mut body = json!({
        "conversation_id": turn.conversation, "message_id": turn.id, "question": turn.question,
        "response": answer.response, "sources": answer.sources, "should_escalate": answer.should_escalate,
        "abstained": answer.abstained, "confidence": answer.confidence, "groundedness": answer.groundedness,
        "agent": answer.agent, "model": answer.model, "language": answer.language,
        "created_at": rfc3339(turn.created_at),
    });
    if let Some(given) = &turn.feedback {
        body["feedback"] = json!({
            "helpful": given.helpful, "reason": given.reason, "comment": given.comment, "given_at": rfc3339(given.at),
        });
    }
    if let Some(correction) = &turn.correction {
        body["correction"] =
            json!({ "document_id": correction.document, "corrected_at": rfc3339(correction.at) });
    }
    body
}

/// A ticket without its notes, which are the creator's own.
pub fn ticket(ticket: &Ticket) -> Value {
    json!({
        "conversation_id": ticket.conversation, "state": ticket.state, "reason": ticket.reason,
        "question": ticket.question, "contact": ticket.contact, "assignee": ticket.assignee,
        "taken_over": ticket.taken_over, "created_at": rfc3339(ticket.created_at),
        "updated_at": rfc3339(ticket.updated_at),
    })
}

/// What somebody said.
pub fn message(message: &Message) -> Value {
    json!({
        "conversation_id": message.conversation, "message_id": message.id, "from": message.from,
        "by": message.by, "text": message.text, "created_at": rfc3339(message.at),
    })
}

fn document(document: &Document) -> Value {
    json!({
        "document_id": document.id, "external_id": document.external_id, "title": document.title,
        "source": document.source, "media": document.media.as_str(), "bytes": document.bytes,
        "warnings": document.warnings,
    })
}

fn job(job: &Job) -> Value {
    let reason = match &job.state {
        JobState::Parked { reason } => Some(reason),
        _ => None,
    };
    json!({ "job_id": job.id, "attempts": job.attempts, "reason": reason })
}

//! `/dashboard/{creator}/inbox/{conversation}`: one conversation that needs a person: what was said, how the student is
//! reached, and what can be done. Everything works by plain forms; `assets/dashboard/live.js` writes and hears live.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Done, Refusal, Shell};
use super::{inbox, replies};
use crate::app::now;
use crate::domain::{
    Contact, ConversationId, DeliveryState, EventKind, Mail, MailId, Message, MessageId, Note, Party, Ticket,
    TicketState, Turn,
};
use crate::http::AppState;
use crate::http::api::escalations::short;
use crate::http::extract::{Form, Path, Query};
use crate::problem::{Kind, Problem};

/// Turns and messages that are shown.
const LONGEST: usize = 200;
/// Longest message and note, in characters.
const MOST_TEXT: usize = 4_000;

#[derive(Template)]
#[template(path = "ticket.html", config = "assets/dashboard/askama.toml")]
struct Page {
    shell: Shell,
    id: String,
    question: String,
    reason: String,
    state: TicketState,
    /// Who has it, when that is somebody else.
    assignee: Option<String>,
    mine: bool,
    taken_over: bool,
    contact: Option<Contact>,
    said: Vec<Said>,
    history: Vec<Line>,
    replies: Vec<String>,
    /// What is written goes by mail as well, when the student is gone.
    by_mail: bool,
    me: String,
    /// What was typed, when it could not be sent, and why.
    typed: String,
    fault: Option<String>,
    done: Option<&'static str>,
}

/// Something that was said, by whom.
struct Said {
    id: String,
    who: Who,
    name: String,
    text: String,
    time: String,
    machine_time: String,
    /// How the mail fares that brings it to the student.
    mail: Option<String>,
}

#[derive(PartialEq, Eq)]
enum Who {
    Student,
    Assistant,
    Person,
}

impl Said {
    fn class(&self) -> &'static str {
        match self.who {
            Who::Student => "student",
            Who::Assistant => "assistant",
            Who::Person => "person",
        }
    }
}

/// A line of the ticket's history.
struct Line {
    by: String,
    text: String,
    time: String,
    machine_time: String,
}

/// `GET /dashboard/{creator}/inbox/{conversation}`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Query(Done { done }): Query<Done<String>>,
) -> Result<Response, Refusal> {
    let id: ConversationId = id.parse().map_err(|_| missing())?;
    let done = match done.as_str() {
        "say" => Some("Sent. The student sees it in the widget."),
        "assign" => Some("It is yours."),
        "take_over" => Some("You speak from now on; the assistant is silent."),
        "hand_back" => Some("The assistant answers again."),
        "resolve" => Some("Resolved. A new question that needs a person opens it again."),
        "note" => Some("Noted. Students do not see notes."),
        _ => None,
    };
    Ok(page::page(&Page { done, ..ticket(&app, &visitor, &place, &id).await? }))
}

async fn ticket(
    app: &AppState,
    visitor: &Visitor,
    place: &Place,
    id: &ConversationId,
) -> Result<Page, Problem> {
    let (store, creator) = (app.store(), &place.creator.id);
    let ticket = store.ticket(creator, id).await?.ok_or_else(missing)?;
    let turns = store.conversation(creator, id, LONGEST).await?;
    let messages = store.messages(creator, id, LONGEST).await?;
    let mut mails = HashMap::new();
    for message in messages.iter().filter(|message| message.from == Party::Person) {
        if let Some(mail) = store.mail(&MailId::of_reply(&message.id)).await? {
            mails.insert(message.id.clone(), fares(&mail));
        }
    }
    let by_mail = app.sends_mail() && ticket.contact.as_ref().is_some_and(|contact| contact.email.is_some());
    let me = visitor.name();
    let mine = ticket.assignee.as_deref() == Some(me.as_str());
    Ok(Page {
        id: id.to_string(),
        reason: inbox::reason(&ticket.reason).to_owned(),
        said: conversation(turns, messages, mails),
        history: ticket.notes.into_iter().rev().map(Line::from).collect(),
        question: ticket.question,
        state: ticket.state,
        assignee: ticket.assignee.filter(|_| !mine),
        mine,
        taken_over: ticket.taken_over,
        contact: ticket.contact,
        replies: replies::of(&place.creator),
        by_mail,
        me,
        typed: String::new(),
        fault: None,
        done: None,
        shell: Shell::new(visitor, place, "Inbox"),
    })
}

/// Questions, answers and what people said, in their order.
fn conversation(
    turns: Vec<Turn>,
    messages: Vec<Message>,
    mut mails: HashMap<MessageId, String>,
) -> Vec<Said> {
    let mut all: Vec<(u64, Said)> = Vec::new();
    for turn in turns {
        let (time, machine_time) = (page::moment(turn.created_at), page::machine_time(turn.created_at));
        let said = |who, name: &str, text| Said {
            id: String::new(),
            who,
            name: name.to_owned(),
            text,
            time: time.clone(),
            machine_time: machine_time.clone(),
            mail: None,
        };
        all.push((turn.created_at.0, said(Who::Student, "Student", turn.question)));
        all.push((turn.created_at.0, said(Who::Assistant, "Assistant", turn.answer.response)));
    }
    for message in messages {
        let (who, name) = match message.from {
            Party::Student => (Who::Student, "Student".to_owned()),
            Party::Person => (Who::Person, message.by.unwrap_or_else(|| "Somebody of the team".to_owned())),
        };
        let said = Said {
            mail: mails.remove(&message.id),
            id: message.id.to_string(),
            who,
            name,
            text: message.text,
            time: page::moment(message.at),
            machine_time: page::machine_time(message.at),
        };
        all.push((message.at.0, said));
    }
    // A question and its answer bear one time, and stay in their order.
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, said)| said).collect()
}

/// `by mail, 23 Nov 2026, 15:42`, or why not yet.
fn fares(mail: &Mail) -> String {
    let standing = &mail.standing;
    let last = standing.attempts.last();
    let fault = last.and_then(|attempt| attempt.error.as_deref()).unwrap_or("it was not tried yet");
    match standing.state {
        DeliveryState::Delivered => {
            format!("sent by mail, {}", page::moment(last.map_or(mail.created_at, |attempt| attempt.at)))
        }
        DeliveryState::Waiting if last.is_none() => "goes out by mail".to_owned(),
        DeliveryState::Waiting => {
            format!("goes out by mail again at {} ({fault})", page::moment(standing.next_at))
        }
        DeliveryState::Dead => format!("could not be sent by mail: {fault}"),
    }
}

impl From<Note> for Line {
    fn from(note: Note) -> Self {
        Self {
            by: note.by,
            text: note.text,
            time: page::moment(note.at),
            machine_time: page::machine_time(note.at),
        }
    }
}

/// What to do, and the words that go with it.
#[derive(Debug, Deserialize)]
pub struct Act {
    act: What,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Say,
    Assign,
    TakeOver,
    HandBack,
    Resolve,
    Note,
}

/// `POST /dashboard/{creator}/inbox/{conversation}`
pub async fn act(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
    Form(form): Form<Act>,
) -> Result<Response, Refusal> {
    let id: ConversationId = id.parse().map_err(|_| missing())?;
    if let Err(problem) = done(&app, &visitor, &place, &id, &form).await {
        if problem.kind != Kind::Invalid {
            return Err(problem.into());
        }
        let fault = Some(page::sentence(&problem.message));
        let again = Page { fault, typed: form.text, ..ticket(&app, &visitor, &place, &id).await? };
        return Ok(page::with_status(StatusCode::UNPROCESSABLE_ENTITY, &again));
    }
    let what = match form.act {
        What::Say => "say",
        What::Assign => "assign",
        What::TakeOver => "take_over",
        What::HandBack => "hand_back",
        What::Resolve => "resolve",
        What::Note => "note",
    };
    let to = format!("/dashboard/{}/inbox/{id}?done={what}", place.creator.id);
    Ok(Redirect::to(&to).into_response())
}

async fn done(
    app: &AppState,
    visitor: &Visitor,
    place: &Place,
    id: &ConversationId,
    form: &Act,
) -> Result<(), Problem> {
    let (creator, by, at) = (&place.creator.id, visitor.name(), now());
    match form.act {
        What::TakeOver => drop(app.take_over(creator, id, &by).await?),
        What::HandBack => drop(app.hand_back(creator, id, &by).await?),
        What::Assign => {
            change(app, place, id, Some(EventKind::ConversationAssigned), move |ticket| {
                ticket.assign(&by, &by, at);
            })
            .await?;
        }
        What::Resolve => {
            change(app, place, id, Some(EventKind::ConversationResolved), move |ticket| {
                ticket.resolve(&by, at);
            })
            .await?;
        }
        What::Note => {
            let text = words(&form.text)?;
            change(app, place, id, None, move |ticket| ticket.note(&by, &text, at)).await?;
        }
        What::Say => {
            let text = words(&form.text)?;
            app.store().ticket(creator, id).await?.ok_or_else(missing)?;
            app.say(creator, id, Party::Person, Some(by), text).await?;
        }
    }
    Ok(())
}

async fn change(
    app: &AppState,
    place: &Place,
    id: &ConversationId,
    kind: Option<EventKind>,
    change: impl FnMut(&mut Ticket) + Send + 'static,
) -> Result<(), Problem> {
    let changed = app.store().change_ticket(&place.creator.id, id, kind, change).await?;
    changed.map(drop).ok_or_else(missing)
}

fn words(text: &str) -> Result<String, Problem> {
    let text = short(text, "text", MOST_TEXT)?;
    if text.is_empty() {
        return Err(Problem::new(
            Kind::Invalid,
            "empty_text",
            "there is nothing to send yet",
            "write it first",
        ));
    }
    Ok(text)
}

fn missing() -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_escalation",
        "there is no such conversation in the inbox",
        "it may have been deleted; go back to the inbox",
    )
}

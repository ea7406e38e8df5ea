//! `/dashboard/{creator}/inbox`: the conversations that need a person, by where they stand. One of them is `ticket.rs`;
//! new ones appear live by `assets/dashboard/live.js`.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use super::replies;
use crate::domain::{Ticket, TicketState};
use crate::http::AppState;
use crate::http::extract::Query;

/// The newest that are looked through.
const LAST: usize = 500;

#[derive(Template)]
#[template(path = "inbox.html", config = "assets/dashboard/askama.toml")]
struct Inbox {
    shell: Shell,
    tabs: Vec<Tab>,
    rows: Vec<Row>,
    /// Older ones are not among them.
    all: bool,
    replies: Vec<String>,
    done: bool,
}

/// A state, and how many are in it.
struct Tab {
    state: &'static str,
    label: &'static str,
    count: usize,
    here: bool,
}

struct Row {
    id: String,
    question: String,
    reason: String,
    from: Option<String>,
    assignee: Option<String>,
    taken_over: bool,
    time: String,
    machine_time: String,
}

/// Which of them, and `?done=true` after a change.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    state: Option<TicketState>,
    #[serde(default)]
    done: bool,
}

const STATES: [(TicketState, &str); 3] =
    [(TicketState::Open, "Waiting"), (TicketState::Assigned, "In hand"), (TicketState::Resolved, "Resolved")];

/// `GET /dashboard/{creator}/inbox`
pub async fn show(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(Wanted { state, done }): Query<Wanted>,
) -> Result<Response, Refusal> {
    let tickets = app.store().tickets(&place.creator.id, None, LAST).await?;
    let state = state.unwrap_or(TicketState::Open);
    let tab = |(of, label): (TicketState, &'static str)| Tab {
        state: of.as_str(),
        label,
        count: tickets.iter().filter(|ticket| ticket.state == of).count(),
        here: of == state,
    };
    Ok(page::page(&Inbox {
        tabs: STATES.into_iter().map(tab).collect(),
        all: tickets.len() < LAST,
        rows: tickets.into_iter().filter(|ticket| ticket.state == state).map(Row::from).collect(),
        replies: replies::of(&place.creator),
        done,
        shell: Shell::new(&visitor, &place, "Inbox"),
    }))
}

impl From<Ticket> for Row {
    fn from(ticket: Ticket) -> Self {
        let contact = ticket.contact.unwrap_or_default();
        Self {
            id: ticket.conversation.to_string(),
            question: if ticket.question.is_empty() {
                "Would like to talk to a person".to_owned()
            } else {
                ticket.question
            },
            reason: reason(&ticket.reason).to_owned(),
            from: contact.name.or(contact.email),
            assignee: ticket.assignee,
            taken_over: ticket.taken_over,
            time: page::moment(ticket.updated_at),
            machine_time: page::machine_time(ticket.updated_at),
        }
    }
}

/// Why a person is needed, in words.
pub fn reason(name: &str) -> &str {
    match name {
        "not_in_content" => "not in the content",
        "not_ours" => "about something else",
        "blocked" => "looked like an attack",
        "human" | "asked_for_person" => "asked for a person",
        "anger" => "upset",
        "money_back" => "wants money back",
        "safety" => "may be in danger",
        other => other,
    }
}

//! `/api/v1/escalations`: conversations that need a person. Needs the creator's key. A ticket's id is that of its
//! conversation, as a conversation has one ticket at most.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::app::no_escalation;
use crate::domain::{ConversationId, EventKind, Message, Ticket, TicketState};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path, Query};
use crate::problem::{Kind, Problem};

/// Longest name of a person and longest text, in characters.
const MOST_NAME: usize = 120;
const MOST_TEXT: usize = 8_000;

/// Which tickets.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Which {
    /// `open`, `assigned` or `resolved`; all when absent.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    pub state: Option<TicketState>,
    /// 1 to 500.
    #[serde(default = "default_limit")]
    pub limit: usize,
}

fn default_limit() -> usize {
    50
}

/// The tickets of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Tickets {
    pub escalations: Vec<TicketBody>,
}

/// A conversation that needs a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TicketBody {
    /// The conversation's id.
    pub id: String,
    /// `open`, `assigned` or `resolved`.
    pub state: &'static str,
    /// Why: `not_in_content`, `asked_for_person`, or another reason as `escalation` of an answer names it.
    pub reason: String,
    /// What the student asked last.
    pub question: String,
    pub contact: Option<ContactBody>,
    pub assignee: Option<String>,
    /// A person speaks, and the assistant is silent.
    pub taken_over: bool,
    pub notes: Vec<NoteBody>,
    /// RFC 3339.
    pub created_at: String,
    pub updated_at: String,
}

/// How the student can be reached.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ContactBody {
    pub name: Option<String>,
    pub email: Option<String>,
    pub message: Option<String>,
}

/// A line of the ticket's history.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NoteBody {
    /// RFC 3339.
    pub at: String,
    /// Who; empty is the program.
    pub by: String,
    pub text: String,
}

/// A ticket with what was said in its conversation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TicketWhole {
    #[serde(flatten)]
    pub ticket: TicketBody,
    /// Questions and answers, oldest first.
    pub turns: Vec<super::conversations::TurnBody>,
    /// What the student and a person said to each other, oldest first.
    pub messages: Vec<MessageBody>,
}

/// What somebody said.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct MessageBody {
    pub id: String,
    /// `student` or `person`.
    pub from: &'static str,
    pub by: Option<String>,
    pub text: String,
    /// RFC 3339.
    pub created_at: String,
}

/// Who does it, and what goes with it.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Act {
    /// The name of whoever does this, as notes and students see it.
    #[serde(default)]
    pub by: Option<String>,
    /// To `assign`: to whom.
    #[serde(default)]
    pub assignee: Option<String>,
    /// To `reply`: the words for the student. To the others: a note for the creator's people.
    #[serde(default)]
    pub text: Option<String>,
}

impl From<Ticket> for TicketBody {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.conversation.to_string(),
            state: ticket.state.as_str(),
            reason: ticket.reason,
            question: ticket.question,
            contact: ticket.contact.map(|contact| ContactBody {
                name: contact.name,
                email: contact.email,
                message: contact.message,
            }),
            assignee: ticket.assignee,
            taken_over: ticket.taken_over,
            notes: ticket
                .notes
                .into_iter()
                .map(|note| NoteBody { at: rfc3339(note.at), by: note.by, text: note.text })
                .collect(),
            created_at: rfc3339(ticket.created_at),
            updated_at: rfc3339(ticket.updated_at),
        }
    }
}

impl From<Message> for MessageBody {
    fn from(message: Message) -> Self {
        Self {
            id: message.id.to_string(),
            from: message.from.as_str(),
            by: message.by,
            text: message.text,
            created_at: rfc3339(message.at),
        }
    }
}

/// Lists the conversations that need a person, newest first.
#[utoipa::path(get, path = "/api/v1/escalations", operation_id = "listEscalations", tag = "escalations", params(Which), security(("key" = [])),
    responses((status = 200, body = Tickets), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
    Query(which): Query<Which>,
) -> Result<axum::Json<Tickets>, ApiError> {
    let found = app.store().tickets(&principal.creator, which.state, which.limit.clamp(1, 500)).await?;
    Ok(axum::Json(Tickets { escalations: found.into_iter().map(TicketBody::from).collect() }))
}

/// Shows a ticket with its conversation.
#[utoipa::path(get, path = "/api/v1/escalations/{id}", operation_id = "showEscalation", tag = "escalations", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 200, body = TicketWhole), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<TicketWhole>, ApiError> {
    let id: ConversationId = id.parse()?;
    let (store, creator) = (app.store(), &principal.creator);
    let ticket = store.ticket(creator, &id).await?.ok_or_else(|| no_escalation(&id))?;
    let turns = store.conversation(creator, &id, 200).await?;
    let messages = store.messages(creator, &id, 200).await?;
    Ok(axum::Json(TicketWhole {
        ticket: ticket.into(),
        turns: turns.into_iter().map(Into::into).collect(),
        messages: messages.into_iter().map(Into::into).collect(),
    }))
}

/// Gives a ticket to somebody.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/assign", operation_id = "assignEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = TicketBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn assign(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let to = wanted(act.assignee.as_deref(), "assignee", MOST_NAME)?;
    let (by, note, at) = (name_of(&act)?, note_of(&act)?, crate::app::now());
    changed(&app, &principal, &id, Some(EventKind::ConversationAssigned), move |ticket| {
        ticket.assign(&to, &by, at);
        if let Some(note) = &note {
            ticket.note(&by, note, at);
        }
    })
    .await
}

/// Closes a ticket; the assistant speaks again. A later hand-over opens it again.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/resolve", operation_id = "resolveEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = TicketBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn resolve(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let (by, note, at) = (name_of(&act)?, note_of(&act)?, crate::app::now());
    changed(&app, &principal, &id, Some(EventKind::ConversationResolved), move |ticket| {
        if let Some(note) = &note {
            ticket.note(&by, note, at);
        }
        ticket.resolve(&by, at);
    })
    .await
}

/// Adds a note for the creator's people.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/notes", operation_id = "noteEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = TicketBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn note(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let text = wanted(act.text.as_deref(), "text", MOST_TEXT)?;
    let (by, at) = (name_of(&act)?, crate::app::now());
    changed(&app, &principal, &id, None, move |ticket| ticket.note(&by, &text, at)).await
}

/// Says something to the student, who sees it in the widget.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/reply", operation_id = "replyEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = MessageBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn reply(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<MessageBody>, ApiError> {
    let id: ConversationId = id.parse()?;
    let text = wanted(act.text.as_deref(), "text", MOST_TEXT)?;
    if app.store().ticket(&principal.creator, &id).await?.is_none() {
        return Err(no_escalation(&id).into());
    }
    let by = Some(name_of(&act)?).filter(|name| !name.is_empty());
    Ok(axum::Json(app.say(&principal.creator, &id, crate::domain::Party::Person, by, text).await?.into()))
}

/// Silences the assistant in a conversation: a person speaks.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/take-over", operation_id = "takeOverEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = TicketBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn take_over(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let id: ConversationId = id.parse()?;
    Ok(axum::Json(app.take_over(&principal.creator, &id, &name_of(&act)?).await?.into()))
}

/// Lets the assistant speak again.
#[utoipa::path(post, path = "/api/v1/escalations/{id}/hand-back", operation_id = "handBackEscalation", tag = "escalations", params(("id" = String, Path)),
    security(("key" = [])), request_body = Act, responses((status = 200, body = TicketBody), (status = 404, description = "not there", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn hand_back(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(act): Json<Act>,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let id: ConversationId = id.parse()?;
    Ok(axum::Json(app.hand_back(&principal.creator, &id, &name_of(&act)?).await?.into()))
}

async fn changed(
    app: &AppState,
    principal: &Principal,
    id: &str,
    kind: Option<EventKind>,
    change: impl FnMut(&mut Ticket) + Send + 'static,
) -> Result<axum::Json<TicketBody>, ApiError> {
    let id: ConversationId = id.parse()?;
    Ok(axum::Json(app.change_ticket(&principal.creator, &id, kind, change).await?.into()))
}

fn name_of(act: &Act) -> Result<String, Problem> {
    short(act.by.as_deref().unwrap_or_default(), "by", MOST_NAME)
}

fn note_of(act: &Act) -> Result<Option<String>, Problem> {
    let text = act.text.as_deref().map(|text| short(text, "text", MOST_TEXT)).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn wanted(text: Option<&str>, field: &str, most: usize) -> Result<String, Problem> {
    let text = short(text.unwrap_or_default(), field, most)?;
    if text.is_empty() {
        let message = format!("`{field}` is missing or empty");
        return Err(Problem::new(
            Kind::Invalid,
            "invalid_request",
            message,
            "see `/docs` for the fields of this request",
        ));
    }
    Ok(text)
}

/// Trimmed, without control characters but for the ends of lines, and not longer than allowed.
pub fn short(text: &str, field: &str, most: usize) -> Result<String, Problem> {
    let clean: String = text.chars().filter(|c| !c.is_control() || *c == '\n' || *c == '\t').collect();
    let clean = clean.trim();
    let length = clean.chars().count();
    if length > most {
        return Err(Problem::new(
            Kind::Invalid,
            "invalid_request",
            format!("`{field}` has {length} characters, at most {most} are allowed"),
            "send less",
        ));
    }
    Ok(clean.to_owned())
}

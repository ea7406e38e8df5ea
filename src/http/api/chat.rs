//! `POST /chat` and `POST /chat/stream`: ask; `POST /chat/contact`: ask for a person; `GET /chat/access`: may this page
//! ask? No key is needed; the creator's list of origins holds.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use super::escalations::short;
use super::students;
use crate::answer::AnswerStream;
use crate::app::{Tokens, Wishes};
use crate::domain::question::MAX_QUESTION_CHARS;
use crate::domain::student::MAX_STUDENT_CHARS;
use crate::domain::{Answer, AnswerEvent, Contact, ConversationId, CreatorId, Question};
use crate::http::error::{ApiError, ErrorBody, RequestId};
use crate::http::extract::{Json, Query};
use crate::http::{AppState, cors, sse};
use crate::problem::{Kind, Problem};

/// Longest token that a page may hand on for its student.
const MAX_TOKEN_CHARS: usize = 4_096;

/// A question. Fields that are not listed here are ignored.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChatRequest {
    /// The question, at most 4,000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub message: String,
    /// The creator's slug.
    pub creator_id: String,
    /// From an earlier answer, to go on with that conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// From an earlier answer of that conversation: whoever has it may also hear what a person says there.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub conversation_token: Option<String>,
    /// Says who the student is, signed by the creator's own site: a JSON Web Token (HS256, `sub`, `email`, `name`).
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub student_token: Option<String>,
    /// The lesson that the student is in: its title or id.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub lesson: Option<String>,
    /// How far the student has played the lesson, in milliseconds.
    #[serde(default)]
    #[schema(maximum = 2592000000u64)]
    pub position_ms: Option<u64>,
    /// ISO 639-1, or a tag such as `pt-BR`; recognised when absent.
    #[serde(default)]
    #[schema(max_length = 35)]
    pub lang: Option<String>,
}

/// An answer, with what proves to be in its conversation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ChatAnswer {
    #[serde(flatten)]
    pub answer: Answer,
    /// For `/ws` and `/chat/contact`; only whoever began the conversation gets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_token: Option<String>,
}

/// How a student can be reached, who wants to talk to a person.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ContactRequest {
    /// The creator's slug.
    pub creator_id: String,
    /// The conversation that it is about, with its token; a new one when absent.
    #[serde(default)]
    pub conversation_id: Option<String>,
    #[serde(default)]
    pub conversation_token: Option<String>,
    #[serde(default)]
    #[schema(max_length = 120)]
    pub name: Option<String>,
    #[schema(max_length = 320)]
    pub email: String,
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub message: Option<String>,
    #[serde(default)]
    #[schema(max_length = 4096)]
    pub student_token: Option<String>,
}

/// A person will look at it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Contacted {
    pub conversation_id: String,
    pub conversation_token: String,
    /// `open` or `assigned`.
    pub state: &'static str,
}

/// Whose assistant a page wants to ask.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccessQuery {
    /// The creator's slug.
    pub creator_id: String,
}

/// The page that asks for this may ask questions.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Access {
    /// `true`
    pub allowed: bool,
}

/// Says whether the page that sends this may ask, and if not, why: a browser tells a page nothing about a refused
/// preflight.
#[utoipa::path(get, path = "/chat/access", operation_id = "chatAccess", tag = "ask", params(AccessQuery), responses(
    (status = 200, body = Access), (status = 403, description = "the page's origin is not on the creator's list", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn access(
    State(app): State<AppState>,
    headers: HeaderMap,
    Query(query): Query<AccessQuery>,
) -> Result<axum::Json<Access>, ApiError> {
    admitted(&app, &headers, &query.creator_id).await?;
    Ok(axum::Json(Access { allowed: true }))
}

/// Answers a question, whole.
#[utoipa::path(post, path = "/chat", operation_id = "chat", tag = "ask", request_body = ChatRequest, responses(
    (status = 200, body = ChatAnswer), (status = 403, description = "the page's origin is not on the creator's list", body = ErrorBody),
    (status = 404, description = "no such creator", body = ErrorBody), (status = 422, description = "not a question", body = ErrorBody),
    (status = 503, description = "too many questions at once; `Retry-After` says when", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn answer(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<axum::Json<ChatAnswer>, ApiError> {
    let _place = app.admit()?;
    let (events, begun) = begin(&app, &headers, request).await?;
    let answer = last(events).await?;
    Ok(axum::Json(begun.shape(answer)))
}

/// Answers a question as Server-Sent Events: `sources`, `token`s, `done`.
#[utoipa::path(post, path = "/chat/stream", operation_id = "chatStream", tag = "ask", request_body = ChatRequest, responses(
    (status = 200, description = "the events", content_type = "text/event-stream", body = String),
    (status = 403, description = "the page's origin is not on the creator's list", body = ErrorBody),
    (status = 404, description = "no such creator", body = ErrorBody), (status = 422, description = "not a question", body = ErrorBody),
    (status = 503, description = "too many questions at once; `Retry-After` says when", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn stream(
    State(app): State<AppState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<Response, ApiError> {
    let place = app.admit()?;
    let (events, begun) = begin(&app, &headers, request).await?;
    Ok(sse::respond(events, request_id, place, move |answer| begun.shape(answer)))
}

/// Asks for a person: leaves an address, to which a person answers.
#[utoipa::path(post, path = "/chat/contact", operation_id = "chatContact", tag = "ask", request_body = ContactRequest, responses(
    (status = 200, body = Contacted), (status = 403, description = "the page's origin is not on the creator's list, or the conversation is not proved to be the sender's", body = ErrorBody),
    (status = 404, description = "no such creator", body = ErrorBody), (status = 422, description = "no address", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn contact(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<ContactRequest>,
) -> Result<axum::Json<Contacted>, ApiError> {
    let _place = app.admit()?;
    let creator = admitted(&app, &headers, &request.creator_id).await?;
    let tokens = app.tokens().await?;
    let conversation = match &request.conversation_id {
        None => ConversationId::from_bytes(crate::app::random()?),
        Some(id) => {
            let id: ConversationId = id.parse()?;
            let token = request.conversation_token.as_deref().unwrap_or_default();
            if !tokens.is_of(token, &creator, &id) {
                return Err(not_theirs().into());
            }
            id
        }
    };
    let email = short(&request.email, "email", MAX_STUDENT_CHARS)?;
    let plausible = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
    if !plausible || email.contains(char::is_whitespace) {
        return Err(ApiError(Problem::new(
            Kind::Invalid,
            "invalid_email",
            "`email` is not an e-mail address",
            "send the address at which the student wants to be answered",
        )));
    }
    let optional = |text: &Option<String>, field: &str, most: usize| {
        let text = text.as_deref().map(|text| short(text, field, most)).transpose();
        text.map(|text| text.filter(|text| !text.is_empty()))
    };
    let contact = Contact {
        name: optional(&request.name, "name", 120)?,
        email: Some(email),
        message: optional(&request.message, "message", MAX_QUESTION_CHARS)?,
    };
    if let Some(student) = students::named_by(&app, &creator, request.student_token.as_deref()).await? {
        app.store().link_student(&creator, &student, &conversation).await?;
    }
    let ticket = app.store().ask_for_person(&creator, &conversation, contact, crate::app::now()).await?;
    Ok(axum::Json(Contacted {
        conversation_token: tokens.of(&creator, &conversation),
        conversation_id: conversation.to_string(),
        state: ticket.state.as_str(),
    }))
}

/// A conversation that is not proved to be the caller's.
pub fn not_theirs() -> Problem {
    Problem::new(
        Kind::Forbidden,
        "conversation_token_required",
        "this conversation is not proved to be yours",
        "send the `conversation_token` that came with the conversation's first answer",
    )
}

/// What is needed to give the token of a conversation along.
struct Begun {
    creator: CreatorId,
    /// Absent when the caller did not prove to have begun the conversation.
    tokens: Option<Tokens>,
}

impl Begun {
    fn shape(&self, answer: Answer) -> ChatAnswer {
        let token = self.tokens.as_ref().map(|tokens| tokens.of(&self.creator, &answer.conversation_id));
        ChatAnswer { answer, conversation_token: token }
    }
}

async fn begin(
    app: &AppState,
    headers: &HeaderMap,
    request: ChatRequest,
) -> Result<(AnswerStream, Begun), ApiError> {
    let creator = admitted(app, headers, &request.creator_id).await?;
    let student_token = request.student_token.as_deref();
    if student_token.is_some_and(|token| token.chars().count() > MAX_TOKEN_CHARS) {
        return Err(ApiError(Problem::new(
            Kind::Invalid,
            "invalid_student_token",
            format!("`student_token` has more than {MAX_TOKEN_CHARS} characters"),
            "send the token as your site signed it, or leave it out",
        )));
    }
    let mut question = Question::parse(&request.message, creator)?
        .at(request.lesson.as_deref(), request.position_ms)?
        .in_language(request.lang.as_deref().unwrap_or_default())?;
    question.conversation = request.conversation_id.map(|id| id.parse()).transpose()?;
    let student = students::named_by(app, &question.creator, student_token).await?;
    let tokens = app.tokens().await?;
    let theirs = match &question.conversation {
        None => true,
        Some(id) => {
            request.conversation_token.is_some_and(|token| tokens.is_of(&token, &question.creator, id))
        }
    };
    let begun = Begun { creator: question.creator.clone(), tokens: theirs.then(|| tokens.clone()) };
    let events = app.answer_with(question, Wishes { student, paid: true, ..Wishes::default() }).await?;
    Ok((events, begun))
}

/// The creator, if there is one and the page may ask it.
pub async fn admitted(app: &AppState, headers: &HeaderMap, name: &str) -> Result<CreatorId, ApiError> {
    let creator: CreatorId = name.parse().map_err(|_| unknown_creator(name))?;
    let public_url = &app.config().settings.server.public_url;
    cors::check(&app.store().creator(&creator).await?, headers, public_url)?;
    Ok(creator)
}

/// A name that cannot be a slug is a creator that does not exist.
fn unknown_creator(name: &str) -> Problem {
    Problem::new(
        Kind::Missing,
        "unknown_creator",
        format!("there is no creator `{}`", name.chars().take(64).collect::<String>()),
        "check `creator_id`: it is the slug that `neverafk creator list` shows",
    )
}

async fn last(mut events: AnswerStream) -> Result<Answer, Problem> {
    while let Some(event) = events.recv().await {
        if let AnswerEvent::Done(answer) = event? {
            return Ok(*answer);
        }
    }
    Err(Problem::internal("an answer ended without its last event"))
}

//! `POST /chat` and `POST /chat/stream`: ask; `GET /chat/access`: may this page ask? No key is needed; the creator's
//! list of origins holds.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::answer::AnswerStream;
use crate::domain::{Answer, AnswerEvent, CreatorId, Question};
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
    /// Says who the student is, signed by the creator's own site.
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
    (status = 200, body = Answer), (status = 403, description = "the page's origin is not on the creator's list", body = ErrorBody),
    (status = 404, description = "no such creator", body = ErrorBody), (status = 422, description = "not a question", body = ErrorBody),
    (status = 503, description = "too many questions at once; `Retry-After` says when", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn answer(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<ChatRequest>,
) -> Result<axum::Json<Answer>, ApiError> {
    let _place = app.admit()?;
    let events = begin(&app, &headers, request).await?;
    Ok(axum::Json(last(events).await?))
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
    let events = begin(&app, &headers, request).await?;
    Ok(sse::respond(events, request_id, place))
}

async fn begin(app: &AppState, headers: &HeaderMap, request: ChatRequest) -> Result<AnswerStream, ApiError> {
    let creator = admitted(app, headers, &request.creator_id).await?;
    if request.student_token.is_some_and(|token| token.chars().count() > MAX_TOKEN_CHARS) {
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
    Ok(app.answer(question, None).await?)
}

/// The creator, if there is one and the page may ask it.
async fn admitted(app: &AppState, headers: &HeaderMap, name: &str) -> Result<CreatorId, ApiError> {
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

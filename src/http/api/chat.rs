//! `POST /chat` and `POST /chat/stream`: ask. No key is needed; the creator's list of origins holds.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use crate::answer::AnswerStream;
use crate::domain::{Answer, AnswerEvent, CreatorId, Question};
use crate::http::error::{ApiError, RequestId};
use crate::http::extract::Json;
use crate::http::{AppState, cors, sse};
use crate::problem::Problem;

/// A question.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct ChatRequest {
    pub message: String,
    /// The creator's slug.
    pub creator_id: String,
    /// From an earlier answer, to go on with that conversation.
    #[serde(default)]
    pub conversation_id: Option<String>,
    /// ISO 639-1; recognised when absent.
    #[serde(default)]
    pub lang: Option<String>,
}

/// Answers a question, whole.
#[utoipa::path(post, path = "/chat", tag = "ask", request_body = ChatRequest, responses(
    (status = 200, body = Answer), (status = 404, body = crate::http::error::ErrorBody),
    (status = 422, body = crate::http::error::ErrorBody), (status = 503, body = crate::http::error::ErrorBody)))]
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
#[utoipa::path(post, path = "/chat/stream", tag = "ask", request_body = ChatRequest, responses(
    (status = 200, content_type = "text/event-stream", body = String),
    (status = 404, body = crate::http::error::ErrorBody), (status = 422, body = crate::http::error::ErrorBody)))]
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
    let creator: CreatorId = request.creator_id.parse().map_err(|_| unknown_creator(&request.creator_id))?;
    cors::check(&app.store().creator(&creator).await?, headers)?;
    let mut question = Question::parse(&request.message, creator)?;
    question.conversation = request.conversation_id.map(|id| id.parse()).transpose()?;
    question.language = request.lang;
    Ok(app.answer(question, None).await?)
}

/// A name that cannot be a slug is a creator that does not exist.
fn unknown_creator(name: &str) -> Problem {
    Problem::new(
        crate::problem::Kind::Missing,
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

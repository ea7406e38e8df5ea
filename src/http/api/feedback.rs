//! Answers, judged afterwards: `POST /feedback` by the student, who proves by the conversation's token to be the one;
//! `POST /api/v1/messages/{id}/feedback` and `/correction` by the creator's own programs, with the key.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::chat::{admitted, not_theirs};
use super::escalations::short;
use crate::domain::feedback::MAX_COMMENT_CHARS;
use crate::domain::{CreatorId, Feedback, MessageId, Reason, Turn};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path};
use crate::problem::{Kind, Problem};

/// Longest name of whoever corrects, in characters.
const MOST_NAME: usize = 120;

/// What a student's page sends.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct FeedbackRequest {
    /// The creator's slug.
    pub creator_id: String,
    /// Of the answer.
    pub message_id: String,
    /// Of the answer's conversation.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub conversation_token: Option<String>,
    #[serde(flatten)]
    pub given: Given,
}

/// Whether an answer helped. What was said before of the same answer is forgotten.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct Given {
    pub helpful: bool,
    /// `wrong`, `incomplete`, `unclear`, `off_topic` or `other`.
    #[serde(default)]
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<String>,
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub comment: Option<String>,
}

/// What is kept of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FeedbackBody {
    pub helpful: bool,
    pub reason: Option<Reason>,
    pub comment: Option<String>,
    /// RFC 3339.
    pub given_at: String,
}

/// The answer with what was said of it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Judged {
    pub message_id: String,
    pub feedback: FeedbackBody,
}

/// The right answer.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CorrectionRequest {
    /// As students should read it.
    #[schema(min_length = 1, max_length = 8000)]
    pub answer: String,
    /// What it answers; what the student asked when absent.
    #[serde(default)]
    #[schema(max_length = 4000)]
    pub question: Option<String>,
    /// Who says so.
    #[serde(default)]
    #[schema(max_length = 120)]
    pub by: Option<String>,
}

/// Where it stands now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Corrected {
    pub message_id: String,
    /// The document that holds question and answer: answers cite it, and deleting it takes the correction back.
    pub document_id: String,
}

impl From<Feedback> for FeedbackBody {
    fn from(given: Feedback) -> Self {
        Self {
            helpful: given.helpful,
            reason: given.reason,
            comment: given.comment,
            given_at: rfc3339(given.at),
        }
    }
}

/// Says whether an answer helped.
#[utoipa::path(post, path = "/feedback", operation_id = "giveFeedback", tag = "ask", request_body = FeedbackRequest, responses(
    (status = 200, body = Judged), (status = 403, description = "the page's origin is not on the creator's list, or the conversation is not proved to be the sender's", body = ErrorBody),
    (status = 404, description = "no such creator or answer", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn give(
    State(app): State<AppState>,
    headers: HeaderMap,
    Json(request): Json<FeedbackRequest>,
) -> Result<axum::Json<Judged>, ApiError> {
    let _place = app.admit()?;
    let creator = admitted(&app, &headers, &request.creator_id).await?;
    let message: MessageId = request.message_id.parse()?;
    let given = request.given.checked()?;
    let turn = app.store().turn(&message).await?.filter(|turn| turn.creator == creator);
    let token = request.conversation_token.as_deref().unwrap_or_default();
    let tokens = app.tokens().await?;
    // Whoever has no proof learns not even whether there is such an answer.
    if !turn.is_some_and(|turn| tokens.is_of(token, &creator, &turn.conversation)) {
        return Err(not_theirs().into());
    }
    keep(&app, &creator, &message, given).await
}

/// Says whether an answer helped, as the creator's own program knows it.
#[utoipa::path(post, path = "/api/v1/messages/{id}/feedback", operation_id = "keepFeedback", tag = "conversations", params(("id" = String, Path)),
    request_body = Given, security(("key" = [])), responses((status = 200, body = Judged),
    (status = 404, description = "no such answer", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn judge(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(given): Json<Given>,
) -> Result<axum::Json<Judged>, ApiError> {
    keep(&app, &principal.creator, &id.parse()?, given.checked()?).await
}

/// Gives the right answer: a document from then on, which answers the same question word for word.
#[utoipa::path(post, path = "/api/v1/messages/{id}/correction", operation_id = "correctAnswer", tag = "conversations", params(("id" = String, Path)),
    request_body = CorrectionRequest, security(("key" = [])), responses((status = 200, body = Corrected),
    (status = 404, description = "no such answer", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn correct(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
    Json(request): Json<CorrectionRequest>,
) -> Result<axum::Json<Corrected>, ApiError> {
    let message: MessageId = id.parse()?;
    let by = short(request.by.as_deref().unwrap_or_default(), "by", MOST_NAME)?;
    let (question, answer, now) = (request.question, request.answer, crate::app::now());
    let document = app.correct(&principal.creator, message.clone(), question, answer, &by, now).await?;
    Ok(axum::Json(Corrected { message_id: message.to_string(), document_id: document.to_string() }))
}

impl Given {
    fn checked(self) -> Result<Feedback, Problem> {
        let reason = self.reason.as_deref().map(str::parse).transpose().map_err(|error: String| {
            Problem::new(
                Kind::Invalid,
                "invalid_reason",
                error,
                "send one of these in `reason`, or leave it out",
            )
        })?;
        let comment =
            self.comment.as_deref().map(|text| short(text, "comment", MAX_COMMENT_CHARS)).transpose()?;
        let comment = comment.filter(|comment| !comment.is_empty());
        Ok(Feedback { helpful: self.helpful, reason, comment, at: crate::app::now() })
    }
}

async fn keep(
    app: &AppState,
    creator: &CreatorId,
    message: &MessageId,
    given: Feedback,
) -> Result<axum::Json<Judged>, ApiError> {
    let Turn { id, .. } = app.feedback(creator, message, given.clone()).await?;
    Ok(axum::Json(Judged { message_id: id.to_string(), feedback: given.into() }))
}

//! `GET /conversations/{creator}`: what was asked and answered, newest first. Needs the creator's key.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::feedback::FeedbackBody;
use crate::domain::{AnswerTrace, CreatorId, Escalation, Turn};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::{Path, Query};

/// How many turns.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Page {
    /// 1 to 500.
    #[serde(default = "default_limit")]
    pub limit: usize,
}

fn default_limit() -> usize {
    50
}

/// The turns of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Turns {
    pub conversations: Vec<TurnBody>,
}

/// One question and its answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TurnBody {
    pub id: String,
    pub conversation_id: String,
    pub student_message: String,
    pub ai_response: String,
    pub sources: Vec<String>,
    pub should_escalate: bool,
    /// Why a person should look at it.
    pub escalation: Option<Escalation>,
    /// Which agent answered.
    pub agent: String,
    pub abstained: bool,
    pub confidence: f32,
    pub reviewed: bool,
    /// What was said of the answer last.
    pub feedback: Option<FeedbackBody>,
    /// The document that holds the creator's own answer.
    pub corrected_by: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// What each stage of the answer saw, decided and took.
    pub trace: Option<AnswerTrace>,
}

impl From<Turn> for TurnBody {
    fn from(turn: Turn) -> Self {
        Self {
            id: turn.id.to_string(),
            conversation_id: turn.conversation.to_string(),
            student_message: turn.question,
            ai_response: turn.answer.response,
            sources: turn.answer.sources,
            should_escalate: turn.answer.should_escalate,
            escalation: turn.answer.escalation,
            agent: turn.answer.agent,
            abstained: turn.answer.abstained,
            confidence: turn.answer.confidence,
            reviewed: turn.reviewed,
            feedback: turn.feedback.map(FeedbackBody::from),
            corrected_by: turn.correction.map(|correction| correction.document.to_string()),
            created_at: super::rfc3339(turn.created_at),
            trace: turn.trace,
        }
    }
}

/// Lists the turns of a creator, newest first.
#[utoipa::path(get, path = "/conversations/{creator_id}", operation_id = "listConversations", tag = "conversations",
    params(("creator_id" = String, Path), Page), security(("key" = [])),
    responses((status = 200, body = Turns), (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn turns(
    State(app): State<AppState>,
    principal: Principal,
    Path(creator): Path<String>,
    Query(page): Query<Page>,
) -> Result<axum::Json<Turns>, ApiError> {
    let creator: CreatorId = creator.parse()?;
    principal.may_manage(&creator)?;
    let turns = app.store().turns(&creator, page.limit.clamp(1, 500)).await?;
    Ok(axum::Json(Turns { conversations: turns.into_iter().map(TurnBody::from).collect() }))
}

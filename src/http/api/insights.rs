//! `/api/v1/insights`: what a creator's questions say: numbers by day, gaps of the content, what is asked most. Needs the
//! creator's key.

use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::domain::Timestamp;
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Query;
use crate::insights::volume::MOST_DAYS;
use crate::insights::{Cluster, Complaints, Insights, Timeline};

/// How long back.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Span {
    /// 1 to 366 days, today (UTC) among them.
    #[serde(default = "month")]
    pub days: u32,
}

fn month() -> u32 {
    30
}

impl Span {
    fn days(&self) -> u32 {
        self.days.clamp(1, MOST_DAYS)
    }
}

/// Questions that ask about the same, the largest group first.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Groups {
    pub days: u32,
    pub groups: Vec<Group>,
}

/// Questions that ask about the same; personal data in them is masked.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Group {
    /// The most central one.
    pub question: String,
    pub count: u32,
    /// RFC 3339.
    pub last_asked_at: String,
    /// Other wordings, newest first, five at most.
    pub examples: Vec<String>,
}

impl Groups {
    fn of(days: u32, clusters: Vec<Cluster>) -> Self {
        let group = |cluster: Cluster| Group {
            question: cluster.question,
            count: cluster.count,
            last_asked_at: rfc3339(Timestamp(cluster.last_asked_ms)),
            examples: cluster.examples,
        };
        Self { days, groups: clusters.into_iter().map(group).collect() }
    }
}

/// How the questions went, by day and together.
#[utoipa::path(get, path = "/api/v1/insights", operation_id = "showInsights", tag = "insights", params(Span), security(("key" = [])),
    responses((status = 200, body = Insights), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Query(span): Query<Span>,
) -> Result<axum::Json<Insights>, ApiError> {
    Ok(axum::Json(app.insights(&principal.creator, span.days(), crate::app::now()).await?))
}

/// Why answers did not help, as far as students said it.
#[utoipa::path(get, path = "/api/v1/insights/complaints", operation_id = "listComplaints", tag = "insights", params(Span), security(("key" = [])),
    responses((status = 200, body = Complaints), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn complaints(
    State(app): State<AppState>,
    principal: Principal,
    Query(span): Query<Span>,
) -> Result<axum::Json<Complaints>, ApiError> {
    Ok(axum::Json(app.complaints(&principal.creator, span.days(), crate::app::now()).await?))
}

/// Questions that the content does not answer.
#[utoipa::path(get, path = "/api/v1/insights/gaps", operation_id = "listGaps", tag = "insights", params(Span), security(("key" = [])),
    responses((status = 200, body = Groups), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn gaps(
    State(app): State<AppState>,
    principal: Principal,
    Query(span): Query<Span>,
) -> Result<axum::Json<Groups>, ApiError> {
    let found = app.gaps(&principal.creator, span.days(), crate::app::now()).await?;
    Ok(axum::Json(Groups::of(span.days(), found)))
}

/// What is asked most.
#[utoipa::path(get, path = "/api/v1/insights/questions", operation_id = "listQuestions", tag = "insights", params(Span), security(("key" = [])),
    responses((status = 200, body = Groups), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn questions(
    State(app): State<AppState>,
    principal: Principal,
    Query(span): Query<Span>,
) -> Result<axum::Json<Groups>, ApiError> {
    let found = app.popular(&principal.creator, span.days(), crate::app::now()).await?;
    Ok(axum::Json(Groups::of(span.days(), found)))
}

/// Where in the lessons students ask, by what their pages say of lesson and position and by what answers quote.
#[utoipa::path(get, path = "/api/v1/insights/lessons", operation_id = "listLessons", tag = "insights", params(Span), security(("key" = [])),
    responses((status = 200, body = Timeline), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn lessons(
    State(app): State<AppState>,
    principal: Principal,
    Query(span): Query<Span>,
) -> Result<axum::Json<Timeline>, ApiError> {
    Ok(axum::Json(app.lessons(&principal.creator, span.days(), crate::app::now()).await?))
}

//! `POST /api/v1/compare`: one question through several models, side by side. Needs the creator's key.

use axum::Extension;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use crate::domain::{Answer, Question};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody, ErrorDetail, RequestId, body};
use crate::http::extract::Json;

/// What to compare.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct CompareRequest {
    pub question: String,
    /// 1 to 4 names: `extractive`, an installed chat model, or one that this server offers.
    pub models: Vec<String>,
    /// ISO 639-1; recognised when absent.
    #[serde(default)]
    pub lang: Option<String>,
}

/// One result for each model, in the order of the request.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Comparison {
    pub question: String,
    pub results: Vec<ComparedModel>,
}

/// An answer, or why there is none.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ComparedModel {
    pub model: String,
    pub answer: Option<Answer>,
    pub error: Option<ErrorDetail>,
    pub took_ms: f64,
}

/// Asks each model; nothing is kept.
#[utoipa::path(post, path = "/api/v1/compare", tag = "models", security(("key" = [])),
    request_body = CompareRequest, responses((status = 200, body = Comparison), (status = 401, body = ErrorBody),
    (status = 403, body = ErrorBody), (status = 422, body = ErrorBody), (status = 503, body = ErrorBody)))]
pub async fn compare(
    State(app): State<AppState>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    principal: Principal,
    Json(request): Json<CompareRequest>,
) -> Result<axum::Json<Comparison>, ApiError> {
    let mut question = Question::parse(&request.question, principal.creator)?;
    question.language = request.lang;
    let text = question.text().to_owned();
    let compared = app.compare(question, request.models).await?;
    let results = compared.into_iter().map(|one| {
        let (answer, error) = match one.outcome {
            Ok(answer) => (Some(answer), None),
            Err(problem) => (None, Some(body(&problem, &request_id).error)),
        };
        ComparedModel { model: one.model, answer, error, took_ms: one.took_ms }
    });
    Ok(axum::Json(Comparison { question: text, results: results.collect() }))
}

//! Health: for load balancers, for people, and for container runtimes.

use axum::extract::State;
use serde::Serialize;

use crate::app::chain::ModelHealth;
use crate::http::AppState;
use crate::http::error::ApiError;

/// The program runs and its store answers.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Health {
    /// `healthy`
    pub status: &'static str,
    pub version: &'static str,
}

/// What is at work, in detail. Counts and names only: nothing of a creator's content.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DetailedHealth {
    pub status: &'static str,
    pub version: &'static str,
    pub uptime_s: u64,
    pub creators: usize,
    /// The embedding model of new collections.
    pub embedding_model: String,
    /// What phrases answers: the first of the chain.
    pub answer_model: String,
    /// How each model of the chain fares.
    pub models: Vec<ModelHealth>,
}

/// Answers 200 as long as questions can be answered.
#[utoipa::path(get, path = "/health", operation_id = "health", tag = "health", responses((status = 200, body = Health),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn health(State(app): State<AppState>) -> Result<axum::Json<Health>, ApiError> {
    app.store().creators().await?;
    Ok(axum::Json(Health { status: "healthy", version: app.version() }))
}

/// The same with details.
#[utoipa::path(get, path = "/health/detailed", operation_id = "healthDetailed", tag = "health", responses((status = 200, body = DetailedHealth),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn detailed(State(app): State<AppState>) -> Result<axum::Json<DetailedHealth>, ApiError> {
    let creators = app.store().creators().await?.len();
    let settings = &app.config().settings;
    Ok(axum::Json(DetailedHealth {
        status: "healthy",
        version: app.version(),
        uptime_s: app.uptime().as_secs(),
        creators,
        embedding_model: settings.models.embedding.clone(),
        answer_model: app.chain_names().first().cloned().unwrap_or_default(),
        models: app.model_health(),
    }))
}

/// Ready to take questions.
#[utoipa::path(get, path = "/ready", operation_id = "ready", tag = "health", responses((status = 200, body = Health),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn ready(state: State<AppState>) -> Result<axum::Json<Health>, ApiError> {
    health(state).await
}

/// The process runs.
#[utoipa::path(get, path = "/live", operation_id = "live", tag = "health", responses((status = 200, body = Health),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn live(State(app): State<AppState>) -> axum::Json<Health> {
    axum::Json(Health { status: "healthy", version: app.version() })
}

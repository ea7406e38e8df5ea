//! `/api/v1/models`: the models that this machine has or can have, and pulling one. Needs a key. A model is the whole
//! server's, so pulling is for whose assistant is the only one on it; people do it in the dashboard.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::app::shelf::{self, Pull, Shelved};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::problem::{Kind, Problem};

/// The catalogue as it stands on this machine.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Models {
    pub models: Vec<Shelved>,
    /// Memory that is free or can be freed, where the system tells.
    pub memory_mb: Option<u64>,
}

/// What to pull.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct PullRequest {
    pub name: String,
}

/// Lists the models that can be pulled, with what is installed, used and under way.
#[utoipa::path(get, path = "/api/v1/models", operation_id = "listCatalogue", tag = "models", security(("key" = [])),
    responses((status = 200, body = Models), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(State(app): State<AppState>, _: Principal) -> Result<axum::Json<Models>, ApiError> {
    Ok(axum::Json(Models { models: app.shelf().await?, memory_mb: shelf::memory_mb().await }))
}

/// Begins to pull a model; `GET /api/v1/models` says how far it is. Pulling again goes on where it stopped.
#[utoipa::path(post, path = "/api/v1/models/pull", operation_id = "pullModel", tag = "models", security(("key" = [])), request_body = PullRequest,
    responses((status = 202, body = Pull), (status = 403, description = "others have assistants on this server", body = ErrorBody),
    (status = 404, description = "not in the catalogue", body = ErrorBody), (status = 409, description = "another is being pulled", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn pull(
    State(app): State<AppState>,
    principal: Principal,
    Json(request): Json<PullRequest>,
) -> Result<(StatusCode, axum::Json<Pull>), ApiError> {
    let creators = app.store().creators().await?;
    if creators.iter().any(|creator| creator.id != principal.creator) {
        return Err(ApiError(Problem::new(
            Kind::Forbidden,
            "server_of_others",
            "models are the whole server's, and others have assistants on it",
            "whoever runs the server runs `neverafk models pull`",
        )));
    }
    Ok((StatusCode::ACCEPTED, axum::Json(app.pull(&request.name)?)))
}

//! `GET /v1/models` and `/v1/models/{id}`: the creators that a key may ask, as models.

use axum::extract::State;
use serde::Serialize;

use super::{creator_of, seconds};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Path;
use crate::store::Creator;

/// The models of a key.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ModelList {
    /// `list`
    pub object: &'static str,
    pub data: Vec<ModelRow>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ModelRow {
    /// The creator's slug.
    pub id: String,
    /// `model`
    pub object: &'static str,
    /// Seconds since 1970.
    pub created: u64,
    /// `neverafk`
    pub owned_by: &'static str,
}

/// Lists the models of the key.
#[utoipa::path(get, path = "/v1/models", tag = "openai", security(("key" = [])),
    responses((status = 200, body = ModelList), (status = 401, body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<ModelList>, ApiError> {
    let creators = app.store().creators().await?;
    let mine = creators.into_iter().filter(|creator| principal.may_manage(&creator.id).is_ok());
    Ok(axum::Json(ModelList { object: "list", data: mine.map(|creator| row(&creator)).collect() }))
}

/// Shows one model.
#[utoipa::path(get, path = "/v1/models/{id}", tag = "openai", security(("key" = [])),
    params(("id" = String, Path)), responses((status = 200, body = ModelRow), (status = 401, body = ErrorBody),
    (status = 404, body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<ModelRow>, ApiError> {
    let creator = creator_of(&app, &principal, &id).await?;
    Ok(axum::Json(row(&app.store().creator(&creator).await?)))
}

fn row(creator: &Creator) -> ModelRow {
    ModelRow {
        id: creator.id.to_string(),
        object: "model",
        created: seconds(creator.created_at),
        owned_by: "neverafk",
    }
}

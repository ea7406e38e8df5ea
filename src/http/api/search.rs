//! `GET /api/v1/search`: retrieval alone. Needs the creator's key.

use axum::extract::State;
use serde::Deserialize;

use crate::app::SearchReport;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::Query;

/// What to search for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    pub q: String,
    /// 1 to 100.
    #[serde(default = "default_k")]
    pub k: usize,
}

fn default_k() -> usize {
    10
}

/// Searches the key's creator's content.
#[utoipa::path(get, path = "/api/v1/search", operation_id = "search", tag = "documents", params(SearchQuery), security(("key" = [])),
    responses((status = 200, body = SearchReport), (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn search(
    State(app): State<AppState>,
    principal: Principal,
    Query(query): Query<SearchQuery>,
) -> Result<axum::Json<SearchReport>, ApiError> {
    Ok(axum::Json(app.search(&principal.creator, &query.q, query.k.clamp(1, 100)).await?))
}

//! `/api/v1/sources`: places that content is taken from again and again. Needs the creator's key.
//!
//! Sites can be added and removed here. Folders of the server's machine are shown, and only its command line can add one.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::jobs::ReceiptBody;
use crate::domain::{Place, WatchId, Watched};
use crate::events::rfc3339;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Json, Path};

/// What to watch.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// `https://…`: a page, a sitemap or a feed, on the public internet.
    pub url: String,
    /// How many links away from the first page is read; 0 is the page itself.
    #[serde(default)]
    pub depth: u32,
    /// At most so many pages.
    #[serde(default = "default_pages")]
    pub max_pages: u32,
}

fn default_pages() -> u32 {
    200
}

/// The places of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Sources {
    pub sources: Vec<SourceBody>,
}

/// A watched place.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SourceBody {
    pub id: String,
    /// `folder` or `site`.
    pub kind: &'static str,
    /// Address of a site, path of a folder.
    pub name: String,
    pub depth: Option<u32>,
    pub max_pages: Option<u32>,
    /// RFC 3339.
    pub created_at: String,
    /// When the last look ended; RFC 3339.
    pub looked_at: Option<String>,
    /// What the last look did.
    pub documents: Option<ReceiptBody>,
    /// What went wrong with it.
    pub problem: Option<String>,
}

impl From<Watched> for SourceBody {
    fn from(watched: Watched) -> Self {
        let (kind, depth, max_pages) = match &watched.place {
            Place::Folder { .. } => ("folder", None, None),
            Place::Site { depth, max_pages, .. } => ("site", Some(*depth), Some(*max_pages)),
        };
        Self {
            id: watched.id.to_string(),
            kind,
            name: watched.place.name().to_owned(),
            depth,
            max_pages,
            created_at: rfc3339(watched.created_at),
            looked_at: watched.looked_at.map(rfc3339),
            documents: watched.receipt.map(ReceiptBody::from),
            problem: watched.problem,
        }
    }
}

/// Lists the places of the key's creator.
#[utoipa::path(get, path = "/api/v1/sources", operation_id = "listSources", tag = "documents", security(("key" = [])),
    responses((status = 200, body = Sources), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<Sources>, ApiError> {
    let sources = app.watched(&principal.creator).await?;
    Ok(axum::Json(Sources { sources: sources.into_iter().map(SourceBody::from).collect() }))
}

/// Watches a site; its pages come in soon, and again whenever they change.
#[utoipa::path(post, path = "/api/v1/sources", operation_id = "addSource", tag = "documents", security(("key" = [])), request_body = NewSource,
    responses((status = 201, body = SourceBody), (status = 422, description = "not an address that is fetched", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn add(
    State(app): State<AppState>,
    principal: Principal,
    Json(new): Json<NewSource>,
) -> Result<(StatusCode, axum::Json<SourceBody>), ApiError> {
    let reach = (new.depth, new.max_pages);
    let watched = app.watch_site(&principal.creator, &new.url, reach, true).await?;
    Ok((StatusCode::CREATED, axum::Json(watched.into())))
}

/// Watches a place no longer. What came from it stays.
#[utoipa::path(delete, path = "/api/v1/sources/{id}", operation_id = "removeSource", tag = "documents", params(("id" = String, Path)), security(("key" = [])),
    responses((status = 204), (status = 404, description = "not there, or another creator's", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn remove(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let id: WatchId = id.parse()?;
    app.unwatch(&principal.creator, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

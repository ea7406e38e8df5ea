//! A creator's picture: `GET /c/{creator}/avatar` for everybody, `PUT` and `DELETE /api/v1/avatar` with the creator's key.
//!
//! What is taken says `domain/picture.rs`. It goes out as what its bytes are, never as what somebody called it, and may do
//! nothing in a browser but be drawn.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::json;

use super::brand::{BRAND, Brand};
use super::settings;
use crate::domain::picture::MOST_BYTES;
use crate::domain::{CreatorId, Picture};
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::{Path, too_large};
use crate::http::{AppState, assets};
use crate::problem::{Kind, Problem};

/// Its address changes with the picture.
const ONE_DAY: &str = "public, max-age=86400";

/// Nothing but the picture itself is loaded or run, also by whoever opens its address.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// The picture that is kept now.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Avatar {
    /// Relative to this server's.
    pub address: String,
    pub width: u32,
    pub height: u32,
}

/// Where a picture is found, relative to this server's address.
pub fn address(creator: &CreatorId, tag: &str) -> String {
    format!("c/{creator}/avatar?v={}", tag.get(..16).unwrap_or(tag))
}

/// Shows the creator's picture.
#[utoipa::path(get, path = "/c/{creator}/avatar", operation_id = "showAvatar", tag = "ask", params(("creator" = String, Path)), responses(
    (status = 200, description = "the picture", content_type = "image/png", body = Vec<u8>), (status = 304, description = "as it was"),
    (status = 404, description = "there is none", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    Path(creator): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let id: CreatorId = creator.parse().map_err(|_| nothing())?;
    let (tag, bytes) = app.store().picture(&id).await?.ok_or_else(nothing)?;
    let tag = format!("\"{tag}\"");
    let told = [
        (header::ETAG, tag.as_str()),
        (header::CACHE_CONTROL, ONE_DAY),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    let open = [("cross-origin-resource-policy", "cross-origin")];
    if assets::has(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, told, open).into_response());
    }
    let kind = Picture::read(&bytes).map_err(Problem::internal)?.format.media_type();
    Ok((told, open, [(header::CONTENT_TYPE, kind)], bytes).into_response())
}

/// Takes the body as the creator's picture: PNG, JPEG or WebP, at most 256 KB, each side of 16 to 2048 pixels.
#[utoipa::path(put, path = "/api/v1/avatar", operation_id = "setAvatar", tag = "settings", security(("key" = [])),
    request_body(content = Vec<u8>, content_type = "image/png"), responses((status = 200, body = Avatar),
    (status = 422, description = "no such picture, and why", body = ErrorBody), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn set(
    State(app): State<AppState>,
    principal: Principal,
    body: Body,
) -> Result<axum::Json<Avatar>, ApiError> {
    Ok(axum::Json(keep(&app, &principal.creator, body).await?))
}

/// Takes the creator's picture away.
#[utoipa::path(delete, path = "/api/v1/avatar", operation_id = "removeAvatar", tag = "settings", security(("key" = [])),
    responses((status = 204, description = "there is none any more"), (status = "default", description = "refused", body = ErrorBody)))]
pub async fn remove(State(app): State<AppState>, principal: Principal) -> Result<StatusCode, ApiError> {
    app.store().set_picture(&principal.creator, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Keeps a picture, and drops the address of another one that would be shown in its place.
pub async fn keep(app: &AppState, creator: &CreatorId, body: Body) -> Result<Avatar, Problem> {
    let bytes = axum::body::to_bytes(body, MOST_BYTES).await.map_err(|_| too_large())?;
    let picture = Picture::read(&bytes).map_err(|error| {
        let hint = "bring a PNG, JPEG or WebP picture of at most 256 KB, square and of 128 to 512 pixels";
        Problem::new(Kind::Invalid, "invalid_picture", error.to_string(), hint)
    })?;
    app.store().set_picture(creator, Some(bytes.to_vec())).await?;
    let brand = Brand::of(&app.store().creator(creator).await?);
    if !brand.avatar.is_empty() {
        let brand = json!(Brand { avatar: String::new(), ..brand });
        settings::apply(app, creator, [(BRAND.to_owned(), brand)].into_iter().collect()).await?;
    }
    let tag = app.store().picture_tag(creator).await?.unwrap_or_default();
    Ok(Avatar { address: address(creator, &tag), width: picture.width, height: picture.height })
}

fn nothing() -> Problem {
    Problem::new(
        Kind::Missing,
        "no_picture",
        "this creator has no picture here",
        "bring one in with `PUT /api/v1/avatar`, or on the page Voice & brand",
    )
}

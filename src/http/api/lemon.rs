//! `POST /webhooks/lemonsqueezy`: what the payment provider tells. Nothing of the body is understood before its signature
//! is right. What fits nobody is taken all the same and kept for the owner of this server: another try would not help.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use crate::domain::Taken;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::too_large;
use crate::http::{AppState, BODY_LIMIT, not_found};

/// The HMAC-SHA256 of the body, in hexadecimal digits.
const SIGNATURE: &str = "x-signature";

/// It came.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Received {
    /// `applied`, `again`, `outdated`, `kept` for somebody to look at, or `nothing` for what changes nothing here.
    pub outcome: &'static str,
}

/// Takes a signed message of Lemon Squeezy.
#[utoipa::path(post, path = "/webhooks/lemonsqueezy", operation_id = "lemonSqueezy", tag = "billing",
    request_body(content = String, content_type = "application/json", description = "signed in `X-Signature`"),
    responses((status = 200, body = Received), (status = 403, description = "the signature is not right", body = ErrorBody),
    (status = 404, description = "nothing is sold here", body = ErrorBody),
    (status = 413, description = "more than 256 KiB", body = ErrorBody),
    (status = "default", description = "refused", body = ErrorBody)))]
pub async fn receive(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Body,
) -> Result<axum::Json<Received>, ApiError> {
    if app.offer().is_none() || app.config().settings.billing.webhook_secret.is_empty() {
        return Err(not_found());
    }
    let body = axum::body::to_bytes(body, BODY_LIMIT).await.map_err(|_| too_large())?;
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (_, taken) = app.hear_provider(&body, signature).await?;
    let outcome = match taken {
        Taken::Applied => "applied",
        Taken::Again => "again",
        Taken::Outdated => "outdated",
        Taken::Kept => "kept",
        Taken::Nothing => "nothing",
    };
    Ok(axum::Json(Received { outcome }))
}

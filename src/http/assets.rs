//! Pages, scripts and styles, compiled into the binary.
//!
//! Everything is static; the policy allows nothing from elsewhere and nothing inline.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AppState;
use super::error::ApiError;
use super::extract::Path;

/// Pages load what we serve and talk to us, nothing else.
const PAGE_POLICY: &str =
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

const LANDING: &str = include_str!("../../assets/pages/landing.html");
const DOCS: &str = include_str!("../../assets/pages/docs.html");
const MISSING: &str = include_str!("../../assets/pages/missing.html");
const WIDGET: &str = include_str!("../../assets/widget/embed.js");

/// `GET /`: a page for browsers, the status for programs.
pub async fn landing(State(app): State<AppState>, headers: HeaderMap) -> Response {
    if accepts(&headers, "application/json") && !wants_html(&headers) {
        return axum::Json(json!({
            "message": "NeverAFK answers students' questions from a creator's own content",
            "status": "running",
            "version": app.version(),
        }))
        .into_response();
    }
    page(LANDING)
}

/// `GET /docs`: the API, readable.
pub async fn docs() -> Response {
    page(DOCS)
}

/// `GET /embed.js`: the widget. Pages of any origin may load it; whether they may ask is decided at `/chat`.
pub async fn widget() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=300"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    ];
    (headers, [("cross-origin-resource-policy", "cross-origin")], WIDGET).into_response()
}

/// `GET /assets/...`: what the pages use.
pub async fn file(Path(path): Path<String>) -> Result<Response, ApiError> {
    let found = FILES.iter().find(|(name, _, _)| *name == path);
    let Some((_, kind, content)) = found else { return Err(super::not_found()) };
    Ok(([(header::CONTENT_TYPE, *kind), (header::CACHE_CONTROL, "public, max-age=300")], *content)
        .into_response())
}

/// Name, content type, content.
const FILES: [(&str, &str, &str); 4] = [
    ("pages/pages.css", "text/css; charset=utf-8", include_str!("../../assets/pages/pages.css")),
    ("pages/docs.js", "text/javascript; charset=utf-8", include_str!("../../assets/pages/docs.js")),
    ("pages/landing.js", "text/javascript; charset=utf-8", include_str!("../../assets/pages/landing.js")),
    ("pages/icon.svg", "image/svg+xml", include_str!("../../assets/pages/icon.svg")),
];

/// Whether a browser asks, for a page.
pub fn wants_html(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html")
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accept| accept.contains(kind))
}

/// The page for an address where nothing is.
pub fn missing_page() -> Response {
    let mut response = page(MISSING);
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}

fn page(html: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (StatusCode::OK, headers, html).into_response()
}

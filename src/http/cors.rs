//! Which web pages may ask: the widget runs on other people's origins.
//!
//! A creator who sets `allowed_origins` allows exactly those (scheme, host and port, nothing looser); without a
//! list every page may ask. A preflight does not say whose widget asks, so it is answered by all lists
//! together; the question itself is then checked against its creator's own list by [`check`].

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// What a page may be allowed to do on another origin: ask, and nothing with a key.
const OPEN_TO_PAGES: [&str; 3] = ["/chat", "/chat/stream", "/health"];

/// Answers preflights, and names the allowed origin on answers.
pub async fn cross_origin(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let open = OPEN_TO_PAGES.contains(&path);
    let Some(origin) = origin(request.headers()).filter(|_| open).map(str::to_owned) else {
        return next.run(request).await;
    };
    let allowed = match app.store().creators().await {
        Ok(creators) => creators.iter().any(|creator| allows(creator, &origin)),
        Err(error) => {
            tracing::error!(%error, "the creators' lists of origins cannot be read");
            false
        }
    };
    let preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response =
        if preflight { StatusCode::NO_CONTENT.into_response() } else { next.run(request).await };
    let refused = response.status() == StatusCode::FORBIDDEN;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let (true, false, Ok(value)) = (allowed, refused, HeaderValue::from_str(&origin)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, value);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, retry-after"),
        );
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, POST"));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("content-type"));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
    response
}

/// Refuses a page that this creator did not allow. Programs send no `Origin`; our own pages are our own host's.
pub fn check(creator: &Creator, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = origin(headers) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let own = host.is_some_and(|host| {
        origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"))
            .is_some_and(|rest| rest == host)
    });
    if own || allows(creator, origin) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        "origin_not_allowed",
        format!("the page `{origin}` may not ask this creator's assistant"),
        "add the page's origin to `allowed_origins` in the creator's settings",
    ))
}

fn origin(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok())
}

fn allows(creator: &Creator, origin: &str) -> bool {
    match creator.settings.get("allowed_origins").and_then(|list| list.as_array()) {
        Some(list) if !list.is_empty() => list.iter().any(|allowed| allowed.as_str() == Some(origin)),
        _ => true,
    }
}

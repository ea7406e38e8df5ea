//! Which web pages may ask: the widget runs on other people's origins.
//!
//! A creator who sets `allowed_origins` allows exactly those (scheme, host and port, nothing looser); without a
//! list every page may ask. A preflight does not say whose widget asks, so it is answered by all lists
//! together; the question itself is then checked against its creator's own list by [`check`]. A refusal by that list may
//! be read by the page it refuses: it says nothing but what the page did, and the widget can show why it is silent.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AppState;
use crate::problem::{Kind, Problem};
use crate::store::Creator;

/// What a page may be allowed to do on another origin: ask, and nothing with a key.
const OPEN_TO_PAGES: [&str; 6] =
    ["/chat", "/chat/stream", "/chat/access", "/chat/contact", "/feedback", "/health"];

/// The code of a refusal by [`check`].
const NOT_ALLOWED: &str = "origin_not_allowed";

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
    let said_so = response.extensions().get::<Problem>().is_some_and(|problem| problem.code == NOT_ALLOWED);
    let forbidden = response.status() == StatusCode::FORBIDDEN;
    let readable = said_so || (allowed && !forbidden);
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let (true, Ok(value)) = (readable, HeaderValue::from_str(&origin)) {
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

/// Refuses a page that this creator did not allow. Programs send no `Origin`; our own pages are always allowed.
pub fn check(creator: &Creator, headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    let Some(origin) = origin(headers) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if is_own(origin, host, public_url) || allows(creator, origin) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        NOT_ALLOWED,
        format!("the page `{origin}` may not ask this creator's assistant"),
        "add the page's origin to `allowed_origins` in the creator's settings",
    ))
}

/// Refuses every page that is not one of ours, where a page could use what a person is signed in with. Programs send no
/// `Origin`.
pub fn check_own(headers: &HeaderMap, public_url: &str) -> Result<(), Problem> {
    let Some(origin) = origin(headers) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    if is_own(origin, host, public_url) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::Forbidden,
        NOT_ALLOWED,
        format!("the page `{origin}` may not use a key here"),
        "use a key from a program, or from this server's own pages",
    ))
}

/// Whether a page is one of ours. Any name can be made to point to this machine, so that `Host` and `Origin` agree
/// while the page is a stranger's; addresses of numbers and `localhost` cannot, and one name is ours by the settings.
fn is_own(origin: &str, host: Option<&str>, public_url: &str) -> bool {
    if !public_url.is_empty() && origin == public_url {
        return true;
    }
    let rest = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    if rest.is_none() || rest != host {
        return false;
    }
    match url::Url::parse(origin).ok().as_ref().and_then(url::Url::host) {
        Some(url::Host::Ipv4(_) | url::Host::Ipv6(_)) => true,
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_hosts_are_our_own() {
        let public = "https://ask.school.example";
        for (origin, host, own) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", true),
            ("http://[::1]:8000", "[::1]:8000", true),
            ("http://192.168.1.5:9000", "192.168.1.5:9000", true),
            ("http://localhost:8000", "localhost:8000", true),
            ("http://localhost:8001", "localhost:8000", false),
            ("http://rebound.example:8000", "rebound.example:8000", false),
            ("http://localhost.rebound.example", "localhost.rebound.example", false),
            ("https://ask.school.example", "127.0.0.1:8000", true),
            ("https://ask.school.example", "ask.school.example", true),
            ("http://ask.school.example", "ask.school.example", false),
            ("null", "null", false),
        ] {
            assert_eq!(is_own(origin, Some(host), public), own, "{origin} at {host}");
            assert!(public == origin || is_own(origin, Some(host), "") == own, "{origin} at {host}");
        }
    }
}

//! How a [`Problem`] looks over HTTP: the status, the shape of the contract, `Retry-After`, the request's id.
//!
//! Handlers return [`ApiError`]; the body is written by [`finish`], the outermost layer, because only there the
//! id of the request and of the answer are surely the same. Failures of axum's own (a wrong method, an unknown
//! route) become problems in `mod.rs`, so that every refusal looks alike.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::api::openai;
use crate::problem::{Kind, Problem};

/// Name of the header that carries the id of a request.
pub const REQUEST_ID: &str = "x-request-id";

/// A problem on its way to a client.
#[derive(Debug, Clone)]
pub struct ApiError(pub Problem);

impl<E: Into<Problem>> From<E> for ApiError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = status(self.0.kind).into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}

/// The error of the contract.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The sentence again, where older clients look for it.
    pub detail: String,
    pub error: ErrorDetail,
}

/// What went wrong and what to do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorDetail {
    /// Stable and snake case.
    pub code: String,
    pub message: String,
    pub hint: String,
    /// Also in the header `x-request-id`, and in the log.
    pub request_id: String,
}

/// The body of a problem.
pub fn body(problem: &Problem, request_id: &str) -> ErrorBody {
    ErrorBody {
        detail: problem.message.clone(),
        error: ErrorDetail {
            code: problem.code.to_owned(),
            message: problem.message.clone(),
            hint: problem.hint.to_string(),
            request_id: request_id.to_owned(),
        },
    }
}

/// The status of each kind of problem: the only table of its kind.
pub fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid | Kind::Unreadable => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Missing => StatusCode::NOT_FOUND,
        Kind::Gone => StatusCode::GONE,
        Kind::Range(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        Kind::Method => StatusCode::METHOD_NOT_ALLOWED,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Kind::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        Kind::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
        Kind::Full => StatusCode::INSUFFICIENT_STORAGE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The id of the request being answered.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Gives each request an id, logs its outcome, and writes the body of a problem.
pub async fn finish(mut request: Request, next: Next) -> Response {
    let id = super::fresh_id();
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path, began) =
        (request.method().clone(), request.uri().path().to_owned(), std::time::Instant::now());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let mut status = response.status();
        let mut body = serde_json::json!(body(&problem, &id));
        if path.starts_with(openai::PREFIX) {
            status = openai::error::status(status);
            openai::error::extend(&mut body["error"], &problem);
        }
        let mut written = (status, axum::Json(body)).into_response();
        if let Kind::Busy(wait) | Kind::TooOften(wait) = problem.kind {
            let seconds = wait.as_secs().max(1);
            written.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Kind::Range(length) = problem.kind
            && let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}"))
        {
            written.headers_mut().insert(header::CONTENT_RANGE, value);
        }
        if status == StatusCode::UNAUTHORIZED {
            written.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Headers that a handler or an inner layer set (CORS, Allow) stay.
        for (name, value) in response.headers() {
            if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
                written.headers_mut().append(name, value.clone());
            }
        }
        response = written;
    }
    let elapsed_ms = began.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(request_id = %id, %method, path, status = response.status().as_u16(), elapsed_ms, "answered request");
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

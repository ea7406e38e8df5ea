//! Errors as clients of OpenAI's API read them: `error.type` and `error.param` beside the fields of the contract.
//!
//! The status of a wrong request is 400 there, not 422, and those clients raise other exceptions by it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::problem::{Kind, Problem};

/// The status of a problem on these routes, where `usual` is that of all others.
pub fn status(usual: StatusCode) -> StatusCode {
    if usual == StatusCode::UNPROCESSABLE_ENTITY { StatusCode::BAD_REQUEST } else { usual }
}

/// Adds what these clients read to the error of the contract.
pub fn extend(error: &mut Value, problem: &Problem) {
    error["type"] = json!(kind(problem.kind));
    // The parameter stands in backticks in the message of `unsupported`; others name none.
    let named = problem.message.strip_prefix('`').and_then(|rest| rest.split_once('`'));
    error["param"] = match (problem.code, named) {
        ("unsupported_parameter", Some((name, _))) => json!(name),
        _ => Value::Null,
    };
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Unauthenticated => "authentication_error",
        Kind::Forbidden => "permission_error",
        Kind::Busy(_) => "server_error",
        Kind::Internal | Kind::Full => "api_error",
        _ => "invalid_request_error",
    }
}

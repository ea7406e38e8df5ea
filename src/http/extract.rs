//! House extractors: like axum's, but every rejection is a [`Problem`].

#![expect(clippy::disallowed_types, reason = "the house extractors wrap axum's")]

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::ApiError;
use crate::problem::{Kind, Problem};

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError(json_problem(&rejection))),
        }
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    let hint = "see `/docs` for the fields of this request";
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            Kind::MediaType,
            "json_expected",
            "this route reads JSON",
            "send the header `content-type: application/json`",
        ),
        JsonRejection::JsonSyntaxError(_) => {
            Problem::new(Kind::Invalid, "invalid_json", rejection.body_text(), "send well-formed JSON")
        }
        _ => Problem::new(Kind::Invalid, "invalid_request", rejection.body_text(), hint),
    }
}

/// More than a route reads.
pub fn too_large() -> Problem {
    Problem::new(
        Kind::TooLarge,
        "too_large",
        "the request is larger than this route accepts",
        "send less, or raise `server.max_upload_mb` for uploads",
    )
}

/// A form of one of our pages.
pub struct Form<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = ApiError;
    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Form::<T>::from_request(request, state).await {
            Ok(axum::extract::Form(value)) => Ok(Self(value)),
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Err(ApiError(too_large()))
            }
            Err(rejection) => Err(ApiError(Problem::new(
                Kind::Invalid,
                "invalid_form",
                rejection.body_text(),
                "open the page anew and send its form again",
            ))),
        }
    }
}

/// The query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError(query_problem(&rejection))),
        }
    }
}

fn query_problem(rejection: &QueryRejection) -> Problem {
    Problem::new(
        Kind::Invalid,
        "invalid_query",
        rejection.body_text(),
        "see `/docs` for the parameters of this route",
    )
}

/// A part of the path.
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(ApiError(path_problem(&rejection))),
        }
    }
}

fn path_problem(rejection: &PathRejection) -> Problem {
    Problem::new(Kind::Missing, "not_found", rejection.body_text(), "check the address")
}

//! `/v1/…`: what clients of OpenAI's API expect, with a creator's course as the model. Needs the creator's key.
//!
//! The model's name is the creator's slug. What this API has no word for (citations, grounding) stands under
//! `neverafk`; what this program does not do (several choices, tools, JSON by grammar) is refused by name rather than
//! ignored. Errors get the two fields more that those clients read ([`error`]).

pub mod chat;
pub mod embeddings;
pub mod error;
mod limit;
mod messages;
pub mod models;
mod stream;

use crate::domain::CreatorId;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::problem::{Kind, Problem};

/// Where these routes begin.
pub const PREFIX: &str = "/v1/";

/// The creator that a request names as its model, if the key may ask it.
async fn creator_of(app: &AppState, principal: &Principal, model: &str) -> Result<CreatorId, ApiError> {
    let creator: CreatorId = model.parse().map_err(|_| unknown_model(model))?;
    principal.may_manage(&creator)?;
    app.store().creator(&creator).await.map_err(|_| unknown_model(model))?;
    Ok(creator)
}

fn unknown_model(name: &str) -> Problem {
    Problem::new(
        Kind::Missing,
        "model_not_found",
        format!("there is no model `{}`", name.chars().take(64).collect::<String>()),
        "the model's name is the creator's slug; `GET /v1/models` lists those of your key",
    )
}

/// A parameter whose value means something that is not done here.
fn unsupported(parameter: &str, why: &str) -> Problem {
    Problem::new(
        Kind::Invalid,
        "unsupported_parameter",
        format!("`{parameter}` is not supported: {why}"),
        "leave it out; see `/docs` for what this route reads",
    )
}

fn invalid(message: impl Into<String>) -> Problem {
    Problem::new(Kind::Invalid, "invalid_request", message, "see `/docs` for the fields of this request")
}

/// Seconds since 1970, as these APIs give times.
fn seconds(time: crate::domain::Timestamp) -> u64 {
    time.0 / 1000
}

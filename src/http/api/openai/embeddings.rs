//! `POST /v1/embeddings`: vectors of texts by the model of the creator's collection.

use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{creator_of, invalid, unsupported};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::{ApiError, ErrorBody};
use crate::http::extract::Json;
use crate::problem::Problem;

/// Texts of one request, as OpenAI allows.
const MOST_INPUTS: usize = 2048;

/// Texts to embed.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct EmbeddingRequest {
    /// The creator's slug.
    pub model: String,
    /// A text, or a list of texts.
    #[schema(value_type = Vec<String>)]
    pub input: Value,
    /// `float` or `base64` (little-endian 32-bit floats).
    #[serde(default)]
    pub encoding_format: Option<String>,
    /// Refused unless it is what the model has.
    #[serde(default)]
    pub dimensions: Option<usize>,
}

/// Vectors in the order of the texts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EmbeddingList {
    /// `list`
    pub object: &'static str,
    pub data: Vec<EmbeddingRow>,
    /// The creator's slug.
    pub model: String,
    pub usage: EmbeddingUsage,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EmbeddingRow {
    /// `embedding`
    pub object: &'static str,
    pub index: usize,
    #[schema(value_type = Vec<f32>)]
    pub embedding: Vector,
}

/// Numbers, or their bytes in base64.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

/// Words of the texts: models here are not paid by the token, and do not count them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct EmbeddingUsage {
    pub prompt_tokens: usize,
    pub total_tokens: usize,
}

/// Embeds texts.
#[utoipa::path(post, path = "/v1/embeddings", tag = "openai", security(("key" = [])),
    request_body = EmbeddingRequest, responses((status = 200, body = EmbeddingList),
    (status = 400, body = ErrorBody), (status = 401, body = ErrorBody), (status = 404, body = ErrorBody)))]
pub async fn embed(
    State(app): State<AppState>,
    principal: Principal,
    Json(request): Json<EmbeddingRequest>,
) -> Result<axum::Json<EmbeddingList>, ApiError> {
    let creator = creator_of(&app, &principal, &request.model).await?;
    let as_base64 = match request.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => return Err(invalid(format!("`{other}` is neither `float` nor `base64`")).into()),
    };
    let texts = texts(request.input)?;
    let words: usize = texts.iter().map(|text| text.split_whitespace().count()).sum();
    let _place = app.admit()?;
    let (model, vectors) = app.embed(&creator, texts).await?;
    if request.dimensions.is_some_and(|wanted| wanted != model.dimensions) {
        let why = format!("the vectors of this model have {} numbers", model.dimensions);
        return Err(unsupported("dimensions", &why).into());
    }
    let data = vectors.into_iter().enumerate().map(|(index, vector)| EmbeddingRow {
        object: "embedding",
        index,
        embedding: if as_base64 { Vector::Base64(bytes(&vector.0)) } else { Vector::Floats(vector.0) },
    });
    Ok(axum::Json(EmbeddingList {
        object: "list",
        data: data.collect(),
        model: request.model,
        usage: EmbeddingUsage { prompt_tokens: words, total_tokens: words },
    }))
}

fn texts(input: Value) -> Result<Vec<String>, Problem> {
    let parts = match input {
        Value::Array(parts) => parts,
        other => vec![other],
    };
    let text = |part: Value| match part {
        Value::String(text) => Ok(text),
        Value::Number(_) | Value::Array(_) => {
            Err(unsupported("input", "token numbers mean nothing to this model; send texts"))
        }
        _ => Err(invalid("`input` is neither a text nor a list of texts")),
    };
    let texts: Vec<String> = parts.into_iter().map(text).collect::<Result<_, _>>()?;
    if texts.is_empty() || texts.len() > MOST_INPUTS {
        return Err(invalid(format!("`input` has {} texts, not 1 to {MOST_INPUTS}", texts.len())));
    }
    if texts.iter().any(|text| text.trim().is_empty()) {
        return Err(invalid("a text of `input` is empty"));
    }
    Ok(texts)
}

fn bytes(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

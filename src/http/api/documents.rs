//! `/api/v1/documents`: what a creator brought in. Needs the creator's key.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;

use crate::domain::{Document, DocumentId};
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::Path;
use crate::store::StoreError;

/// The documents of a creator.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Documents {
    pub documents: Vec<DocumentBody>,
}

/// A document without its words.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DocumentBody {
    pub id: String,
    pub external_id: Option<String>,
    pub title: String,
    pub source: String,
    pub media: String,
    /// BLAKE3 of the original bytes.
    pub content_hash: String,
    pub language: Option<String>,
    pub bytes: u64,
    pub pages: Option<u32>,
    pub warnings: Vec<String>,
    /// Id of another document that has nearly the same words.
    pub near_duplicate_of: Option<String>,
    /// RFC 3339.
    pub created_at: String,
}

impl From<Document> for DocumentBody {
    fn from(document: Document) -> Self {
        Self {
            id: document.id.to_string(),
            external_id: document.external_id,
            title: document.title,
            source: document.source,
            media: document.media.as_str().to_owned(),
            content_hash: document.content.to_hex(),
            language: document.language,
            bytes: document.bytes,
            pages: document.pages,
            warnings: document.warnings,
            near_duplicate_of: None,
            created_at: super::rfc3339(document.created_at),
        }
    }
}

/// Lists the documents of the key's creator.
#[utoipa::path(get, path = "/api/v1/documents", operation_id = "listDocuments", tag = "documents", security(("key" = [])),
    responses((status = 200, body = Documents), (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn list(
    State(app): State<AppState>,
    principal: Principal,
) -> Result<axum::Json<Documents>, ApiError> {
    let documents = app.store().documents(&principal.creator).await?;
    let near = app.store().near_duplicates(&principal.creator).await?;
    let body = |document: Document| {
        let near_duplicate_of = near.get(&document.id).map(ToString::to_string);
        DocumentBody { near_duplicate_of, ..document.into() }
    };
    Ok(axum::Json(Documents { documents: documents.into_iter().map(body).collect() }))
}

/// Shows one document.
#[utoipa::path(get, path = "/api/v1/documents/{id}", operation_id = "showDocument", tag = "documents", params(("id" = String, Path)),
    security(("key" = [])), responses((status = 200, body = DocumentBody), (status = 404, description = "not there, or another creator's", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn show(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<axum::Json<DocumentBody>, ApiError> {
    let document = own(&app, &principal, &id).await?;
    let near = app.store().near_duplicates(&principal.creator).await?.remove(&document.id);
    let near_duplicate_of = near.map(|id| id.to_string());
    Ok(axum::Json(DocumentBody { near_duplicate_of, ..document.into() }))
}

/// Deletes a document with every trace of it in answers and indexes.
#[utoipa::path(delete, path = "/api/v1/documents/{id}", operation_id = "deleteDocument", tag = "documents", params(("id" = String, Path)),
    security(("key" = [])), responses((status = 204), (status = 404, description = "not there, or another creator's", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn delete(
    State(app): State<AppState>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    let document = own(&app, &principal, &id).await?;
    app.delete_document(&document.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The document, if it is the caller's; another creator's does not exist for them.
async fn own(app: &AppState, principal: &Principal, id: &str) -> Result<Document, ApiError> {
    let id: DocumentId = id.parse()?;
    match app.store().document(&id).await? {
        Some(document) if document.creator == principal.creator => Ok(document),
        _ => Err(StoreError::NoDocument(id).into()),
    }
}

//! `POST /api/v1/documents`, and `POST /upload/content` as older clients call it: bring a file in. Needs the creator's key.
//!
//! The file goes to the disk as it arrives, so that its size costs no memory. Without `?wait=false` the answer
//! comes when the content is searchable; with it, when the bytes are safe and the job is queued.

use axum::extract::multipart::Field;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;

use super::jobs::ReceiptBody;
use crate::app::Upload;
use crate::domain::CreatorId;
use crate::http::AppState;
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::{Query, too_large};
use crate::problem::{Kind, Problem};

/// `?wait=false` only queues.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Wait {
    #[serde(default = "yes")]
    pub wait: bool,
}

fn yes() -> bool {
    true
}

/// What a client sends, as `multipart/form-data`.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form for /openapi.json; the form is read field by field")]
pub struct UploadForm {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
    creator_id: String,
    /// `auto`, `text`, `pdf` or `video`; the content itself decides.
    content_type: Option<String>,
    title: Option<String>,
    /// For encrypted PDFs.
    password: Option<String>,
}

/// The document is searchable.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Uploaded {
    /// `success`
    pub status: &'static str,
    pub filename: String,
    pub creator_id: String,
    /// What the content turned out to be.
    pub content_type: String,
    pub document_count: usize,
    pub chunks_created: usize,
    pub namespace: String,
    pub document_id: String,
    pub job_id: Option<String>,
    /// What could not be read, in sentences.
    pub warnings: Vec<String>,
    /// What became of the creator's documents.
    pub documents: ReceiptBody,
    /// Another document that this one, or one in this package, is nearly the same as.
    pub near_duplicate_of: Option<String>,
    /// Titles of documents that a former version of this package held and this one does not: they are gone.
    pub removed: Vec<String>,
}

/// The document waits to be read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Queued {
    /// `queued`
    pub status: &'static str,
    pub filename: String,
    pub creator_id: String,
    pub job_id: String,
    /// Where the job stands.
    pub job_url: String,
}

/// The same as `POST /api/v1/documents`, for older clients.
#[utoipa::path(post, path = "/upload/content", operation_id = "uploadContent", tag = "documents", params(Wait), security(("key" = [])),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Uploaded), (status = 202, body = Queued),
    (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody), (status = 422, description = "the request is wrong, and why", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn upload(
    State(app): State<AppState>,
    principal: Principal,
    Query(Wait { wait }): Query<Wait>,
    request: Request,
) -> Result<Response, ApiError> {
    let form = received(&app, request).await?;
    let creator: CreatorId = match form.creator {
        Some(text) => text.parse()?,
        None => principal.creator.clone(),
    };
    principal.may_manage(&creator)?;
    let filename = form.filename.clone();
    let upload = Upload { name: form.filename, title: form.title, password: form.password, file: form.file };
    if !wait {
        let job = app.enqueue_upload(&creator, upload).await?;
        let queued = Queued {
            status: "queued",
            filename,
            creator_id: creator.to_string(),
            job_url: format!("/api/v1/jobs/{job}"),
            job_id: job.to_string(),
        };
        return Ok((StatusCode::ACCEPTED, axum::Json(queued)).into_response());
    }
    let ingested = app.ingest_upload(&creator, upload).await?;
    let uploaded = Uploaded {
        status: "success",
        filename,
        content_type: ingested.media.as_str().to_owned(),
        document_count: ingested.documents,
        chunks_created: ingested.chunks,
        namespace: creator.to_string(),
        document_id: ingested.document.to_string(),
        job_id: None,
        warnings: ingested.warnings,
        documents: ingested.receipt.into(),
        near_duplicate_of: ingested.near_duplicate_of.map(|id| id.to_string()),
        removed: ingested.removed,
        creator_id: creator.to_string(),
    };
    Ok(axum::Json(uploaded).into_response())
}

/// Brings a file in.
#[utoipa::path(post, path = "/api/v1/documents", operation_id = "createDocument", tag = "documents", params(Wait),
    security(("key" = [])), request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 200, body = Uploaded), (status = 202, description = "queued, with `?wait=false`", body = Queued),
    (status = 401, description = "no key, or one that is not known", body = crate::http::error::ErrorBody),
    (status = 413, description = "larger than the server takes", body = crate::http::error::ErrorBody),
    (status = 415, description = "not a form, or content of a kind that is not read", body = crate::http::error::ErrorBody),
    (status = 422, description = "the request or the file is wrong, and why", body = crate::http::error::ErrorBody),
    (status = 507, description = "no room on the disk", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn create(
    state: State<AppState>,
    principal: Principal,
    query: Query<Wait>,
    request: Request,
) -> Result<Response, ApiError> {
    upload(state, principal, query, request).await
}

/// A form with a file, as it was sent.
pub struct Form {
    pub filename: String,
    pub file: tempfile::NamedTempFile,
    pub creator: Option<String>,
    pub title: Option<String>,
    pub password: Option<String>,
}

/// Reads a form to its end, the file onto the disk.
pub async fn received(app: &AppState, request: Request) -> Result<Form, Problem> {
    let form = Multipart::from_request(request, app).await.map_err(|rejection| {
        Problem::new(
            Kind::MediaType,
            "form_expected",
            rejection.body_text(),
            "send `multipart/form-data` with the fields `file` and `creator_id`",
        )
    })?;
    read(app, form).await
}

async fn read(app: &AppState, mut form: Multipart) -> Result<Form, Problem> {
    let (mut file, mut filename) = (None, String::new());
    let (mut creator, mut title, mut password) = (None, None, None);
    while let Some(mut field) = form.next_field().await.map_err(broken_form)? {
        match field.name().unwrap_or_default() {
            "file" => {
                filename = field.file_name().unwrap_or("upload").to_owned();
                let saved = save(app, &mut field).await;
                if saved.is_err() {
                    // Who sends listens when all is sent: without this, a full disk looks like a cut connection.
                    while let Ok(Some(_)) = field.chunk().await {}
                }
                file = Some(saved?);
            }
            "creator_id" => creator = Some(field.text().await.map_err(broken_form)?),
            "title" => {
                title = Some(field.text().await.map_err(broken_form)?).filter(|text| !text.trim().is_empty())
            }
            "password" => password = Some(field.text().await.map_err(broken_form)?),
            _ => {
                field.bytes().await.map_err(broken_form)?;
            }
        }
    }
    let Some(file) = file else {
        return Err(Problem::new(
            Kind::Invalid,
            "file_missing",
            "the form has no field `file`",
            "send the file in the field `file`",
        ));
    };
    Ok(Form { filename, file, creator, title, password })
}

async fn save(app: &AppState, field: &mut Field<'_>) -> Result<tempfile::NamedTempFile, Problem> {
    let file = app.temporary_file()?;
    let mut to = tokio::fs::File::from_std(file.reopen().map_err(disk)?);
    while let Some(piece) = field.chunk().await.map_err(broken_form)? {
        to.write_all(&piece).await.map_err(disk)?;
    }
    to.flush().await.map_err(disk)?;
    Ok(file)
}

fn broken_form(error: axum::extract::multipart::MultipartError) -> Problem {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return too_large();
    }
    Problem::new(Kind::Invalid, "invalid_form", error.body_text(), "send the whole form again")
}

fn disk(error: std::io::Error) -> Problem {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return crate::store::StoreError::Full(error.to_string()).into();
    }
    Problem::internal(error)
}

//! `/dashboard/{creator}/content`: what the assistant knows; bring files in, find them, delete them.

use std::collections::HashMap;

use askama::Template;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::gate::{Place, Visitor};
use super::page::{self, Refusal, Shell};
use super::sources::{self, Failure, Source};
use crate::accounts::{Action, may};
use crate::app::Upload;
use crate::domain::{Document, DocumentId};
use crate::http::AppState;
use crate::http::api::upload;
use crate::http::error::ApiError;
use crate::http::extract::{Path, Query};
use crate::store::StoreError;

/// Documents on one page.
const ON_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "content.html", config = "assets/dashboard/askama.toml")]
struct Content {
    shell: Shell,
    q: String,
    total: String,
    found: usize,
    rows: Vec<Row>,
    changes: bool,
    earlier: Option<usize>,
    later: Option<usize>,
    deleted: bool,
    /// What a form on this page did.
    said: Option<&'static str>,
    sources: Vec<Source>,
    failures: Vec<Failure>,
    /// Documents that have nearly the same words as another.
    alike: usize,
    max_upload_mb: u64,
}

struct Row {
    id: String,
    title: String,
    source: String,
    kind: &'static str,
    size: String,
    pages: Option<u32>,
    time: String,
    machine_time: String,
    warnings: Vec<String>,
    /// Title of another document with nearly the same words.
    near: Option<String>,
}

impl From<Document> for Row {
    fn from(document: Document) -> Self {
        Self {
            id: document.id.to_string(),
            kind: document.media.as_str(),
            size: page::size(document.bytes),
            pages: document.pages,
            time: page::moment(document.created_at),
            machine_time: page::machine_time(document.created_at),
            warnings: document.warnings,
            near: None,
            title: document.title,
            source: document.source,
        }
    }
}

/// Which part of the list.
#[derive(Debug, Deserialize)]
pub struct Wanted {
    /// Words in title or source.
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: usize,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    done: String,
}

/// `GET /dashboard/{creator}/content`
pub async fn list(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Refusal> {
    let mut documents = app.store().documents(&place.creator.id).await?;
    let total = documents.len();
    let near = app.store().near_duplicates(&place.creator.id).await?;
    let titles: HashMap<DocumentId, String> = match near.is_empty() {
        true => HashMap::new(),
        false => documents.iter().map(|one| (one.id.clone(), one.title.clone())).collect(),
    };
    let row = |document: Document| {
        let near = near.get(&document.id).and_then(|other| titles.get(other)).cloned();
        Row { near, ..document.into() }
    };
    let words = wanted.q.to_lowercase();
    documents.retain(|document| {
        words.split_whitespace().all(|word| {
            document.title.to_lowercase().contains(word) || document.source.to_lowercase().contains(word)
        })
    });
    documents.sort_by(|a, b| (b.created_at, &a.title).cmp(&(a.created_at, &b.title)));
    let (found, first) = (documents.len(), wanted.page.saturating_mul(ON_PAGE));
    Ok(page::page(&Content {
        total: page::number(total as u64),
        found,
        rows: documents.into_iter().skip(first).take(ON_PAGE).map(row).collect(),
        changes: may(place.role, Action::ChangeContent),
        earlier: wanted.page.checked_sub(1),
        later: (first.saturating_add(ON_PAGE) < found).then(|| wanted.page + 1),
        deleted: wanted.deleted,
        said: sources::said(&wanted.done),
        sources: sources::sources(&app, &place).await?,
        failures: sources::failures(&app, &place).await?,
        alike: near.len(),
        max_upload_mb: app.config().settings.server.max_upload_mb,
        q: wanted.q,
        shell: Shell::new(&visitor, &place, "Content"),
    }))
}

/// What came of a file, for the page's script.
#[derive(Debug, Serialize)]
pub struct Added {
    filename: String,
    passages: usize,
    documents: usize,
    warnings: Vec<String>,
}

/// `POST /dashboard/{creator}/content`: one file, by the page's script.
pub async fn add(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    request: Request,
) -> Result<axum::Json<Added>, ApiError> {
    let form = upload::received(&app, request).await?;
    let filename = form.filename.clone();
    let file = Upload { name: form.filename, title: form.title, password: form.password, file: form.file };
    let ingested = app.ingest_upload(&place.creator.id, file).await?;
    visitor.note(&app, &place, "content.added", &filename).await?;
    Ok(axum::Json(Added {
        filename,
        passages: ingested.chunks,
        documents: ingested.documents,
        warnings: ingested.warnings,
    }))
}

/// `POST /dashboard/{creator}/content/{document}/delete`
pub async fn delete(
    State(app): State<AppState>,
    visitor: Visitor,
    place: Place,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let id: DocumentId = id.parse()?;
    let document = match app.store().document(&id).await? {
        Some(document) if document.creator == place.creator.id => document,
        // Another creator's does not exist here.
        _ => return Err(StoreError::NoDocument(id).into()),
    };
    app.delete_document(&id).await?;
    visitor.note(&app, &place, "content.deleted", &document.title).await?;
    Ok(Redirect::to(&format!("/dashboard/{}/content?deleted=true", place.creator.id)).into_response())
}

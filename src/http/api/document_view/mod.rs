//! `/d/{document}`: the place that an answer cites, for people. A page with the quotation marked, the same as JSON, and
//! the original's bytes.
//!
//! Addresses come from `answer::cite`, signed; [`access`] decides who may see how much. The page works without a
//! script, asks nobody else for anything, and marks the quotation in the stored text by its bytes ([`sections`]), since
//! that is what the answer was checked against.

pub mod access;
mod file;
mod original;
mod page;
mod range;
mod sections;
mod track;
mod words;

pub use original::stream;

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use self::access::{Level, Opened, Seen, caller, see};
use crate::app::blocking;
use crate::domain::{Anchor, Area, Block, BlockKind, Span, area};
use crate::http::auth::Principal;
use crate::http::error::ApiError;
use crate::http::extract::{Path, Query};
use crate::http::{AppState, assets};
use crate::problem::Problem;

/// The words of a document, as far as they may be seen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DocumentText {
    pub document_id: String,
    pub title: String,
    pub media: String,
    /// ISO 639-1.
    pub language: Option<String>,
    pub pages: Option<u32>,
    /// The web page that it was read from.
    pub source_url: Option<String>,
    /// What the address opens.
    pub viewer: Level,
    /// The quotation; absent without one, and when the document has changed since.
    pub quote: Option<Quotation>,
    /// The bytes of the stored text that `blocks` are from.
    pub window: Window,
    /// Number of this part and of all; a text that is not long has one.
    pub part: usize,
    pub parts: usize,
    pub blocks: Vec<TextBlock>,
}

/// Bytes of the stored text, in UTF-8.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Window {
    pub start: usize,
    pub end: usize,
}

/// The quoted words.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Quotation {
    pub start: usize,
    pub end: usize,
    pub text: String,
    /// Its lines on the pages of a PDF, in points from the upper left corner; empty where they are not known.
    #[schema(value_type = Vec<Object>)]
    pub areas: Vec<Area>,
}

/// A block of the text, or what of it is in the window.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TextBlock {
    /// `heading`, `paragraph`, `list_item`, `code`, `table_row`, `cue`.
    pub kind: &'static str,
    /// 1 to 6, of a heading.
    pub level: Option<u8>,
    pub start: usize,
    pub end: usize,
    pub text: String,
    #[schema(value_type = Object)]
    pub anchor: Anchor,
}

/// The text of a document with what of it is shown.
pub struct Shown {
    pub text: String,
    /// All of them, without gaps.
    pub blocks: Vec<Block>,
    pub window: Span,
    pub place: Option<Span>,
    /// The lines of the pages that the place stands on, numbered by bytes of the text.
    pub lines: Vec<Area>,
    pub part: usize,
    pub parts: usize,
}

impl Shown {
    /// The lines of the quotation.
    fn marked(&self) -> Vec<Area> {
        self.place.map(|place| area::within(&self.lines, place)).unwrap_or_default()
    }
}

/// Shows the place that an answer cites, as a page: the quotation marked in the text around it. Needs a signed address,
/// as `url` of a citation is, or a key of the document's creator.
#[utoipa::path(get, path = "/d/{document}", operation_id = "viewDocument", tag = "documents",
    params(("document" = String, Path), Opened), security((), ("key" = [])),
    responses((status = 200, content_type = "text/html", body = String, description = "the page"),
    (status = 404, description = "no such document, or the address is not one that this server made", body = crate::http::error::ErrorBody),
    (status = 410, description = "the address is too old, or the document was changed or deleted", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn page(
    State(app): State<AppState>,
    principal: Result<Principal, ApiError>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(opened): Query<Opened>,
) -> Response {
    let made = async {
        let seen = see(&app, caller(&headers, principal)?, &id, &opened).await?;
        let shown = shown(&app, &seen, opened.part).await?;
        let original = match seen.level {
            Level::Original => original::open(&app, &seen.document).await?.map(|original| original.kind),
            Level::Quote | Level::Text => None,
        };
        Ok::<_, ApiError>(page::document(&seen, &shown, original.as_ref(), &headers)?)
    };
    match made.await {
        Ok(page) => page,
        // People get a page that says what to do, programs the error's shape.
        Err(ApiError(problem)) if assets::wants_html(&headers) => {
            page::notice(&problem, &headers).unwrap_or_else(|problem| ApiError(problem).into_response())
        }
        Err(error) => error.into_response(),
    }
}

/// The same as JSON: the text, or what surrounds the quotation, block by block with its place.
#[utoipa::path(get, path = "/d/{document}/text", operation_id = "documentText", tag = "documents",
    params(("document" = String, Path), Opened), security((), ("key" = [])),
    responses((status = 200, body = DocumentText),
    (status = 404, description = "no such document, or the address is not one that this server made", body = crate::http::error::ErrorBody),
    (status = 410, description = "the address is too old, or the document was changed or deleted", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn text(
    State(app): State<AppState>,
    principal: Result<Principal, ApiError>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(opened): Query<Opened>,
) -> Result<axum::Json<DocumentText>, ApiError> {
    let seen = see(&app, caller(&headers, principal)?, &id, &opened).await?;
    let shown = shown(&app, &seen, opened.part).await?;
    Ok(axum::Json(body(seen, &shown)))
}

/// The original bytes, whole or a range of them. Only where the creator's setting `viewer` is `original`, or with a key
/// of the document's creator.
#[utoipa::path(get, path = "/d/{document}/original", operation_id = "documentOriginal", tag = "documents",
    params(("document" = String, Path), Opened, ("range" = Option<String>, Header, description = "one range of bytes")),
    security((), ("key" = [])),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>, description = "the file, in its own media type"),
    (status = 206, content_type = "application/octet-stream", body = Vec<u8>, description = "the range"),
    (status = 304, description = "the client has it"), (status = 412, description = "it is another version now"),
    (status = 403, description = "the course shows quotations or text only", body = crate::http::error::ErrorBody),
    (status = 416, description = "the range is outside the file", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn original(
    State(app): State<AppState>,
    principal: Result<Principal, ApiError>,
    method: Method,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(opened): Query<Opened>,
) -> Result<Response, ApiError> {
    let seen = see(&app, caller(&headers, principal)?, &id, &opened).await?;
    original::answer(&app, &seen, &method, &headers).await
}

/// The words of a recording as captions for a player (WebVTT). Where the text may be seen, or with a key of the
/// document's creator.
#[utoipa::path(get, path = "/d/{document}/captions", operation_id = "documentCaptions", tag = "documents",
    params(("document" = String, Path), Opened), security((), ("key" = [])),
    responses((status = 200, content_type = "text/vtt", body = String, description = "each passage with its time"),
    (status = 403, description = "the course shows quotations only", body = crate::http::error::ErrorBody),
    (status = 404, description = "no such document, or nothing of it has a time", body = crate::http::error::ErrorBody),
    (status = "default", description = "refused", body = crate::http::error::ErrorBody)))]
pub async fn captions(
    State(app): State<AppState>,
    principal: Result<Principal, ApiError>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(opened): Query<Opened>,
) -> Result<Response, ApiError> {
    let seen = see(&app, caller(&headers, principal)?, &id, &opened).await?;
    track::answer(&app, &seen).await
}

/// What of the text is shown.
async fn shown(app: &AppState, seen: &Seen, part: Option<usize>) -> Result<Shown, Problem> {
    let found = app.store().document_text(&seen.document.id).await?;
    // Deleted since it was looked up: as if it had been before.
    let (text, blocks) =
        found.ok_or_else(|| crate::store::StoreError::NoDocument(seen.document.id.clone()))?;
    let place = seen.place.filter(|place| !place.of(&text).is_empty());
    let lines = match place {
        Some(place) => app.store().lines_around(&seen.document.id, place).await?,
        None => Vec::new(),
    };
    let around = match (seen.level, place) {
        (Level::Quote, Some(place)) => {
            app.store().surroundings(&seen.document.id, place).await?.or(Some(place))
        }
        (Level::Quote, None) => Some(Span { start: 0, end: 0 }),
        (Level::Text | Level::Original, _) => None,
    };
    // A long text is many blocks; off the threads that answer others.
    blocking(move || {
        let blocks = sections::complete(&text, &blocks);
        if let Some(window) = around {
            return Shown { text, blocks, window, place, lines, part: 0, parts: 1 };
        }
        let parts = sections::parts(&blocks);
        let of_place = place.and_then(|place| parts.iter().rposition(|part| part.start <= place.start));
        let part = part.or(of_place).unwrap_or(0).min(parts.len() - 1);
        Shown { window: parts[part], part, parts: parts.len(), text, blocks, place, lines }
    })
    .await
}

fn body(seen: Seen, shown: &Shown) -> DocumentText {
    let window = shown.window;
    let blocks = shown.blocks.iter().filter_map(|block| {
        let span = Span { start: block.span.start.max(window.start), end: block.span.end.min(window.end) };
        let (kind, level) = match block.kind {
            BlockKind::Heading(level) => ("heading", Some(level)),
            BlockKind::Paragraph => ("paragraph", None),
            BlockKind::ListItem => ("list_item", None),
            BlockKind::Code => ("code", None),
            BlockKind::TableRow => ("table_row", None),
            BlockKind::Cue => ("cue", None),
        };
        (span.start < span.end).then(|| TextBlock {
            kind,
            level,
            start: span.start,
            end: span.end,
            text: span.of(&shown.text).to_owned(),
            anchor: block.anchor.clone(),
        })
    });
    DocumentText {
        document_id: seen.document.id.to_string(),
        media: seen.document.media.as_str().to_owned(),
        source_url: page::web_address(&seen.document.source).map(str::to_owned),
        title: seen.document.title,
        language: seen.document.language,
        pages: seen.document.pages,
        viewer: seen.level,
        quote: shown.place.map(|place| Quotation {
            start: place.start,
            end: place.end,
            text: place.of(&shown.text).to_owned(),
            areas: shown.marked(),
        }),
        window: Window { start: window.start, end: window.end },
        part: shown.part,
        parts: shown.parts,
        blocks: blocks.collect(),
    }
}

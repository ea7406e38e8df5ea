//! `GET /d/{document}/original`: the bytes that a creator brought in, whole or in part.
//!
//! Bytes from strangers on our own origin: the type is ours, nothing is guessed from them, scripts in them run nowhere,
//! and no other site may embed them. Streamed from the disk, so that a seek in a long recording reads what it shows.

use std::fs::File;
use std::io::{self, Read, SeekFrom};
use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::access::{Level, Seen};
use super::file::{self, FileKind, Show};
use super::range::{Wanted, wanted};
use crate::app::blocking;
use crate::domain::Document;
use crate::http::AppState;
use crate::http::error::ApiError;
use crate::problem::{Kind, Problem};

/// Read and sent at once: large enough for speed, small enough for many readers.
const PIECE: usize = 128 << 10;

/// A sandbox without a single permission: no script, no form, no origin of ours.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src 'self'; frame-ancestors 'self'";
/// Browsers refuse to start their PDF viewer in a sandbox; it runs in one of its own, and the type cannot be changed
/// by the bytes, since nothing is sniffed.
const PDF_POLICY: &str = "frame-ancestors 'self'";

/// An original, opened.
pub struct Original {
    pub kind: FileKind,
    file: File,
    length: u64,
}

/// Opens the original; `None` where a document has none, as records of a corpus.
pub async fn open(app: &AppState, document: &Document) -> Result<Option<Original>, Problem> {
    let Some((mut file, length)) = app.store().blobs().open(&document.content).await? else {
        return Ok(None);
    };
    let looked = blocking(move || {
        // Reading blocks, therefore a thread of its own.
        let mut head = Vec::with_capacity(file::HEAD_BYTES);
        (&mut file).take(file::HEAD_BYTES as u64).read_to_end(&mut head)?;
        Ok::<_, io::Error>((file, head))
    });
    let (file, head) = looked.await?.map_err(Problem::internal)?;
    Ok(Some(Original { kind: file::kind(document, &head), file, length }))
}

/// Answers with it, as far as the caller may see it.
pub async fn answer(
    app: &AppState,
    seen: &Seen,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    if seen.level < Level::Original {
        return Err(ApiError(Problem::new(
            Kind::Forbidden,
            "original_not_shown",
            "the course shows what is quoted from this file, and not the file itself",
            "ask the course's owner; with their key, `PATCH /api/v1/settings` sets `viewer` to \"original\"",
        )));
    }
    let Some(original) = open(app, &seen.document).await? else {
        return Err(ApiError(Problem::new(
            Kind::Missing,
            "no_original",
            "this document came as a line of a corpus and has no file of its own",
            "open its text instead",
        )));
    };
    let tag = format!("\"{}\"", seen.document.content.to_hex());
    let length = original.length;
    let (status, part) = match wanted(method, headers, &tag, length) {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Nothing => return Ok((StatusCode::NOT_MODIFIED, common(&tag)?).into_response()),
        Wanted::OtherVersion => return Ok((StatusCode::PRECONDITION_FAILED, common(&tag)?).into_response()),
        Wanted::OutOfReach => {
            return Err(ApiError(Problem::new(
                Kind::Range(length),
                "range_not_satisfiable",
                format!("the file has {length} bytes, and none where they were asked for"),
                "ask for `bytes=FROM-TO` within the length in `content-range`",
            )));
        }
    };
    let mut all = common(&tag)?;
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1));
        all.insert(header::CONTENT_RANGE, value(&range)?);
    }
    let name = file::file_name(&seen.document.source);
    let policy = if original.kind.show == Show::Pdf { PDF_POLICY } else { POLICY };
    all.insert(header::CONTENT_TYPE, value(&original.kind.mime)?);
    all.insert(header::CONTENT_LENGTH, HeaderValue::from(part.end - part.start));
    all.insert(header::CONTENT_DISPOSITION, value(&file::disposition(original.kind.show, name))?);
    all.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    let body =
        if *method == Method::HEAD { Body::empty() } else { Body::from_stream(stream(original.file, part)) };
    Ok((status, all, body).into_response())
}

/// What every answer about the file says.
fn common(tag: &str) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ETAG, value(tag)?);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    // Kept by the reader's browser alone, and asked for again: who may see it can change.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    Ok(headers)
}

fn value(text: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(text).map_err(Problem::internal)
}

/// The part, piece by piece. A file that ends too early breaks the connection, so that no client takes it for whole.
pub fn stream(file: File, part: Range<u64>) -> impl Stream<Item = io::Result<Bytes>> {
    let begin = (tokio::fs::File::from_std(file), Some(part.start), part.end - part.start);
    futures_util::stream::try_unfold(begin, |(mut file, seek, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        if let Some(to) = seek {
            file.seek(SeekFrom::Start(to)).await?;
        }
        let size = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut piece = BytesMut::with_capacity(size);
        let read = (&mut file).take(size as u64).read_buf(&mut piece).await?;
        if read == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        Ok(Some((piece.freeze(), (file, None, left - read as u64))))
    })
}

//! `GET /d/{document}/captions`: what is said in a recording, as the text track of a player (WebVTT).
//!
//! Made of the stored text, so that the player shows the very words that answers quote, whether somebody wrote them or a
//! model heard them. Who may see them is decided as for every other view of the document.

use std::fmt::Write;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::access::{Level, Seen};
use crate::app::blocking;
use crate::domain::Block;
use crate::http::AppState;
use crate::http::error::ApiError;
use crate::problem::{Kind, Problem};
use crate::store::StoreError;

/// Answers with the track, as far as the caller may see it.
pub async fn answer(app: &AppState, seen: &Seen) -> Result<Response, ApiError> {
    if seen.level < Level::Text {
        return Err(ApiError(Problem::new(
            Kind::Forbidden,
            "text_not_shown",
            "the course shows what is quoted from this recording, and not all that is said in it",
            "ask the course's owner; with their key, `PATCH /api/v1/settings` sets `viewer` to \"text\"",
        )));
    }
    let id = &seen.document.id;
    let (text, blocks) =
        app.store().document_text(id).await?.ok_or_else(|| StoreError::NoDocument(id.clone()))?;
    let made = blocking(move || vtt(&text, &blocks)).await?;
    let Some(track) = made else {
        return Err(ApiError(Problem::new(
            Kind::Missing,
            "no_captions",
            "nothing in this document has a time",
            "open its text instead",
        )));
    };
    let mut response = track.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/vtt; charset=utf-8"));
    // Who may see it can change.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex"));
    Ok(response)
}

/// The blocks that have a time, as cues; `None` when none has. The form is that of <https://www.w3.org/TR/webvtt1/>.
fn vtt(text: &str, blocks: &[Block]) -> Option<String> {
    let mut track = String::from("WEBVTT\n");
    let mut is_empty = true;
    for block in blocks {
        let Some(start) = block.anchor.start_ms else { continue };
        // A cue ends after it begins.
        let end = block.anchor.end_ms.unwrap_or(start).max(start.saturating_add(1));
        // An empty line would end the cue.
        let lines = block.span.of(text).lines().map(str::trim).filter(|line| !line.is_empty());
        let words = lines.map(escaped).collect::<Vec<_>>().join("\n");
        if words.is_empty() {
            continue;
        }
        is_empty = false;
        // Writing to a string cannot fail.
        let _ = write!(track, "\n{} --> {}\n{words}\n", time(start), time(end));
    }
    (!is_empty).then_some(track)
}

/// Nothing that somebody said is a tag, or the arrow between two times.
fn escaped(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// `01:02:03.004`
fn time(ms: u64) -> String {
    let (seconds, ms) = (ms / 1000, ms % 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Anchor, BlockKind, Text};

    #[test]
    fn blocks_with_times_are_cues_and_nothing_in_them_is_markup() {
        let mut text = Text::default();
        text.push(BlockKind::Heading(1), "Lesson", Anchor::default());
        for (words, start, end) in [
            ("Wash <b>twice</b> & dry\n\n--> now", 3_723_004, 3_725_000),
            ("And rest.", 3_725_000, 3_725_000),
        ] {
            let anchor = Anchor { start_ms: Some(start), end_ms: Some(end), ..Anchor::default() };
            text.push(BlockKind::Cue, words, anchor);
        }
        let track = vtt(&text.text, &text.blocks).unwrap();
        assert_eq!(
            track,
            "WEBVTT\n\n01:02:03.004 --> 01:02:05.000\nWash &lt;b&gt;twice&lt;/b&gt; &amp; dry\n--&gt; now\n\n\
             01:02:05.000 --> 01:02:05.001\nAnd rest.\n"
        );
        assert_eq!(vtt("", &[]), None);
    }
}

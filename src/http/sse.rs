//! Answer events as Server-Sent Events, and nothing else: each `data: {json}` and a blank line.
//!
//! Closing the connection drops the stream, which drops the receiver, which stops the model.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;

use super::error::body;
use crate::answer::{AnswerItem, AnswerStream};

/// A comment this often keeps proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The response that streams these events; `guard` lives as long as the stream.
pub fn respond<G: Send + 'static>(answer: AnswerStream, request_id: String, guard: G) -> Response {
    let events = ReceiverStream::new(answer).map(move |event| {
        let _held = &guard;
        Ok::<_, Infallible>(encode(event, &request_id))
    });
    stream(events)
}

/// A stream of events that no proxy holds back, with a comment where it is silent for long.
pub fn stream(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"));
    // Buffering proxies would hold the evidence back until the answer is done.
    ([("x-accel-buffering", "no"), ("cache-control", "no-store")], sse).into_response()
}

fn encode(event: AnswerItem, request_id: &str) -> Event {
    let encoded = match event {
        Ok(event) => Event::default().json_data(event),
        Err(error) => {
            let error = body(&error.into(), request_id).error;
            Event::default().json_data(json!({"type": "error", "error": error}))
        }
    };
    encoded.unwrap_or_else(|error| {
        tracing::error!(%error, "an answer event is not JSON");
        Event::default().comment("unencodable event")
    })
}

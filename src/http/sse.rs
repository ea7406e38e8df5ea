//! Answer events as Server-Sent Events, and nothing else: each `data: {json}` and a blank line.
//!
//! Closing the connection drops the stream, which drops the receiver, which stops the model.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use serde_json::json;
use tokio_stream::wrappers::ReceiverStream;

use super::error::body;
use crate::answer::{AnswerItem, AnswerStream};
use crate::domain::{Answer, AnswerEvent};

/// A comment this often keeps proxies from closing a silent stream.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The response that streams these events; `guard` lives as long as the stream, and `shape` writes the answer.
pub fn respond<G: Send + 'static, S: Serialize>(
    answer: AnswerStream,
    request_id: String,
    guard: G,
    shape: impl Fn(Answer) -> S + Send + 'static,
) -> Response {
    let events = ReceiverStream::new(answer).map(move |event| {
        let _held = &guard;
        Ok::<_, Infallible>(encode(event, &request_id, &shape))
    });
    stream(events)
}

/// A stream of events that no proxy holds back, with a comment where it is silent for long.
pub fn stream(events: impl Stream<Item = Result<Event, Infallible>> + Send + 'static) -> Response {
    let sse = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive"));
    // Buffering proxies would hold the evidence back until the answer is done.
    ([("x-accel-buffering", "no"), ("cache-control", "no-store")], sse).into_response()
}

/// The last event: what was written of the answer, under its type.
#[derive(Serialize)]
struct Done<S> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    answer: S,
}

fn encode<S: Serialize>(event: AnswerItem, request_id: &str, shape: &impl Fn(Answer) -> S) -> Event {
    let encoded = match event {
        Ok(AnswerEvent::Done(answer)) => {
            Event::default().json_data(Done { kind: "done", answer: shape(*answer) })
        }
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

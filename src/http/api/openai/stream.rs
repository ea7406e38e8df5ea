//! Answer events as the chunks of OpenAI's API, with `[DONE]` at the end. Closing the connection stops the model.

use std::convert::Infallible;

use axum::response::Response;
use axum::response::sse::Event;
use futures_util::StreamExt;
use serde_json::{Value, json};
use tokio_stream::wrappers::ReceiverStream;

use super::chat::{finish, proof, usage};
use super::error;
use super::limit::Limit;
use crate::answer::{AnswerItem, AnswerStream};
use crate::domain::AnswerEvent;
use crate::http::error::body;
use crate::http::sse;

/// What every chunk of one completion carries.
#[derive(Debug, Clone)]
pub struct Head {
    pub id: String,
    pub created: u64,
    pub model: String,
}

/// The response that streams these events; `guard` lives as long as the stream.
pub fn respond<G: Send + 'static>(
    answer: AnswerStream,
    head: Head,
    mut limit: Limit,
    include_usage: bool,
    request_id: String,
    guard: G,
) -> Response {
    let first = head.chunk(json!({"role": "assistant", "content": ""}), Value::Null, include_usage);
    let events = ReceiverStream::new(answer).flat_map(move |event| {
        let _held = &guard;
        let chunks = head.chunks(event, &mut limit, include_usage, &request_id);
        futures_util::stream::iter(chunks)
    });
    let all = futures_util::stream::once(async move { first.to_string() }).chain(events);
    sse::stream(all.map(|data| Ok::<_, Infallible>(Event::default().data(data))))
}

impl Head {
    /// The data of the events that one event of the answer becomes.
    fn chunks(
        &self,
        event: AnswerItem,
        limit: &mut Limit,
        include_usage: bool,
        request_id: &str,
    ) -> Vec<String> {
        let piece = |text: String| {
            let chunk =
                (!text.is_empty()).then(|| self.chunk(json!({"content": text}), Value::Null, include_usage));
            chunk.map(|chunk| chunk.to_string())
        };
        match event {
            Ok(AnswerEvent::Sources { sources, citations }) => {
                let mut chunk = self.chunk(json!({}), Value::Null, include_usage);
                chunk["neverafk"] = json!({"sources": sources, "citations": citations});
                vec![chunk.to_string()]
            }
            Ok(AnswerEvent::Token { content }) => piece(limit.pass(&content)).into_iter().collect(),
            Ok(AnswerEvent::Done(answer)) => {
                let mut all: Vec<String> = piece(limit.end()).into_iter().collect();
                let used = usage(&answer);
                let mut last = self.chunk(json!({}), json!(finish(limit)), include_usage);
                last["neverafk"] = json!(proof(*answer));
                all.push(last.to_string());
                if include_usage {
                    let mut chunk = self.chunk(Value::Null, Value::Null, true);
                    chunk["choices"] = json!([]);
                    chunk["usage"] = json!(used);
                    all.push(chunk.to_string());
                }
                all.push("[DONE]".to_owned());
                all
            }
            Err(failed) => {
                let problem = failed.into();
                let mut error = json!(body(&problem, request_id).error);
                error::extend(&mut error, &problem);
                vec![json!({ "error": error }).to_string()]
            }
        }
    }

    fn chunk(&self, delta: Value, finish_reason: Value, include_usage: bool) -> Value {
        let mut chunk = json!({
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.created,
            "model": self.model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": null}],
        });
        if include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

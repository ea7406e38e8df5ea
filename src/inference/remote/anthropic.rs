//! Anthropic's dialect: a chat as the body of `POST /v1/messages`, and the events that come back. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::sse::Event;
use super::stream::Tally;
use crate::inference::fault::Fault;
use crate::inference::{ChatRequest, ChatRole, EndReason};

/// The version of the API that this file speaks, sent with each request.
pub const VERSION: &str = "2023-06-01";

/// The body of a request. What the system says stands beside the messages; seeds do not exist here.
pub fn body(model: &str, request: &ChatRequest) -> Map<String, Value> {
    let sampling = &request.sampling;
    let (system, others): (Vec<_>, Vec<_>) =
        request.messages.iter().partition(|message| message.role == ChatRole::System);
    let system: Vec<&str> = system.iter().map(|message| message.content.as_str()).collect();
    let messages = others.iter().map(|message| {
        let role = if message.role == ChatRole::Assistant { "assistant" } else { "user" };
        json!({"role": role, "content": message.content})
    });
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("max_tokens".into(), json!(sampling.max_tokens));
    body.insert("messages".into(), messages.collect());
    body.insert("stream".into(), json!(true));
    body.insert("temperature".into(), json!(sampling.temperature));
    if !system.is_empty() {
        body.insert("system".into(), json!(system.join("\n\n")));
    }
    // Sequences of white space alone are refused there.
    let stops: Vec<_> = sampling.stop.iter().filter(|stop| !stop.trim().is_empty()).collect();
    if !stops.is_empty() {
        body.insert("stop_sequences".into(), json!(stops));
    }
    body
}

/// Takes a parameter back that a model does not take; false when there is nothing to take back.
pub fn without(body: &mut Map<String, Value>, parameter: &str) -> bool {
    parameter == "temperature" && body.remove(parameter).is_some()
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Incoming {
    MessageStart {
        message: Started,
    },
    ContentBlockDelta {
        delta: Delta,
    },
    MessageDelta {
        delta: Ended,
        #[serde(default)]
        usage: Usage,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// `ping`, and what is invented later.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Started {
    #[serde(default)]
    usage: Usage,
}

#[derive(Deserialize)]
struct Delta {
    /// Absent where a tool or a thought is written.
    text: Option<String>,
}

#[derive(Deserialize)]
struct Ended {
    stop_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

/// Reads one event: its text, and into `tally` what it says of the end and of usage.
pub fn hear(event: &Event, tally: &mut Tally) -> Result<Option<String>, Fault> {
    let message: Incoming = serde_json::from_str(&event.data)
        .map_err(|error| Fault::Garbled(format!("an event is not what Anthropic describes: {error}")))?;
    match message {
        Incoming::MessageStart { message } => tally.prompt = message.usage.input_tokens,
        Incoming::ContentBlockDelta { delta } => return Ok(delta.text.filter(|text| !text.is_empty())),
        Incoming::MessageDelta { delta, usage } => {
            tally.completion = usage.output_tokens.or(tally.completion);
            if let Some(reason) = delta.stop_reason {
                tally.reason = Some(if reason == "max_tokens" { EndReason::Length } else { EndReason::Stop });
            }
        }
        Incoming::MessageStop => tally.done = true,
        Incoming::Error { error } => {
            return Err(match error.get("type").and_then(Value::as_str) {
                Some("overloaded_error") => Fault::Broken(529),
                Some("rate_limit_error") => Fault::Limited { retry_after: None },
                _ => Fault::Refused { status: 200, said: super::client::said(&error) },
            });
        }
        Incoming::Other => {}
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::{ChatMessage, Sampling};

    fn event(data: &str) -> Event {
        Event { kind: String::new(), data: data.to_owned() }
    }

    #[test]
    fn the_system_stands_beside_the_messages() {
        let said = |role, content: &str| ChatMessage { role, content: content.to_owned() };
        let messages = vec![said(ChatRole::System, "Be brief."), said(ChatRole::User, "Why?")];
        let sampling = Sampling { stop: vec!["\n".into(), "END".into()], ..Sampling::default() };
        let body = body("m", &ChatRequest { messages, sampling });
        assert_eq!(body["system"], json!("Be brief."));
        assert_eq!(body["messages"], json!([{"role": "user", "content": "Why?"}]));
        assert_eq!(body["stop_sequences"], json!(["END"]));
    }

    #[test]
    fn events_are_heard() {
        let mut tally = Tally::default();
        for (data, text) in [
            (r#"{"type":"message_start","message":{"usage":{"input_tokens":25,"output_tokens":1}}}"#, None),
            (r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#, None),
            (r#"{"type":"ping"}"#, None),
            (
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Dry"}}"#,
                Some("Dry"),
            ),
            (
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"x"}}"#,
                None,
            ),
            (
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}"#,
                None,
            ),
            (r#"{"type":"message_stop"}"#, None),
        ] {
            assert_eq!(hear(&event(data), &mut tally).unwrap().as_deref(), text, "{data}");
        }
        let expected =
            Tally { prompt: Some(25), completion: Some(15), reason: Some(EndReason::Stop), done: true };
        assert_eq!(tally, expected);
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert_eq!(hear(&event(overloaded), &mut tally), Err(Fault::Broken(529)));
        assert!(matches!(hear(&event("{}"), &mut tally), Err(Fault::Garbled(_))));
    }
}

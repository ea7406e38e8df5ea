//! The OpenAI dialect: a chat as the body of `POST /chat/completions`, and the chunks that come back. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::stream::Tally;
use crate::inference::fault::Fault;
use crate::inference::{ChatMessage, ChatRequest, ChatRole, EndReason};

/// OpenAI takes at most so many stop sequences.
const STOPS: usize = 4;

/// The body of a request. A repeat penalty has no field that every server knows, so it stays here.
pub fn body(model: &str, request: &ChatRequest) -> Map<String, Value> {
    let sampling = &request.sampling;
    let mut body = Map::new();
    body.insert("model".into(), json!(model));
    body.insert("messages".into(), request.messages.iter().map(message).collect());
    body.insert("stream".into(), json!(true));
    body.insert("stream_options".into(), json!({"include_usage": true}));
    body.insert("max_tokens".into(), json!(sampling.max_tokens));
    body.insert("temperature".into(), json!(sampling.temperature));
    // Signed on the other side.
    body.insert("seed".into(), json!(sampling.seed & (u64::MAX >> 1)));
    if sampling.top_p < 1.0 {
        body.insert("top_p".into(), json!(sampling.top_p));
    }
    if !sampling.stop.is_empty() {
        body.insert("stop".into(), json!(&sampling.stop[..sampling.stop.len().min(STOPS)]));
    }
    body
}

/// Takes a parameter back that the server does not know; false when there is nothing to take back.
pub fn without(body: &mut Map<String, Value>, parameter: &str) -> bool {
    match parameter {
        // OpenAI's newer models have another name for it.
        "max_tokens" => match body.remove("max_tokens") {
            Some(most) => body.insert("max_completion_tokens".into(), most).is_none(),
            None => false,
        },
        "temperature" | "top_p" | "seed" | "stop" | "stream_options" => body.remove(parameter).is_some(),
        _ => false,
    }
}

fn message(message: &ChatMessage) -> Value {
    let role = match message.role {
        ChatRole::System => "system",
        ChatRole::User => "user",
        ChatRole::Assistant => "assistant",
    };
    json!({"role": role, "content": message.content})
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    delta: Delta,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
struct Delta {
    content: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    completion_tokens: u64,
}

/// Reads the data of one event: its text, and into `tally` what it says of the end and of usage.
pub fn hear(data: &str, tally: &mut Tally) -> Result<Option<String>, Fault> {
    if data.trim() == "[DONE]" {
        tally.done = true;
        return Ok(None);
    }
    let chunk: Chunk = serde_json::from_str(data)
        .map_err(|error| Fault::Garbled(format!("a chunk is not what OpenAI describes: {error}")))?;
    if let Some(error) = chunk.error.filter(|error| !error.is_null()) {
        return Err(Fault::Refused { status: 200, said: super::client::said(&error) });
    }
    if let Some(usage) = chunk.usage {
        (tally.prompt, tally.completion) = (Some(usage.prompt_tokens), Some(usage.completion_tokens));
    }
    let Some(choice) = chunk.choices.into_iter().next() else { return Ok(None) };
    if let Some(reason) = choice.finish_reason {
        tally.reason = Some(if reason == "length" { EndReason::Length } else { EndReason::Stop });
    }
    Ok(choice.delta.content.filter(|text| !text.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inference::Sampling;

    #[test]
    fn a_request_says_what_was_asked() {
        let messages = vec![ChatMessage { role: ChatRole::System, content: "Be brief.".into() }];
        let sampling = Sampling { seed: u64::MAX, stop: vec!["\n".into(); 6], ..Sampling::default() };
        let mut body = body("m", &ChatRequest { messages, sampling });
        assert_eq!(body["messages"], json!([{"role": "system", "content": "Be brief."}]));
        assert_eq!(body["seed"], json!(i64::MAX));
        assert_eq!(body["stop"].as_array().map(Vec::len), Some(4));
        assert!(without(&mut body, "max_tokens") && !without(&mut body, "max_tokens"));
        assert_eq!(body["max_completion_tokens"], json!(384));
        assert!(without(&mut body, "temperature") && !without(&mut body, "model"));
    }

    #[test]
    fn chunks_are_heard() {
        let mut tally = Tally::default();
        for (data, text) in [
            (r#"{"choices":[{"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#, None),
            (r#"{"choices":[{"delta":{"content":"Dry"}}],"usage":null}"#, Some("Dry")),
            (r#"{"choices":[{"delta":{},"finish_reason":"length"}]}"#, None),
            (r#"{"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}}"#, None),
            ("[DONE]", None),
        ] {
            assert_eq!(hear(data, &mut tally).unwrap().as_deref(), text, "{data}");
        }
        let expected =
            Tally { prompt: Some(7), completion: Some(3), reason: Some(EndReason::Length), done: true };
        assert_eq!(tally, expected);
    }

    #[test]
    fn what_is_no_chunk_is_a_fault() {
        let mut tally = Tally::default();
        assert!(matches!(hear("<html>", &mut tally), Err(Fault::Garbled(_))));
        assert!(matches!(hear(r#"{"choices":"none"}"#, &mut tally), Err(Fault::Garbled(_))));
        let error = hear(r#"{"error":{"message":"out of memory"}}"#, &mut tally).unwrap_err();
        assert!(error.to_string().contains("out of memory"));
    }
}

//! The OpenAI-compatible routes as a client of that API sees them.

use axum::http::{StatusCode, header};
use serde_json::{Value, json};

use crate::support::TestApp;

/// Asked so that the router takes it for course content: what policies say is never phrased by a model.
const QUESTION: &str = "Within how many days of buying the course is there a full refund?";
const PAGE: &str = "# Refunds\n\nYou can ask for a full refund within 23 days of buying the course.\n";

async fn app() -> TestApp {
    TestApp::with(&[("refunds.md", PAGE)]).await
}

fn asking(more: Value) -> Value {
    let mut body = json!({"model": "course", "messages": [{"role": "user", "content": QUESTION}]});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

#[tokio::test]
async fn a_question_is_answered_with_its_proof() {
    let test = app().await;
    // What clients send by default changes nothing.
    let body =
        asking(json!({"temperature": 0.7, "top_p": 1, "n": 1, "user": "x", "stream": false, "tools": null,
        "seed": -1, "response_format": {"type": "text"}, "presence_penalty": 0}));
    let reply = test.post_as("/v1/chat/completions", body, &test.key).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let answer = reply.json();
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("course")));
    assert!(
        answer["id"].as_str().unwrap().starts_with("chatcmpl-")
            && answer["created"].as_u64().unwrap() > 1_600_000_000
    );
    let choice = &answer["choices"][0];
    assert_eq!((&choice["message"]["role"], &choice["finish_reason"]), (&json!("assistant"), &json!("stop")));
    assert!(choice["message"]["content"].as_str().unwrap().contains("23 days"));
    assert_eq!(answer["usage"], json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}));
    assert!(answer["neverafk"]["citations"][0]["quote"].as_str().unwrap().contains("23 days"));
    assert_eq!(answer["neverafk"]["abstained"], json!(false));
}

#[tokio::test]
async fn earlier_messages_tell_what_a_question_refers_to() {
    // Low enough for the two questions together, and not for the second alone.
    let test = TestApp::configured(&[("NEVERAFK_ANSWER__THRESHOLD".into(), "0.1".into())]).await;
    let item = neverafk::ingest::Item::upload("refunds.md", PAGE.as_bytes().to_vec());
    test.app.ingest().one(&TestApp::course(), item).await.unwrap();
    let messages = json!([{"role": "system", "content": "Say yes."}, {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Within 23 days."}, {"role": "user", "content": "How long?"}]);
    let body = json!({"model": "course", "messages": messages});
    let answer = test.post_as("/v1/chat/completions", body, &test.key).await.json();
    assert!(answer["choices"][0]["message"]["content"].as_str().unwrap().contains("23 days"), "{answer}");
    let alone = json!({"model": "course", "messages": [{"role": "user", "content": "How long?"}]});
    let answer = test.post_as("/v1/chat/completions", alone, &test.key).await.json();
    assert_eq!(answer["neverafk"]["abstained"], json!(true));
}

#[tokio::test]
async fn a_stream_is_chunks_and_done() {
    let test = app().await;
    let body = asking(json!({"stream": true, "stream_options": {"include_usage": true}}));
    let reply = test.post_as("/v1/chat/completions", body, &test.key).await;
    assert_eq!(reply.headers[header::CONTENT_TYPE], "text/event-stream");
    let lines: Vec<&str> = reply.text.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(lines.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        lines[..lines.len() - 1].iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": ""}));
    assert!(chunks[1]["neverafk"]["citations"][0]["quote"].as_str().unwrap().contains("23 days"));
    let said: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert!(said.contains("23 days") && said.contains("[1]"), "{said}");
    let [.., end, usage] = &chunks[..] else { panic!("{chunks:?}") };
    assert_eq!(end["choices"][0]["finish_reason"], "stop");
    assert!(end["neverafk"]["message_id"].is_string() && end["usage"].is_null());
    assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(0)));
    assert!(
        chunks
            .iter()
            .all(|chunk| chunk["id"] == chunks[0]["id"] && chunk["object"] == "chat.completion.chunk")
    );
}

#[tokio::test]
async fn stop_sequences_and_lengths_hold_for_quotations_too() {
    let test = app().await;
    for stream in [false, true] {
        for (more, text, finish) in [
            (
                json!({"stop": " refund within"}),
                "From the course material:\n\nYou can ask for a full",
                "stop",
            ),
            (json!({"stop": ["zzz", "full"]}), "From the course material:\n\nYou can ask for a ", "stop"),
            (json!({"max_tokens": 6}), "From the course material:\n\nYou can ", "length"),
            (json!({"max_completion_tokens": 5}), "From the course material:\n\nYou ", "length"),
        ] {
            let mut body = asking(more.clone());
            body["stream"] = json!(stream);
            let reply = test.post_as("/v1/chat/completions", body, &test.key).await;
            let (said, ended) = if stream {
                let data = reply.text.lines().filter_map(|line| line.strip_prefix("data: {"));
                let chunks: Vec<Value> =
                    data.map(|rest| serde_json::from_str(&format!("{{{rest}")).unwrap()).collect();
                let choice = |chunk: &Value| chunk["choices"][0].clone();
                let said: String = chunks
                    .iter()
                    .filter_map(|chunk| choice(chunk)["delta"]["content"].as_str().map(str::to_owned))
                    .collect();
                (said, choice(chunks.last().unwrap())["finish_reason"].clone())
            } else {
                let choice = reply.json()["choices"][0].clone();
                (choice["message"]["content"].as_str().unwrap().to_owned(), choice["finish_reason"].clone())
            };
            assert_eq!((said.as_str(), &ended), (text, &json!(finish)), "{more} {stream}");
        }
    }
}

#[tokio::test]
async fn what_is_not_done_is_refused_by_name() {
    let test = app().await;
    for (more, status, param) in [
        (json!({"n": 2}), 400, json!("n")),
        (json!({"response_format": {"type": "json_object"}}), 400, json!("response_format")),
        (json!({"tools": [{"type": "function"}]}), 400, json!("tools")),
        (json!({"functions": [{}]}), 400, json!("functions")),
        (json!({"logprobs": true}), 400, json!("logprobs")),
        (json!({"messages": []}), 400, Value::Null),
        (json!({"messages": [{"role": "user", "content": " "}]}), 400, Value::Null),
        (json!({"max_tokens": 0}), 400, Value::Null),
        (json!({"model": "nobody"}), 403, Value::Null),
        (json!({"model": "No Slug"}), 404, Value::Null),
    ] {
        let reply = test.post_as("/v1/chat/completions", asking(more.clone()), &test.key).await;
        let error = reply.json()["error"].clone();
        assert_eq!((reply.status.as_u16(), &error["param"]), (status, &param), "{more} {}", reply.text);
        assert!(error["message"].is_string() && error["type"].is_string() && error["code"].is_string());
        assert!(error["hint"].is_string() && error["request_id"].is_string());
    }
    let stranger = test.post("/v1/chat/completions", asking(json!({}))).await;
    assert_eq!(stranger.status, StatusCode::UNAUTHORIZED);
    assert_eq!(stranger.json()["error"]["type"], "authentication_error");
}

#[tokio::test]
async fn a_key_sees_its_own_creator_only() {
    let test = app().await;
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let list = test.get_as("/v1/models", &test.key).await.json();
    assert_eq!((&list["object"], list["data"].as_array().unwrap().len()), (&json!("list"), 1));
    assert_eq!((&list["data"][0]["id"], &list["data"][0]["object"]), (&json!("course"), &json!("model")));
    assert_eq!(test.get_as("/v1/models/course", &test.key).await.json()["id"], "course");
    assert_eq!(test.get_as("/v1/models/other", &test.key).await.status, StatusCode::FORBIDDEN);
    let body = json!({"model": "other", "messages": [{"role": "user", "content": QUESTION}]});
    assert_eq!(test.post_as("/v1/chat/completions", body, &test.key).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn texts_are_embedded_as_numbers_or_bytes() {
    let test = app().await;
    let embed = async |body: Value| test.post_as("/v1/embeddings", body, &test.key).await;
    let floats = embed(json!({"model": "course", "input": ["brush", "paper"]})).await.json();
    assert_eq!((floats["data"].as_array().unwrap().len(), &floats["object"]), (2, &json!("list")));
    let vector: Vec<f32> = serde_json::from_value(floats["data"][0]["embedding"].clone()).unwrap();
    assert!((vector.iter().map(|x| x * x).sum::<f32>() - 1.0).abs() < 1e-3);
    let bytes = embed(json!({"model": "course", "input": "brush", "encoding_format": "base64"})).await.json();
    let text = bytes["data"][0]["embedding"].as_str().unwrap();
    // Four bytes a number, four characters for three bytes.
    assert_eq!(text.len(), (vector.len() * 4).div_ceil(3) * 4);
    for (body, status) in [
        (json!({"model": "course", "input": []}), 400),
        (json!({"model": "course", "input": ""}), 400),
        (json!({"model": "course", "input": [1, 2]}), 400),
        (json!({"model": "course", "input": "x", "encoding_format": "hex"}), 400),
        (json!({"model": "course", "input": "x", "dimensions": 3}), 400),
        (json!({"model": "other", "input": "x"}), 403),
    ] {
        assert_eq!(embed(body.clone()).await.status.as_u16(), status, "{body}");
    }
    assert_eq!(
        embed(json!({"model": "course", "input": "x", "dimensions": vector.len()})).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_api_is_described() {
    let api = app().await.get("/openapi.json").await.json();
    for path in ["/v1/chat/completions", "/v1/embeddings", "/v1/models", "/v1/models/{id}", "/api/v1/compare"]
    {
        assert!(api["paths"].get(path).is_some(), "{path}");
    }
}

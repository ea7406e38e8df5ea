//! The HTTP edge: shapes, statuses, credentials, streams, origins.

use std::io::Read;

use axum::body::Body;
use axum::http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::{Reply, TestApp, pdf};

const REFUNDS: &str = "Refunds\n\nYou can ask for a full refund within 23 days of buying the course.\n";
const QUESTION: &str = "How many days do I have to ask for a refund?";

fn expect_error(reply: &Reply, status: StatusCode, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text);
    let body = reply.json();
    assert_eq!(body["error"]["code"], code, "{body}");
    for field in ["message", "hint"] {
        assert!(!body["error"][field].as_str().unwrap().is_empty(), "{body}");
    }
    assert_eq!(body["detail"], body["error"]["message"]);
    assert_eq!(body["error"]["request_id"].as_str(), reply.headers["x-request-id"].to_str().ok());
}

#[tokio::test]
async fn every_refusal_has_the_same_shape() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let question = json!({"message": "hello", "creator_id": "course"});
    for (path, body, status, code) in [
        ("/chat", json!({"message": "hello"}), StatusCode::UNPROCESSABLE_ENTITY, "invalid_request"),
        (
            "/chat",
            json!({"message": 5, "creator_id": "course"}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_request",
        ),
        (
            "/chat",
            json!({"message": " ", "creator_id": "course"}),
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid_question",
        ),
        (
            "/chat",
            json!({"message": "hello", "creator_id": "nobody"}),
            StatusCode::NOT_FOUND,
            "unknown_creator",
        ),
        (
            "/chat",
            json!({"message": "hello", "creator_id": "../x"}),
            StatusCode::NOT_FOUND,
            "unknown_creator",
        ),
        (
            "/chat/stream",
            json!({"message": "hello", "creator_id": "nobody"}),
            StatusCode::NOT_FOUND,
            "unknown_creator",
        ),
        ("/no/such/page", question.clone(), StatusCode::NOT_FOUND, "not_found"),
        ("/health", question, StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
    ] {
        expect_error(&test.post(path, body).await, status, code);
    }
    let bad = Request::post("/chat")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{oops"))
        .unwrap();
    expect_error(&test.send(bad).await, StatusCode::UNPROCESSABLE_ENTITY, "invalid_json");
    let text =
        Request::post("/chat").header(header::CONTENT_TYPE, "text/plain").body(Body::from("hello")).unwrap();
    expect_error(&test.send(text).await, StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_expected");
    let long =
        Request::post("/chat").header(header::CONTENT_LENGTH, 200u64 << 20).body(Body::empty()).unwrap();
    expect_error(&test.send(long).await, StatusCode::PAYLOAD_TOO_LARGE, "too_large");
}

#[tokio::test]
async fn an_answer_is_cited_verbatim_and_kept() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let answer = test.chat(QUESTION).await;
    let quote = answer["citations"][0]["quote"].as_str().unwrap();
    assert!(quote.contains("23 days") && REFUNDS.contains(quote), "{answer}");
    assert!(answer["response"].as_str().unwrap().contains("[1]"), "{answer}");
    assert_eq!(answer["abstained"], false);

    let again =
        json!({"message": QUESTION, "creator_id": "course", "conversation_id": answer["conversation_id"]});
    assert_eq!(test.post("/chat", again).await.json()["conversation_id"], answer["conversation_id"]);
    let kept = test.get_as("/conversations/course?limit=1", &test.key).await.json();
    assert_eq!(kept["conversations"].as_array().unwrap().len(), 1);
    assert_eq!(kept["conversations"][0]["student_message"], QUESTION);
}

#[tokio::test]
async fn what_the_content_does_not_hold_is_declined_and_a_person_fetched() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let answer = test.chat("Who scored first in the football final of 1998?").await;
    assert_eq!((&answer["abstained"], &answer["should_escalate"]), (&json!(true), &json!(true)), "{answer}");
    assert_eq!(answer["citations"], json!([]));
}

#[tokio::test]
async fn a_stream_is_evidence_then_pieces_then_the_whole() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let reply = test.post("/chat/stream", json!({"message": QUESTION, "creator_id": "course"})).await;
    assert!(reply.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/event-stream"));
    let events = reply.events();
    assert_eq!(events.first().unwrap()["type"], "sources");
    let done = events.last().unwrap();
    assert_eq!(done["type"], "done");
    let pieces: Vec<&Value> = events[1..events.len() - 1].iter().collect();
    assert!(pieces.len() >= 2 && pieces.iter().all(|event| event["type"] == "token"), "{events:?}");
    let said: String = pieces.iter().map(|event| event["content"].as_str().unwrap()).collect();
    assert_eq!(said, done["response"].as_str().unwrap());
    assert_eq!(events[0]["citations"], done["citations"]);
}

#[tokio::test]
async fn private_routes_need_the_creators_own_key() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, other) = test.app.create_key(&"other".parse().unwrap(), String::new()).await.unwrap();
    let document = test.get_as("/api/v1/documents", &test.key).await.json()["documents"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for path in ["/conversations/course", "/api/v1/documents", "/api/v1/settings", "/api/v1/search?q=refund"]
    {
        expect_error(&test.get(path).await, StatusCode::UNAUTHORIZED, "key_required");
        expect_error(&test.get_as(path, "nafk_wrong").await, StatusCode::UNAUTHORIZED, "key_required");
        assert_eq!(test.get_as(path, &test.key).await.status, StatusCode::OK, "{path}");
    }
    expect_error(
        &test.get_as("/conversations/course", &other).await,
        StatusCode::FORBIDDEN,
        "not_your_creator",
    );
    let path = format!("/api/v1/documents/{document}");
    expect_error(&test.get_as(&path, &other).await, StatusCode::NOT_FOUND, "unknown_document");
    expect_error(
        &test.upload("a.txt", b"A fact.", &other, "").await,
        StatusCode::FORBIDDEN,
        "not_your_creator",
    );
    expect_error(
        &test.upload("a.txt", b"A fact.", "wrong", "").await,
        StatusCode::UNAUTHORIZED,
        "key_required",
    );
}

#[tokio::test]
async fn uploads_are_searchable_at_once_or_queued() {
    let test = TestApp::new().await;
    let file = pdf(&["The cobalt blue of lesson three is pigment PB28 from tube 61."]);
    let reply = test.upload("tubes.pdf", &file, &test.key, "").await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    let body = reply.json();
    assert_eq!(
        (&body["status"], &body["content_type"], &body["chunks_created"]),
        (&json!("success"), &json!("pdf"), &json!(1))
    );
    let answer = test.chat("Which pigment is the cobalt blue of lesson three?").await;
    assert_eq!(answer["citations"][0]["anchor"]["page"], 1, "{answer}");

    let reply = test.upload("gesso.txt", b"The gesso needs 17 minutes.", &test.key, "?wait=false").await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    let job = format!("/api/v1/jobs/{}", reply.json()["job_id"].as_str().unwrap());
    assert_eq!(test.get_as(&job, &test.key).await.json()["status"], "queued");
    assert!(neverafk::jobs::step(&test.app.jobs()).await.unwrap());
    assert_eq!(test.get_as(&job, &test.key).await.json()["status"], "done");
    let answer = test.chat("How many minutes does the gesso need?").await;
    assert!(answer["response"].as_str().unwrap().contains("17"), "{answer}");
}

#[tokio::test]
async fn a_queued_file_that_cannot_be_read_is_parked_with_a_sentence() {
    let test = TestApp::new().await;
    let reply = test.upload("broken.pdf", b"%PDF-1.4 nothing", &test.key, "?wait=false").await;
    let job = format!("/api/v1/jobs/{}", reply.json()["job_id"].as_str().unwrap());
    assert!(neverafk::jobs::step(&test.app.jobs()).await.unwrap());
    let shown = test.get_as(&job, &test.key).await.json();
    assert_eq!(shown["status"], "parked");
    assert!(shown["reason"].as_str().unwrap().contains("broken.pdf"), "{shown}");
}

#[tokio::test]
async fn a_list_of_origins_lets_exactly_those_ask() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let home = "https://school.example";
    let settings = Request::patch("/api/v1/settings")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::AUTHORIZATION, format!("Bearer {}", test.key))
        .body(Body::from(json!({"allowed_origins": [home]}).to_string()))
        .unwrap();
    assert_eq!(test.send(settings).await.status, StatusCode::OK);
    for origin in [
        home,
        "https://evil.example",
        "https://school.example.evil.example",
        "https://school.example:8443",
        "null",
    ] {
        let preflight = Request::builder()
            .method(Method::OPTIONS)
            .uri("/chat")
            .header(header::ORIGIN, origin)
            .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST")
            .body(Body::empty())
            .unwrap();
        let allowed = test.send(preflight).await.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).cloned();
        let ask = Request::post("/chat")
            .header(header::ORIGIN, origin)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({"message": QUESTION, "creator_id": "course"}).to_string()))
            .unwrap();
        let reply = test.send(ask).await;
        if origin == home {
            assert_eq!(allowed.unwrap(), home);
            assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], home);
            assert_eq!(reply.status, StatusCode::OK);
        } else {
            assert_eq!(allowed, None, "{origin}");
            expect_error(&reply, StatusCode::FORBIDDEN, "origin_not_allowed");
            // The page may read why, and nothing else.
            assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        }
        let access = Request::get("/chat/access?creator_id=course").header(header::ORIGIN, origin);
        let reply = test.send(access.body(Body::empty()).unwrap()).await;
        assert_eq!(reply.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        match origin == home {
            true => assert_eq!(reply.json(), json!({"allowed": true})),
            false => expect_error(&reply, StatusCode::FORBIDDEN, "origin_not_allowed"),
        }
    }
}

#[tokio::test]
async fn a_name_that_points_here_is_not_our_own_page() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let settings = json!({"allowed_origins": ["https://school.example"]});
    test.app.store().update_creator(&TestApp::course(), None, Some(settings)).await.unwrap();
    for (host, status) in [
        ("127.0.0.1:8000", StatusCode::OK),
        ("localhost:8000", StatusCode::OK),
        ("rebound.example:8000", StatusCode::FORBIDDEN),
    ] {
        let ask = Request::post("/chat")
            .header(header::HOST, host)
            .header(header::ORIGIN, format!("http://{host}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(json!({"message": QUESTION, "creator_id": "course"}).to_string()))
            .unwrap();
        assert_eq!(test.send(ask).await.status, status, "{host}");
    }
}

#[tokio::test]
async fn files_go_out_small_and_only_when_they_changed() {
    let test = TestApp::new().await;
    for path in ["/embed.js", "/", "/docs", "/assets/pages/pages.css", "/assets/pages/docs.js"] {
        let get = |name: header::HeaderName, value: &str| {
            Request::get(path).header(name, value).body(Body::empty()).unwrap()
        };
        let response = neverafk::http::router(test.app.clone())
            .oneshot(get(header::ACCEPT_ENCODING, "gzip, br"))
            .await
            .unwrap();
        let headers = response.headers().clone();
        let sent = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
        assert_eq!(headers[header::CONTENT_ENCODING], "gzip", "{path}");
        assert!(path != "/embed.js" || sent.len() <= 15 << 10, "{} bytes", sent.len());
        let plain = test.get(path).await;
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(&sent[..]).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.text);

        let tag = headers[header::ETAG].to_str().unwrap();
        assert_eq!(plain.headers[header::ETAG], tag);
        let cache = if path.contains('.') { "public, max-age=300" } else { "no-cache" };
        let again = test.send(get(header::IF_NONE_MATCH, tag)).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{path}");
        for headers in [&headers, &plain.headers, &again.headers] {
            assert_eq!(headers[header::CACHE_CONTROL], cache, "{path}");
            assert!(headers[header::VARY].to_str().unwrap().contains("accept-encoding"), "{path}");
        }
        assert_eq!(test.send(get(header::IF_NONE_MATCH, "\"other\"")).await.status, StatusCode::OK);
    }
    assert_eq!(test.get("/health").await.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn what_comes_with_a_question_is_checked() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let ask = |field: &str, value: Value| {
        let mut body = json!({"message": QUESTION, "creator_id": "course"});
        body[field] = value;
        test.post("/chat", body)
    };
    for (field, value) in [
        ("student_token", json!("signed")),
        ("lesson", json!("Lesson 3")),
        ("position_ms", json!(61_000)),
        ("lang", json!("en-GB")),
        ("lang", json!(null)),
        ("something_new", json!({"of": "tomorrow"})),
    ] {
        assert_eq!(ask(field, value).await.status, StatusCode::OK, "{field}");
    }
    for (field, value, code) in [
        ("student_token", json!(7), "invalid_request"),
        ("student_token", json!("x".repeat(5_000)), "invalid_student_token"),
        ("lesson", json!(["a"]), "invalid_request"),
        ("lesson", json!("x".repeat(300)), "invalid_question"),
        ("position_ms", json!(-1), "invalid_request"),
        ("position_ms", json!(1.5), "invalid_request"),
        ("position_ms", json!(u64::MAX), "invalid_question"),
        ("lang", json!("no language"), "invalid_question"),
    ] {
        expect_error(&ask(field, value).await, StatusCode::UNPROCESSABLE_ENTITY, code);
    }
}

#[tokio::test]
async fn the_description_of_the_api_is_whole() {
    let test = TestApp::new().await;
    let api = test.get("/openapi.json").await.json();
    let mut names = std::collections::HashSet::new();
    let tags: Vec<_> = api["tags"].as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    for (path, methods) in api["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            assert!(names.insert(operation["operationId"].clone()), "{method} {path} has another's name");
            assert!(tags.contains(&operation["tags"][0]), "{method} {path}");
        }
    }
    for (path, method) in
        [("/api/v1/documents", "post"), ("/chat/access", "get"), ("/api/v1/settings", "patch")]
    {
        assert!(api["paths"][path].get(method).is_some(), "{method} {path}");
    }
    let chat = &api["components"]["schemas"]["ChatRequest"]["properties"];
    for field in ["student_token", "lesson", "position_ms", "lang"] {
        assert!(chat.get(field).is_some(), "{field}");
    }
    assert!(api["components"]["schemas"]["CreatorSettings"]["properties"].get("allowed_origins").is_some());
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let test = TestApp::new().await;
    for path in ["/", "/docs"] {
        let page = test.get(path).await;
        assert!(page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(
            page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self'")
        );
        for part in page
            .text
            .split(['"', '\''])
            .filter(|part| part.starts_with("/assets/") || part.starts_with("/embed"))
        {
            assert_eq!(test.get(part).await.status, StatusCode::OK, "{path} uses {part}");
        }
    }
    let api = test.get("/openapi.json").await.json();
    for path in ["/chat", "/chat/stream", "/upload/content", "/health", "/api/v1/documents/{id}"] {
        assert!(api["paths"].get(path).is_some(), "{path}");
    }
    let status = Request::get("/").header(header::ACCEPT, "application/json").body(Body::empty()).unwrap();
    assert_eq!(test.send(status).await.json()["status"], "running");
}

#[tokio::test]
async fn two_creators_never_see_each_other() {
    let test = TestApp::with(&[("refunds.txt", REFUNDS)]).await;
    let other = "other".parse().unwrap();
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let text = REFUNDS.replace("23", "47");
    test.app
        .ingest()
        .one(&other, neverafk::ingest::Item::upload("refunds.txt", text.into_bytes()))
        .await
        .unwrap();
    for _ in 0..2 {
        let theirs = test.post("/chat", json!({"message": QUESTION, "creator_id": "other"})).await.text;
        let ours = test.chat(QUESTION).await.to_string();
        assert!(theirs.contains("47 days") && !theirs.contains("23 days"), "{theirs}");
        assert!(ours.contains("23 days") && !ours.contains("47 days"), "{ours}");
    }
    let conversation = test.chat(QUESTION).await["conversation_id"].clone();
    let body =
        json!({"message": "What was just said?", "creator_id": "other", "conversation_id": conversation});
    assert!(!test.post("/chat", body).await.text.contains("23 days"));
}

//! Webhooks: signed, tried again, given up, sent again; and never into the private network.

use std::time::Duration;

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use neverafk::domain::{Event, EventKind, Subject, Timestamp, Webhook, WebhookId};
use neverafk::events::deliver;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::support::wire::{Manner, Receiver};
use crate::support::{Desk, Server, TestApp};

async fn app(more: &[(&str, &str)]) -> TestApp {
    let mut environment = vec![
        ("NEVERAFK_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES".to_owned(), "true".to_owned()),
        ("NEVERAFK_WEBHOOKS__TIMEOUT_MS".to_owned(), "800".to_owned()),
    ];
    environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    TestApp::configured(&environment).await
}

/// Delivers until the guard is dropped.
fn at_work(test: &TestApp) -> tokio_util::sync::DropGuard {
    let stop = CancellationToken::new();
    tokio::spawn(deliver::run(test.app.deliverer(), stop.clone()));
    stop.drop_guard()
}

async fn add(test: &TestApp, url: &str, events: Value) -> Value {
    let reply = test.post_as("/api/v1/webhooks", json!({"url": url, "events": events}), &test.key).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.json()
}

/// The deliveries of a webhook, once the newest is as wanted.
async fn deliveries(test: &TestApp, webhook: &Value, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let path = format!("/api/v1/webhooks/{}/deliveries", webhook["id"].as_str().unwrap());
    let mut last = Value::Null;
    for _ in 0..400 {
        last = test.get_as(&path, &test.key).await.json();
        let all = last["deliveries"].as_array().unwrap();
        if all.first().is_some_and(&wanted) {
            return all.clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not in time: {last}");
}

/// HMAC-SHA256 by its definition (RFC 2104), from the hash alone.
pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut block = [0u8; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(message).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

fn header<'a>(request: &'a str, name: &str) -> &'a str {
    let found = request.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}: ")));
    found.unwrap_or_else(|| panic!("no {name}: {request}")).split_once(": ").unwrap().1.trim()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_arrives_signed_and_once() {
    let test = app(&[]).await;
    let (all, some) = (Receiver::start(Manner::Answers(204)), Receiver::start(Manner::Answers(200)));
    let webhook = add(&test, &all.url, json!([])).await;
    let chosen = add(&test, &some.url, json!(["conversation.escalated"])).await;
    let _work = at_work(&test);
    let answer = test.chat("Who painted the ceiling?").await;
    assert_eq!(answer["should_escalate"], true);
    let arrived = deliveries(&test, &webhook, |newest| newest["state"] == "delivered").await;
    deliveries(&test, &chosen, |newest| newest["state"] == "delivered").await;
    for _ in 0..100 {
        if all.count() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((all.count(), some.count(), arrived.len()), (2, 1, 2));

    let key = STANDARD.decode(webhook["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap()).unwrap();
    assert!((24..=64).contains(&key.len()));
    let mut kinds = Vec::new();
    for request in all.requests.lock().unwrap().iter() {
        let body = request.split_once("\r\n\r\n").unwrap().1;
        let (id, time) = (header(request, "webhook-id"), header(request, "webhook-timestamp"));
        let expected = STANDARD.encode(hmac(&key, format!("{id}.{time}.{body}").as_bytes()));
        assert_eq!(header(request, "webhook-signature"), format!("v1,{expected}"));
        let age = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() - time.parse::<u64>().unwrap();
        assert!(age < 60, "{age}");
        let event: Value = serde_json::from_str(body).unwrap();
        assert_eq!(event["data"]["conversation_id"], answer["conversation_id"], "{event}");
        assert!(
            arrived.iter().any(|delivery| delivery["id"] == id && delivery["attempts"][0]["error"].is_null())
        );
        kinds.push(event["type"].as_str().unwrap().to_owned());
    }
    kinds.sort();
    assert_eq!(kinds, ["answer.created", "conversation.escalated"]);

    // The secret was shown once, and another creator sees none of it.
    let listed = test.get_as("/api/v1/webhooks", &test.key).await;
    assert!(!listed.text.contains("whsec_") && listed.text.contains(&all.url), "{}", listed.text);
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, other) = test.app.create_key(&"other".parse().unwrap(), "o".into()).await.unwrap();
    assert_eq!(test.get_as("/api/v1/webhooks", &other).await.json()["webhooks"], json!([]));
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    assert_eq!(test.post_as(&format!("{path}/test"), json!({}), &other).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get_as(&format!("{path}/deliveries"), &other).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_is_tried_again_and_a_slow_receiver_delays_nobody() {
    let test = app(&[]).await;
    let target = Receiver::start(Manner::Answers(200));
    let receivers = [
        (Manner::Answers(500), json!(500), "status 500"),
        (Manner::Hangs, Value::Null, "in time"),
        (Manner::Drips, Value::Null, "in time"),
        (Manner::RedirectsTo(target.url.clone()), json!(302), "redirects"),
    ];
    let mut webhooks = Vec::new();
    for (manner, status, error) in receivers {
        let receiver = Receiver::start(manner);
        webhooks.push((add(&test, &receiver.url, json!([])).await, status, error));
    }
    let healthy = Receiver::start(Manner::Answers(200));
    let last = add(&test, &healthy.url, json!([])).await;
    let _work = at_work(&test);
    for webhook in webhooks.iter().map(|(webhook, ..)| webhook).chain([&last]) {
        let path = format!("/api/v1/webhooks/{}/test", webhook["id"].as_str().unwrap());
        assert_eq!(test.post_as(&path, json!({}), &test.key).await.status, StatusCode::ACCEPTED);
    }
    deliveries(&test, &last, |newest| newest["state"] == "delivered").await;
    for (webhook, status, error) in &webhooks {
        let tried = |newest: &Value| !newest["attempts"].as_array().unwrap().is_empty();
        let newest = &deliveries(&test, webhook, tried).await[0];
        assert_eq!((newest["state"].as_str(), &newest["attempts"][0]["status"]), (Some("waiting"), status));
        assert!(newest["attempts"][0]["error"].as_str().unwrap().contains(error), "{newest}");
        assert!(newest["next_at"].as_str().unwrap() > newest["created_at"].as_str().unwrap(), "{newest}");
    }
    assert_eq!(target.count(), 0, "a redirect was followed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_sent_again_by_hand_under_the_same_id() {
    let test = app(&[("NEVERAFK_WEBHOOKS__ATTEMPTS", "1")]).await;
    let receiver = Receiver::start(Manner::Answers(503));
    let webhook = add(&test, &receiver.url, json!(["webhook.test"])).await;
    let path = format!("/api/v1/webhooks/{}", webhook["id"].as_str().unwrap());
    let _work = at_work(&test);
    test.post_as(&format!("{path}/test"), json!({}), &test.key).await;
    let dead = deliveries(&test, &webhook, |newest| newest["state"] == "dead").await.remove(0);
    receiver.behave(Manner::Answers(200));
    let again = format!("{path}/deliveries/{}/redeliver", dead["id"].as_str().unwrap());
    assert_eq!(test.post_as(&again, json!({}), &test.key).await.status, StatusCode::ACCEPTED);
    let done = deliveries(&test, &webhook, |newest| newest["state"] == "delivered").await.remove(0);
    assert_eq!((done["id"].clone(), done["attempts"].as_array().unwrap().len()), (dead["id"].clone(), 2));
    let requests = receiver.requests.lock().unwrap().clone();
    assert_eq!(header(&requests[0], "webhook-id"), header(&requests[1], "webhook-id"));
    // What was erased meanwhile is not told.
    receiver.behave(Manner::Answers(503));
    let all = add(&test, &receiver.url, json!(["answer.created"])).await;
    let answer = test.chat("Who painted the ceiling?").await;
    deliveries(&test, &all, |newest| newest["state"] == "dead").await;
    let before = receiver.count();
    let conversation = answer["conversation_id"].as_str().unwrap();
    test.app.erase_student(None, conversation).await.unwrap();
    let left = format!("/api/v1/webhooks/{}/deliveries", all["id"].as_str().unwrap());
    assert_eq!(test.get_as(&left, &test.key).await.json()["deliveries"], json!([]));
    assert_eq!(receiver.count(), before);
}

#[test]
fn a_killed_server_loses_no_delivery() {
    let desk = Desk::new();
    desk.creator();
    let key = desk.json(&["key", "create", "--creator", "course"])["key"].as_str().unwrap().to_owned();
    let receiver = Receiver::start(Manner::Hangs);
    let serve = || {
        let mut command = desk.command(&["serve", "--listen", "127.0.0.1:0"]);
        command.env("NEVERAFK_WEBHOOKS__ALLOW_PRIVATE_ADDRESSES", "true");
        command.env("NEVERAFK_SERVER__METRICS_LISTEN", "");
        Server::start(command)
    };
    let soon = |what: &str, happened: &dyn Fn() -> bool| {
        for _ in 0..200 {
            if happened() {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("{what} did not happen");
    };
    let server = serve();
    let body = json!({"url": receiver.url, "events": ["answer.created"]}).to_string();
    let request = ureq::http::Request::post(format!("{}/api/v1/webhooks", server.address))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {key}"));
    assert_eq!(server.request(request.body(body.into_bytes()).unwrap()).0, 201);
    let (_, first) = server.chat("course", "Who painted the ceiling?");
    soon("a try", &|| receiver.count() == 1);
    let (_, second) = server.chat("course", "And the floor?");
    server.kill();
    receiver.behave(Manner::Answers(200));
    let _server = serve();
    soon("both deliveries", &|| receiver.count() >= 3);
    let requests = receiver.requests.lock().unwrap().clone();
    assert_eq!(
        header(&requests[0], "webhook-id"),
        header(&requests[1], "webhook-id"),
        "the first was not finished"
    );
    for (request, answer) in [(&requests[1], first), (&requests[2], second)] {
        let event: Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        assert_eq!(event["data"]["message_id"], answer["message_id"], "in their order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_into_the_private_network() {
    let test = TestApp::new().await;
    for (url, code) in [
        ("http://127.0.0.1:8000/", "private_address"),
        ("http://localhost/", "private_address"),
        ("http://169.254.169.254/latest/meta-data", "private_address"),
        ("http://[::ffff:10.0.0.1]/", "private_address"),
        ("http://0x7f.1/", "private_address"),
        ("ftp://hooks.example/", "invalid_url"),
        ("https://me:secret@hooks.example/", "invalid_url"),
        ("hooks.example", "invalid_url"),
    ] {
        let reply = test.post_as("/api/v1/webhooks", json!({"url": url}), &test.key).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{url}: {}", reply.text);
        assert_eq!(reply.json()["error"]["code"], code, "{url}");
    }
    let body = json!({"url": "https://hooks.example/", "events": ["everything"]});
    let reply = test.post_as("/api/v1/webhooks", body, &test.key).await;
    assert_eq!(reply.json()["error"]["code"], "unknown_event");
    assert_eq!(test.get("/api/v1/webhooks").await.status, StatusCode::UNAUTHORIZED);

    // An address that came in by another way is refused when it is delivered to, and so is a name that leads there.
    let receiver = Receiver::start(Manner::Answers(200));
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    for (byte, host) in [(1, "127.0.0.1"), (2, "localhost.")] {
        let webhook = Webhook {
            id: WebhookId::from_bytes([byte; 16]),
            creator: TestApp::course(),
            url: format!("http://{host}:{port}"),
            events: Vec::new(),
            secret: vec![1; 32],
            created_at: Timestamp(1),
        };
        let event = Event::new(
            &webhook.creator,
            EventKind::WebhookTest,
            Subject::default(),
            Timestamp(u64::from(byte)),
        );
        test.app.store().add_webhook(webhook.clone()).await.unwrap();
        let store = test.app.store();
        let delivery = store.deliver_to(&webhook.creator, &webhook.id, event).await.unwrap().unwrap();
        deliver::deliver(&test.app.deliverer(), &webhook, &delivery).await.unwrap();
        let kept = store.deliveries(&webhook.creator, &webhook.id, 9).await.unwrap().remove(0);
        let error = kept.standing.attempts[0].error.clone().unwrap();
        assert!(error.contains("private") || host == "localhost.", "{host}: {error}");
    }
    assert_eq!(receiver.count(), 0);
}

//! People beside the assistant: tickets, the contact form, WebSockets, taking over and handing back; students whom a
//! site names.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use neverafk::domain::{Event, EventKind, Matter, Party, Subject, Timestamp, Told};
use serde_json::{Value, json};

use crate::support::TestApp;
use crate::support::wire::{Frame, Socket};

const REFUNDS: &str = "You can ask for a full refund within 23 days of buying the course.";
const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";

async fn app() -> TestApp {
    TestApp::with(&[("refunds.txt", REFUNDS)]).await
}

fn join(answer: &Value) -> Value {
    json!({"type": "join", "creator_id": "course", "conversation_id": answer["conversation_id"],
           "token": answer["conversation_token"]})
}

async fn agent(test: &TestApp, address: std::net::SocketAddr) -> Socket {
    let (_, socket) = Socket::open(address, &format!("Authorization: Bearer {}\r\n", test.key)).await;
    let mut socket = socket.unwrap();
    assert_eq!(socket.json().await, json!({"type": "ready", "role": "agent", "creator_id": "course"}));
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_takes_a_conversation_over_and_hands_it_back() {
    let test = app().await;
    let address = test.served().await;
    let mut agent = agent(&test, address).await;
    let asked = test.chat(UNKNOWN).await;
    let escalated = agent.until("conversation.escalated").await;
    assert_eq!(escalated["event"]["data"]["question"], UNKNOWN);
    agent.until("answer.created").await;
    let conversation = asked["conversation_id"].as_str().unwrap();

    let (_, student) = Socket::open(address, "").await;
    let mut student = student.unwrap();
    student.send(join(&asked)).await;
    let ready = student.json().await;
    assert_eq!((&ready["role"], &ready["taken_over"]), (&json!("student"), &json!(false)));
    student.send(json!({"type": "message", "text": "Hello?"})).await;
    assert_eq!(student.json().await["error"]["code"], "not_taken_over");

    agent.send(json!({"type": "take_over", "conversation_id": conversation, "by": "Ana"})).await;
    assert_eq!(student.until("taken_over").await["by"], "Ana");
    let silent = test
        .post(
            "/chat",
            json!({"message": "And refunds?", "creator_id": "course", "conversation_id": conversation}),
        )
        .await
        .json();
    assert_eq!((&silent["response"], &silent["agent"]), (&json!(""), &json!("person")), "{silent}");
    let heard = agent.until("message.created").await;
    assert_eq!(heard["event"]["data"]["text"], "And refunds?");
    agent.send(json!({"type": "typing", "conversation_id": conversation})).await;
    student.until("typing").await;
    agent.send(json!({"type": "message", "conversation_id": conversation, "text": "Within 23 days!", "by": "Ana"})).await;
    let said = student.until("message").await;
    assert_eq!(
        (&said["message"]["text"], &said["message"]["by"]),
        (&json!("Within 23 days!"), &json!("Ana"))
    );
    student.send(json!({"type": "message", "text": "Thank you"})).await;
    student.until("sent").await;
    loop {
        let heard = agent.until("message.created").await;
        if heard["event"]["data"]["text"] == "Thank you" {
            break;
        }
    }
    // Who comes back later gets what was said.
    let (_, later) = Socket::open(address, "").await;
    let mut later = later.unwrap();
    later.send(join(&asked)).await;
    assert_eq!(later.json().await["messages"].as_array().unwrap().len(), 3);

    agent.send(json!({"type": "hand_back", "conversation_id": conversation, "by": "Ana"})).await;
    student.until("handed_back").await;
    let body = json!({"message": "How many days do I have to ask for a refund?", "creator_id": "course",
                      "conversation_id": conversation});
    let spoken = test.post("/chat", body).await.json();
    assert!(spoken["response"].as_str().unwrap().contains("23 days"), "{spoken}");
    assert!(spoken.get("conversation_token").is_none(), "an id alone proves nothing");
    assert!(student.is_silent().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_hears_what_is_not_theirs() {
    let test = app().await;
    let address = test.served().await;
    let (ours, theirs) = (test.chat(UNKNOWN).await, test.chat(UNKNOWN).await);
    assert_eq!(ours["conversation_token"].as_str().unwrap().len(), 64);
    let first = |frame: Value| async move {
        let mut socket = Socket::open(address, "").await.1.unwrap();
        socket.send(frame).await;
        let said = socket.json().await;
        (said["error"]["code"].as_str().unwrap_or_default().to_owned(), socket.next().await)
    };
    let mut wrong = join(&ours);
    wrong["token"] = theirs["conversation_token"].clone();
    let mut elsewhere = join(&ours);
    elsewhere["creator_id"] = json!("nobody");
    for (frame, code) in [
        (wrong, "conversation_token_required"),
        (elsewhere, "unknown_creator"),
        (json!({"type": "auth", "key": "nafk_wrong"}), "key_required"),
        (json!({"type": "ping"}), "key_required"),
        (json!({"nonsense": true}), "invalid_request"),
    ] {
        assert_eq!(first(frame).await, (code.to_owned(), Frame::Closed(1008)));
    }
    let refused = |headers: String| async move { Socket::open(address, &headers).await.0 };
    assert_eq!(refused("Authorization: Bearer nafk_wrong\r\n".into()).await, 401);
    let stranger = format!("Authorization: Bearer {}\r\nOrigin: https://evil.example\r\n", test.key);
    assert_eq!(refused(stranger).await, 403);
    assert_eq!(test.get("/ws").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let mut by_frame = Socket::open(address, "Origin: https://evil.example\r\n").await.1.unwrap();
    by_frame.send(json!({"type": "auth", "key": test.key})).await;
    assert_eq!(by_frame.json().await["error"]["code"], "origin_not_allowed");

    // A student may not do what a person may, and hears one conversation only.
    let mut student = Socket::open(address, "").await.1.unwrap();
    student.send(join(&ours)).await;
    student.json().await;
    student.send(json!({"type": "take_over", "conversation_id": theirs["conversation_id"]})).await;
    assert_eq!(student.json().await["error"]["code"], "key_required");
    let path = format!("/api/v1/escalations/{}", theirs["conversation_id"].as_str().unwrap());
    let said = test.post_as(&format!("{path}/reply"), json!({"text": "For somebody else"}), &test.key).await;
    assert_eq!(said.status, StatusCode::OK, "{}", said.text);
    assert!(student.is_silent().await);

    // Another creator's people hear and see nothing.
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let (_, key) = test.app.create_key(&"other".parse().unwrap(), "o".into()).await.unwrap();
    let mut other = Socket::open(address, &format!("Authorization: Bearer {key}\r\n")).await.1.unwrap();
    other.json().await;
    test.chat(UNKNOWN).await;
    other.send(json!({"type": "take_over", "conversation_id": ours["conversation_id"]})).await;
    assert_eq!(other.json().await["error"]["code"], "unknown_escalation");
    assert_eq!(test.get_as(&path, &key).await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get_as("/api/v1/escalations", &key).await.json()["escalations"], json!([]));
}

#[tokio::test]
async fn a_connection_has_its_limits() {
    let test = app().await;
    let address = test.served().await;
    let mut large = agent(&test, address).await;
    large.send_text(&format!("{{\"type\":\"ping\",\"x\":\"{}\"}}", "x".repeat(64 << 10))).await;
    assert!(matches!(large.next().await, Frame::Closed(_) | Frame::Gone));

    let mut eager = agent(&test, address).await;
    let mut last = Frame::Gone;
    for _ in 0..60 {
        eager.send(json!({"type": "ping"})).await;
    }
    for _ in 0..60 {
        last = eager.next().await;
        if !matches!(last, Frame::Json(_)) {
            break;
        }
    }
    assert_eq!(last, Frame::Closed(1008));

    // One thread runs this test: while it tells, nobody can listen, and the connection falls behind.
    let mut slow = agent(&test, address).await;
    let told = |at| Told {
        event: Event::new(&TestApp::course(), EventKind::Typing, Subject::default(), Timestamp(at)),
        matter: Matter::Typing(Party::Student),
    };
    for at in 0..2_000 {
        test.app.store().tell(told(at));
    }
    assert_eq!(slow.next().await, Frame::Closed(1013));
    let mut again = agent(&test, address).await;
    test.app.store().tell(told(1));
    again.until("conversation.typing").await;
}

#[tokio::test]
async fn a_ticket_is_opened_once_assigned_answered_and_resolved() {
    let test = app().await;
    let asked = test.chat(UNKNOWN).await;
    let id = asked["conversation_id"].as_str().unwrap();
    let body = json!({"message": UNKNOWN, "creator_id": "course", "conversation_id": id});
    test.post("/chat", body).await;
    let listed = test.get_as("/api/v1/escalations?state=open", &test.key).await.json();
    assert_eq!(listed["escalations"].as_array().unwrap().len(), 1, "{listed}");
    let ticket = &listed["escalations"][0];
    assert_eq!((&ticket["id"], &ticket["reason"]), (&json!(id), &json!("not_in_content")), "{ticket}");

    let contact = |extra: Value| {
        let mut body =
            json!({"creator_id": "course", "email": "zoe@school.example", "message": "Please write"});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        body
    };
    let reply = test.post("/chat/contact", contact(json!({"conversation_id": id}))).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (StatusCode::FORBIDDEN, &json!("conversation_token_required"))
    );
    let proved = json!({"conversation_id": id, "conversation_token": asked["conversation_token"]});
    assert_eq!(test.post("/chat/contact", contact(proved)).await.json()["state"], "open");
    let reply = test.post("/chat/contact", contact(json!({"email": "zoe"}))).await;
    assert_eq!(reply.json()["error"]["code"], "invalid_email");
    let fresh = test.post("/chat/contact", contact(json!({}))).await.json();
    assert_ne!(fresh["conversation_id"], id);
    assert_eq!(fresh["conversation_token"].as_str().unwrap().len(), 64);

    let act = |what: &str, body: Value| {
        let path = format!("/api/v1/escalations/{id}/{what}");
        let (test, key) = (&test, test.key.clone());
        async move { test.post_as(&path, body, &key).await }
    };
    assert_eq!(act("assign", json!({})).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let assigned = act("assign", json!({"assignee": "Ana", "by": "Ben", "text": "yours"})).await.json();
    assert_eq!((&assigned["state"], &assigned["assignee"]), (&json!("assigned"), &json!("Ana")));
    assert_eq!(act("notes", json!({"text": "wrote to her"})).await.status, StatusCode::OK);
    assert_eq!(
        act("reply", json!({"text": "It was Michelangelo", "by": "Ana"})).await.status,
        StatusCode::OK
    );
    assert_eq!(act("take-over", json!({"by": "Ana"})).await.json()["taken_over"], true);
    assert_eq!(act("hand-back", json!({"by": "Ana"})).await.json()["taken_over"], false);
    let done = act("resolve", json!({"by": "Ana"})).await.json();
    assert_eq!(done["state"], "resolved");
    assert!(done["notes"].as_array().unwrap().len() >= 6, "{done}");
    let whole = test.get_as(&format!("/api/v1/escalations/{id}"), &test.key).await.json();
    assert_eq!(whole["contact"]["email"], "zoe@school.example");
    assert_eq!(
        (whole["turns"].as_array().unwrap().len(), whole["messages"].as_array().unwrap().len()),
        (2, 1)
    );
    let none = act("../00000000000000000000000000/resolve", json!({})).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get("/api/v1/escalations").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_student_whom_the_site_names_can_be_shown_and_erased() {
    let test = app().await;
    let named = |token: &str| json!({"message": UNKNOWN, "creator_id": "course", "student_token": token});
    // Without a secret a token says nothing, as before.
    assert_eq!(test.post("/chat", named("anything")).await.status, StatusCode::OK);
    let secret = test.post_as("/api/v1/students/secret", json!({}), &test.key).await.json();
    let secret = STANDARD.decode(secret["secret"].as_str().unwrap()).unwrap();
    let token = |claims: &str| {
        let body =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
        mac.update(body.as_bytes());
        format!("{body}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let ana = token(r#"{"sub":"17","email":"ana@school.example","name":"Ana"}"#);
    let asked = test.post("/chat", named(&ana)).await.json();
    let reply = test.post("/chat", named("anything")).await;
    assert_eq!(reply.json()["error"]["code"], "invalid_student_token", "{}", reply.text);
    let students = test.get_as("/api/v1/students", &test.key).await.json();
    assert_eq!(students["students"][0]["conversations"], json!([asked["conversation_id"]]));
    let whole = test.get_as("/api/v1/students/ana@school.example", &test.key).await.json();
    assert_eq!((&whole["id"], &whole["turns"][0]["student_message"]), (&json!("17"), &json!(UNKNOWN)));
    let erase = || {
        let request = axum::http::Request::delete("/api/v1/students/17")
            .header("authorization", format!("Bearer {}", test.key))
            .body(axum::body::Body::empty())
            .unwrap();
        test.send(request)
    };
    let receipt = erase().await.json();
    assert_eq!((&receipt["turns"], &receipt["escalations"]), (&json!(1), &json!(1)), "{receipt}");
    assert_eq!(erase().await.status, StatusCode::NOT_FOUND);
    assert_eq!(test.get_as("/api/v1/students", &test.key).await.json()["students"], json!([]));
}

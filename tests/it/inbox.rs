//! The inbox of the dashboard: a conversation that needs a person is found, taken over, answered and closed, by forms and
//! over the socket of the page.

use axum::http::StatusCode;
use neverafk::domain::{Role, Ticket, TicketState};
use serde_json::json;

use crate::accounts::{Browser, location};
use crate::support::TestApp;
use crate::support::wire::{Frame, Socket};

const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";

async fn app() -> TestApp {
    TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await
}

async fn ticket(test: &TestApp) -> Ticket {
    test.app.store().tickets(&TestApp::course(), None, 9).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_ticket_goes_through_the_inbox_by_forms_alone() {
    let test = app().await;
    let agent = Browser::of(&test, "ana@x.example", "course", Role::Agent).await;
    let empty = agent.get("/dashboard/course/inbox").await.text;
    assert!(empty.contains("Nothing is here") && empty.contains("id=\"waiting\" hidden"), "{empty}");

    let asked = test.chat(UNKNOWN).await;
    let id = asked["conversation_id"].as_str().unwrap();
    let contact = json!({"creator_id": "course", "conversation_id": id, "email": "tom@x.example",
                         "conversation_token": asked["conversation_token"], "message": "<i>Please</i> call me"});
    assert_eq!(test.post("/chat/contact", contact).await.status, StatusCode::OK);
    let inbox = agent.get("/dashboard/course/inbox").await.text;
    assert!(inbox.contains(&format!("/dashboard/course/inbox/{id}")), "{inbox}");
    let overview = agent.get("/dashboard/course").await.text;
    assert!(overview.contains("<span class=\"n\">1</span>"), "every page says that one waits");

    let path = format!("/dashboard/course/inbox/{id}");
    let page = agent.get(&path).await.text;
    assert!(page.contains("mailto:tom@x.example") && page.contains("Sistine") && !page.contains("<i>Please"));
    let act = async |act: &str, text: &str| {
        let reply = agent.post(&path, &[("act", act), ("text", text)]).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{act}: {}", reply.text);
        let shown = agent.get(location(&reply)).await;
        assert!(shown.status == StatusCode::OK && shown.text.contains("role=\"status\""), "{act}");
        shown.text
    };
    act("assign", "").await;
    assert_eq!(ticket(&test).await.assignee.as_deref(), Some("ana"));
    act("take_over", "").await;
    assert!(ticket(&test).await.taken_over);
    let said = act("say", "Michelangelo,\r\nfrom 1508 on.").await;
    assert!(said.contains("Michelangelo,\nfrom 1508 on."), "{said}");
    let noted = act("note", "A nice question").await;
    assert!(noted.contains("A nice question"));
    let heard = json!({"message": "Thank you", "creator_id": "course", "conversation_id": id});
    assert_eq!(test.post("/chat", heard).await.json()["agent"], "person");
    assert!(agent.get(&path).await.text.contains("Thank you"));
    act("hand_back", "").await;
    act("resolve", "").await;
    assert_eq!(ticket(&test).await.state, TicketState::Resolved);
    assert!(agent.get("/dashboard/course/inbox?state=resolved").await.text.contains(id));
    assert!(!agent.get("/dashboard/course/inbox").await.text.contains(id));

    let nothing = agent.post(&path, &[("act", "say"), ("text", " ")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let long = "x".repeat(4_001);
    let refused = agent.post(&path, &[("act", "say"), ("text", &long)]).await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY && refused.text.contains(&long), "it stays");
    let unknown = agent.get(&format!("/dashboard/course/inbox/{}", "0".repeat(26))).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn replies_are_kept_and_offered() {
    let test = app().await;
    let agent = Browser::of(&test, "ana@x.example", "course", Role::Agent).await;
    let reply = agent.post("/dashboard/course/replies", &[("add", "We are back on Monday.")]).await;
    assert_eq!(location(&reply), "/dashboard/course/inbox?done=true");
    let asked = test.chat(UNKNOWN).await;
    let path = format!("/dashboard/course/inbox/{}", asked["conversation_id"].as_str().unwrap());
    assert!(agent.get(&path).await.text.contains("We are back on Monday."));
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["canned_replies"], json!(["We are back on Monday."]));
    agent.post("/dashboard/course/replies", &[("remove", "We are back on Monday.")]).await;
    assert!(!agent.get(&path).await.text.contains("We are back on Monday."));
    let wrong = test.patch_as("/api/v1/settings", json!({"canned_replies": "x"}), &test.key).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_hears_and_speaks_with_its_session_and_no_longer() {
    let test = app().await;
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let address = test.served().await;
    let agent = Browser::of(&test, "ana@x.example", "course", Role::Agent).await;
    let own = format!("Origin: http://{address}\r\nCookie: {}\r\n", agent.cookie());
    let evil = format!("Origin: https://evil.example\r\nCookie: {}\r\n", agent.cookie());
    let csrf = agent.secret.csrf();
    let enter = |creator: &str, csrf: &str| json!({"type": "enter", "creator_id": creator, "csrf": csrf});
    for (headers, frame, code) in [
        (evil.as_str(), enter("course", &csrf), "not_our_page"),
        ("", enter("course", &csrf), "not_our_page"),
        (&format!("Origin: http://{address}\r\n"), enter("course", &csrf), "session_ended"),
        (&own, enter("course", "0"), "form_too_old"),
        (&own, enter("other", &csrf), "not_found"),
    ] {
        let mut socket = Socket::open(address, headers).await.1.unwrap();
        socket.send(frame).await;
        assert_eq!(socket.json().await["error"]["code"], code);
        assert_eq!(socket.next().await, Frame::Closed(1008));
    }
    let mut socket = Socket::open(address, &own).await.1.unwrap();
    socket.send(enter("course", &csrf)).await;
    assert_eq!(socket.json().await["type"], "ready");
    let asked = test.chat(UNKNOWN).await;
    let escalated = socket.until("conversation.escalated").await;
    assert_eq!(escalated["event"]["data"]["conversation_id"], asked["conversation_id"]);
    let id = &asked["conversation_id"];
    socket.send(json!({"type": "take_over", "conversation_id": id, "by": "The Pope"})).await;
    let taken = socket.until("taken_over").await;
    assert_eq!(taken["escalation"]["assignee"], "ana", "nobody speaks under another's name");
    socket.send(json!({"type": "message", "conversation_id": id, "text": "Michelangelo"})).await;
    assert_eq!(socket.until("sent").await["message"]["by"], "ana");

    agent.post("/logout", &[]).await;
    socket.send(json!({"type": "message", "conversation_id": id, "text": "Still here?"})).await;
    let ended = loop {
        match socket.next().await {
            Frame::Json(_) => {}
            ended => break ended,
        }
    };
    assert_eq!(ended, Frame::Closed(1008));
    let said = test
        .app
        .store()
        .messages(&TestApp::course(), &id.as_str().unwrap().parse().unwrap(), 9)
        .await
        .unwrap();
    assert_eq!(said.len(), 1);
}

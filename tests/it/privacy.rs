//! What is kept of students: for so many days and no longer, with a receipt; one of them forgotten on the page; and why
//! answers did not help.

use axum::http::StatusCode;
use neverafk::app::now;
use neverafk::domain::{Contact, Role, Student, Timestamp};
use serde_json::json;

use crate::accounts::{Browser, location};
use crate::support::TestApp;

const DAY: u64 = 24 * 3_600_000;
const QUESTION: &str = "How many days do I have to ask for a refund?";

async fn course() -> TestApp {
    TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await
}

#[tokio::test]
async fn what_is_old_is_erased_and_its_figures_stay() {
    let test = course().await;
    let course = TestApp::course();
    let store = test.app.store();
    test.chat(QUESTION).await;
    let asked = test.chat("Who painted the ceiling of the Sistine Chapel?").await;
    let tom = Student { id: "17".into(), email: Some("tom@x.example".into()), name: None };
    let his = asked["conversation_id"].as_str().unwrap().parse().unwrap();
    store.link_student(&course, &tom, &his).await.unwrap();
    let contact = Contact { name: None, email: Some("tom@x.example".into()), message: None };
    let alone = neverafk::domain::ConversationId::from_bytes([7; 16]);
    store.ask_for_person(&course, &alone, contact, now()).await.unwrap();
    let before = test.app.insights(&course, 60, now()).await.unwrap();

    let later = |days: u64| Timestamp(now().0 + days * DAY);
    assert!(test.app.erase_old(later(9_999)).await.unwrap().is_empty(), "off by default");
    let keep = json!({"privacy": {"keep_days": 30}});
    assert_eq!(test.patch_as("/api/v1/settings", keep, &test.key).await.status, StatusCode::OK);
    assert!(test.app.erase_old(later(29)).await.unwrap().is_empty(), "not yet");
    assert_eq!(store.turns(&course, 9).await.unwrap().len(), 2);

    let gone = test.app.erase_old(later(31)).await.unwrap();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert_eq!((gone[0].conversations, gone[0].turns, gone[0].tickets), (3, 2, 2), "{gone:?}");
    assert_eq!(gone[0].students, 1, "nothing is left of him");
    assert!(store.students(&course).await.unwrap().is_empty());
    assert!(store.turns(&course, 9).await.unwrap().is_empty());
    assert!(store.tickets(&course, None, 9).await.unwrap().is_empty());
    assert_eq!(store.counts(&course).await.unwrap().conversations, 0);
    assert!(test.app.erase_old(later(31)).await.unwrap().is_empty(), "once");

    let after = test.app.insights(&course, 60, now()).await.unwrap();
    assert_eq!(
        (after.asked, after.answered, after.abstained, after.escalated, after.groundedness),
        (before.asked, before.answered, before.abstained, before.escalated, before.groundedness)
    );
    assert_eq!((before.asked, before.answered), (2, 1));
    let record = store.events(Some(&course), 9).await.unwrap();
    let receipt = record.iter().find(|event| event.what == "conversations.expired").unwrap();
    assert_eq!(receipt.target, "3 conversations with 2 answers, 0 messages and 2 tickets after 30 days");
    assert_eq!(receipt.who, "retention");
}

#[tokio::test]
async fn a_conversation_that_goes_on_is_kept_whole() {
    let test = course().await;
    let first = test.chat(QUESTION).await;
    let course = TestApp::course();
    let turn = test.app.store().turns(&course, 1).await.unwrap().remove(0);
    let mut old = turn.clone();
    old.created_at = Timestamp(turn.created_at.0 - 40 * DAY);
    old.id = neverafk::domain::MessageId::from_bytes([9; 16]);
    test.app.store().add_turn(old.clone()).await.unwrap();
    let mut lonely = old.clone();
    lonely.id = neverafk::domain::MessageId::from_bytes([8; 16]);
    lonely.conversation = neverafk::domain::ConversationId::from_bytes([8; 16]);
    test.app.store().add_turn(lonely).await.unwrap();
    let keep = json!({"privacy": {"keep_days": 30}});
    test.patch_as("/api/v1/settings", keep, &test.key).await;
    let gone = test.app.erase_old(now()).await.unwrap();
    assert_eq!((gone[0].conversations, gone[0].turns), (1, 1), "{gone:?}");
    let left = test.app.store().turns(&course, 9).await.unwrap();
    let conversation = first["conversation_id"].as_str().unwrap();
    assert!(left.len() == 2 && left.iter().all(|turn| turn.conversation.as_str() == conversation));
}

#[tokio::test]
async fn a_student_is_forgotten_on_the_page_by_address() {
    let test = course().await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let asked = test.chat("Who painted the ceiling of the Sistine Chapel?").await;
    let left = json!({"creator_id": "course", "email": "Tom@x.example",
                      "conversation_id": asked["conversation_id"], "conversation_token": asked["conversation_token"]});
    assert_eq!(test.post("/chat/contact", left).await.status, StatusCode::OK);
    test.chat(QUESTION).await;

    let path = "/dashboard/course/data";
    let unknown = owner.post(&format!("{path}/erase"), &[("who", "<b>nobody@x.example")]).await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        unknown.text.contains("nobody@x.example") && !unknown.text.contains("<b>nobody"),
        "typed, and no markup"
    );
    let nobody = owner.post(&format!("{path}/erase"), &[("who", " ")]).await;
    assert_eq!(nobody.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = owner.post(&format!("{path}/erase"), &[("who", " tom@X.example ")]).await;
    assert_eq!(done.status, StatusCode::OK, "{}", done.text);
    assert!(done.text.contains("1 conversations with 1 answers, 0 messages and 1 tickets"), "{}", done.text);
    assert_eq!(test.app.store().turns(&TestApp::course(), 9).await.unwrap().len(), 1);
    let record = owner.get("/dashboard/course/record").await.text;
    assert!(
        record.contains("erased a student:") && !record.contains("tom@"),
        "how much, and not who: {record}"
    );
}

#[tokio::test]
async fn a_promise_is_made_on_the_page() {
    let test = course().await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let path = "/dashboard/course/data/privacy";
    let consent = "Kept for 30 days. [What](https://school.example/p)";
    let saved = owner.post(path, &[("consent", consent), ("keep_days", "30")]).await;
    assert_eq!(location(&saved), "/dashboard/course/data?done=true", "{}", saved.text);
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["privacy"], json!({"consent": consent, "keep_days": 30}));
    for (consent, days) in [("[x](javascript:x)", ""), ("", "0"), ("", "soon"), ("", "-3")] {
        let wrong = owner.post(path, &[("consent", consent), ("keep_days", days)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{consent} {days}");
    }
    assert_eq!(owner.post(path, &[]).await.status, StatusCode::SEE_OTHER);
    assert!(test.get_as("/api/v1/settings", &test.key).await.json().get("privacy").is_none());
}

#[tokio::test]
async fn why_answers_did_not_help_is_counted_and_shown() {
    let test = course().await;
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    for (reason, comment) in
        [("wrong", "It is 30 days, write to tom@x.example <i>"), ("wrong", ""), ("unclear", "")]
    {
        let answer = test.chat(QUESTION).await;
        let body = json!({"creator_id": "course", "message_id": answer["message_id"], "helpful": false,
                          "reason": reason, "comment": comment, "conversation_token": answer["conversation_token"]});
        let reply = test.post("/feedback", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
    let found = test.get_as("/api/v1/insights/complaints", &test.key).await.json();
    assert_eq!(found["unhelpful"], 3, "{found}");
    assert_eq!(found["reasons"], json!([{"reason": "wrong", "count": 2}, {"reason": "unclear", "count": 1}]));
    assert_eq!(found["words"].as_array().unwrap().len(), 1);
    let text = found["words"][0]["text"].as_str().unwrap();
    assert!(text.contains("30 days") && !text.contains("tom@"), "{text}");
    let page = editor.get("/dashboard/course/insights").await.text;
    let shown = page.split("id=\"complaints\"").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(shown.contains("2×") && shown.contains("it is wrong") && shown.contains("30 days"), "{shown}");
    assert!(!shown.contains("<i>"), "{shown}");
    assert_eq!(test.get("/api/v1/insights/complaints").await.status, StatusCode::UNAUTHORIZED);
}

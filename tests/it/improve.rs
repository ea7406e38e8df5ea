//! What a creator learns and does about it: insights by day, gaps, tables, and an answer that is corrected on the page.

use axum::http::StatusCode;
use neverafk::domain::Role;

use crate::accounts::{Browser, location};
use crate::support::TestApp;

const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";

#[tokio::test]
async fn a_gap_is_seen_answered_and_gone() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    let empty = editor.get("/dashboard/course/insights").await;
    assert!(empty.status == StatusCode::OK && empty.text.contains("Nobody asked anything"), "{}", empty.text);

    let asked = test.chat(UNKNOWN).await;
    test.chat("How many days do I have to ask for a refund?").await;
    let page = editor.get("/dashboard/course/insights?days=7").await.text;
    let gaps = page.split("id=\"gaps\"").nth(1).unwrap().split("id=\"popular\"").next().unwrap();
    assert!(gaps.contains("Sistine Chapel") && !gaps.contains("refund"), "{gaps}");
    assert!(page.contains("1 answered, 1 not in the content"), "{page}");
    let table = editor.get("/dashboard/course/insights.csv?days=7").await;
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(table.text.lines().count(), 8, "{}", table.text);
    assert!(table.text.lines().last().unwrap().contains(",2,1,1,1,0,0,"), "{}", table.text);
    let table = editor.get("/dashboard/course/insights.csv?table=gaps").await.text;
    assert!(table.contains("Sistine"), "{table}");

    let (id, message) = (asked["conversation_id"].as_str().unwrap(), asked["message_id"].as_str().unwrap());
    let path = format!("/dashboard/course/conversations/{id}");
    let fields = [("message", message), ("question", UNKNOWN), ("answer", "Michelangelo painted it.")];
    let nothing = editor.post(&format!("{path}/correct"), &[("message", message), ("answer", " ")]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = editor.post(&format!("{path}/correct"), &fields).await;
    assert_eq!(location(&done), format!("{path}?done=true"), "{}", done.text);
    assert!(editor.get(&path).await.text.contains("corrected by you"));
    let again = test.chat(UNKNOWN).await;
    assert!(again["response"].as_str().unwrap().contains("Michelangelo"), "{again}");
    let page = editor.get("/dashboard/course/insights?days=7").await.text;
    let gaps = page.split("id=\"gaps\"").nth(1).unwrap().split("id=\"popular\"").next().unwrap();
    assert!(!gaps.contains("Sistine"), "{gaps}");

    let stranger = "0".repeat(26);
    let wrong = [("message", stranger.as_str()), ("question", "Why?"), ("answer", "So.")];
    assert_eq!(editor.post(&format!("{path}/correct"), &wrong).await.status, StatusCode::NOT_FOUND);
}

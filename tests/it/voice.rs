//! How an assistant is called, looks and speaks: set in the dashboard, said by the assistant and told to its widget.

use axum::http::StatusCode;
use neverafk::domain::Role;
use serde_json::json;

use crate::accounts::{Browser, location};
use crate::support::TestApp;

const UNKNOWN: &str = "Who painted the ceiling of the Sistine Chapel?";

#[tokio::test]
async fn what_is_set_is_said_and_worn() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    let looks = [
        ("name", "Mara & Co"),
        ("title", "Ask \"Mara\""),
        ("color", "#7c3aed"),
        ("suggestions", "Why?\r\nHow?\r\n"),
        ("position", "bottom-right"),
        ("theme", "auto"),
        ("powered_by", "on"),
    ];
    let saved = editor.post("/dashboard/course/voice", &looks).await;
    assert_eq!(location(&saved), "/dashboard/course/voice?done=true&lang=", "{}", saved.text);
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    let brand = json!({"title": "Ask \"Mara\"", "color": "#7c3aed", "suggestions": ["Why?", "How?"]});
    assert_eq!(settings["brand"], brand, "what is as the widget has it is not said");
    let page = editor.get("/dashboard/course/voice").await.text;
    assert!(page.contains("data-color=\"#7c3aed\"") && page.contains("Why?|How?"), "{page}");
    let line = editor.get("/dashboard/course/widget").await.text;
    assert!(!line.contains("data-title"), "the line stays the same whatever is set: {line}");
    let look = test.get("/chat/look?creator_id=course").await.json();
    assert_eq!((&look["title"], &look["color"]), (&json!("Ask \"Mara\""), &json!("#7c3aed")));

    let whole = test.get("/c/course").await;
    assert!(whole.text.contains("data-color=\"#7c3aed\"") && !whole.text.contains("data-position"));
    let policy = whole.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("frame-ancestors *") && !policy.contains("unsafe"), "{policy}");
    assert!(line.contains("/c/course"), "the whole page is offered");
    for nothing in ["/demo", "/c/nobody", "/c/..%2F"] {
        assert_eq!(test.get(nothing).await.status, StatusCode::NOT_FOUND, "{nothing}");
    }

    let wrong = editor.post("/dashboard/course/voice", &[("name", "x"), ("color", "red")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let phrases = [("lang", "en"), ("decline", "No idea; {creator} knows.")];
    assert_eq!(editor.post("/dashboard/course/voice/phrases", &phrases).await.status, StatusCode::SEE_OTHER);
    assert_eq!(test.chat(UNKNOWN).await["response"], "No idea; Mara & Co knows.");

    // A number that helps nobody where the students live is put right by whoever knows better.
    let voice = editor.get("/dashboard/course/voice?lang=es").await.text;
    assert!(voice.contains("name=\"safety\"") && voice.contains("024 en España"), "{voice}");
    let helps = [("lang", "es"), ("safety", "Llama al 717 003 717 si lo necesitas.")];
    assert_eq!(editor.post("/dashboard/course/voice/phrases", &helps).await.status, StatusCode::SEE_OTHER);
    assert_eq!(test.chat("Quiero morir").await["response"], "Llama al 717 003 717 si lo necesitas.");

    let rules = [("guard", "off"), ("viewer", "text"), ("policies", "refunds\r\n")];
    assert_eq!(editor.post("/dashboard/course/voice/rules", &rules).await.status, StatusCode::SEE_OTHER);
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    let kept = [&settings["guard"], &settings["viewer"], &settings["policies"]];
    assert_eq!(kept, [&json!(false), &json!("text"), &json!(["refunds"])]);
    let usual = [("guard", "usual"), ("viewer", "quote"), ("policies", "")];
    editor.post("/dashboard/course/voice/rules", &usual).await;
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert!(settings.get("guard").is_none() && settings.get("policies").is_none(), "{settings}");
    let refused = test.patch_as("/api/v1/settings", json!({"guard": 7}), &test.key).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
}

//! Pages of the dashboard for whoever runs things: webhooks, the server's health, a backup to take along.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::domain::Role;
use serde_json::json;
use tower::ServiceExt;

use crate::accounts::{Browser, location, submit};
use crate::support::TestApp;

#[tokio::test]
async fn a_webhook_is_added_tried_and_removed_on_its_page() {
    let test = TestApp::new().await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let path = "/dashboard/course/webhooks";
    let wrong = owner.post(path, &[("url", "http://127.0.0.1/hook")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("http://127.0.0.1/hook"), "what was typed stays");
    let fields = [("url", "https://school.example/hook"), ("conversation.escalated", "on")];
    let made = owner.post(path, &fields).await;
    assert!(made.status == StatusCode::OK && made.text.contains("whsec_"), "{}", made.text);
    let listed = owner.get(path).await.text;
    assert!(!listed.contains("whsec_") && listed.contains("https://school.example/hook"), "{listed}");
    let all = test.get_as("/api/v1/webhooks", &test.key).await.json();
    assert_eq!(all["webhooks"][0]["events"], json!(["conversation.escalated"]));
    let id = all["webhooks"][0]["id"].as_str().unwrap();

    let one = format!("{path}/{id}");
    let tried = owner.post(&one, &[("act", "test")]).await;
    assert_eq!(location(&tried), format!("{path}?done=test"));
    assert!(owner.get(path).await.text.contains("webhook.test"));
    let unknown = owner.post(&one, &[("act", "again"), ("delivery", &"0".repeat(26))]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.post(&one, &[("act", "remove")]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(owner.post(&one, &[("act", "remove")]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn models_are_shown_chosen_and_tried() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    let path = "/dashboard/course/models";
    let page = owner.get(path).await.text;
    for word in ["all-MiniLM-L6-v2", "Apache-2.0", "needs 200 MB of memory", "Pull SmolLM2-135M-Instruct"] {
        assert!(page.contains(word), "{word} in {page}");
    }
    let question = "How many days do I have to ask for a refund?";
    let tried = owner.post(&format!("{path}/try"), &[("question", question), ("extractive", "on")]).await;
    assert!(tried.status == StatusCode::OK && tried.text.contains("within 23 days"), "{}", tried.text);
    let none = owner.post(&format!("{path}/try"), &[("question", question)]).await;
    assert!(none.status == StatusCode::UNPROCESSABLE_ENTITY && none.text.contains(question), "it stays");
    assert!(test.app.store().turns(&TestApp::course(), 9).await.unwrap().is_empty(), "nothing is kept");

    let wrong = owner.post(path, &[("chain", "someone:gpt")]).await;
    assert!(wrong.status == StatusCode::UNPROCESSABLE_ENTITY && wrong.text.contains("someone:gpt"));
    let chosen = owner.post(path, &[("chain", "SmolLM2-135M-Instruct\r\nextractive\r\n")]).await;
    assert_eq!(location(&chosen), format!("{path}?done=chain"));
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert_eq!(settings["models"], json!(["SmolLM2-135M-Instruct", "extractive"]));
    let unknown = owner.post(&format!("{path}/pull"), &[("name", "no such model")]).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);

    let listed = test.get_as("/api/v1/models", &test.key).await.json();
    assert_eq!(
        (&listed["models"][0]["state"], &listed["models"][0]["pull"]),
        (&json!("absent"), &json!(null))
    );
    let none = test.post_as("/api/v1/models/pull", json!({"name": "none"}), &test.key).await;
    assert_eq!(none.json()["error"]["code"], "unknown_model");
    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    let refused = test.post_as("/api/v1/models/pull", json!({"name": "minilm"}), &test.key).await;
    assert_eq!(refused.json()["error"]["code"], "server_of_others");
}

#[tokio::test]
async fn the_server_is_for_who_owns_all_of_it() {
    let test = TestApp::with(&[("refunds.txt", "You can ask for a refund within 23 days.")]).await;
    let owner = Browser::of(&test, "anna@x.example", "course", Role::Owner).await;
    for guess in ["a wrong guess", "another wrong guess"] {
        let refused = submit(&test, "/login", &[("email", "anna@x.example"), ("password", guess)]).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
    let page = owner.get("/dashboard/course/system").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    assert!(page.text.contains("was refused: wrong password, 2 times"), "{}", page.text);
    assert!(page.text.contains("no question and no content leaves this machine"), "{}", page.text);

    let csrf = owner.secret.csrf();
    let request = Request::post("/dashboard/course/system/backup")
        .header(header::HOST, "127.0.0.1:8000")
        .header(header::ORIGIN, "http://127.0.0.1:8000")
        .header(header::COOKIE, owner.cookie())
        .header("x-csrf-token", csrf)
        .body(Body::empty())
        .unwrap();
    let reply = neverafk::http::router(test.app.clone()).oneshot(request).await.unwrap();
    assert_eq!(reply.status(), StatusCode::OK);
    let length: usize = reply.headers()[header::CONTENT_LENGTH].to_str().unwrap().parse().unwrap();
    assert!(reply.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().ends_with(".backup\""));
    let bytes = axum::body::to_bytes(reply.into_body(), usize::MAX).await.unwrap();
    assert_eq!(bytes.len(), length);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.backup");
    std::fs::write(&file, &bytes).unwrap();
    let into = folder.path().join("data");
    neverafk::store::Store::restore(&file, &into).await.unwrap();
    assert!(into.join("neverafk.redb").exists());
    let left = std::fs::read_dir(&test.app.config().data_dir).unwrap();
    let left = left
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("sent-backup-"));
    assert_eq!(left.count(), 0, "nothing of it stays");

    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    for path in ["/dashboard/course/system", "/dashboard/other/system"] {
        assert!(!owner.get(path).await.status.is_success(), "{path}: somebody else is on it now");
    }
    assert!(!owner.get("/dashboard/course").await.text.contains("course/system"));
}

//! A brand that is live: what the widget is told, how long it is kept, pictures, and hostile values of every kind refused.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::domain::Role;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::accounts::{Browser, location};
use crate::support::TestApp;

/// The header of a PNG picture, which is all that is looked at.
fn png(width: u32, height: u32) -> Vec<u8> {
    let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
    [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], &size, &[8, 6, 0, 0, 0]].concat()
}

async fn brand(test: &TestApp, brand: Value) -> StatusCode {
    test.patch_as("/api/v1/settings", json!({"brand": brand}), &test.key).await.status
}

#[tokio::test]
async fn what_is_saved_is_told_at_the_next_look() {
    let test = TestApp::new().await;
    let path = "/chat/look?creator_id=course&page=de-AT";
    let first = test.get(path).await;
    assert_eq!(first.status, StatusCode::OK, "{}", first.text);
    let look = first.json();
    assert_eq!((&look["language"], &look["words"]["send"]), (&json!("de"), &json!("Senden")), "{look}");
    assert_eq!((&look["powered_by"], look.get("title")), (&json!(true), None));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "public, max-age=60"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(first.headers[name], value, "{name}");
    }
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = async || {
        let request = Request::get(path).header(header::IF_NONE_MATCH, &tag).body(Body::empty()).unwrap();
        test.send(request).await
    };
    let kept = again().await;
    assert_eq!((kept.status, kept.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_eq!(kept.headers["etag"], tag.as_str());

    let css = json!({"bg": "#fffdf7", "radius": "4px"});
    let chosen = json!({"title": "Ask Mara", "lang": "fr", "suggestions": ["Why?", "How?"], "css": css,
                        "powered_by": false});
    assert_eq!(brand(&test, chosen).await, StatusCode::OK);
    let promise = json!({"privacy": {"consent": "Kept for a month. [More](https://school.example/p)"}});
    assert_eq!(test.patch_as("/api/v1/settings", promise, &test.key).await.status, StatusCode::OK);
    let changed = again().await;
    assert_eq!(changed.status, StatusCode::OK, "another tag");
    let look = changed.json();
    assert_eq!((&look["title"], &look["suggestions"]), (&json!("Ask Mara"), &json!("Why?|How?")));
    assert_eq!((&look["language"], &look["css"], &look["powered_by"]), (&json!("fr"), &css, &json!(false)));
    assert!(look["consent"].as_str().unwrap().contains("school.example"), "{look}");
    let line = test.get("/chat/look?creator_id=course&lang=ja&page=de").await.json();
    assert_eq!(line["language"], "ja", "what the line says comes first");
    let english = test.get("/chat/look?creator_id=course&lang=en").await.json();
    assert!(english.get("words").is_none(), "they stand in the script");
    for nobody in ["nobody", "..%2F", ""] {
        let look = test.get(&format!("/chat/look?creator_id={nobody}")).await;
        assert_eq!((look.status, look.json().get("title")), (StatusCode::OK, None), "{nobody}");
    }
}

#[tokio::test]
async fn hostile_values_are_refused() {
    let test = TestApp::new().await;
    for wrong in [
        json!({"css": {"bg": "url(https://x.example/a.png)"}}),
        json!({"css": {"bg": "#ffffff} *{display:none"}}),
        json!({"css": {"font": "a;background:red"}}),
        json!({"css": {"position": "static"}}),
        json!({"css": {"width": "100vw"}}),
        json!({"color": "expression(1)"}),
        json!({"avatar": "data:image/svg+xml,<svg/>"}),
        json!({"dictation": "yes"}),
    ] {
        assert_eq!(brand(&test, wrong.clone()).await, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    for wrong in [
        json!({"consent": "[x](javascript:alert(1))"}),
        json!({"consent": "[x](//x.example)"}),
        json!({"consent": "x".repeat(501)}),
        json!({"keep_days": 0}),
        json!({"keep_days": 1e9}),
        json!({"keep": 3}),
    ] {
        let reply = test.patch_as("/api/v1/settings", json!({"privacy": wrong}), &test.key).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    assert_eq!(test.get_as("/api/v1/settings", &test.key).await.json(), json!({}), "nothing of it is kept");
}

#[tokio::test]
async fn a_picture_is_checked_kept_and_shown_as_what_it_is() {
    let test = TestApp::new().await;
    let put = async |bytes: Vec<u8>| {
        let request =
            Request::put("/api/v1/avatar").header(header::AUTHORIZATION, format!("Bearer {}", test.key));
        test.send(request.body(Body::from(bytes)).unwrap()).await
    };
    assert_eq!(test.get("/c/course/avatar").await.status, StatusCode::NOT_FOUND);
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    for (bytes, status) in [
        (svg, StatusCode::UNPROCESSABLE_ENTITY),
        (b"GIF89a".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (Vec::new(), StatusCode::UNPROCESSABLE_ENTITY),
        (png(4_000, 64), StatusCode::UNPROCESSABLE_ENTITY),
        (png(8, 8), StatusCode::UNPROCESSABLE_ENTITY),
        ([png(64, 64), vec![0; 256 * 1024]].concat(), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = put(bytes).await;
        assert_eq!(reply.status, status, "{}", reply.text);
        assert!(!reply.json()["error"]["hint"].as_str().unwrap().is_empty());
    }
    assert_eq!(brand(&test, json!({"avatar": "https://school.example/a.png"})).await, StatusCode::OK);
    let made = put(png(64, 64)).await;
    assert_eq!((made.status, &made.json()["width"]), (StatusCode::OK, &json!(64)), "{}", made.text);
    let look = test.get("/chat/look?creator_id=course").await.json();
    let address = look["avatar"].as_str().unwrap();
    assert!(
        address.starts_with("c/course/avatar?v="),
        "the picture counts, and not the former address: {look}"
    );
    let shown = Request::get(format!("/{address}")).body(Body::empty()).unwrap();
    let shown = neverafk::http::router(test.app.clone()).oneshot(shown).await.unwrap();
    assert_eq!(shown.status(), StatusCode::OK);
    for (name, value) in [
        ("content-type", "image/png"),
        ("x-content-type-options", "nosniff"),
        ("cross-origin-resource-policy", "cross-origin"),
        ("cache-control", "public, max-age=86400"),
    ] {
        assert_eq!(shown.headers()[name], value, "{name}");
    }
    assert!(shown.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let tag = shown.headers()["etag"].clone();
    let bytes = axum::body::to_bytes(shown.into_body(), usize::MAX).await.unwrap();
    assert_eq!(bytes, png(64, 64));
    let again =
        Request::get("/c/course/avatar").header(header::IF_NONE_MATCH, tag).body(Body::empty()).unwrap();
    assert_eq!(test.send(again).await.status, StatusCode::NOT_MODIFIED);
    put(png(32, 32)).await;
    let other = test.get("/chat/look?creator_id=course").await.json();
    assert_ne!(other["avatar"], look["avatar"], "another picture has another address");

    test.app.add_creator("other".parse().unwrap(), None).await.unwrap();
    assert_eq!(test.get("/c/other/avatar").await.status, StatusCode::NOT_FOUND);
    let gone =
        Request::delete("/api/v1/avatar").header(header::AUTHORIZATION, format!("Bearer {}", test.key));
    assert_eq!(test.send(gone.body(Body::empty()).unwrap()).await.status, StatusCode::NO_CONTENT);
    assert_eq!(test.get("/c/course/avatar").await.status, StatusCode::NOT_FOUND);
    let no_key = Request::put("/api/v1/avatar").body(Body::from(png(64, 64))).unwrap();
    assert_eq!(test.send(no_key).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_picture_is_brought_in_and_taken_away_on_the_page() {
    let test = TestApp::new().await;
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    let path = "/dashboard/course/voice/avatar";
    let request = |token: &str| {
        Request::post(path)
            .header(header::HOST, "127.0.0.1:8000")
            .header(header::ORIGIN, "http://127.0.0.1:8000")
            .header(header::COOKIE, editor.cookie())
            .header("x-csrf-token", token)
            .body(Body::from(png(64, 64)))
            .unwrap()
    };
    assert_eq!(test.send(request("0")).await.status, StatusCode::FORBIDDEN);
    let made = test.send(request(&editor.secret.csrf())).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    let page = editor.get("/dashboard/course/voice").await.text;
    assert!(page.contains("src=\"/c/course/avatar?v="), "{page}");
    let gone = editor.post("/dashboard/course/voice/avatar/remove", &[]).await;
    assert_eq!(location(&gone), "/dashboard/course/voice?done=true&lang=");
    assert_eq!(test.get("/c/course/avatar").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn variables_and_switches_are_set_on_the_page() {
    let test = TestApp::new().await;
    let editor = Browser::of(&test, "ana@x.example", "course", Role::Editor).await;
    let path = "/dashboard/course/voice";
    let saved =
        editor.post(path, &[("name", "Mara"), ("css", "--radius: 4px;\r\n"), ("dictation", "on")]).await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER, "{}", saved.text);
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    let expected = json!({"css": {"radius": "4px"}, "powered_by": false, "dictation": true});
    assert_eq!(settings["brand"], expected, "what is not ticked is off");
    let wrong = editor.post(path, &[("name", "Mara"), ("css", "bg: url(x)")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("bg: url(x)"), "what was typed stays: {}", wrong.text);
    let usual = editor.post(path, &[("name", "Mara"), ("powered_by", "on")]).await;
    assert_eq!(usual.status, StatusCode::SEE_OTHER);
    let settings = test.get_as("/api/v1/settings", &test.key).await.json();
    assert!(settings.get("brand").is_none(), "{settings}");
}

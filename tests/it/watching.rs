//! Watched folders and sites: what changes comes in by itself, and nobody far away reads this machine's disk.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use neverafk::domain::{JobState, Receipt, Watched};
use neverafk::jobs;
use neverafk::jobs::watch::{Every, queue_due};
use serde_json::json;

use crate::support::{Desk, TestApp};

/// Always due.
const NOW: Every = Every { folder_ms: 1, site_ms: 1 };

/// Waits until a place is due, and looks at it.
async fn look(test: &TestApp, watched: &Watched) -> Receipt {
    let jobs = test.app.jobs();
    while queue_due(&jobs, NOW).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    assert_eq!(queue_due(&jobs, NOW).await.unwrap(), 0, "it is queued already");
    assert!(jobs::step(&jobs).await.unwrap());
    match test.app.store().job(&watched.job()).await.unwrap().unwrap().state {
        JobState::Done { receipt, .. } => receipt,
        other => panic!("{other:?}"),
    }
}

fn write(folder: &Path, name: &str, words: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, words).unwrap();
}

#[tokio::test]
async fn a_watched_folder_is_followed() {
    let (test, home) = (TestApp::new().await, tempfile::tempdir().unwrap());
    let folder = home.path().join("course");
    write(&folder, "Week 1/wax.md", "# Wax\n\nWarm the wax to 62 degrees.");
    write(&folder, "glue.md", "# Glue\n\nThe glue dries within 9 hours.");
    let creator = TestApp::course();
    let watched = test.app.watch_folder(&creator, &folder).await.unwrap();
    assert_eq!(look(&test, &watched).await, Receipt { added: 2, ..Receipt::default() });
    let found = test.app.search(&creator, "How warm is the wax?", 1).await.unwrap();
    assert_eq!(found.hits[0].title, "Week 1 › Wax");

    // Nothing changed: nothing is read.
    assert_eq!(look(&test, &watched).await, Receipt::default());
    // Touched, but the same.
    write(&folder, "glue.md", "# Glue\n\nThe glue dries within 9 hours.");
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    std::fs::File::options().append(true).open(folder.join("glue.md")).unwrap().set_modified(later).unwrap();
    assert_eq!(look(&test, &watched).await, Receipt { unchanged: 1, ..Receipt::default() });

    write(&folder, "glue.md", "# Glue\n\nThe new glue dries within 4 hours.");
    write(&folder, "press.md", "# Press\n\nThe press stands in the attic.");
    std::fs::remove_file(folder.join("Week 1/wax.md")).unwrap();
    let expected = Receipt { added: 1, changed: 1, unchanged: 0, removed: 1 };
    assert_eq!(look(&test, &watched).await, expected);
    let shown = test.get_as("/api/v1/sources", &test.key).await.json();
    assert_eq!(shown["sources"][0]["documents"]["removed"], 1, "{shown}");
    assert_eq!(
        (&shown["sources"][0]["kind"], &shown["sources"][0]["problem"]),
        (&json!("folder"), &json!(null))
    );

    // A disk that is not there is no reason to forget a course.
    std::fs::rename(&folder, home.path().join("elsewhere")).unwrap();
    assert_eq!(look(&test, &watched).await, Receipt::default());
    let shown = test.get_as("/api/v1/sources", &test.key).await.json();
    assert!(shown["sources"][0]["problem"].is_string(), "{shown}");
    std::fs::create_dir(&folder).unwrap();
    assert_eq!(look(&test, &watched).await, Receipt::default());
    assert_eq!(test.app.store().documents(&creator).await.unwrap().len(), 2);
    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(home.path().join("elsewhere"), &folder).unwrap();
    assert_eq!(look(&test, &watched).await, Receipt::default());

    let id = shown["sources"][0]["id"].as_str().unwrap();
    let delete = |id: &str| {
        let request = Request::delete(format!("/api/v1/sources/{id}"));
        request.header(header::AUTHORIZATION, format!("Bearer {}", test.key)).body(Body::empty()).unwrap()
    };
    assert_eq!(test.send(delete(id)).await.status, StatusCode::NO_CONTENT);
    assert_eq!(test.send(delete(id)).await.status, StatusCode::NOT_FOUND);
    assert_eq!(queue_due(&test.app.jobs(), NOW).await.unwrap(), 0);
    assert_eq!(test.app.store().documents(&creator).await.unwrap().len(), 2, "what came from it stays");
}

#[tokio::test]
async fn over_http_sites_are_added_and_folders_never() {
    // Even where the owner of the machine allows private addresses, a key does not reach them.
    let allow = [("NEVERAFK_INGEST__ALLOW_PRIVATE_ADDRESSES".to_owned(), "true".to_owned())];
    let test = TestApp::configured(&allow).await;
    for refused in [
        json!({"url": "/etc"}),
        json!({"url": "file:///etc/passwd"}),
        json!({"url": "https://anna:secret@example.org/"}),
        json!({"url": "https://example.org/", "depth": 99}),
        json!({"url": "https://example.org/", "max_pages": 0}),
        json!({"kind": "folder", "path": "/etc", "url": "https://example.org/"}),
        json!({"path": "/etc"}),
    ] {
        let reply = test.post_as("/api/v1/sources", refused.clone(), &test.key).await;
        assert!(reply.status.is_client_error(), "{refused}: {}", reply.text);
        assert!(!reply.text.contains("secret@"), "{}", reply.text);
    }
    let (_, other) = {
        let ben: neverafk::domain::CreatorId = "ben".parse().unwrap();
        test.app.add_creator(ben.clone(), None).await.unwrap();
        test.app.create_key(&ben, "test".into()).await.unwrap()
    };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/course", listener.local_addr().unwrap());
    let added = test.post_as("/api/v1/sources", json!({"url": url}), &test.key).await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    assert_eq!(test.get_as("/api/v1/sources", &other).await.json(), json!({"sources": []}));

    let watched = test.app.watched(&TestApp::course()).await.unwrap().remove(0);
    assert_eq!(look(&test, &watched).await, Receipt::default());
    let shown = test.get_as("/api/v1/sources", &test.key).await.json();
    assert!(shown["sources"][0]["problem"].as_str().unwrap().contains("private"), "{shown}");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "nobody was asked");
}

#[test]
fn the_command_line_watches_and_forgets() {
    let desk = Desk::new();
    desk.creator();
    let page = desk.write("folder/a.md", "# A\n\nThe saw hangs on the wall.");
    let folder = page.parent().unwrap().canonicalize().unwrap();
    let folder = folder.to_str().unwrap();
    desk.ok(&["ingest", folder, "--creator", "course", "--watch"]);
    let shown = desk.json(&["creator", "show", "course"]);
    assert_eq!(shown["watched"][0]["place"], json!({"kind": "folder", "path": folder}), "{shown}");
    assert!(desk.ok(&["creator", "show", "course"]).contains(folder));
    std::fs::remove_dir_all(folder).unwrap();
    let said = desk.json(&["ingest", folder, "--creator", "course", "--unwatch"]);
    assert_eq!(said["unwatched"], json!([folder]), "{said}");
    desk.refused(&["ingest", folder, "--creator", "course", "--unwatch"]);
    assert_eq!(desk.json(&["creator", "show", "course"])["watched"], json!([]));
    // Only a folder can be watched.
    let page = desk.write("folder/a.md", "# A\n\nThe saw hangs on the wall.");
    desk.refused(&["ingest", page.to_str().unwrap(), "--creator", "course", "--watch"]);
}

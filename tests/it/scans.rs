//! Scans and pictures: their words are found at their page where tesseract is installed, and missed in words where not.

use std::path::{Path, PathBuf};

use neverafk::ingest::Item;

use crate::support::{Desk, TestApp};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/scan").join(name)
}

fn is_installed() -> bool {
    let found = std::process::Command::new("tesseract").arg("--version").output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("skipped: no tesseract on this machine");
    }
    found
}

#[tokio::test]
async fn a_scan_is_read_and_cited_by_its_page() {
    if !is_installed() {
        return;
    }
    let test = TestApp::new().await;
    for name in ["lesson.pdf", "note.png"] {
        let item = Item::upload(name, std::fs::read(fixture(name)).unwrap());
        let done = test.app.ingest().one(&TestApp::course(), item).await;
        let done = done.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(done.chunks > 0 && done.warnings.iter().any(|one| one.contains("recognition")), "{done:?}");
    }
    for (question, words, page) in [
        ("How long is the mixture stirred?", "eleven minutes", Some(1)),
        ("How warm must the beeswax be?", "62 degrees", Some(1)),
        ("How long is the book block pressed?", "nine hours", Some(2)),
    ] {
        let report = test.app.search(&TestApp::course(), question, 2).await.unwrap();
        let hit = report.hits.iter().find(|hit| hit.title == "lesson" || hit.anchor.page.is_some());
        let hit = hit.unwrap_or_else(|| panic!("{question}: {:?}", report.hits));
        assert!(hit.text.contains(words), "{question}: {}", hit.text);
        assert_eq!(hit.anchor.page, page, "{question}");
    }
    let documents = test.get_as("/api/v1/documents", &test.key).await.json();
    let media: Vec<&str> =
        documents["documents"].as_array().unwrap().iter().map(|one| one["media"].as_str().unwrap()).collect();
    assert!(media.contains(&"picture") && media.contains(&"pdf"), "{documents}");
}

#[test]
fn without_recognition_a_scan_says_what_is_missing() {
    let desk = Desk::new();
    desk.creator();
    std::fs::write(desk.data().join("neverafk.toml"), "[ingest]\nocr_languages = \"off\"\n").unwrap();
    for name in ["lesson.pdf", "note.png"] {
        let said = desk.refused(&["ingest", fixture(name).to_str().unwrap(), "--creator", "course"]);
        assert!(said.contains("picture") && said.contains("tesseract"), "{name}: {said}");
    }
    // A language that is not installed recognises nothing, and says so in the log alone.
    std::fs::write(desk.data().join("neverafk.toml"), "[ingest]\nocr_languages = \"tlh\"\n").unwrap();
    desk.refused(&["ingest", fixture("note.png").to_str().unwrap(), "--creator", "course"]);
}

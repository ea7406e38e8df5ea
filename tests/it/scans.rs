//! Scans and pictures: their words are found at their page where tesseract is installed, and missed in words where not.

use std::io::Write;
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

/// A grey picture with nothing on it (TIFF 6.0, one strip without compression).
fn blank() -> Vec<u8> {
    let (side, mut file) = (100u32, b"II*\0".to_vec());
    file.extend((8 + side * side).to_le_bytes());
    file.resize((8 + side * side) as usize, 200);
    let entries = [
        (256u16, 3u16, side),
        (257, 3, side),
        (258, 3, 8),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, side),
        (279, 4, side * side),
    ];
    file.extend((entries.len() as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(1u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend(0u32.to_le_bytes());
    file
}

/// A lesson with a picture of words, a picture without any, and a button.
fn lesson() -> [(&'static str, Vec<u8>); 4] {
    let note = std::fs::read(fixture("note.png")).unwrap();
    let button = note[..600].to_vec();
    let words = b"# Pressing\n\nThe press stands in the attic.\n".to_vec();
    [("board.png", note), ("grey.tiff", blank()), ("next.png", button), ("press.md", words)]
}

fn package() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in lesson() {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("Week 1/{name}"), options).unwrap();
        zip.write_all(&bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn pictures_among_others_are_read_and_those_without_words_are_no_failure() {
    if !is_installed() {
        return;
    }
    let desk = Desk::new();
    desk.creator();
    let path = desk.write("course.zip", package());
    let said = desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!((said["added"].as_u64(), said["failed"].as_array().unwrap().len()), (Some(2), 0), "{said}");
    let warnings = said["warnings"].to_string();
    assert!(warnings.contains("next.png") && warnings.contains("1 picture was left out"), "{said}");
    // The same files in a folder; a button is looked at there, as its size says nothing to whoever put it there.
    for (name, bytes) in lesson() {
        desk.write(&format!("folder/{name}"), bytes);
    }
    let folder = desk.directory.path().join("files/folder");
    let said = desk.json(&["ingest", folder.to_str().unwrap(), "--creator", "course"]);
    assert_eq!(said["failed"].as_array().unwrap().len(), 0, "{said}");
    assert!(said["warnings"].to_string().contains("2 pictures were left out"), "{said}");
}

#[test]
fn without_recognition_the_pictures_of_a_package_are_counted() {
    let desk = Desk::new();
    desk.creator();
    std::fs::write(desk.data().join("neverafk.toml"), "[ingest]\nocr_languages = \"off\"\n").unwrap();
    let path = desk.write("course.zip", package());
    let said = desk.json(&["ingest", path.to_str().unwrap(), "--creator", "course"]);
    assert_eq!((said["added"].as_u64(), said["failed"].as_array().unwrap().len()), (Some(1), 0), "{said}");
    let warnings = said["warnings"].to_string();
    assert!(warnings.contains("2 pictures were not read") && warnings.contains("tesseract"), "{said}");
}
